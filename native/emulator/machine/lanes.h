// Loops over the lanes of a warp, for the families. Everything is in the namespace of the instruction set it is
// compiled for, because inline functions of one name must not exist in two versions.
#pragma once

#include "machine/family.h"
#include "machine/intrinsics.h"

#include <bit>
#include <cstdint>
#include <type_traits>
#include <utility>

// Lanes are independent of each other: a destination slot is exactly a source slot or far from it.
#if defined(__clang__)
#define CNN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define CNN_INDEPENDENT _Pragma("GCC ivdep")
#endif
#define CNN_EACH_LANE CNN_INDEPENDENT for (unsigned l = 0; l < warpLanes; ++l)

namespace cnn::emu::CNN_ISA {

// How a value is kept in a slot.
template <class T> using Storage = std::conditional_t<(sizeof(T) > 4), std::uint64_t, std::uint32_t>;
template <std::size_t Bytes>
using Bits = std::conditional_t<Bytes == 1, std::uint8_t,
                                std::conditional_t<Bytes == 2, std::uint16_t,
                                                   std::conditional_t<Bytes == 4, std::uint32_t, std::uint64_t>>>;

template <class T> [[gnu::always_inline]] inline T fromLane(Storage<T> s) { return std::bit_cast<T>(Bits<sizeof(T)>(s)); }
template <class T> [[gnu::always_inline]] inline Storage<T> toLane(T v) { return std::bit_cast<Bits<sizeof(T)>>(v); }

[[gnu::always_inline]] inline bool inMask(std::uint32_t mask, unsigned lane) { return mask >> lane & 1; }

// The new value where the lane is in the mask, else the old one; by bits, so that loops vectorise without branches.
template <class S> [[gnu::always_inline]] inline S blend(std::uint32_t mask, unsigned lane, S value, S old) {
  const S keep = S(0) - S(mask >> lane & 1);
  return (value & keep) | (old & ~keep);
}

// slot[0] = Op(slot[1], slot[2], ...) for types R and A...
template <class Op, class R, class... A> const Instruction* map(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  Storage<R>* const d = warp.lanes<Storage<R>>(i->slot[0]);
  [&]<std::size_t... N>(std::index_sequence<N...>) __attribute__((always_inline)) {
    [&](const Storage<A>* const... a) __attribute__((always_inline)) {
      if (mask == allLanes) [[likely]] {
        CNN_EACH_LANE d[l] = toLane<R>(R(Op{}(fromLane<A>(a[l])...)));
      } else if (mask != 0) {
        CNN_EACH_LANE {
          const Storage<R> value = toLane<R>(R(Op{}(fromLane<A>(a[l])...)));
          d[l] = blend(mask, l, value, d[l]);
        }
      }
    }(warp.lanes<const Storage<A>>(i->slot[N + 1])...);
  }(std::index_sequence_for<A...>{});
  return next(warp, i);
}

// One bit per lane: the sign bits of 32 words.
[[gnu::always_inline]] inline std::uint32_t signBits(const std::int32_t* words) {
#if defined(__AVX512DQ__)
  const auto half = [&](unsigned first) __attribute__((always_inline)) { return std::uint32_t(_mm512_movepi32_mask(_mm512_load_si512(words + first))); };
  return half(0) | half(16) << 16;
#elif defined(__AVX2__)
  const auto part = [&](unsigned first) __attribute__((always_inline)) {
    return std::uint32_t(_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(words + first))))) << first;
  };
  return part(0) | part(8) | part(16) | part(24);
#else
  std::uint32_t bits = 0;
  for (unsigned l = 0; l < warpLanes; l += 4)
    bits |= std::uint32_t(_mm_movemask_ps(_mm_castsi128_ps(_mm_load_si128(reinterpret_cast<const __m128i*>(words + l))))) << l;
  return bits;
#endif
}

// One bit per lane for which holds(lane).
template <class F> [[gnu::always_inline]] inline std::uint32_t lanesWhere(F holds) {
  alignas(64) std::int32_t words[warpLanes];
  CNN_EACH_LANE words[l] = -std::int32_t(holds(l));
  return signBits(words);
}

// One bit per lane for which Op(slot[1], slot[2], ...) holds.
template <class Op, class... A> [[gnu::always_inline]] inline std::uint32_t collect(Warp& warp, const Instruction* i) {
  return [&]<std::size_t... N>(std::index_sequence<N...>) __attribute__((always_inline)) {
    return [&](const Storage<A>* const... a) __attribute__((always_inline)) {
      return lanesWhere([&](unsigned l) __attribute__((always_inline)) { return Op{}(fromLane<A>(a[l])...); });
    }(warp.lanes<const Storage<A>>(i->slot[N + 1])...);
  }(std::index_sequence_for<A...>{});
}

// Destination and sources in the order of the operands, all of one type.
inline void plainOperands(Decoder& d, Instruction& out, ptx::Type written, ptx::Type read) {
  out.slot[0] = d.destination(d.operand(0), written);
  for (std::size_t n = 1; n < d.count(); ++n) out.slot[n] = d.source(d.operand(n), read);
}

template <class F> Handler byIntegerType(ptx::Type type, F f) {
  switch (type) {
    case ptx::Type::u16: return f(std::uint16_t{});
    case ptx::Type::u32: return f(std::uint32_t{});
    case ptx::Type::u64: return f(std::uint64_t{});
    case ptx::Type::s16: return f(std::int16_t{});
    case ptx::Type::s32: return f(std::int32_t{});
    default: return f(std::int64_t{});
  }
}
template <class F> Handler byBits(ptx::Type type, F f) {
  switch (ptx::bits(type)) {
    case 16: return f(std::uint16_t{});
    case 32: return f(std::uint32_t{});
    default: return f(std::uint64_t{});
  }
}

}  // namespace cnn::emu::CNN_ISA
