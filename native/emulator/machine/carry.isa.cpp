// Arithmetic with a carry, for numbers of several words: add.cc, addc, sub.cc, subc, mad.cc, madc. Each lane has one
// carry bit, kept in its warp; for a difference it is the borrow.
#include "machine/lanes.h"

#include <type_traits>

namespace cnn::emu::CNN_ISA {
namespace {

__extension__ using Wide = unsigned __int128;

enum class Kind { sum, difference, low, high };  // low, high: that half of a product, plus the third operand

// The first addend of a lane and, for a sum or a difference, the second.
template <class T, Kind kind> std::pair<T, T> operands(const Warp& w, const Instruction* i, unsigned lane) {
  const auto value = [&](int n) { return T(w.lanes<const Storage<T>>(i->slot[n])[lane]); };
  if constexpr (kind == Kind::sum || kind == Kind::difference) return {value(1), value(2)};
  using Signed = std::make_signed_t<T>;
  __extension__ using Exact = __int128;
  const bool isSigned = i->flags != 0;
  const Wide product = isSigned ? Wide(Exact(Signed(value(1))) * Exact(Signed(value(2)))) : Wide(value(1)) * value(2);
  return {T(kind == Kind::low ? product : product >> (8 * sizeof(T))), value(3)};
}

template <class T, Kind kind, bool carryIn, bool carryOut> const Instruction* carried(Warp& w, const Instruction* i) {
  const std::uint32_t mask = w.mask(i);
  auto* d = w.lanes<Storage<T>>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    const auto [a, b] = operands<T, kind>(w, i, l);
    const Wide in = carryIn ? w.carry >> l & 1 : 0;
    const Wide exact = kind == Kind::difference ? Wide(a) - b - in : Wide(a) + b + in;
    d[l] = T(exact);
    if (carryOut) w.carry = (w.carry & ~(1u << l)) | std::uint32_t(exact >> (8 * sizeof(T)) & 1) << l;
  }
  return next(w, i);
}

template <Kind kind, bool carryIn, bool carryOut> void decode(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  if (kind == Kind::low || kind == Kind::high) out.flags = d.last() == ptx::Type::s32 || d.last() == ptx::Type::s64;
  out.function = ptx::bits(d.last()) == 32 ? carried<std::uint32_t, kind, carryIn, carryOut> : carried<std::uint64_t, kind, carryIn, carryOut>;
}

}  // namespace

std::span<const Entry> carry() {
  constexpr Class c = Class::integer;
  static const Entry entries[] = {
      {"add.cc.{u32|s32|u64|s64}", "=T T T", 12, 10, c, 0, decode<Kind::sum, false, true>},
      {"addc.cc.{u32|s32|u64|s64}", "=T T T", 12, 10, c, 0, decode<Kind::sum, true, true>},
      {"addc.{u32|s32|u64|s64}", "=T T T", 12, 10, c, 0, decode<Kind::sum, true, false>},
      {"sub.cc.{u32|s32|u64|s64}", "=T T T", 12, 10, c, 0, decode<Kind::difference, false, true>},
      {"subc.cc.{u32|s32|u64|s64}", "=T T T", 12, 10, c, 0, decode<Kind::difference, true, true>},
      {"subc.{u32|s32|u64|s64}", "=T T T", 12, 10, c, 0, decode<Kind::difference, true, false>},
      {"mad.lo.cc.{u32|s32|u64|s64}", "=T T T T", 30, 20, c, 0, decode<Kind::low, false, true>},
      {"mad.hi.cc.{u32|s32|u64|s64}", "=T T T T", 30, 20, c, 0, decode<Kind::high, false, true>},
      {"madc.lo.cc.{u32|s32|u64|s64}", "=T T T T", 30, 20, c, 0, decode<Kind::low, true, true>},
      {"madc.hi.cc.{u32|s32|u64|s64}", "=T T T T", 30, 20, c, 0, decode<Kind::high, true, true>},
      {"madc.lo.{u32|s32|u64|s64}", "=T T T T", 30, 20, c, 0, decode<Kind::low, true, false>},
      {"madc.hi.{u32|s32|u64|s64}", "=T T T T", 30, 20, c, 0, decode<Kind::high, true, false>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
