#include "machine/race.h"

#include "machine/program.h"

#include <algorithm>
#include <bit>

namespace cnn::emu {
namespace {

std::string describe(const char* what, const Stamp& stamp, const Program& program) {
  const std::string lane = stamp.lane == Stamp::severalLanes ? "several lanes" : "lane " + std::to_string(stamp.lane);
  return std::string(what) + " by warp " + std::to_string(stamp.warp) + " " + lane + " of block " + std::to_string(stamp.block - 1) +
         " (of the grid, counted) at PTX line " + std::to_string(program.sites[stamp.site].line);
}

}  // namespace

void LaunchRaces::endEra(std::uint32_t block) {
  const std::lock_guard lock(mutex_);
  eraEnds_[block].push_back(now());
}

std::optional<std::uint64_t> LaunchRaces::endOf(std::uint32_t block, std::uint32_t era) {
  const std::lock_guard lock(mutex_);
  const std::vector<std::uint64_t>& ends = eraEnds_[block];
  return era < ends.size() ? std::optional(ends[era]) : std::nullopt;
}

void BlockRaces::start(std::uint64_t blockNumber, std::size_t warps) {
  number_ = std::uint32_t(blockNumber + 1);
  era_ = 0;
  acquired_ = 0;
  touchedGlobal_ = false;
  handedOver_.clear();
  for (std::size_t w = 0; w < warps; ++w) {
    clocks_[w] = {};
    clocks_[w][w] = 1;
  }
}

void BlockRaces::release(const Warp& warp, std::uint64_t key) {
  VectorClock& own = clocks_[warp.index];
  VectorClock& given = handedOver_[key];
  for (std::size_t w = 0; w < own.size(); ++w) given[w] = std::max(given[w], own[w]);
  ++own[warp.index];
}

void BlockRaces::acquire(const Warp& warp, std::uint64_t key) {
  const auto found = handedOver_.find(key);
  if (found == handedOver_.end()) return;
  VectorClock& own = clocks_[warp.index];
  for (std::size_t w = 0; w < own.size(); ++w) own[w] = std::max(own[w], found->second[w]);
  ++own[warp.index];
}

void BlockRaces::releaseBlock() {
  if (!touchedGlobal_) return;  // nobody can ask for the end of this era
  launch_.endEra(number_);
  ++era_;
  touchedGlobal_ = false;
}

bool BlockRaces::blocksOrdered(const Stamp& earlier) const {
  const auto end = launch_.endOf(earlier.block, earlier.era);
  return end && acquired_ > *end;
}

// Whether the earlier touch of a cell happened before that of the part.
bool BlockRaces::ordered(const Stamp& earlier, const Part& part, std::uint32_t cell) const {
  const Stamp& now = part.now;
  if (earlier.block != now.block) return earlier.block == 0 || part.ownMemory || blocksOrdered(earlier);
  if (earlier.warp != now.warp) return earlier.moment <= clocks_[now.warp][earlier.warp];
  const unsigned lane = part.lane(cell);
  if (earlier.moment != now.moment || (earlier.lane == lane && lane != Stamp::severalLanes)) return true;
  return earlier.site == now.site;  // lanes of one instruction: which one wins is unspecified, but one does
}

// The stamp among the cells that the access does not come after; null if there is none. What has been found to be ordered
// holds for all cells of that moment, except in the moment of the access itself, where lanes matter.
const Stamp* BlockRaces::firstUnordered(const Stamp* cells, const Part& part) const {
  Stamp settled;
  for (std::uint32_t c = 0; c < part.count; ++c) {
    const Stamp& earlier = cells[part.first + c];
    if (earlier.sameMoment(settled)) continue;
    if (!ordered(earlier, part, c)) return &earlier;
    if (!earlier.sameMoment(part.now)) settled = earlier;
  }
  return nullptr;
}

void BlockRaces::noteRead(ShadowPage& page, const Part& part) const {
  Stamp* cells = page.makeRead(part.now.warp) + part.first;
  for (std::uint32_t c = 0; c < part.count; ++c) {
    const unsigned lane = part.lane(c);
    const bool another = cells[c].sameMoment(part.now) && cells[c].lane != lane;
    cells[c] = part.now;
    cells[c].lane = another ? Stamp::severalLanes : lane;
  }
}

void BlockRaces::noteWrite(ShadowPage& page, const Part& part) const {
  Stamp* cells = page.written() + part.first;
  for (std::uint32_t c = 0; c < part.count; ++c) {
    const unsigned lane = part.lane(c);
    const bool another = cells[c].sameMoment(part.now) && cells[c].lane != lane && cells[c].site == part.now.site;
    cells[c] = part.now;
    cells[c].lane = another ? Stamp::severalLanes : lane;
  }
  for (unsigned w = 0; w < warpLanes; ++w)
    if (Stamp* read = page.read(w)) std::fill_n(read + part.first, part.count, Stamp{});
}

std::optional<std::string> BlockRaces::touch(ShadowPage& page, const Part& part, bool writes, const Program& program) {
  if (const Stamp* write = firstUnordered(page.written(), part)) return describe("a write", *write, program);
  if (!writes) {
    noteRead(page, part);
    return {};
  }
  for (unsigned w = 0; w < warpLanes; ++w)
    if (const Stamp* cells = page.read(w))
      if (const Stamp* read = firstUnordered(cells, part)) return describe("a read", *read, program);
  noteWrite(page, part);
  return {};
}

std::optional<std::string> BlockRaces::access(const Warp& warp, const Instruction* i, const Access& access, const Spans& spans) {
  const bool writes = access.kind == AccessKind::store;
  if (!writes && access.kind != AccessKind::load && access.kind != AccessKind::loadNonCoherent) return {};
  if (access.space != ptx::Space::shared && access.space != ptx::Space::global) return {};
  const bool global = access.space == ptx::Space::global;
  touchedGlobal_ |= global;
  const Program& program = *warp.block->launch->program;
  std::optional<std::string> race;
  for (const Span& span : spans) {
    if (!global && span.address >> sharedRankShift != 0) continue;  // memory of another block of the cluster
    anyPage(span.address, span.bytes, [&](std::uint64_t number, std::uint32_t offset, std::uint32_t bytes, std::uint32_t before) {
      ShadowPage& page = global ? global_[number] : shared_[number];
      const auto lock = global ? std::unique_lock(page.mutex) : std::unique_lock<std::mutex>();
      page.refine(access.bytes);
      const std::uint32_t cell = page.cellBytes();
      Part part{{clocks_[warp.index][warp.index], era_, number_}, offset / cell, bytes / cell, unsigned(std::countr_zero(access.bytes / cell)),
                span.isPlace(access.bytes), !global};
      part.now.warp = warp.index;
      part.now.lane = span.lane + before / access.bytes;
      part.now.site = std::uint32_t(i - program.code);
      race = touch(page, part, writes, program);
      return race.has_value();
    });
    if (race) return race;
  }
  return {};
}

}  // namespace cnn::emu
