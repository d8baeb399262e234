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
// Makes the allocation with this address the warp's first known range; false if there is none.
bool findRange(Warp& warp, std::uint64_t address);

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

// Lanes that are not active count as the first active one (or as where they would lie in a row).
template <unsigned Bytes> [[gnu::always_inline]] inline Extent measure(const LaneAddresses& a, std::uint32_t mask) {
  const unsigned first = unsigned(std::countr_zero(mask)), last = 31 - unsigned(std::countl_zero(mask));
  const std::uint64_t any = a.at[first], start = any - first * Bytes;
  std::uint64_t off = 0, differ = 0, bits = 0;
  CNN_EACH_LANE {
    const std::uint64_t keep = std::uint64_t(0) - std::uint64_t(mask >> l & 1), address = a.at[l];
    off |= (address ^ (start + l * Bytes)) & keep;
    differ |= (address ^ any) & keep;
    bits |= address & keep;
  }
  const bool aligned = bits % Bytes == 0;
  if (off == 0) return {any, start + last * Bytes, true, false, aligned};
  if (differ == 0) return {any, any, false, true, aligned};
  std::uint64_t low = any, high = any;
  CNN_EACH_LANE {
    const std::uint64_t address = blend(mask, l, a.at[l], any);
    low = address < low ? address : low;
    high = address > high ? address : high;
  }
  return {low, high, false, false, aligned};
}

// Distance from device to host address if the whole extent lies in one known allocation.
template <unsigned Bytes> [[gnu::always_inline]] inline bool globalDelta(Warp& warp, const Extent& e, bool writes, std::ptrdiff_t& delta) {
  const auto inside = [&](const Memory::Range& r) __attribute__((always_inline)) {
    return e.low >= r.base && e.high < r.end && r.end - e.high >= Bytes && !(writes && r.readOnly);
  };
  if (inside(warp.range[0])) [[likely]] {
    delta = warp.range[0].delta;
    return true;
  }
  if (inside(warp.range[1])) {
    delta = warp.range[1].delta;
    return true;
  }
  if (!findRange(warp, e.low) || !inside(warp.range[0])) return false;
  delta = warp.range[0].delta;
  return true;
}

// An element in memory and in a lane: E read from memory, widened into storage D.
template <class E, class D> [[gnu::always_inline]] inline D widen(E value) {
  if constexpr (std::is_signed_v<E>) return D(std::make_signed_t<D>(value));
  else return D(value);
}

}  // namespace cnn::emu::CNN_ISA
