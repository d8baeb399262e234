#include "machine/proxy_order.h"

#include <algorithm>

namespace cnn::emu {

void ProxyOrder::start() {
  for (auto* times : {&met_, &covered_, &coveredGlobal_, &fencedGlobal_}) std::fill(std::begin(*times), std::end(*times), 0);
  released_.clear();
  start_ = now_;
}

void ProxyOrder::acquire(std::uint32_t warp, std::uint64_t key) {
  if (const auto released = released_.find(key); released != released_.end()) met_[warp] = std::max(met_[warp], released->second);
}

void ProxyOrder::fence(std::uint32_t warp, std::uint32_t writer) {
  fenced_[writer] = ++now_;
  covered_[warp] = met_[warp];
}

std::uint32_t ProxyOrder::fenceGlobal(std::uint32_t warp) {
  fencedGlobal_[warp] = ++now_;
  coveredGlobal_[warp] = met_[warp];
  return std::uint32_t(now_);
}

void ProxyOrder::threadWrites(std::uint32_t writer, std::uint32_t address, std::uint32_t bytes) {
  const Write write{++now_, writer};
  std::fill_n(writes_.begin() + address, bytes, write);
}

void ProxyOrder::proxyWrites(std::uint32_t address, std::uint32_t bytes) { std::fill_n(writes_.begin() + address, bytes, Write{}); }

std::optional<ProxyOrder::Unfenced> ProxyOrder::proxyReads(std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) const {
  for (std::uint32_t at = address; at < address + bytes; ++at) {
    const Write write = writes_[at];
    if (write.time > std::max({start_, covered_[warp], fenced_[write.writer]}))
      return Unfenced{at, std::uint32_t(write.writer) / maxWarps, std::uint32_t(write.writer) % maxWarps};
  }
  return {};
}

}  // namespace cnn::emu
