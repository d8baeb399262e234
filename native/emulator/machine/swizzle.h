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

// The bits of the address that the swizzle changes: of bits 4..6, as many as the span has units.
constexpr uint32_t swizzleBits(Swizzle swizzle) { return swizzleSpan(swizzle) - 16; }

// They are XORed with bits 7..9.
constexpr uint32_t swizzleAddress(uint32_t address, uint32_t bits) { return address ^ (address >> 3 & bits); }
constexpr uint32_t swizzleAddress(uint32_t address, Swizzle swizzle) { return swizzleAddress(address, swizzleBits(swizzle)); }

}  // namespace cnn::emu
