#include "machine/race.h"

#include "machine/program.h"

#include <algorithm>
#include <bit>

namespace cnn::emu {
namespace {

std::uint32_t lineOf(const Warp& warp, const Instruction* i) {
  const Program& program = *warp.block->launch->program;
  return program.sites[std::size_t(i - program.code)].line;
}

std::string describe(const char* what, const Touch& touch) {
  return std::string(what) + " by warp " + std::to_string(touch.warp) + " lane " + std::to_string(touch.lane) + " of block " +
         std::to_string(touch.block - 1) + " (of the grid, counted) at PTX line " + std::to_string(touch.line);
}

}  // namespace

std::uint64_t LaunchRaces::strong(std::uint64_t block) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t at = ++time_;
  strong_[block] = {at, at};
  return at;
}

LaunchRaces::Strong LaunchRaces::strongOf(std::uint64_t block) {
  const std::lock_guard lock(mutex_);
  return strong_[block];
}

void BlockRaces::start(std::uint64_t blockNumber, std::size_t warps) {
  number_ = blockNumber + 1;
  std::fill(shared_.begin(), shared_.end(), Cell{});
  handedOver_.clear();
  epochs_ = {};
  for (std::size_t w = 0; w < warps; ++w) {
    clocks_[w] = {};
    clocks_[w][w] = 1;
  }
}

void BlockRaces::release(const Warp& warp, std::uint64_t key) {
  VectorClock& own = clocks_[warp.index];
  VectorClock& shared = handedOver_[key];
  for (std::size_t w = 0; w < own.size(); ++w) shared[w] = std::max(shared[w], own[w]);
  ++own[warp.index];
  ++epochs_[warp.index];
}

void BlockRaces::acquire(const Warp& warp, std::uint64_t key) {
  const auto found = handedOver_.find(key);
  if (found == handedOver_.end()) return;
  VectorClock& own = clocks_[warp.index];
  for (std::size_t w = 0; w < own.size(); ++w) own[w] = std::max(own[w], found->second[w]);
  ++epochs_[warp.index];
}

Touch BlockRaces::touchOf(const Warp& warp, const Instruction* i, unsigned lane) const {
  return {number_, clocks_[warp.index][warp.index], epochs_[warp.index], launch_.now(), std::uint8_t(warp.index),
          std::uint8_t(lane), lineOf(warp, i)};
}

// Whether the earlier touch happened before this lane's access now.
bool BlockRaces::ordered(const Touch& earlier, const Warp& warp, unsigned lane, const Instruction* i) const {
  if (earlier.block == 0) return true;
  if (earlier.block != number_) {
    // Between blocks only strong accesses order: one of theirs after their access, and one of ours after that.
    const auto theirs = launch_.strongOf(earlier.block), ours = launch_.strongOf(number_);
    return theirs.released > earlier.time && ours.acquired > earlier.time;
  }
  if (earlier.warp != warp.index) return earlier.clock <= clocks_[warp.index][earlier.warp];
  if (earlier.lane == lane || earlier.epoch != epochs_[warp.index]) return true;
  return earlier.line == lineOf(warp, i);  // lanes of one instruction: which one wins is unspecified, but one does
}

std::optional<std::string> BlockRaces::touch(Cell& cell, const Warp& warp, const Instruction* i, unsigned lane, AccessKind kind) {
  if (kind != AccessKind::load && kind != AccessKind::store && kind != AccessKind::loadNonCoherent) return {};
  const Touch now = touchOf(warp, i, lane);
  if (!ordered(cell.write, warp, lane, i)) return describe("a write", cell.write);
  if (kind == AccessKind::store) {
    if (!ordered(cell.read, warp, lane, i)) return describe("a read", cell.read);
    if (cell.read.block == number_)
      for (std::size_t w = 0; w < cell.readers.size(); ++w)
        if (w != warp.index && cell.readers[w] > clocks_[warp.index][w])
          return "a read by warp " + std::to_string(w) + " of the same block";
    cell.write = now;
    cell.read = {};
    cell.readers = {};
    return {};
  }
  if (cell.read.block != number_) cell.readers = {};
  cell.read = now;
  cell.readers[warp.index] = now.clock;
  return {};
}

std::optional<std::string> BlockRaces::access(const Warp& warp, const Instruction* i, const Access& access) {
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const unsigned lane = unsigned(std::countr_zero(rest));
    const std::uint64_t address = access.addresses[lane];
    if (access.space == ptx::Space::shared) {
      if (address >> sharedRankShift != 0) continue;  // memory of another block of the cluster
      for (std::uint64_t byte = address; byte < address + access.bytes && byte < shared_.size(); ++byte)
        if (auto race = touch(shared_[byte], warp, i, lane, access.kind)) return race;
    } else if (access.space == ptx::Space::global) {
      auto& shard = launch_.shard(address);
      const std::lock_guard lock(shard.mutex);
      for (std::uint64_t byte = address; byte < address + access.bytes; ++byte)
        if (auto race = touch(shard.cells[byte], warp, i, lane, access.kind)) return race;
    }
  }
  return {};
}

}  // namespace cnn::emu
