// The decoded instruction and the lanes it works on.
//
// A register is a slot of the warp's frame: 32 lanes of 4 bytes (types up to 32 bits; 16-bit values are kept zero
// extended) or 32 lanes of 8 bytes. A predicate is one 32-bit mask. Immediates, special registers and addresses of
// variables are slots too, filled before the warp starts, so a handler never asks what an operand is. Slots of one width
// never overlap slots of the other: a destination either is exactly a source or shares no byte with it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cnn::emu {

inline constexpr unsigned warpLanes = 32;
inline constexpr std::uint32_t allLanes = 0xffffffffu;

struct Warp;
struct Instruction;

// Executes one instruction for the active lanes and says where the warp goes on: the next instruction, or null when the
// warp has stopped (see Warp). Usually ends with `return next(warp, i);`.
using Handler = const Instruction* (*)(Warp& warp, const Instruction* i);

struct alignas(64) Instruction {
  Handler function;
  std::uint32_t guard;      // frame offset of the guard predicate (a slot of ones without a guard)
  std::uint32_t flip;       // ~0 for @!p
  std::uint32_t slot[8];    // frame offsets, by the family's convention: usually d, a, b, c
  union {
    std::int64_t immediate; // by the family's convention: address offset, shift, branch target, ...
    const void* extra;      // a table made with Decoder::table, when eight slots are not enough
  };
  std::uint32_t flags;      // by the family's convention
  std::uint32_t count;      // by the family's convention
};
static_assert(sizeof(Instruction) == 64);

// Goes on with the next instruction by a tail call. Only for handlers whose locals never have their address taken by
// an opaque call: otherwise no tail call is made and the stack grows; such handlers `return i + 1`.
#if defined(__OPTIMIZE__) && !defined(CNN_NO_TAIL_CALLS)
[[gnu::always_inline]] inline const Instruction* next(Warp& warp, const Instruction* i) {
  return i[1].function(warp, i + 1);
}
#else
inline const Instruction* next(Warp&, const Instruction* i) { return i + 1; }
#endif

}  // namespace cnn::emu
