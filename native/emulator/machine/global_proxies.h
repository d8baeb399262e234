// Global memory between threads and the asynchronous proxy: a bulk copy may not see what a thread has stored in this launch
// unless a fence.proxy.async stands between: of the warp that wrote, or of the one that copies, after it has met the writer. What
// another block has written any fence of the copying warp covers: whether they have met at all is another question.
#pragma once

#include "machine/proxy_order.h"
#include "machine/shadow.h"

#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace cnn::emu {

// Of one launch whose kernel has bulk copies from global memory. Blocks are numbered from 1; times are those of their ProxyOrder.
class GlobalProxies {
 public:
  // `write`: block, warp, and the time as its moment; in units of what one lane writes.
  void threadWrites(const Stamp& write, std::uint64_t address, std::uint32_t bytes, std::uint32_t unit);
  void proxyWrites(std::uint64_t address, std::uint32_t bytes);
  void fence(std::uint32_t block, std::uint32_t warp, std::uint32_t time);

  struct Unfenced {
    std::uint64_t address;
    std::uint32_t block, warp;
  };
  // The first bytes that a copy for this warp may not see.
  std::optional<Unfenced> proxyReads(std::uint32_t block, std::uint32_t warp, const ProxyOrder& order, std::uint64_t address, std::uint32_t bytes);

 private:
  bool isFenced(const Stamp& write) const;

  PageTable<ShadowPage> pages_;  // the writes
  mutable std::mutex mutex_;     // of what follows
  std::unordered_map<std::uint64_t, std::uint32_t> fenced_;  // the time of the latest fence, by block and warp
};

}  // namespace cnn::emu
