// What atomics and bulk reductions do with 16-bit floats. Included by *.isa.cpp files only.
#pragma once

#include "machine/narrow.h"

#include <cmath>
#include <cstdint>

namespace cnn::emu::CNN_ISA {

// By way of double precision: it keeps enough of a sum for one rounding. Numbers win against not-a-number.
enum class Combination { sum, least, greatest };
template <bool isBfloat, Combination how> std::uint16_t combineHalves(std::uint16_t a, std::uint16_t b) {
  const double x = isBfloat ? widenBfloat(a) : widenHalf(a), y = isBfloat ? widenBfloat(b) : widenHalf(b);
  const double result = how == Combination::sum ? x + y : how == Combination::least ? std::fmin(x, y) : std::fmax(x, y);
  return std::uint16_t(narrow(result, isBfloat ? bf16Format : f16Format, Mode::nearest));
}

// Two of them in a word.
template <bool isBfloat, Combination how> std::uint32_t combinePairs(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t high = combineHalves<isBfloat, how>(std::uint16_t(a >> 16), std::uint16_t(b >> 16));
  return high << 16 | combineHalves<isBfloat, how>(std::uint16_t(a), std::uint16_t(b));
}

}  // namespace cnn::emu::CNN_ISA
