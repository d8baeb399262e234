// Floating-point values as the GPU treats them, shared by the families that compute with them.
#pragma once

#include "machine/lanes.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace cnn::emu::CNN_ISA {

// Results that are not a number are this one pattern in single precision; double precision keeps what IEEE 754 hosts do.
inline constexpr std::uint32_t canonicalNan = 0x7fffffffu;

template <class T> [[gnu::always_inline]] inline T canonical(T x) {
  if constexpr (sizeof(T) == 4) return x == x ? x : std::bit_cast<float>(canonicalNan);
  else return x;
}
// Subnormal numbers become zeros of their sign.
template <bool Ftz> [[gnu::always_inline]] inline float flush(float x) {
  if constexpr (!Ftz) return x;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return (bits & 0x7f800000u) == 0 ? std::bit_cast<float>(bits & 0x80000000u) : x;
}
template <bool Ftz> [[gnu::always_inline]] inline double flush(double x) { return x; }
// To [0, 1]; not-a-number becomes +0.
template <class T> [[gnu::always_inline]] inline T saturated(T x) { return x > T(0) ? (x < T(1) ? x : T(1)) : T(0); }

template <bool Ftz, bool Sat, class T> [[gnu::always_inline]] inline T finish(T x) {
  if constexpr (Sat) return saturated(flush<Ftz>(x));
  else return canonical(flush<Ftz>(x));
}

}  // namespace cnn::emu::CNN_ISA
