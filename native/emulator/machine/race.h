// Races: two accesses to the same bytes, at least one a plain write, that nothing orders.
//
// A warp counts moments: each release (barrier arrival, mbarrier arrival, atomic or strong store), acquire and collective
// (bar.warp.sync, shfl.sync, ...) begins the next. Order inside a block is tracked by vector clocks of these moments, handed
// over at a release and taken over at an acquire; lanes of one warp are ordered if a moment has passed between them.
// Between blocks only atomics and strong accesses order. A block counts eras, each of which ends with such an access; what
// it did in an era comes before another block that made one after the era's end. Every atomic and strong access counts as
// a release and an acquire of its address, so that no correct program is blamed; some wrong ones go free.
#pragma once

#include "machine/access.h"
#include "machine/block.h"
#include "machine/shadow.h"
#include "machine/spans.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cnn::emu {

using VectorClock = std::array<std::uint32_t, 32>;  // moments of the warps of a block

// Global memory of one launch, and the order of its blocks.
class LaunchRaces {
 public:
  PageTable<ShadowPage>& pages() { return pages_; }

  // Times of the launch, a new one for each call.
  std::uint64_t now() { return ++time_; }
  void endEra(std::uint32_t block);
  // When the block ended this era; nothing if it has not.
  std::optional<std::uint64_t> endOf(std::uint32_t block, std::uint32_t era);

 private:
  PageTable<ShadowPage> pages_;
  std::atomic<std::uint64_t> time_{0};
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, std::vector<std::uint64_t>> eraEnds_;  // per block
};

class BlockRaces {
 public:
  BlockRaces(LaunchRaces& launch, std::size_t sharedBytes)
      : launch_(launch), shared_((sharedBytes + notePageBytes - 1) / notePageBytes), global_(launch.pages()) {}
  void start(std::uint64_t blockNumber, std::size_t warps);

  // Empty, or what the access races with.
  std::optional<std::string> access(const Warp& warp, const Instruction* i, const Access& access, const Spans& spans);

  void release(const Warp& warp, std::uint64_t key);
  void acquire(const Warp& warp, std::uint64_t key);
  void collective(const Warp& warp) { ++clocks_[warp.index][warp.index]; }
  // Before and after an access that orders blocks.
  void releaseBlock();
  void acquireBlock() { acquired_ = launch_.now(); }

 private:
  // Cells of one page that one access touches, and who does: `now` with the lane of each.
  struct Part {
    Stamp now;
    std::uint32_t first, count;
    unsigned laneShift;  // of cells per lane, a power of two
    bool place;        // all lanes touch all cells
    bool ownMemory;    // shared memory, where what other blocks have left does not count
    unsigned lane(std::uint32_t cell) const { return place ? Stamp::severalLanes : now.lane + (cell >> laneShift); }
  };
  std::optional<std::string> touch(ShadowPage& page, const Part& part, bool writes, const Program& program);
  void noteRead(ShadowPage& page, const Part& part) const;
  void noteWrite(ShadowPage& page, const Part& part) const;
  const Stamp* firstUnordered(const Stamp* cells, const Part& part) const;
  bool ordered(const Stamp& earlier, const Part& part, std::uint32_t cell) const;
  bool blocksOrdered(const Stamp& earlier) const;

  LaunchRaces& launch_;
  std::vector<ShadowPage> shared_;
  PageCache<ShadowPage> global_;
  std::uint32_t number_ = 0, era_ = 0;
  std::uint64_t acquired_ = 0;       // time of the latest strong access
  bool touchedGlobal_ = false;       // in this era
  std::array<VectorClock, 32> clocks_{};
  std::unordered_map<std::uint64_t, VectorClock> handedOver_;
};

}  // namespace cnn::emu
