// Shared memory is reached by two ways that do not see each other's writes without a fence: threads (ld, st, cp.async) and
// the asynchronous proxy (bulk copies, operands of wgmma). What threads write becomes visible to the proxy by
// fence.proxy.async: of the writing warp, after the write, or of the reading warp, after it has met the writer at a barrier.
#pragma once

#include "machine/instruction.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace cnn::emu {

class ProxyOrder {
 public:
  explicit ProxyOrder(std::uint32_t sharedBytes) : writes_(sharedBytes) {}
  void start();  // another block takes the place

  void threadWrites(std::uint32_t warp, std::uint32_t address, std::uint32_t bytes);
  void proxyWrites(std::uint32_t address, std::uint32_t bytes);
  // Meetings: a warp hands its past over through a key (a barrier's phase, an address), another takes it over.
  void release(std::uint64_t key) { released_[key] = ++now_; }
  void acquire(std::uint32_t warp, std::uint64_t key);
  void fence(std::uint32_t warp);

  struct Unfenced {
    std::uint32_t address, warp;
  };
  // The first byte that a read by the proxy for `warp` may not see.
  std::optional<Unfenced> proxyReads(std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) const;

 private:
  static constexpr std::uint32_t maxWarps = 1024 / warpLanes;
  struct Write {
    std::uint64_t time : 56 = 0;  // 0: none by a thread
    std::uint64_t warp : 8 = 0;
  };
  std::vector<Write> writes_;     // the latest one, per byte
  std::uint64_t now_ = 0, start_ = 0;  // of this block: what is older is another's
  std::unordered_map<std::uint64_t, std::uint64_t> released_;
  // Per warp, times: up to when it knows what others have done, of its last fence, and up to when that covers others.
  std::uint64_t met_[maxWarps] = {}, fenced_[maxWarps] = {}, covered_[maxWarps] = {};
};

}  // namespace cnn::emu
