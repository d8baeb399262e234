// What a warp and a block have under way beside their instructions.
//
// Every copy is made at the latest moment that the instruction set allows, and its destination holds poison until then,
// so that a kernel which does not wait computes with NaN instead of being lucky.
#pragma once

#include "machine/block.h"
#include "machine/warpgroup_order.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace cnn::emu {

// A NaN in every floating-point format, -1 as an integer.
inline constexpr int poison = 0xff;

// One cp.async of a warp: up to 32 copies of 4, 8 or 16 bytes.
struct CopyRecord {
  std::uint32_t lanes;                        // not yet copied
  std::uint8_t bytes;
  std::uint8_t taken[warpLanes];              // bytes from the source; the rest is zeros
  std::uint32_t destination[warpLanes];       // .shared addresses
  std::byte* host[warpLanes];                 // the same in host memory
  const std::byte* source[warpLanes];
  std::uint32_t group[warpLanes];
  std::uint64_t serial;
};

// A bulk copy out of shared memory, made in two steps when its thread waits for it: wait_group.read waits for the first.
struct BulkStore {
  int lane;
  std::uint32_t group;
  std::function<void()> read;   // shared memory; null once it has been done
  std::function<void()> write;  // global memory
};

struct SharedRange {
  std::uint32_t address, bytes;
};

struct WarpAsync : Attachment {
  explicit WarpAsync(std::uint32_t warpIndex) : warp(warpIndex) {}
  static WarpAsync& of(Warp& warp);

  const std::uint32_t warp;                   // index in the block
  std::vector<CopyRecord> copies;
  std::uint32_t copyGroup[warpLanes] = {};    // groups committed so far, per lane
  std::uint64_t copySerial = 0;
  // Makes the copies of `lanes` that belong to groups below limit[lane] and are older than `serial`.
  void completeCopies(Block& block, std::uint32_t lanes, const std::uint32_t* limit, std::uint64_t serial);

  std::vector<BulkStore> stores;
  std::uint32_t storeGroup[warpLanes] = {};
  // Of groups below the limit: reads shared memory, or also writes global memory.
  void readStores(int lane, std::uint32_t limit);
  void completeStores(int lane, std::uint32_t limit);

  // barrier.cluster: lanes that have arrived in the current phase, and lanes that have arrived and not yet waited, each
  // with the phase it arrived in.
  std::uint32_t clusterArrived = 0, clusterOwing = 0;
  std::uint32_t clusterPhase[warpLanes] = {};

  WarpgroupOrder warpgroup;                   // of the first warp of each warpgroup
  std::uint32_t registers = 0;                // per thread, by setmaxnreg; 0: as launched
  std::uint32_t matrixGroups = 0;             // wgmma groups committed so far
  // Shared memory that the wgmma groups in flight read; the last group is the one being built. With checks only.
  std::vector<std::vector<SharedRange>> matrixReads{1};
};

// The copies into the shared memory of one block, and arrivals that wait for copies.
class CopyEngine : public AsyncWork {
 public:
  static CopyEngine& of(Block& block);

  // The operation runs later, in any order among the others; it returns what is wrong, or an empty string.
  void enqueue(std::function<std::string()> operation) { queue_.push_back(std::move(operation)); }
  bool advance() override;
  std::optional<std::string> finish() override;

 private:
  explicit CopyEngine(Block& block) : block_(block) {}
  Block& block_;
  std::deque<std::function<std::string()>> queue_;
};

}  // namespace cnn::emu
