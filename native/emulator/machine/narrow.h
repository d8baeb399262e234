// Formats smaller than single precision: widening, and narrowing with every rounding.
#pragma once

#include "machine/lanes.h"

#include <bit>
#include <cmath>
#include <cstdint>

namespace cnn::emu::CNN_ISA {

enum class Mode : std::uint8_t { nearest, zero, down, up, away };  // away: nearest, ties away from zero

// A format by its fields. Not-a-number is `nan`; without infinities, overflow saturates.
struct Format {
  int exponentBits, fractionBits;
  std::uint32_t nan;
  bool infinities;
  double greatest;
};
inline constexpr Format f16Format{5, 10, 0x7fff, true, 65504.0};
inline constexpr Format bf16Format{8, 7, 0x7fff, true, 0x1.fep127};
inline constexpr Format tf32Format{8, 10, 0x3ffff, true, 0x1.ffcp127};   // in the upper 19 bits of a register
inline constexpr Format e4m3Format{4, 3, 0x7f, false, 448.0};
inline constexpr Format e5m2Format{5, 2, 0x7f, true, 57344.0};

inline double roundIntegral(double x, Mode mode) {
  switch (mode) {
    case Mode::zero: return std::trunc(x);
    case Mode::down: return std::floor(x);
    case Mode::up: return std::ceil(x);
    case Mode::away: return std::round(x);
    default: return std::nearbyint(x);
  }
}

// The bits of x in the format. `finite`: overflow and infinities become the greatest number.
inline std::uint32_t narrow(double x, const Format& f, Mode mode, bool finite = false) {
  const int bias = (1 << (f.exponentBits - 1)) - 1, width = f.exponentBits + f.fractionBits;
  if (x != x) return f.nan;
  const std::uint32_t sign = std::signbit(x) ? 1u << width : 0u;
  if (x == 0) return sign;
  int exponent = 0;
  std::frexp(x, &exponent);  // |x| in [2^(exponent-1), 2^exponent)
  const int least = 1 - bias, unit = (exponent - 1 < least ? least : exponent - 1) - f.fractionBits;
  const double rounded = std::isinf(x) ? x : std::ldexp(roundIntegral(std::ldexp(x, -unit), mode), unit);
  double magnitude = std::fabs(rounded);
  if (magnitude > f.greatest) {
    const bool inward = !std::isinf(x) && (mode == Mode::zero || (mode == Mode::down && x > 0) || (mode == Mode::up && x < 0));
    if (!finite && !inward && f.infinities) return sign | ((1u << f.exponentBits) - 1) << f.fractionBits;
    if (!finite && !inward) return sign | f.nan;
    magnitude = f.greatest;
  }
  if (magnitude == 0) return sign;
  std::frexp(magnitude, &exponent);
  const int biased = exponent - 1 + bias;
  if (biased <= 0) return sign | std::uint32_t(std::ldexp(magnitude, f.fractionBits - least));
  const auto fraction = std::uint32_t(std::ldexp(magnitude, f.fractionBits - (exponent - 1))) & ((1u << f.fractionBits) - 1);
  return sign | std::uint32_t(biased) << f.fractionBits | fraction;
}

// Exact.
[[gnu::always_inline]] inline float widenHalf(std::uint16_t h) {
  const std::uint32_t magnitude = std::uint32_t(h & 0x7fffu) << 13;
  const std::uint32_t scaled = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112f);
  const std::uint32_t special = magnitude | 0x7f800000u;
  const std::uint32_t bits = magnitude >= 0x0f800000u ? special : scaled;
  return std::bit_cast<float>(bits | std::uint32_t(h & 0x8000u) << 16);
}
[[gnu::always_inline]] inline float widenBfloat(std::uint16_t h) { return std::bit_cast<float>(std::uint32_t(h) << 16); }
inline float widenE5m2(std::uint8_t v) { return widenHalf(std::uint16_t(v << 8)); }
inline float widenE4m3(std::uint8_t v) {
  const int exponent = v >> 3 & 15, fraction = v & 7;
  if ((v & 0x7f) == 0x7f) return std::bit_cast<float>(0x7fffffffu);
  const float magnitude = exponent == 0 ? std::ldexp(float(fraction), -9) : std::ldexp(float(8 + fraction), exponent - 10);
  return v & 0x80 ? -magnitude : magnitude;
}

// To nearest even, without branches, so that loops over lanes vectorise.
[[gnu::always_inline]] inline std::uint16_t narrowHalf(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x), magnitude = bits & 0x7fffffffu;
  // Below 2^-14: adding 0.5 leaves the rounded subnormal in the low bits of the sum.
  const std::uint32_t small = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
  const std::uint32_t normal = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13;
  std::uint32_t h = magnitude < 0x38800000u ? small : normal;
  h = magnitude >= 0x47800000u ? 0x7c00u : h;
  h = magnitude > 0x7f800000u ? 0x7fffu : h | (bits >> 16 & 0x8000u);
  return std::uint16_t(h);
}
[[gnu::always_inline]] inline std::uint16_t narrowBfloat(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
  return std::uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : rounded);
}

}  // namespace cnn::emu::CNN_ISA
