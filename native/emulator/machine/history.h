// What a warp knows to have happened, for the race check.
//
// A warp counts the moments it has finished; the present one ends when something hands its past over. A vector clock says
// how many moments of each warp of the block are known. Of other blocks a warp knows what they have published before a
// time of the launch (publications.h).
#pragma once

#include "machine/ordering.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace cnn::emu {

using VectorClock = std::array<std::uint32_t, 32>;  // finished moments of the warps of a block

inline void join(VectorClock& clock, const VectorClock& other) {
  for (std::size_t w = 0; w < clock.size(); ++w) clock[w] = std::max(clock[w], other[w]);
}

// How far an order between blocks goes.
enum class Reach : std::uint8_t { cluster, grid };
inline constexpr std::array reaches{Reach::cluster, Reach::grid};
inline bool reachedBy(Scope scope, Reach reach) { return scope >= (reach == Reach::grid ? Scope::device : Scope::cluster); }

struct Knowledge {
  VectorClock moments{};
  std::array<std::uint64_t, reaches.size()> times{};  // by Reach

  std::uint64_t& time(Reach reach) { return times[std::size_t(reach)]; }
  std::uint64_t time(Reach reach) const { return times[std::size_t(reach)]; }
  void join(const Knowledge& other) {
    emu::join(moments, other.moments);
    for (std::size_t r = 0; r < times.size(); ++r) times[r] = std::max(times[r], other.times[r]);
  }
};

struct History {
  Knowledge known;
  // Known before the latest fence of this scope or a wider one (a system is no more than a device here): what a relaxed
  // write after it hands over.
  std::array<Knowledge, 3> fenced{};
  // Handed over to relaxed reads: known after the next fence.
  Knowledge seen;

  const Knowledge& fencedAt(Scope scope) const { return fenced[std::min(std::size_t(scope), fenced.size() - 1)]; }
  void fence(Ordering fence);
  void join(const History& other) {
    known.join(other.known);
    for (std::size_t s = 0; s < fenced.size(); ++s) fenced[s].join(other.fenced[s]);
    seen.join(other.seen);
  }
};

inline void History::fence(Ordering fence) {
  if (fence.acquires) {
    emu::join(known.moments, seen.moments);
    for (const Reach reach : reaches)
      if (reachedBy(fence.scope, reach)) known.time(reach) = std::max(known.time(reach), seen.time(reach));
  }
  if (!fence.releases) return;
  for (std::size_t s = 0; s < fenced.size() && s <= std::size_t(fence.scope); ++s) fenced[s] = known;
}

}  // namespace cnn::emu
