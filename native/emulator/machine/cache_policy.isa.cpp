// createpolicy: the operand of .L2::cache_hint. A policy is opaque to programs and changes no result, so all are one number
// here; the operands are still verified.
#include "machine/family.h"
#include "machine/lanes.h"

namespace cnn::emu::CNN_ISA {
namespace {

constexpr std::uint64_t anyPolicy = std::uint64_t(1) << 60;

const Instruction* createPolicy(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  auto* const d = warp.lanes<std::uint64_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = anyPolicy;
  return i + 1;
}
void decodeCreatePolicy(Decoder& d, Instruction& out) {
  out.slot[0] = d.destination(d.operand(0), ptx::Type::b64);
  out.function = createPolicy;
}

}  // namespace

#define CNN_PRIORITIES ".{L2::evict_last|L2::evict_normal|L2::evict_first|L2::evict_unchanged}[.L2::evict_first|.L2::evict_unchanged]"

std::span<const Entry> cache_policy() {
  constexpr Class c = Class::special;
  static const Entry entries[] = {
      {"createpolicy.fractional" CNN_PRIORITIES ".b64", "=b64 f32?", 74, 80, c, 0, decodeCreatePolicy},
      {"createpolicy.range[.global]" CNN_PRIORITIES ".b64", "=b64 [] u32 u32", 74, 80, c, 0, decodeCreatePolicy},
      {"createpolicy.cvt.L2.b64", "=b64 b64", 74, 80, c, 0, decodeCreatePolicy},
  };
  return entries;
}

#undef CNN_PRIORITIES

}  // namespace cnn::emu::CNN_ISA
