// Arithmetic of f16, bf16 and their pairs. Every result is rounded once: sums are formed in double precision with the
// last bit telling whether something was cut off, which is enough for a correct second rounding.
#include "machine/float_math.h"
#include "machine/narrow.h"

#include <cmath>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

struct F16 {
  static float widen(std::uint16_t h) { return widenHalf(h); }
  static std::uint16_t narrow(float x) { return narrowHalf(x); }
  static constexpr std::uint16_t exponent = 0x7c00;
};
struct Bf16 {
  static float widen(std::uint16_t h) { return widenBfloat(h); }
  static std::uint16_t narrow(float x) { return narrowBfloat(x); }
  static constexpr std::uint16_t exponent = 0x7f80;
};

// a + b rounded to odd: exact, or with the last bit set.
[[gnu::always_inline]] inline double addToOdd(double a, double b) {
  const double sum = a + b, part = sum - a, rest = (a - (sum - part)) + (b - part);
  const auto bits = std::bit_cast<std::uint64_t>(sum);
  if (rest == 0 || !(std::fabs(sum) < INFINITY) || (bits & 1)) return sum;
  return std::bit_cast<double>((rest > 0) == (sum > 0) ? bits + 1 : bits - 1);
}
// To single precision, again to odd: a third format then rounds as if from the exact value.
[[gnu::always_inline]] inline float singleToOdd(double x) {
  const float nearest = float(x);
  const auto bits = std::bit_cast<std::uint32_t>(nearest);
  if (double(nearest) == x || !(std::fabs(nearest) < INFINITY) || (bits & 1)) return nearest;
  const bool tooSmall = (x > double(nearest)) == (x > 0);
  return std::bit_cast<float>(tooSmall ? bits + 1 : bits - 1);
}

template <bool Ftz> [[gnu::always_inline]] inline std::uint16_t flushHalf(std::uint16_t h, std::uint16_t exponent) {
  return Ftz && (h & exponent) == 0 ? std::uint16_t(h & 0x8000) : h;
}

// One half: Op gives a value from which one rounding leads to the result.
template <class F, class Op, bool Ftz, bool Sat> struct One {
  template <class... H> std::uint16_t operator()(H... h) const {
    const float exact = Op{}(F::widen(flushHalf<Ftz>(h, F::exponent))...);
    return flushHalf<Ftz>(F::narrow(Sat ? saturated(exact) : exact), F::exponent);
  }
};
template <class Inner> struct Both {
  template <class... W> std::uint32_t operator()(W... w) const {
    const std::uint32_t low = Inner{}(std::uint16_t(w)...), high = Inner{}(std::uint16_t(w >> 16)...);
    return high << 16 | low;
  }
};

struct Add { float operator()(float a, float b) const { return singleToOdd(addToOdd(a, b)); } };
struct Sub { float operator()(float a, float b) const { return singleToOdd(addToOdd(a, -double(b))); } };
struct Mul { float operator()(float a, float b) const { return singleToOdd(double(a) * double(b)); } };
struct Fma { float operator()(float a, float b, float c) const { return singleToOdd(addToOdd(double(a) * double(b), c)); } };
struct FmaRelu {
  float operator()(float a, float b, float c) const {
    const float x = Fma{}(a, b, c);
    return x < 0 || (x == 0 && std::signbit(x)) ? 0.0f : x;
  }
};
template <bool Nan> struct Min {
  float operator()(float a, float b) const {
    const float least = a < b ? a : b < a ? b : (std::signbit(a) ? a : b);
    return Nan ? (a != a ? a : b != b ? b : least) : (a != a ? b : b != b ? a : least);
  }
};
template <bool Nan> struct Max {
  float operator()(float a, float b) const {
    const float greatest = a > b ? a : b > a ? b : (std::signbit(b) ? a : b);
    return Nan ? (a != a ? a : b != b ? b : greatest) : (a != a ? b : b != b ? a : greatest);
  }
};
template <class Op> struct XorSign {
  float operator()(float a, float b) const {
    const auto sign = (std::bit_cast<std::uint32_t>(a) ^ std::bit_cast<std::uint32_t>(b)) & 0x80000000u;
    return std::bit_cast<float>((std::bit_cast<std::uint32_t>(Op{}(std::fabs(a), std::fabs(b))) & 0x7fffffffu) | sign);
  }
};
struct Ex2 { float operator()(float a) const { return float(std::exp2(double(a))); } };
struct Tanh { float operator()(float a) const { return float(std::tanh(double(a))); } };

template <std::uint16_t Clear, std::uint16_t Flip> struct Sign {
  std::uint16_t operator()(std::uint16_t h) const { return std::uint16_t((h & ~Clear) ^ Flip); }
};
template <class F, class Inner> struct FlushFirst {
  std::uint16_t operator()(std::uint16_t h) const { return Inner{}(flushHalf<true>(h, F::exponent)); }
};

// ---- decode ------------------------------------------------------------------------------------------------------
template <class Inner, std::size_t Count, std::size_t... N> Handler handlerOf(bool pair, std::index_sequence<N...>) {
  if (pair) return map<Both<Inner>, std::uint32_t, std::conditional_t<N == N, std::uint32_t, void>...>;
  return map<Inner, std::uint16_t, std::conditional_t<N == N, std::uint16_t, void>...>;
}
template <class Inner, std::size_t Count> Handler handlerOf(bool pair) {
  return handlerOf<Inner, Count>(pair, std::make_index_sequence<Count>{});
}
bool isPair(Type type) { return type == Type::f16x2 || type == Type::bf16x2; }
bool isBfloat(Type type) { return type == Type::bf16 || type == Type::bf16x2; }

template <class Op, std::size_t Count> void arithmetic(Decoder& d, Instruction& out) {
  const Type type = d.last();
  plainOperands(d, out, type, type);
  const bool pair = isPair(type), ftz = d.has("ftz"), sat = d.has("sat");
  if (pair) d.flops(2 * (Count == 3 ? 2 : 1));
  if (isBfloat(type)) out.function = handlerOf<One<Bf16, Op, false, false>, Count>(pair);
  else if (sat) out.function = ftz ? handlerOf<One<F16, Op, true, true>, Count>(pair) : handlerOf<One<F16, Op, false, true>, Count>(pair);
  else out.function = ftz ? handlerOf<One<F16, Op, true, false>, Count>(pair) : handlerOf<One<F16, Op, false, false>, Count>(pair);
}
void decodeFma(Decoder& d, Instruction& out) {
  if (d.has("relu")) arithmetic<FmaRelu, 3>(d, out);
  else arithmetic<Fma, 3>(d, out);
}
template <template <bool> class Op> void extreme(Decoder& d, Instruction& out) {
  if (d.has("xorsign")) d.has("NaN") ? arithmetic<XorSign<Op<true>>, 2>(d, out) : arithmetic<XorSign<Op<false>>, 2>(d, out);
  else d.has("NaN") ? arithmetic<Op<true>, 2>(d, out) : arithmetic<Op<false>, 2>(d, out);
}
template <std::uint16_t Clear, std::uint16_t Flip> void sign(Decoder& d, Instruction& out) {
  const Type type = d.last();
  plainOperands(d, out, type, type);
  using Inner = Sign<Clear, Flip>;
  if (d.has("ftz")) out.function = handlerOf<FlushFirst<F16, Inner>, 1>(isPair(type));
  else out.function = handlerOf<Inner, 1>(isPair(type));
}

// ---- comparisons: slot p, a, b, q, c as in compare.isa.cpp, for one half or two -------------------------------------
enum Compare : std::uint32_t { eq, ne, lt, le, gt, ge, equ, neu, ltu, leu, gtu, geu, num, nan };
constexpr std::string_view compareNames[] = {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};

bool holds(std::uint32_t compare, float a, float b) {
  const bool unordered = a != a || b != b;
  switch (compare) {
    case eq: return a == b;
    case ne: return !unordered && a != b;
    case lt: return a < b;
    case le: return a <= b;
    case gt: return a > b;
    case ge: return a >= b;
    case equ: return unordered || a == b;
    case neu: return unordered || a != b;
    case ltu: return unordered || a < b;
    case leu: return unordered || a <= b;
    case gtu: return unordered || a > b;
    case geu: return unordered || a >= b;
    case num: return !unordered;
    default: return unordered;
  }
}

// flags: comparison; how c is combined << 4; pair 64, bfloat 128, ftz 256, writes a register 512; count: truth of `set`
constexpr std::uint32_t pairBit = 64, bfloatBit = 128, ftzBit = 256, registerBit = 512;

float readHalf(std::uint16_t h, std::uint32_t flags) {
  if (flags & bfloatBit) return widenBfloat(h);
  return widenHalf(flags & ftzBit ? flushHalf<true>(h, F16::exponent) : h);
}
std::uint32_t combined(std::uint32_t bits, std::uint32_t c, std::uint32_t how) {
  return how == 1 ? bits & c : how == 2 ? bits | c : how == 3 ? bits ^ c : bits;
}

const Instruction* compareHalves(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), flags = i->flags, how = flags >> 4 & 3;
  const auto *const a = warp.lanes<const std::uint32_t>(i->slot[1]), *const b = warp.lanes<const std::uint32_t>(i->slot[2]);
  std::uint32_t low = 0, high = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    low |= std::uint32_t(holds(flags & 15, readHalf(std::uint16_t(a[l]), flags), readHalf(std::uint16_t(b[l]), flags))) << l;
    high |= std::uint32_t(holds(flags & 15, readHalf(std::uint16_t(a[l] >> 16), flags), readHalf(std::uint16_t(b[l] >> 16), flags))) << l;
  }
  const std::uint32_t c = warp.predicate(i->slot[4]) ^ std::uint32_t(i->immediate);
  if (!(flags & pairBit)) high = ~low;
  low = combined(low, c, how);
  high = combined(high, c, how);
  if (!(flags & registerBit)) {
    std::uint32_t &p = warp.predicate(i->slot[0]), &q = warp.predicate(i->slot[3]);
    p = (p & ~mask) | (low & mask);
    q = (q & ~mask) | (high & mask);
    return i + 1;
  }
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    if (flags & pairBit) d[l] = (inMask(low, l) ? i->count : 0) | (inMask(high, l) ? i->count << 16 : 0);
    else d[l] = inMask(low, l) ? i->count : 0;
  }
  return i + 1;
}

void decodeComparison(Decoder& d, Instruction& out, bool toRegister) {
  const ptx::Operand& target = d.operand(0);
  const ptx::Operand none;
  const bool two = target.kind == ptx::Operand::Kind::pair;
  const Type type = d.last();
  while (compareNames[out.flags] != d.word(0)) ++out.flags;
  if (d.count() > 3) out.flags |= (d.has("and") ? 1u : d.has("or") ? 2u : 3u) << 4;
  out.flags |= (isPair(type) ? pairBit : 0) | (isBfloat(type) ? bfloatBit : 0) | (d.has("ftz") ? ftzBit : 0) | (toRegister ? registerBit : 0);
  out.slot[0] = toRegister ? d.destination(target, d.first()) : d.predicate(two ? &target.parts[0] : &target);
  out.slot[3] = d.predicate(two ? &target.parts[1] : &none);
  out.slot[1] = d.source(d.operand(1), type);
  out.slot[2] = d.source(d.operand(2), type);
  std::uint32_t flip = 0;
  out.slot[4] = d.predicate(d.count() > 3 ? &d.operand(3) : nullptr, &flip);
  out.immediate = flip;
  const Type truth = d.first();  // all ones as an integer, in each half of a pair
  out.count = truth == Type::f16 || truth == Type::f16x2 ? 0x3c00 : truth == Type::bf16 || truth == Type::bf16x2 ? 0x3f80
              : truth == Type::u16 || truth == Type::s16 || isPair(type) ? 0xffff : ~0u;
  out.function = compareHalves;
}
void decodeSetp(Decoder& d, Instruction& out) { decodeComparison(d, out, false); }
void decodeSet(Decoder& d, Instruction& out) { decodeComparison(d, out, true); }

}  // namespace

#define CNN_HALF_OPS ".{eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan}"

std::span<const Entry> half() {
  constexpr Class c = Class::half;
  static const Entry entries[] = {
      {"add[.rn][.ftz][.sat].{f16|f16x2}", "=T T T", 42, 53, c, 1, arithmetic<Add, 2>},
      {"add[.rn].{bf16|bf16x2}", "=T T T", 78, 90, c, 1, arithmetic<Add, 2>},
      {"sub[.rn][.ftz][.sat].{f16|f16x2}", "=T T T", 42, 53, c, 1, arithmetic<Sub, 2>},
      {"sub[.rn].{bf16|bf16x2}", "=T T T", 78, 90, c, 1, arithmetic<Sub, 2>},
      {"mul[.rn][.ftz][.sat].{f16|f16x2}", "=T T T", 42, 53, c, 1, arithmetic<Mul, 2>},
      {"mul[.rn].{bf16|bf16x2}", "=T T T", 78, 90, c, 1, arithmetic<Mul, 2>},
      {"fma.rn[.ftz][.sat].{f16|f16x2}", "=T T T T", 42, 53, c, 2, decodeFma},
      {"fma.rn[.ftz].relu.{f16|f16x2}", "=T T T T", 70, 80, c, 2, decodeFma},
      {"fma.rn[.relu].{bf16|bf16x2}", "=T T T T", 70, 80, c, 2, decodeFma},
      {"neg[.ftz].{f16|f16x2}", "=T T", 60, 53, c, 0, sign<0, 0x8000>},
      {"neg.{bf16|bf16x2}", "=T T", 70, 80, c, 0, sign<0, 0x8000>},
      {"abs[.ftz].{f16|f16x2}", "=T T", 65, 53, c, 0, sign<0x8000, 0>},
      {"abs.{bf16|bf16x2}", "=T T", 70, 80, c, 0, sign<0x8000, 0>},
      {"min[.ftz][.NaN][.xorsign][.abs].{f16|f16x2}", "=T T T", 70, 80, c, 1, extreme<Min>},
      {"min[.NaN][.xorsign][.abs].{bf16|bf16x2}", "=T T T", 70, 80, c, 1, extreme<Min>},
      {"max[.ftz][.NaN][.xorsign][.abs].{f16|f16x2}", "=T T T", 70, 80, c, 1, extreme<Max>},
      {"max[.NaN][.xorsign][.abs].{bf16|bf16x2}", "=T T T", 70, 80, c, 1, extreme<Max>},
      {"ex2.approx.{f16|f16x2}", "=T T", 70, 75, c, 1, arithmetic<Ex2, 1>},
      {"ex2.approx.ftz.{bf16|bf16x2}", "=T T", 78, 90, c, 1, arithmetic<Ex2, 1>},
      {"tanh.approx.{f16|f16x2}", "=T T", 70, 75, c, 1, arithmetic<Tanh, 1>},
      {"tanh.approx.{bf16|bf16x2}", "=T T", 78, 90, c, 1, arithmetic<Tanh, 1>},
      {"setp" CNN_HALF_OPS "[.ftz].{f16|f16x2}", "=pred|pred T T", 42, 53, c, 0, decodeSetp},
      {"setp" CNN_HALF_OPS ".{and|or|xor}[.ftz].{f16|f16x2}", "=pred|pred T T pred", 42, 53, c, 0, decodeSetp},
      {"setp" CNN_HALF_OPS ".{bf16|bf16x2}", "=pred|pred T T", 78, 90, c, 0, decodeSetp},
      {"setp" CNN_HALF_OPS ".{and|or|xor}.{bf16|bf16x2}", "=pred|pred T T pred", 78, 90, c, 0, decodeSetp},
      {"set" CNN_HALF_OPS "[.ftz].f16.f16", "=D T T", 42, 53, c, 0, decodeSet},
      {"set" CNN_HALF_OPS "[.ftz].{u16|s16|u32|s32}.f16", "=D T T", 65, 53, c, 0, decodeSet},
      {"set" CNN_HALF_OPS "[.ftz].f16x2.f16x2", "=D T T", 42, 53, c, 0, decodeSet},
      {"set" CNN_HALF_OPS "[.ftz].{u32|s32}.f16x2", "=D T T", 65, 53, c, 0, decodeSet},
      {"set" CNN_HALF_OPS ".{bf16|u16|s16|u32|s32}.bf16", "=D T T", 78, 90, c, 0, decodeSet},
      {"set" CNN_HALF_OPS ".{bf16x2|u32|s32}.bf16x2", "=D T T", 78, 90, c, 0, decodeSet},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
