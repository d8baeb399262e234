// Races: two accesses to the same bytes, at least one a plain write, that nothing orders.
//
// Order is tracked by vector clocks of warps. A warp hands its clock over at a release (barrier arrival, mbarrier
// arrival, atomic or strong store) and takes others' at an acquire. Lanes of one warp are ordered by the collectives
// (bar.warp.sync, shfl.sync, ...), counted as sub-epochs. Every atomic and strong access counts as a release and an
// acquire of its address, so that no correct program is blamed; some wrong ones go free.
#pragma once

#include "machine/access.h"
#include "machine/block.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace cnn::emu {

using VectorClock = std::array<std::uint32_t, 32>;  // per warp of the block

// Who touched a byte last.
struct Touch {
  std::uint64_t block = 0;           // 1 + number in the grid; 0: nobody in this launch
  std::uint32_t clock = 0, epoch = 0;  // of its warp; sub-epoch of the warp
  std::uint64_t time = 0;            // of the launch-wide counter of strong accesses
  std::uint8_t warp = 0, lane = 0;
  std::uint32_t line = 0;            // of the PTX
};

struct Cell {
  Touch write, read;
  VectorClock readers{};             // per warp of the writing block: the clock of its last read
  bool nonCoherentRead = false;
};

// Global memory of one launch, by byte, in shards so that the threads of the launch rarely meet.
class LaunchRaces {
 public:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, Cell> cells;
  };
  Shard& shard(std::uint64_t address) { return shards_[address / 256 % shards_.size()]; }
  // The same for the check of .nc loads, which keeps its own notes.
  Shard& nonCoherent(std::uint64_t address) { return nonCoherent_[address / 256 % shards_.size()]; }
  // Times of the last release and acquire of a block.
  struct Strong {
    std::uint64_t released = 0, acquired = 0;
  };
  std::uint64_t strong(std::uint64_t block);
  Strong strongOf(std::uint64_t block);
  std::uint64_t now() const { return time_.load(); }

 private:
  std::array<Shard, 64> shards_, nonCoherent_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Strong> strong_;
  std::atomic<std::uint64_t> time_{1};
};

class BlockRaces {
 public:
  BlockRaces(LaunchRaces& launch, std::size_t sharedBytes) : launch_(launch), shared_(sharedBytes) {}
  void start(std::uint64_t blockNumber, std::size_t warps);

  // Empty, or what the access races with.
  std::optional<std::string> access(const Warp& warp, const Instruction* i, const Access& access);

  void release(const Warp& warp, std::uint64_t key);
  void acquire(const Warp& warp, std::uint64_t key);
  void collective(const Warp& warp) { ++epochs_[warp.index]; }
  void strong() { launch_.strong(number_); }

 private:
  bool ordered(const Touch& earlier, const Warp& warp, unsigned lane, const Instruction* i) const;
  std::optional<std::string> touch(Cell& cell, const Warp& warp, const Instruction* i, unsigned lane, AccessKind kind);
  Touch touchOf(const Warp& warp, const Instruction* i, unsigned lane) const;

  LaunchRaces& launch_;
  std::uint64_t number_ = 0;
  std::vector<Cell> shared_;
  std::array<VectorClock, 32> clocks_{};
  std::array<std::uint32_t, 32> epochs_{};
  std::unordered_map<std::uint64_t, VectorClock> handedOver_;
};

}  // namespace cnn::emu
