// What the tests of the tensor families share: random values, number formats written independently of the emulator, and
// kernels made around one instruction.
#pragma once

#include "../machine/kernel.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace cnn::test {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  // Uniform in [-1, 1).
  float unit() { return std::uniform_real_distribution<float>(-1.0f, 1.0f)(engine_); }
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  std::uint32_t bits() { return std::uint32_t(engine_()); }

 private:
  std::mt19937 engine_;
};

// ---- number formats, by their definition ------------------------------------------------------------------------

inline std::uint16_t toBf16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return std::uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
inline float fromBf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

inline double fromF16(std::uint16_t bits) {
  const double sign = bits & 0x8000 ? -1 : 1;
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  if (exponent == 31) return mantissa ? NAN : sign * INFINITY;
  return exponent == 0 ? sign * std::ldexp(mantissa, -24) : sign * std::ldexp(1024 + mantissa, exponent - 25);
}
// The nearest f16 of a value of moderate size, by search of the exponent.
inline std::uint16_t toF16(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  value = std::fabs(value);
  if (value == 0) return sign;
  int exponent = std::max(std::ilogb(value), -14);
  long mantissa = std::lrint(std::ldexp(value, 10 - exponent));
  if (mantissa == 2048) mantissa = 1024, ++exponent;
  if (mantissa < 1024) return std::uint16_t(sign | mantissa);  // subnormal
  return std::uint16_t(sign | (exponent + 15) << 10 | (mantissa - 1024));
}
inline float toTf32(float value) { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xffffe000u); }

inline std::uint32_t pair(std::uint16_t low, std::uint16_t high) { return std::uint32_t(high) << 16 | low; }

// ---- text -------------------------------------------------------------------------------------------------------

// "{%r0, %r1, ...}" of `count` registers from `first`.
inline std::string registerList(const char* prefix, int first, int count) {
  std::string text = "{";
  for (int r = 0; r < count; ++r) text += (r ? ", " : "") + std::string(prefix) + std::to_string(first + r);
  return text + "}";
}

// A kernel of one warp around one instruction on fragments: loads `in` registers %r0.. of each lane from in[r][lane],
// runs `body`, stores `out` registers from %r(first) to out[r][lane].
inline std::string fragmentKernel(int registers, int in, const std::string& body, int first, int out) {
  std::string text = ".visible .entry k(.param .u64 source, .param .u64 target)\n{\n .reg .pred %p<4>;\n .reg .b32 %r<"
                     + std::to_string(registers) + ">;\n .reg .b32 %t<4>;\n .reg .b64 %d<8>;\n"
                     " mov.u32 %t0, %laneid;\n mul.wide.u32 %d0, %t0, 4;\n ld.param.u64 %d1, [source];\n"
                     " ld.param.u64 %d2, [target];\n add.s64 %d1, %d1, %d0;\n add.s64 %d2, %d2, %d0;\n";
  for (int r = 0; r < in; ++r) text += " ld.global.b32 %r" + std::to_string(r) + ", [%d1+" + std::to_string(128 * r) + "];\n";
  text += body;
  for (int r = 0; r < out; ++r) text += " st.global.b32 [%d2+" + std::to_string(128 * r) + "], %r" + std::to_string(first + r) + ";\n";
  return text + " ret;\n}\n";
}

}  // namespace cnn::test
