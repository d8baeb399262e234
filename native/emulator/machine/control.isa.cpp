// Control flow: the heads of blocks, branches, exits.
#include "machine/lanes.h"

#include <bit>

namespace cnn::emu::CNN_ISA {
namespace {

// immediate: number of the block, flags: its order
const Instruction* head(Warp& warp, const Instruction* i) {
  if (i->flags >= warp.parkedOrder) [[unlikely]] return warp.arrive(i);
  warp.resumedAt = nullptr;
  warp.blockCounts[2 * i->immediate] += std::uint64_t(std::popcount(warp.active));
  ++warp.blockCounts[2 * i->immediate + 1];
  return next(warp, i);
}

// immediate: distance to the target's head
template <bool Backward> const Instruction* bra(Warp& warp, const Instruction* i) {
  const std::uint32_t taken = warp.mask(i);
  const Instruction* const target = i + i->immediate;
  ++warp.block->counters.branches;
  if (taken == 0) return next(warp, i);
  if (taken != warp.active) {
    ++warp.block->counters.divergentBranches;
    warp.park(target, taken, Standing::ready);
    warp.park(i + 1, warp.active & ~taken, Standing::ready);
    return warp.diverged();
  }
  if (Backward && --warp.spins == 0) [[unlikely]] return warp.yield(target);
  return next(warp, target - 1);
}

// count: number of targets, extra: their distances, slot[0]: the index
const Instruction* brx(Warp& warp, const Instruction* i) {
  const std::uint32_t taken = warp.mask(i);
  const auto* const distances = static_cast<const std::int64_t*>(i->extra);
  const auto* const index = warp.lanes<const std::uint32_t>(i->slot[0]);
  for (std::uint32_t rest = taken; rest != 0;) {
    const unsigned first = unsigned(std::countr_zero(rest));
    if (index[first] >= i->count)
      return warp.fault(i, statusInvalidPc, "branch index " + std::to_string(index[first]) + " of " + std::to_string(i->count) + " targets", int(first));
    std::uint32_t same = 0;
    for (unsigned l = first; l < warpLanes; ++l) same |= std::uint32_t(inMask(rest, l) && index[l] == index[first]) << l;
    warp.park(i + distances[index[first]], same, Standing::ready);
    rest &= ~same;
  }
  if (const std::uint32_t stay = warp.active & ~taken) warp.park(i + 1, stay, Standing::ready);
  return warp.diverged();
}

const Instruction* exitLanes(Warp& warp, const Instruction* i) {
  const std::uint32_t leaving = warp.mask(i);
  return leaving == 0 ? i + 1 : warp.exit(i + 1, leaving);
}

const Instruction* trap(Warp& warp, const Instruction* i) {
  const std::uint32_t lanes = warp.mask(i);
  if (lanes == 0) return i + 1;
  return warp.fault(i, statusLaunchFailed, "trap", std::countr_zero(lanes));
}

const Instruction* nothing(Warp& warp, const Instruction* i) { return next(warp, i); }

void decodeHead(Decoder&, Instruction& out) { out.function = head; }
// Whether a branch goes backward is known by the positions in the text.
void decodeBra(Decoder& d, Instruction& out) { out.function = d.isBackward() ? bra<true> : bra<false>; }
void decodeBrx(Decoder& d, Instruction& out) {
  out.function = brx;
  out.slot[0] = d.source(d.operand(0), ptx::Type::u32);
}
void decodeExit(Decoder&, Instruction& out) { out.function = exitLanes; }
void decodeTrap(Decoder&, Instruction& out) { out.function = trap; }
void decodeNothing(Decoder&, Instruction& out) { out.function = nothing; }

}  // namespace

std::span<const Entry> control() {
  static const Entry entries[] = {
      {"@head", "", 10, 10, Class::control, 0, decodeHead},
      {"bra[.uni]", "label", 10, 10, Class::control, 0, decodeBra},
      {"brx.idx[.uni]", "u32 symbol", 60, 30, Class::control, 0, decodeBrx},
      {"ret[.uni]", "", 10, 10, Class::control, 0, decodeExit},
      {"exit", "", 10, 10, Class::control, 0, decodeExit},
      {"trap", "", 10, 10, Class::control, 0, decodeTrap},
      {"brkpt", "", 10, 11, Class::control, 0, decodeTrap},
      {"pmevent", "imm", 14, 10, Class::control, 0, decodeNothing},
      {"nanosleep.u32", "u32", 63, 70, Class::control, 0, decodeNothing},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
