// Lane addresses of a memory instruction: gathered, checked, and turned into host addresses.
#pragma once

#include "machine/access.h"
#include "machine/lanes.h"

#include <cstring>

namespace cnn::emu {

// ---- the slow way, one lane at a time: every space, every fault. Defined in address.cpp -------------------------
// Host address of [address, address + bytes) for the lane, or null after warp.fault. `space` generic looks into the
// windows; `actual` tells which space it was.
std::byte* resolveLane(Warp& warp, const Instruction* i, ptx::Space space, std::uint64_t address, unsigned bytes,
                       unsigned lane, bool writes, ptx::Space& actual);
// The same for all lanes; splits observation by space. False after a fault.
bool resolveLanes(Warp& warp, const Instruction* i, ptx::Space space, const std::uint64_t* addresses, unsigned bytes,
                  std::uint32_t lanes, AccessKind kind, std::byte** hosts);

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

// How the addresses of the active lanes lie.
struct Extent {
  std::uint64_t low, high;      // least and greatest address
  bool consecutive, uniform, aligned;
};

// Neither a row nor one place.
template <unsigned Bytes> [[gnu::always_inline]] inline Extent measureScattered(const LaneAddresses& a, std::uint32_t mask, std::uint64_t any) {
  std::uint64_t low = any, high = any, bits = 0;
  CNN_EACH_LANE {
    const std::uint64_t address = blend(mask, l, a.at[l], any);
    low = address < low ? address : low;
    high = address > high ? address : high;
    bits |= address;
  }
  return {low, high, false, false, bits % Bytes == 0};
}

// Lanes that are not active may lie anywhere.
template <unsigned Bytes> [[gnu::always_inline]] inline Extent measure(const LaneAddresses& a, std::uint32_t mask) {
  const unsigned first = unsigned(std::countr_zero(mask)), last = 31 - unsigned(std::countl_zero(mask));
  const std::uint64_t any = a.at[first], start = any - first * Bytes;
  const std::uint32_t inRow = lanesWhere([&](unsigned l) __attribute__((always_inline)) { return a.at[l] == start + l * Bytes; });
  if ((mask & ~inRow) == 0) return {any, start + last * Bytes, true, false, any % Bytes == 0};
  const std::uint32_t same = lanesWhere([&](unsigned l) __attribute__((always_inline)) { return a.at[l] == any; });
  if ((mask & ~same) == 0) return {any, any, false, true, any % Bytes == 0};
  return measureScattered<Bytes>(a, mask, any);
}

// ---- from an extent to host memory: what to add to its addresses. False if it does not lie in one allocation or in the
// block's own shared memory, all of it, or may not be written; then the slow way finds out what is wrong, if anything.
template <unsigned Bytes, bool Writes> [[gnu::always_inline]] inline bool globalBase(Block& block, const Extent& e, std::byte*& base) {
  const Memory::Range* range = block.ranges.find(e.low, e.high, Bytes);
  if (!range) [[unlikely]] range = block.ranges.learn(*block.launch->memory, e.low, e.high, Bytes);
  if (!range || (Writes && range->readOnly)) [[unlikely]] return false;
  base = reinterpret_cast<std::byte*>(range->delta);
  return true;
}

template <unsigned Bytes> [[gnu::always_inline]] inline bool sharedBase(const Block& block, const Extent& e, std::uint64_t window, std::byte*& base) {
  base = block.shared - window;
  return e.low >= window && e.high - window + Bytes <= block.sharedBytes;
}

// Local memory: every lane has its own, so that lanes with one address lie far apart on the host.
[[gnu::always_inline]] inline bool localBase(const Warp& warp, LaneAddresses& a, Extent& e, unsigned bytes, std::uint64_t window, std::byte*& base) {
  if (e.low < window || e.high - window + bytes > warp.localBytes) return false;
  CNN_EACH_LANE a.at[l] += l * warp.localStride;
  e.consecutive = e.uniform = false;
  base = warp.local - window;
  return true;
}

enum class Where { global, shared, local, generic };

template <Where W, unsigned Bytes, bool Writes> [[gnu::always_inline]] inline bool reach(Warp& warp, LaneAddresses& a, Extent& e, std::byte*& base) {
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
