// The XOR swizzle of Hopper's shared memory, the same for tensor copies and for wgmma operands.
//
// 16-byte units are permuted within a span of 32, 64 or 128 bytes by bits of the address itself: unit ^= line, where the
// line counts 128-byte lines. The pattern therefore repeats every 256, 512 or 1024 bytes of the address space.
#pragma once

#include "machine/tensor_map.h"

#include <cstdint>

namespace cnn::emu {

// Bytes that the swizzle permutes within; 16 (one unit, nothing moves) without swizzle.
constexpr uint32_t swizzleSpan(Swizzle swizzle) { return 16u << unsigned(swizzle); }

// Bytes after which the pattern repeats.
constexpr uint32_t swizzlePeriod(Swizzle swizzle) { return swizzleSpan(swizzle) * 8; }

// Bits 4..6 of the address (as many as the span has units) XOR bits 7..9.
constexpr uint32_t swizzleAddress(uint32_t address, Swizzle swizzle) {
  const uint32_t units = swizzleSpan(swizzle) / 16;
  return address ^ ((address >> 7 & (units - 1)) << 4);
}

}  // namespace cnn::emu
