// Lane addresses of a memory instruction: gathered, checked, and turned into host addresses.
#pragma once

#include "machine/access.h"
#include "machine/lanes.h"

#include <algorithm>
#include <cstring>

namespace cnn::emu {

// ---- the slow way, one lane at a time: every space, every fault. Defined in address.cpp -------------------------
// Host address of [address, address + bytes) for the lane, or null after warp.fault. `space` generic looks into the
// windows; `actual` tells which space it was.
std::byte* resolveLane(Warp& warp, const Instruction* i, ptx::Space space, std::uint64_t address, unsigned bytes,
                       unsigned lane, bool writes, ptx::Space& actual);
// The same for all lanes; splits observation by space. False after a fault.
bool resolveLanes(Warp& warp, const Instruction* i, ptx::Space space, const std::uint64_t* addresses, unsigned bytes,
                  std::uint32_t lanes, AccessKind kind, std::byte** hosts, Scope scope = Scope::system);

// Flags of memory instructions.
inline constexpr std::uint32_t wideAddress = 1;  // the base has 8-byte lanes

}  // namespace cnn::emu

namespace cnn::emu::CNN_ISA {

struct LaneAddresses {
  alignas(64) std::uint64_t at[warpLanes];
};

// slot + immediate, for all lanes.
[[gnu::always_inline]] inline void gatherAddresses(const Warp& warp, const Instruction* i, std::uint32_t slot, LaneAddresses& out) {
  const auto offset = std::uint64_t(i->immediate);
  if (i->flags & wideAddress) {
    const auto* base = warp.lanes<const std::uint64_t>(slot);
    CNN_EACH_LANE out.at[l] = base[l] + offset;
  } else {
    const auto* base = warp.lanes<const std::uint32_t>(slot);
    CNN_EACH_LANE out.at[l] = std::uint64_t(std::uint32_t(base[l] + std::uint32_t(offset)));
  }
}

// How the addresses of the active lanes lie. Tiles of products are read by groups of eight lanes: rows by one coordinate,
// places by the other.
enum class Pattern : std::uint8_t {
  scattered,
  row,      // lane after lane
  place,    // all at one address
  rows,     // lane after lane in each group of eight; only with all lanes
  places,   // one address for each group of eight; only with all lanes
};
inline constexpr unsigned groupLanes = 8;

struct Extent {
  std::uint64_t low, high;      // least and greatest address
  Pattern pattern;
  bool aligned;
};

template <unsigned Bytes, bool All> [[gnu::always_inline]] inline Extent measureScattered(const LaneAddresses& a, std::uint32_t mask, std::uint64_t any) {
  std::uint64_t low = any, high = any, bits = 0;
  CNN_EACH_LANE {
    const std::uint64_t address = All ? a.at[l] : blend(mask, l, a.at[l], any);
    low = address < low ? address : low;
    high = address > high ? address : high;
    bits |= address;
  }
  return {low, high, Pattern::scattered, bits % Bytes == 0};
}

// Lanes that are not active may lie anywhere.
template <unsigned Bytes> [[gnu::always_inline]] inline Extent measureSome(const LaneAddresses& a, std::uint32_t mask) {
  const unsigned first = unsigned(std::countr_zero(mask)), last = 31 - unsigned(std::countl_zero(mask));
  const std::uint64_t any = a.at[first], start = any - first * Bytes;
  const std::uint32_t inRow = lanesWhere([&](unsigned l) __attribute__((always_inline)) { return a.at[l] == start + l * Bytes; });
  const std::uint64_t end = start + last * Bytes;
  if ((mask & ~inRow) == 0 && end >= any) return {any, end, Pattern::row, any % Bytes == 0};
  const std::uint32_t same = lanesWhere([&](unsigned l) __attribute__((always_inline)) { return a.at[l] == any; });
  if ((mask & ~same) == 0) return {any, any, Pattern::place, any % Bytes == 0};
  return measureScattered<Bytes, false>(a, mask, any);
}

// Eight addresses; spelled out as vectors because the compiler loses its way in loops of eight.
using AddressGroup [[gnu::vector_size(64), gnu::may_alias]] = std::uint64_t;
static_assert(sizeof(AddressGroup) == groupLanes * sizeof(std::uint64_t));

[[gnu::always_inline]] inline bool isZero(const AddressGroup& group) {
#if defined(__AVX512F__)
  return _mm512_test_epi64_mask(__m512i(group), __m512i(group)) == 0;
#else
  return (group[0] | group[1] | group[2] | group[3] | group[4] | group[5] | group[6] | group[7]) == 0;
#endif
}

// All lanes: one comparison with groups that step by the size, or not at all, as the first two lanes do.
template <unsigned Bytes> [[gnu::always_inline]] inline Extent measureAll(const LaneAddresses& a) {
  constexpr AddressGroup row = {0, Bytes, 2 * Bytes, 3 * Bytes, 4 * Bytes, 5 * Bytes, 6 * Bytes, 7 * Bytes};
  const bool moves = a.at[1] != a.at[0];
  const std::uint64_t step = moves ? Bytes : 0;
  const AddressGroup steps = row & (std::uint64_t(0) - moves);
  AddressGroup off = {};
  for (unsigned first = 0; first < warpLanes; first += groupLanes)
    off |= *reinterpret_cast<const AddressGroup*>(a.at + first) ^ (steps + a.at[first]);
  if (!isZero(off)) return measureScattered<Bytes, true>(a, allLanes, a.at[0]);

  const std::uint64_t first = a.at[0], second = a.at[8], third = a.at[16], fourth = a.at[24], next = groupLanes * step;
  const auto [low, last] = std::minmax({first, second, third, fourth});
  const std::uint64_t high = last + (groupLanes - 1) * step;
  if (high < last) return measureScattered<Bytes, true>(a, allLanes, first);  // beyond the last address and on from zero
  const bool aligned = (first | second | third | fourth) % Bytes == 0;
  const bool whole = second == first + next && third == second + next && fourth == third + next;
  return {low, high, whole ? (moves ? Pattern::row : Pattern::place) : moves ? Pattern::rows : Pattern::places, aligned};
}

template <unsigned Bytes> [[gnu::always_inline]] inline Extent measure(const LaneAddresses& a, std::uint32_t mask) {
  return mask == allLanes ? measureAll<Bytes>(a) : measureSome<Bytes>(a, mask);
}

// ---- from an extent to host memory: what to add to its addresses. False if it does not lie in one allocation or in the
// block's own shared memory, all of it, or may not be written; then the slow way finds out what is wrong, if anything.
template <unsigned Bytes, bool Writes> [[gnu::always_inline]] inline bool globalBase(Block& block, const Extent& e, std::uint64_t& base) {
  const Memory::Range* range = block.ranges.find(e.low, e.high, Bytes);
  if (!range) [[unlikely]] range = block.ranges.learn(*block.launch->memory, e.low, e.high, Bytes);
  if (!range || (Writes && range->readOnly)) [[unlikely]] return false;
  base = std::uint64_t(range->delta);
  return true;
}

// No sum here may pass the last address and go on from zero.
[[gnu::always_inline]] inline bool within(const Extent& e, std::uint64_t begin, std::uint64_t size, unsigned bytes) {
  return bytes <= size && e.low - begin <= size - bytes && e.high - begin <= size - bytes;
}

template <unsigned Bytes> [[gnu::always_inline]] inline bool sharedBase(const Block& block, const Extent& e, std::uint64_t window, std::uint64_t& base) {
  base = reinterpret_cast<std::uint64_t>(block.shared) - window;
  return within(e, window, block.sharedBytes, Bytes);
}

// Local memory: every lane has its own, so that lanes with one address lie far apart on the host.
[[gnu::always_inline]] inline bool localBase(const Warp& warp, LaneAddresses& a, Extent& e, unsigned bytes, std::uint64_t window, std::uint64_t& base) {
  if (!within(e, window, warp.localBytes, bytes)) return false;
  CNN_EACH_LANE a.at[l] += l * warp.localStride;
  e.pattern = Pattern::scattered;
  base = reinterpret_cast<std::uint64_t>(warp.local) - window;
  return true;
}

enum class Where { global, shared, local, generic };

template <Where W, unsigned Bytes, bool Writes> [[gnu::always_inline]] inline bool reach(Warp& warp, LaneAddresses& a, Extent& e, std::uint64_t& base) {
  if constexpr (W == Where::shared) return sharedBase<Bytes>(*warp.block, e, 0, base);
  if constexpr (W == Where::local) return localBase(warp, a, e, Bytes, 0, base);
  if constexpr (W == Where::generic) {
    if (e.low - sharedWindow < sharedWindowBytes) return sharedBase<Bytes>(*warp.block, e, sharedWindow, base);
    if (e.low - localWindow < localWindowBytes) return localBase(warp, a, e, Bytes, localWindow, base);
  }
  return globalBase<Bytes, Writes>(*warp.block, e, base);
}

// An element in memory and in a lane: E read from memory, widened into storage D.
template <class E, class D> [[gnu::always_inline]] inline D widen(E value) {
  if constexpr (std::is_signed_v<E>) return D(std::make_signed_t<D>(value));
  else return D(value);
}

}  // namespace cnn::emu::CNN_ISA
