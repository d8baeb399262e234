#include "machine/proxy_order.h"

#include <algorithm>

namespace cnn::emu {

void ProxyOrder::start() {
  for (auto* times : {&met_, &fenced_, &covered_}) std::fill(std::begin(*times), std::end(*times), 0);
  released_.clear();
  start_ = now_;
}

void ProxyOrder::acquire(std::uint32_t warp, std::uint64_t key) {
  if (const auto released = released_.find(key); released != released_.end()) met_[warp] = std::max(met_[warp], released->second);
}

void ProxyOrder::fence(std::uint32_t warp) {
  fenced_[warp] = ++now_;
  covered_[warp] = met_[warp];
}

void ProxyOrder::threadWrites(std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) {
  const Write write{++now_, warp};
  std::fill_n(writes_.begin() + address, bytes, write);
}

void ProxyOrder::proxyWrites(std::uint32_t address, std::uint32_t bytes) { std::fill_n(writes_.begin() + address, bytes, Write{}); }

std::optional<ProxyOrder::Unfenced> ProxyOrder::proxyReads(std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) const {
  for (std::uint32_t at = address; at < address + bytes; ++at) {
    const Write write = writes_[at];
    if (write.time > std::max({start_, covered_[warp], fenced_[write.warp]})) return Unfenced{at, std::uint32_t(write.warp)};
  }
  return {};
}

}  // namespace cnn::emu
