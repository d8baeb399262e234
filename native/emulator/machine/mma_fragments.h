// Fragments in registers, as mma.sync and wgmma have them. Lane = 4 g + t. Included by *.isa.cpp files only.
//
// 16-bit A: register r holds row 8 (r & 1) + g, k = 8 (r >> 1) + 2 t and the next; read as memory it is therefore an
// 8 x 8 tile [g][k]. tf32 A: row 8 (r & 1) + g, k = 4 (r >> 1) + t. f16 C and D: register r holds columns 2 t (low half)
// and 2 t + 1 of row 8 r + g.
#pragma once

#include "machine/mma_math.h"
#include "machine/warp.h"

namespace cnn::emu::CNN_ISA {

// A transposed, out[k][row].
template <class Format, int K> void fragmentA(const Warp& w, const uint32_t* registers, float (*out)[16]) {
  if constexpr (Format::perUnit == 8) {
    for (int r = 0; r < K / 4; ++r) {
      alignas(64) float tile[8][8];
      Format::widen(w.lanes<uint32_t>(registers[r]), tile[0], 64);
      const float* rows[8];
      for (int g = 0; g < 8; ++g) rows[g] = tile[g];
      transpose8(rows, &out[8 * (r >> 1)][8 * (r & 1)], 16);
    }
  } else {
    for (int r = 0; r < K / 2; ++r) {
      float values[32];
      Format::widen(w.lanes<uint32_t>(registers[r]), values, 32);
      for (int lane = 0; lane < 32; ++lane) out[lane % 4 + 4 * (r >> 1)][8 * (r & 1) + lane / 4] = values[lane];
    }
  }
}

inline void widenHalves(const Warp& w, const uint32_t* registers, float (*sum)[32]) {
  for (int r = 0; r < 2; ++r) {
    const uint32_t* packed = w.lanes<uint32_t>(registers[r]);
    for (int lane = 0; lane < 32; ++lane) {
      sum[2 * r][lane] = halfToFloat(uint16_t(packed[lane]));
      sum[2 * r + 1][lane] = halfToFloat(uint16_t(packed[lane] >> 16));
    }
  }
}

inline void narrowHalves(const Warp& w, const uint32_t* registers, const float (*sum)[32]) {
  for (int r = 0; r < 2; ++r) {
    uint32_t* packed = w.lanes<uint32_t>(registers[r]);
    for (int lane = 0; lane < 32; ++lane)
      packed[lane] = floatToHalf(sum[2 * r][lane]) | uint32_t(floatToHalf(sum[2 * r + 1][lane])) << 16;
  }
}

}  // namespace cnn::emu::CNN_ISA
