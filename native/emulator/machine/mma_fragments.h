// Fragments in registers, as mma.sync and wgmma have them. Lane = 4 g + t. Included by *.isa.cpp files only.
//
// 16-bit A: register r holds row 8 (r & 1) + g, k = 8 (r >> 1) + 2 t and the next. tf32 A: row 8 (r & 1) + g, k = 4 (r >> 1) + t. f16 C and D: register r holds columns 2 t (low half)
// and 2 t + 1 of row 8 r + g.
#pragma once

#include "machine/mma_math.h"
#include "machine/warp.h"

namespace cnn::emu::CNN_ISA {

template <class Format, int K> void fragmentA(const Warp& w, const uint32_t* registers, SpreadA<float, K>& a) {
  constexpr int depth = 4 * Format::perWord;  // k of a register
  for (int r = 0; r < 2 * K / depth; ++r) a.template fillTile<Format>(w.lanes<uint32_t>(registers[r]), depth * (r / 2), r % 2);
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
