// Races: two accesses to the same bytes that nothing orders, at least one of them a write and at least one of them plain.
// Atomics and strong accesses (.volatile, .relaxed, .acquire, .release) do not race with each other if the scope of each
// reaches the other.
//
// Order follows the memory model of the instruction set (history.h): barriers and mbarriers hand over all that a warp
// knows; a release, or a relaxed write after a fence, hands it over to the acquire, or the fence after a relaxed read, that
// reads there, within their scopes. Lanes of one warp are ordered if a moment has passed between them.
// Fences and what is handed over are those of a warp, not of each lane, and a fence counts for those who have met its warp
// at a barrier since, so that no correct program is blamed; some wrong ones go free.
#pragma once

#include "machine/access.h"
#include "machine/block.h"
#include "machine/history.h"
#include "machine/publications.h"
#include "machine/shadow.h"
#include "machine/spans.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cnn::emu {

// Global memory of one launch, and the order of its blocks.
struct LaunchRaces {
  PageTable<ShadowPage> pages;
  Publications publications;
};

struct Race {
  std::string with;
  unsigned lane;  // of the access that has found it
};

class BlockRaces {
 public:
  BlockRaces(LaunchRaces& launch, std::size_t sharedBytes)
      : publications_(launch.publications), shared_((sharedBytes + notePageBytes - 1) / notePageBytes), global_(launch.pages) {}
  void start(std::uint64_t blockNumber, std::size_t warps);

  std::optional<Race> access(const Warp& warp, const Instruction* i, const Access& access, const Spans& spans);

  // A barrier or mbarrier: to whoever acquires by the same key, and to the other blocks of the cluster.
  void release(const Warp& warp, std::uint64_t key);
  void acquire(const Warp& warp, std::uint64_t key);
  void releaseCluster(const Warp& warp);
  void acquireCluster(const Warp& warp);
  // An atomic or strong access of a place: before a write, after a read.
  void strongWrite(const Warp& warp, std::uint64_t key, Ordering ordering);
  void strongRead(const Warp& warp, std::uint64_t key, Ordering ordering);
  void fence(const Warp& warp, Ordering ordering);
  // Lanes of the warp have met.
  void collective(const Warp& warp) { finishMoment(warp.index); }

  enum class Touch : std::uint8_t { read, write, strongRead, strongWrite };
  struct Stretch {
    BlockRaces* shared;  // whose shared memory; null: global memory
    std::uint64_t address;
    std::uint32_t bytes;
  };
  // By the asynchronous proxy for a lane of the warp, or -1 for all of it, at the issue. `kept`: what comes later is
  // compared with it.
  std::optional<Race> copy(const Warp& warp, const Instruction* i, int lane, const Stretch& stretch, Touch touch, bool kept);
  // What the warp knows up to here, and its delivery by a copy that completes on an mbarrier of the block `to`.
  VectorClock handOver(const Warp& warp);
  void complete(const VectorClock& issued, BlockRaces& to, std::uint64_t mbarrier);

 private:
  // Who touches a stretch: lane after lane by units of so many bytes, or one lane, or all lanes all of it.
  struct Visit {
    const Warp& warp;
    const Instruction* at;
    Touch touch;
    Scope scope;
    enum class Lanes : std::uint8_t { inTurn, one, all } lanes;
    unsigned lane, unit;
    bool kept;
  };
  std::optional<Race> visit(const Visit& who, const Stretch& stretch);
  // Cells of one page that one access touches, and who does: `now` with the lane of the first.
  struct Part {
    Stamp now;
    Touch touch;
    std::uint32_t first, count;
    unsigned laneShift;  // of cells per lane, a power of two
    bool place;          // several lanes touch all cells
    bool global;         // in shared memory what former blocks have left does not count
    const Warp* warp;
    unsigned lane(std::uint32_t cell) const { return place ? Stamp::severalLanes : now.lane + (cell >> laneShift); }
  };
  struct Found {
    const char* what;
    Stamp stamp;
    std::uint32_t cell;
  };
  struct Unordered {
    const Stamp* stamp;
    std::uint32_t cell;
  };

  static Touch touchOf(AccessKind kind);
  std::optional<Found> conflict(ShadowPage& page, const Part& part) const;
  void note(ShadowPage& page, const Part& part) const;
  void noteWrite(ShadowPage& page, const Part& part) const;
  std::optional<Unordered> firstUnordered(const Stamp* cells, const Part& part, bool bothStrong) const;
  bool ordered(const Stamp& earlier, const Part& part, std::uint32_t cell) const;
  bool published(const Stamp& earlier, const Warp& warp) const;
  bool reachEachOther(const Stamp& earlier, const Part& part) const;
  void finishMoment(unsigned warp);

  Publications& publications_;
  std::vector<ShadowPage> shared_;
  PageCache<ShadowPage> global_;
  std::uint32_t number_ = 0;
  std::array<History, 32> histories_{};
  std::array<bool, 32> touched_{};  // memory, in the present moment of each warp
  std::unordered_map<std::uint64_t, History> met_;         // at barriers, by key
  std::unordered_map<std::uint64_t, Knowledge> released_;  // by writes, by place
};

}  // namespace cnn::emu
