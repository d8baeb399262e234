// The arithmetic of the matrix instructions: mma.sync and wgmma share it. Included by *.isa.cpp files only.
//
// The result fragment of an 8-column block is four registers. With lane = 4 g + t, register p + 2 r holds row 8 r + g,
// column 2 t + p. So sixteen lanes of a register are four rows by four columns, and one step of k multiplies
//   A: four rows of column k, each repeated four times     (spread, [k][row / 4][16])
//   B: four columns of row k, tiled four times             (tile, [k][p][t])
// No accumulator ever leaves the register layout.
//
// Numerics: products are exact, sums are in f32, k ascending, rounded to nearest at each step. The hardware sums several
// products in one wider, truncated step; results agree to a few units in the last place of the largest term, not in bits.
// With jitter (jitter.h) k comes in another order, and odd numbers truncate.
#pragma once

#include "machine/mma_lanes.h"
#include "machine/rounding.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <utility>

namespace cnn::emu::CNN_ISA {

// While it lives, sums of odd jitters truncate.
class SumRounding {
 public:
  explicit SumRounding(uint32_t jitter) {
    if (jitter & 1) scope_.emplace(Round::zero);
  }

 private:
  std::optional<RoundingScope> scope_;
};

// Rows of an operand, k by k, in the order of the jitter. Both operands of a product must be given the same one.
template <class Row, std::size_t K> void reorder(Row (&rows)[K], uint32_t jitter) {
  const std::size_t flip = jitter / 2 % K;
  if (flip == 0) return;
  for (std::size_t k = 0; k < K; ++k)
    if ((k ^ flip) > k) std::swap(rows[k], rows[k ^ flip]);
}

// An operand A of M (16 or 8) rows, spread over the lanes.
template <class T, int K> struct SpreadA {
  alignas(64) T at[K][4][16];

  // From aT[k][row].
  void fill(const T (*transposed)[16]) {
    for (int k = 0; k < K; ++k)
      for (int q = 0; q < 4; ++q) spread(transposed[k] + 4 * q, at[k][q]);
  }
};

// An operand B of one 8-column block: even columns, then odd ones.
template <class T, int K> struct BlockB {
  alignas(64) T at[K][2][4];
};

// d[p + 2 r] += A * B for rows 4 q .. 4 q + 3 of the `quarters` quarters.
template <class T, int K, int quarters = 4>
[[gnu::always_inline]] inline void multiplyBlock(const SpreadA<T, K>& a, const BlockB<T, K>& b, T* const d[4]) {
  constexpr int step = quarters < vectorLanes / 4 ? quarters : vectorLanes / 4;
  for (int first = 0; first < quarters; first += step) {
    Lanes16<T> sum[step][2];
    for (int q = 0; q < step; ++q)
      for (int p = 0; p < 2; ++p) sum[q][p] = load(d[p + 2 * ((first + q) / 2)] + 16 * ((first + q) % 2));
    for (int k = 0; k < K; ++k) {
      const Lanes16<T> even = tile(b.at[k][0]), odd = tile(b.at[k][1]);
      for (int q = 0; q < step; ++q) {
        const Lanes16<T> rows = load(a.at[k][first + q]);
        multiplyAdd(sum[q][0], rows, even);
        multiplyAdd(sum[q][1], rows, odd);
      }
    }
    for (int q = 0; q < step; ++q)
      for (int p = 0; p < 2; ++p) store(d[p + 2 * ((first + q) / 2)] + 16 * ((first + q) % 2), sum[q][p]);
  }
}

// ---- operand formats --------------------------------------------------------------------------------------------

inline float halfToFloat(uint16_t h) {
  const uint32_t sign = uint32_t(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(float(mantissa) * 0x1p-24f));
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

// Round to nearest even.
inline uint16_t floatToHalf(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return uint16_t(0x7fff);                  // the canonical NaN
  if (magnitude >= 0x477ff000) return uint16_t(sign | 0x7c00);          // 65520 and above
  if (magnitude < 0x38800000)                                           // subnormal: let the adder round
    return uint16_t(sign | (std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u));
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return uint16_t(sign | (rounded - 0x38000000u) >> 13);
}

// `count` (a multiple of 8) packed values to f32.
struct Bf16 {
  static constexpr int perUnit = 8;
  static void widen(const void* from, float* to, int count) {
    const auto* h = static_cast<const uint16_t*>(from);
    for (int i = 0; i < count; ++i) to[i] = std::bit_cast<float>(uint32_t(h[i]) << 16);
  }
};

struct F16 {
  static constexpr int perUnit = 8;
  static void widen(const void* from, float* to, int count) {
    const auto* h = static_cast<const uint16_t*>(from);
#if defined(CNN_ISA_avx512) || defined(CNN_ISA_avx2)
    for (int i = 0; i < count; i += 8)
      _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(h + i))));
#else
    for (int i = 0; i < count; ++i) to[i] = halfToFloat(h[i]);
#endif
  }
};

// The low 13 bits of a tf32 operand are ignored.
struct Tf32 {
  static constexpr int perUnit = 4;
  static void widen(const void* from, float* to, int count) {
    const auto* f = static_cast<const uint32_t*>(from);
    for (int i = 0; i < count; ++i) to[i] = std::bit_cast<float>(f[i] & 0xffffe000u);
  }
};

// Columns of an 8-column block in the order of BlockB: even ones first.
inline constexpr int blockColumn[8] = {0, 2, 4, 6, 1, 3, 5, 7};

}  // namespace cnn::emu::CNN_ISA
