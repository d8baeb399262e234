// Shared memory is reached by two ways that do not see each other's writes without a fence: threads (ld, st, cp.async) and
// the asynchronous proxy (bulk copies, operands of wgmma). What threads write becomes visible to the proxy by
// fence.proxy.async: of the writing warp, after the write, or of the reading warp, after it has met the writer at a barrier.
// Warps of all blocks of a cluster write; only the block's own read.
#pragma once

#include "machine/instruction.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace cnn::emu {

class ProxyOrder {
 public:
  explicit ProxyOrder(std::uint32_t sharedBytes) : writes_(sharedBytes) {}
  void start();  // another block takes the place

  // A warp of the cluster.
  static std::uint32_t writer(std::uint32_t rank, std::uint32_t warp) { return rank * maxWarps + warp; }
  void threadWrites(std::uint32_t writer, std::uint32_t address, std::uint32_t bytes);
  void proxyWrites(std::uint32_t address, std::uint32_t bytes);
  // Meetings: a warp hands its past over through a key (a barrier's phase, an address), another takes it over.
  void release(std::uint64_t key) { released_[key] = ++now_; }
  void acquire(std::uint32_t warp, std::uint64_t key);
  // Any meeting of the cluster: what other blocks have done so far is known, whoever of them came.
  void acquireCluster(std::uint32_t warp) { met_[warp] = now_; }
  void fence(std::uint32_t warp, std::uint32_t writer);
  void fenceElsewhere(std::uint32_t writer) { fenced_[writer] = ++now_; }  // of a warp of another block

  // The same for global memory, whose writes global_proxies.h keeps with the times of the writer's block.
  std::uint32_t globalWrite() { return std::uint32_t(++now_); }
  std::uint32_t fenceGlobal(std::uint32_t warp);
  bool globalVisible(std::uint32_t time, std::uint32_t writingWarp, std::uint32_t readingWarp) const {
    return time <= std::max(coveredGlobal_[readingWarp], fencedGlobal_[writingWarp]);
  }
  bool hasFencedGlobal(std::uint32_t warp) const { return fencedGlobal_[warp] != 0; }

  struct Unfenced {
    std::uint32_t address, rank, warp;
  };
  // The first byte that a read by the proxy for `warp` may not see.
  std::optional<Unfenced> proxyReads(std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) const;

 private:
  static constexpr std::uint32_t maxWarps = 1024 / warpLanes, maxBlocks = 16;
  struct Write {
    std::uint64_t time : 48 = 0;  // 0: none by a thread
    std::uint64_t writer : 16 = 0;
  };
  std::vector<Write> writes_;     // the latest one, per byte
  std::uint64_t now_ = 0, start_ = 0;  // of this block: what is older is another's
  std::unordered_map<std::uint64_t, std::uint64_t> released_;
  // Times. Per warp: up to when it knows what others have done, and up to when its last fence covers that.
  std::uint64_t met_[maxWarps] = {}, covered_[maxWarps] = {};
  std::uint64_t fenced_[maxBlocks * maxWarps] = {};  // per writer: its last fence
  std::uint64_t coveredGlobal_[maxWarps] = {}, fencedGlobal_[maxWarps] = {};
};

}  // namespace cnn::emu
