#include "machine/global_proxies.h"

#include <algorithm>
#include <numeric>

namespace cnn::emu {
namespace {

std::uint64_t keyOf(std::uint32_t block, std::uint32_t warp) { return std::uint64_t(block) * warpLanes + warp; }

}  // namespace

void GlobalProxies::threadWrites(const Stamp& write, std::uint64_t address, std::uint32_t bytes, std::uint32_t unit) {
  anyPage(address, bytes, [&](std::uint64_t number, std::uint32_t offset, std::uint32_t part, std::uint32_t) {
    ShadowPage& page = pages_[number];
    const std::lock_guard lock(page.mutex);
    page.refine(unit);
    std::fill_n(page.written() + offset / page.cellBytes(), part / page.cellBytes(), write);
    return false;
  });
}

void GlobalProxies::proxyWrites(std::uint64_t address, std::uint32_t bytes) {
  const std::uint32_t unit = std::gcd(std::gcd(std::uint32_t(address % 4), bytes), 4u);
  anyPage(address, bytes, [&](std::uint64_t number, std::uint32_t offset, std::uint32_t part, std::uint32_t) {
    ShadowPage& page = pages_[number];
    const std::lock_guard lock(page.mutex);
    page.refine(unit);
    std::fill_n(page.written() + offset / page.cellBytes(), part / page.cellBytes(), Stamp{});
    return false;
  });
}

void GlobalProxies::fence(std::uint32_t block, std::uint32_t warp, std::uint32_t time) {
  const std::lock_guard lock(mutex_);
  fenced_[keyOf(block, warp)] = time;
}

bool GlobalProxies::isFenced(const Stamp& write) const {
  const std::lock_guard lock(mutex_);
  const auto fence = fenced_.find(keyOf(write.block, write.warp));
  return fence != fenced_.end() && fence->second > write.moment;
}

std::optional<GlobalProxies::Unfenced> GlobalProxies::proxyReads(std::uint32_t block, std::uint32_t warp, const ProxyOrder& order,
                                                                 std::uint64_t address, std::uint32_t bytes) {
  std::optional<Unfenced> found;
  anyPage(address, bytes, [&](std::uint64_t number, std::uint32_t offset, std::uint32_t part, std::uint32_t) {
    ShadowPage& page = pages_[number];
    const std::lock_guard lock(page.mutex);
    const std::uint32_t cell = page.cellBytes();
    Stamp settled;
    for (std::uint32_t c = offset / cell; c * cell < offset + part; ++c) {
      const Stamp& write = page.written()[c];
      if (write.block == 0 || write.sameMoment(settled)) continue;
      const bool own = write.block == block;
      if (own ? order.globalVisible(write.moment, write.warp, warp) : order.hasFencedGlobal(warp) || isFenced(write)) {
        settled = write;
        continue;
      }
      found = {number * notePageBytes + c * cell, write.block, write.warp};
      return true;
    }
    return false;
  });
  return found;
}

}  // namespace cnn::emu
