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

// Formats of packed elements: how many lie in a 32-bit word and in 16 bytes, and number `Part` of each of sixteen words as f32.
using Words16 = Lanes16<uint32_t>;

struct Bf16 {
  static constexpr int perWord = 2, perUnit = 8;
  template <int Part> [[gnu::always_inline]] static Lanes16<float> widen(const Words16& words) {
    Lanes16<float> values;
    for (int p = 0; p < Words16::parts; ++p)
      values.part[p] = (Lanes16<float>::Vector)(Part == 0 ? words.part[p] << 16 : words.part[p] & 0xffff0000u);
    return values;
  }
  static float one(uint16_t h) { return std::bit_cast<float>(uint32_t(h) << 16); }
};

struct F16 {
  static constexpr int perWord = 2, perUnit = 8;
  template <int Part> [[gnu::always_inline]] static Lanes16<float> widen(const Words16& words) {
    Lanes16<float> values;
#if defined(CNN_ISA_avx512)
    values.part[0] = (Lanes16<float>::Vector)_mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)(words.part[0] >> (16 * Part))));
#else
    for (int lane = 0; lane < 16; ++lane) {
      constexpr int width = vectorLanes;
      values.part[lane / width][lane % width] = one(uint16_t(words.part[lane / width][lane % width] >> (16 * Part)));
    }
#endif
    return values;
  }
  static float one(uint16_t h) { return halfToFloat(h); }
};

// The low 13 bits of a tf32 operand are ignored.
struct Tf32 {
  static constexpr int perWord = 1, perUnit = 4;
  template <int Part> [[gnu::always_inline]] static Lanes16<float> widen(const Words16& words) {
    Lanes16<float> values;
    for (int p = 0; p < Words16::parts; ++p) values.part[p] = (Lanes16<float>::Vector)(words.part[p] & 0xffffe000u);
    return values;
  }
};

// ---- operands ---------------------------------------------------------------------------------------------------
// A packed tile is eight rows of A (columns of B) by 16 bytes of k, one after the other: word 4 row + t. So a register of
// a fragment holds one, and so does shared memory, row by row.

// An operand A of 16 (or 8) rows, spread over the lanes: at[k][row / 4].
template <class T, int K> struct SpreadA {
  alignas(64) T at[K][4][16];

  // From aT[k][row].
  void fill(const T (*transposed)[16]) {
    for (int k = 0; k < K; ++k)
      for (int q = 0; q < 4; ++q) spread(transposed[k] + 4 * q, at[k][q]);
  }

  // Rows 8 block .. 8 block + 7 from k on.
  template <class Format> [[gnu::always_inline]] void fillTile(const uint32_t* packed, int k, int block) {
    for (int half = 0; half < 2; ++half) {
      const Words16 words = load(packed + 16 * half);
      fillWords<Format, 0>(words, k, 2 * block + half);
      if constexpr (Format::perWord == 2) fillWords<Format, 1>(words, k + 1, 2 * block + half);
    }
  }

 private:
  template <class Format, int Part> [[gnu::always_inline]] void fillWords(const Words16& words, int k, int quarter) {
    const Lanes16<T> values = Format::template widen<Part>(words);
    store(at[k][quarter], spreadLane<0>(values));
    store(at[k + Format::perWord][quarter], spreadLane<1>(values));
    store(at[k + 2 * Format::perWord][quarter], spreadLane<2>(values));
    store(at[k + 3 * Format::perWord][quarter], spreadLane<3>(values));
  }
};

// An operand B of one 8-column block: even columns, then odd ones.
template <class T, int K> struct BlockB {
  alignas(64) T at[K][2][4];

  template <class Format> [[gnu::always_inline]] void fillTile(const uint32_t* packed, int k) {
    fillPart<Format, 0>(packed, k);
    if constexpr (Format::perWord == 2) fillPart<Format, 1>(packed, k + 1);
  }

 private:
  template <class Format, int Part> [[gnu::always_inline]] void fillPart(const uint32_t* packed, int k) {
    constexpr int step = Format::perWord;
#if defined(CNN_ISA_avx512)
    // Words t of columns 0 2 4 6 1 3 5 7, then words t + 1.
    const __m512i first = _mm512_setr_epi32(0, 8, 16, 24, 4, 12, 20, 28, 1, 9, 17, 25, 5, 13, 21, 29);
    const __m512i low = _mm512_loadu_si512(packed), high = _mm512_loadu_si512(packed + 16);
    for (int t = 0; t < 4; t += 2) {
      Words16 words;
      words.part[0] = (Words16::Vector)_mm512_permutex2var_epi32(low, _mm512_add_epi32(first, _mm512_set1_epi32(t)), high);
      const auto values = (__m512)Format::template widen<Part>(words).part[0];
      _mm256_store_ps(at[k + t * step][0], _mm512_castps512_ps256(values));
      _mm256_store_ps(at[k + (t + 1) * step][0], _mm512_extractf32x8_ps(values, 1));
    }
#else
    for (int half = 0; half < 2; ++half) {
      T values[16];
      store(values, Format::template widen<Part>(load(packed + 16 * half)));
      for (int n = 0; n < 4; ++n)
        for (int t = 0; t < 4; ++t) at[k + t * step][n % 2][2 * half + n / 2] = values[4 * n + t];
    }
#endif
  }
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

}  // namespace cnn::emu::CNN_ISA
