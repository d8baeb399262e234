#include "machine/race.h"

#include "machine/block_checks.h"
#include "machine/program.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace cnn::emu {
namespace {

using Kind = ShadowPage::Kind;

std::string describe(const char* what, const Stamp& stamp, const Program& program) {
  const std::string lane = stamp.lane == Stamp::severalLanes ? "several lanes" : "lane " + std::to_string(stamp.lane);
  return std::string(what) + " by warp " + std::to_string(stamp.warp) + " " + lane + " of block " + std::to_string(stamp.block - 1) +
         " (of the grid, counted) at PTX line " + std::to_string(program.sites[stamp.site].line);
}

// Of two blocks by their numbers from 1, the one being this one.
bool sameCluster(const Block& block, std::uint32_t other) {
  return std::any_of(block.cluster.begin(), block.cluster.end(), [&](const Block* peer) { return peer->number() + 1 == other; });
}

}  // namespace

void BlockRaces::start(std::uint64_t blockNumber, std::size_t warps) {
  number_ = std::uint32_t(blockNumber + 1);
  met_.clear();
  released_.clear();
  std::fill_n(histories_.begin(), warps, History{});
  touched_ = {};
}

// ---- order -------------------------------------------------------------------------------------------------------

// What is handed over from now on does not cover what comes later.
void BlockRaces::finishMoment(unsigned warp) {
  if (touched_[warp]) ++histories_[warp].known.moments[warp];
  touched_[warp] = false;
}

void BlockRaces::release(const Warp& warp, std::uint64_t key) {
  finishMoment(warp.index);
  met_[key].join(histories_[warp.index]);
}

void BlockRaces::acquire(const Warp& warp, std::uint64_t key) {
  finishMoment(warp.index);
  if (const auto found = met_.find(key); found != met_.end()) histories_[warp.index].join(found->second);
}

void BlockRaces::releaseCluster(const Warp& warp) {
  finishMoment(warp.index);
  publications_.publish(number_, Reach::cluster, histories_[warp.index].known.moments);
}

void BlockRaces::acquireCluster(const Warp& warp) { histories_[warp.index].known.time(Reach::cluster) = publications_.now(); }

void BlockRaces::fence(const Warp& warp, Ordering ordering) {
  finishMoment(warp.index);
  histories_[warp.index].fence(ordering);
}

void BlockRaces::strongWrite(const Warp& warp, std::uint64_t key, Ordering ordering) {
  const History& own = histories_[warp.index];
  if (ordering.releases) finishMoment(warp.index);
  const auto handedOver = [&](Scope scope) -> const Knowledge& { return ordering.releases ? own.known : own.fencedAt(scope); };
  const Knowledge& given = handedOver(Scope::block);
  if (given.moments != VectorClock{}) released_[key].join(given);
  if (reachedBy(ordering.scope, Reach::cluster)) publications_.publish(number_, Reach::cluster, handedOver(Scope::cluster).moments);
  if (reachedBy(ordering.scope, Reach::grid)) publications_.publish(number_, Reach::grid, handedOver(Scope::device).moments);
}

void BlockRaces::strongRead(const Warp& warp, std::uint64_t key, Ordering ordering) {
  History& own = histories_[warp.index];
  if (ordering.acquires) finishMoment(warp.index);
  Knowledge& taken = ordering.acquires ? own.known : own.seen;
  if (const auto found = released_.find(key); found != released_.end()) taken.join(found->second);
  for (const Reach reach : reaches)
    if (reachedBy(ordering.scope, reach)) taken.time(reach) = publications_.now();
}

// Whether the block of the earlier touch has told the warp of it by way of other blocks, or is another block itself.
bool BlockRaces::published(const Stamp& earlier, const Warp& warp) const {
  const Knowledge& known = histories_[warp.index].known;
  const auto covers = [&](Reach reach) { return publications_.covers(earlier.block, reach, earlier.warp, earlier.moment, known.time(reach)); };
  return covers(Reach::grid) || (sameCluster(*warp.block, earlier.block) && covers(Reach::cluster));
}

// Whether the earlier touch of a cell happened before that of the part.
bool BlockRaces::ordered(const Stamp& earlier, const Part& part, std::uint32_t cell) const {
  const Stamp& now = part.now;
  const Warp& warp = *part.warp;
  if (earlier.block == 0) return true;
  if (earlier.block != now.block) return (!part.global && !sameCluster(*warp.block, earlier.block)) || published(earlier, warp);
  if (earlier.warp != now.warp) return earlier.moment <= histories_[now.warp].known.moments[earlier.warp] || published(earlier, warp);
  const unsigned lane = part.lane(cell);
  if (earlier.moment != now.moment || (earlier.lane == lane && lane != Stamp::severalLanes)) return true;
  return earlier.site == now.site;  // lanes of one instruction: which one wins is unspecified, but one does
}

// Of two strong accesses.
bool BlockRaces::reachEachOther(const Stamp& earlier, const Part& part) const {
  const Stamp& now = part.now;
  if (earlier.block == now.block) return true;
  const auto scope = Scope(std::min(earlier.scope, now.scope));
  return reachedBy(scope, Reach::grid) || (reachedBy(scope, Reach::cluster) && sameCluster(*part.warp->block, earlier.block));
}

// The first cell whose stamp the access does not come after. What has been found to be ordered holds for all cells of that
// moment, except in the moment of the access itself, where lanes matter.
std::optional<BlockRaces::Unordered> BlockRaces::firstUnordered(const Stamp* cells, const Part& part, bool bothStrong) const {
  Stamp settled;
  for (std::uint32_t c = 0; c < part.count; ++c) {
    const Stamp& earlier = cells[part.first + c];
    if (earlier.sameMoment(settled)) continue;
    if (!(bothStrong && reachEachOther(earlier, part)) && !ordered(earlier, part, c)) return Unordered{&earlier, c};
    if (earlier.block != part.now.block || earlier.warp != part.now.warp || earlier.moment != part.now.moment) settled = earlier;
  }
  return {};
}

// ---- accesses ----------------------------------------------------------------------------------------------------

std::optional<BlockRaces::Found> BlockRaces::conflict(ShadowPage& page, const Part& part) const {
  const bool writes = part.touch == Touch::write || part.touch == Touch::strongWrite;
  const bool strong = part.touch == Touch::strongRead || part.touch == Touch::strongWrite;
  if (const auto found = firstUnordered(page.written(), part, false)) return Found{"a write", *found->stamp, found->cell};
  std::optional<Found> found;
  const auto against = [&](Kind kind, const char* what) {
    const bool bothStrong = strong && kind != Kind::read;
    if (bothStrong && !page.narrow) return false;
    return page.any(kind, [&](const Stamp* cells) {
      if (const auto unordered = firstUnordered(cells, part, bothStrong)) found = Found{what, *unordered->stamp, unordered->cell};
      return found.has_value();
    });
  };
  if (against(Kind::strongWrite, "an atomic or strong write") || !writes) return found;
  if (!against(Kind::read, "a read")) against(Kind::strongRead, "a strong read");
  return found;
}

// A read, or a strong access: the latest one of its warp.
void BlockRaces::note(ShadowPage& page, const Part& part) const {
  const Kind kind = part.touch == Touch::read ? Kind::read : part.touch == Touch::strongRead ? Kind::strongRead : Kind::strongWrite;
  Stamp* cells = page.make(kind, part.now.warp) + part.first;
  Stamp* elsewhere = nullptr;
  for (std::uint32_t c = 0; c < part.count; ++c) {
    const unsigned lane = part.lane(c);
    Stamp& cell = cells[c];
    const bool another = cell.sameMoment(part.now) && cell.lane != lane;
    if (cell.block != part.now.block && cell.block != 0 && (part.global || sameCluster(*part.warp->block, cell.block))) {
      if (!elsewhere) elsewhere = page.make(kind, ShadowPage::elsewhere) + part.first;
      elsewhere[c] = cell;
    }
    cell = part.now;
    cell.lane = another ? Stamp::severalLanes : lane;
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
  for (const Kind kind : {Kind::read, Kind::strongRead, Kind::strongWrite})
    page.any(kind, [&](Stamp* stamps) {
      std::fill_n(stamps + part.first, part.count, Stamp{});
      return false;
    });
}

BlockRaces::Touch BlockRaces::touchOf(AccessKind kind) {
  switch (kind) {
    case AccessKind::store:
    case AccessKind::mbarrierInit: return Touch::write;
    case AccessKind::strongLoad: return Touch::strongRead;
    case AccessKind::strongStore:
    case AccessKind::mbarrier:
    case AccessKind::atomic: return Touch::strongWrite;
    default: return Touch::read;
  }
}

std::optional<Race> BlockRaces::visit(const Visit& who, const Stretch& stretch) {
  using Lanes = Visit::Lanes;
  constexpr unsigned allCells = 31;  // as a shift: all belong to one lane
  const std::uint32_t self = who.warp.index;
  const Program& program = *who.warp.block->launch->program;
  touched_[self] |= who.kept;
  std::optional<Race> race;
  anyPage(stretch.address, stretch.bytes, [&](std::uint64_t number, std::uint32_t offset, std::uint32_t bytes, std::uint32_t before) {
    ShadowPage& page = stretch.shared ? stretch.shared->shared_[number] : global_[number];
    const auto lock = stretch.shared ? std::unique_lock<std::mutex>() : std::unique_lock(page.mutex);
    page.refine(who.unit);
    const std::uint32_t cell = page.cellBytes();
    const bool inTurn = who.lanes == Lanes::inTurn;
    Part part{{}, who.touch, offset / cell, bytes / cell, inTurn ? unsigned(std::countr_zero(who.unit / cell)) : allCells, who.lanes == Lanes::all,
              !stretch.shared, &who.warp};
    part.now.moment = histories_[self].known.moments[self] + 1;
    part.now.block = number_;
    part.now.warp = self;
    part.now.lane = who.lane + (inTurn ? before / who.unit : 0);
    part.now.site = std::uint32_t(who.at - program.code);
    if (who.touch == Touch::strongRead || who.touch == Touch::strongWrite) {
      part.now.scope = unsigned(who.scope);
      page.narrow |= who.scope < Scope::device;
    }
    if (const auto found = conflict(page, part)) {
      const unsigned lane = part.lane(found->cell);
      race = Race{describe(found->what, found->stamp, program), lane == Stamp::severalLanes ? who.lane : lane};
    } else if (who.kept) {
      who.touch == Touch::write ? noteWrite(page, part) : note(page, part);
    }
    return race.has_value();
  });
  return race;
}

std::optional<Race> BlockRaces::access(const Warp& warp, const Instruction* i, const Access& access, const Spans& spans) {
  if (access.space != ptx::Space::shared && access.space != ptx::Space::global) return {};
  const bool global = access.space == ptx::Space::global;
  for (const Span& span : spans) {
    // Shared memory of another block of the cluster is in the notes of that one.
    const std::uint64_t rank = global ? 0 : span.address >> sharedRankShift;
    BlockRaces* const owner = global ? nullptr : rank == 0 ? this : warp.block->cluster[rank - 1]->checks->races();
    const std::uint64_t address = global ? span.address : span.address & ((1u << sharedRankShift) - 1);
    const auto lanes = span.isPlace(access.bytes) ? Visit::Lanes::all : Visit::Lanes::inTurn;
    if (auto race = visit({warp, i, touchOf(access.kind), access.scope, lanes, span.lane, access.bytes, true}, {owner, address, span.bytes})) return race;
  }
  return {};
}

// ---- the asynchronous proxy --------------------------------------------------------------------------------------

std::optional<Race> BlockRaces::copy(const Warp& warp, const Instruction* i, int lane, const Stretch& stretch, Touch touch, bool kept) {
  if (lane < 0) finishMoment(warp.index);  // the whole warp has met here
  const auto unit = unsigned(std::gcd(std::gcd(stretch.address % 4, std::uint64_t(stretch.bytes)), std::uint64_t(4)));
  return visit({warp, i, touch, Scope::device, lane < 0 ? Visit::Lanes::all : Visit::Lanes::one, unsigned(std::max(lane, 0)), unit, kept}, stretch);
}

VectorClock BlockRaces::handOver(const Warp& warp) {
  finishMoment(warp.index);
  return histories_[warp.index].known.moments;
}

void BlockRaces::complete(const VectorClock& issued, BlockRaces& to, std::uint64_t mbarrier) {
  if (&to == this) emu::join(met_[mbarrier].known.moments, issued);
  publications_.publish(number_, Reach::cluster, issued);
}

}  // namespace cnn::emu
