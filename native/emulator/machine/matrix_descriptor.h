// The 64-bit matrix descriptor of wgmma, and where it says that each element lies.
//
//   bits 0-13 start address, 16-29 leading byte offset, 32-45 stride byte offset (all in units of 16 bytes),
//   49-51 base offset, 62-63 swizzle (0 none, 1 128 B, 2 64 B, 3 32 B); the other bits are zero.
//
// An operand has an outer dimension (M of A, N of B) and K. With T elements to a 16-byte unit, the units lie at
//   K-major,  no swizzle  (outer % 8) * 16 + (outer / 8) * stride + (k / T) * leading
//   K-major,  span S      (outer % 8) * S  + (outer / 8) * stride + (k / T) * 16
//   MN-major, no swizzle  (outer / T) * stride + (k % 8) * 16 + (k / 8) * leading
//   MN-major, span S      (outer / T % (S / 16)) * 16 + (outer / S') * leading + (k % 8) * S + (k / 8) * stride
// where S' = S / element size. The swizzle then permutes bits of the sum.
#pragma once

#include "machine/swizzle.h"

#include <cstdint>

namespace cnn::emu {

struct MatrixDescriptor {
  uint32_t start, leading, stride;  // bytes
  uint32_t baseOffset;
  Swizzle swizzle;

  static constexpr uint64_t definedBits = 0xC00E3FFF3FFF3FFF;

  static constexpr MatrixDescriptor decode(uint64_t bits) {
    constexpr Swizzle modes[4] = {Swizzle::none, Swizzle::bytes128, Swizzle::bytes64, Swizzle::bytes32};
    return {uint32_t(bits & 0x3FFF) << 4, uint32_t(bits >> 16 & 0x3FFF) << 4, uint32_t(bits >> 32 & 0x3FFF) << 4,
            uint32_t(bits >> 49 & 7), modes[bits >> 62]};
  }

  // Null when the operand can be read; else what is wrong with it.
  static const char* complaint(uint64_t bits) {
    const MatrixDescriptor d = decode(bits);
    if (bits & ~definedBits) return "bits that must be zero are set";
    if (d.baseOffset != 0) return "a base offset other than 0 is not modelled: align the matrix to its swizzle pattern";
    if (d.swizzle != Swizzle::none && d.start % swizzlePeriod(d.swizzle) >= swizzleSpan(d.swizzle))
      return "the start address is not at the first row of the swizzle pattern, and the base offset is 0";
    return nullptr;
  }

  // When K is the contiguous dimension: where the 16-byte unit with element (outer, k) lies before the swizzle, for an
  // outer index that is a multiple of 8; T = units' elements. The next seven outer indices follow at rowPitch.
  constexpr uint32_t unitKMajor(uint32_t outer, uint32_t k, uint32_t T) const {
    return start + outer / 8 * stride + k / T * (swizzle == Swizzle::none ? leading : 16);
  }
  constexpr uint32_t rowPitch() const { return swizzleSpan(swizzle); }

  // Address of the unit when the outer dimension is the contiguous one (16-bit types only, T = 8).
  constexpr uint32_t unitOuterMajor(uint32_t outer, uint32_t k) const {
    constexpr uint32_t T = 8;
    if (swizzle == Swizzle::none) return start + outer / T * stride + k % 8 * 16 + k / 8 * leading;
    const uint32_t span = swizzleSpan(swizzle), units = span / 16;
    return swizzleAddress(start + outer / T % units * 16 + outer / T / units * leading + k % 8 * span + k / 8 * stride, swizzle);
  }
};

}  // namespace cnn::emu
