// Single and double precision. Everything here but the .approx forms of double precision is exact to the bit.
#include "machine/float_math.h"
#include "machine/rounding.h"

#include <cmath>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

struct Add { template <class T> T operator()(T a, T b) const { return a + b; } };
struct Sub { template <class T> T operator()(T a, T b) const { return a - b; } };
struct Mul { template <class T> T operator()(T a, T b) const { return a * b; } };
struct Div { template <class T> T operator()(T a, T b) const { return a / b; } };
struct Fma {
  float operator()(float a, float b, float c) const { return __builtin_fmaf(a, b, c); }
  double operator()(double a, double b, double c) const { return __builtin_fma(a, b, c); }
};
struct Rcp { template <class T> T operator()(T a) const { return T(1) / a; } };
struct Sqrt {
  float operator()(float a) const { return __builtin_sqrtf(a); }
  double operator()(double a) const { return __builtin_sqrt(a); }
};

// min and max return the operand that is a number; -0 is less than +0. With .NaN, not-a-number wins.
template <bool Nan> struct Min {
  template <class T> T operator()(T a, T b) const {
    const T least = a < b ? a : b < a ? b : (std::signbit(a) ? a : b);
    if (Nan) return a != a ? a : b != b ? b : least;
    return a != a ? b : b != b ? a : least;
  }
};
template <bool Nan> struct Max {
  template <class T> T operator()(T a, T b) const {
    const T greatest = a > b ? a : b > a ? b : (std::signbit(a) ? b : a);
    if (Nan) return a != a ? a : b != b ? b : greatest;
    return a != a ? b : b != b ? a : greatest;
  }
};
// The result has the magnitude of the least (greatest) and the sign of the exclusive or of the signs.
template <class Op> struct XorSign {
  float operator()(float a, float b) const {
    const auto sign = (std::bit_cast<std::uint32_t>(a) ^ std::bit_cast<std::uint32_t>(b)) & 0x80000000u;
    const auto magnitude = std::bit_cast<std::uint32_t>(Op{}(std::fabs(a), std::fabs(b))) & 0x7fffffffu;
    return std::bit_cast<float>(magnitude | sign);
  }
};
template <class Op> struct Three {
  float operator()(float a, float b, float c) const { return Op{}(Op{}(a, b), c); }
};

struct Rsqrt { double operator()(double a) const { return 1.0 / __builtin_sqrt(a); } };

// An operation with flushed operands, and its result finished.
template <class Op, bool Ftz, bool Sat> struct Exact {
  template <class... T> auto operator()(T... x) const { return finish<Ftz, Sat>(Op{}(flush<Ftz>(x)...)); }
};
// Signs only: every bit of a number that is none stays.
struct Abs {
  float operator()(float a) const { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) & 0x7fffffffu); }
  double operator()(double a) const { return std::bit_cast<double>(std::bit_cast<std::uint64_t>(a) & ~(1ull << 63)); }
};
struct Neg {
  float operator()(float a) const { return std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) ^ 0x80000000u); }
  double operator()(double a) const { return std::bit_cast<double>(std::bit_cast<std::uint64_t>(a) ^ 1ull << 63); }
};
template <class Op, bool Ftz> struct Signs {
  template <class T> T operator()(T a) const { return Op{}(flush<Ftz>(a)); }
};
struct CopySign {
  template <class T> T operator()(T sign, T magnitude) const { return std::copysign(magnitude, sign); }
};
struct TestP {
  enum Kind { finite, infinite, number, notanumber, normal, subnormal };
};

// ---- handlers ----------------------------------------------------------------------------------------------------
template <class Op, class T, std::size_t> using Repeat = T;
template <class Op, class T, std::size_t... N> constexpr Handler mapOf(std::index_sequence<N...>) {
  return map<Op, T, Repeat<Op, T, N>...>;
}
template <class Op, class T, std::size_t Count> constexpr Handler mapOf() { return mapOf<Op, T>(std::make_index_sequence<Count>{}); }

// Any rounding; flags: the mode, bit 0 ftz, bit 1 sat.
template <class Op, class T, std::size_t Count>
[[gnu::noinline]] void computeRounded(const Instruction* i, const Storage<T>* const* a, Storage<T>* d) {
  const RoundingScope scope(Round(i->flags & 0x6000u));
  for (unsigned l = 0; l < warpLanes; ++l) {
    [&]<std::size_t... N>(std::index_sequence<N...>) {
      T result;
      if (i->flags & 1) result = flush<true>(Op{}(flush<true>(fromLane<T>(a[N][l]))...));
      else result = Op{}(fromLane<T>(a[N][l])...);
      d[l] = toLane<T>(i->flags & 2 ? saturated(result) : canonical(result));
    }(std::make_index_sequence<Count>{});
  }
}
template <class Op, class T, std::size_t Count> const Instruction* rounded(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const Storage<T>* a[Count];
  for (std::size_t n = 0; n < Count; ++n) a[n] = warp.lanes<const Storage<T>>(i->slot[n + 1]);
  alignas(64) Storage<T> result[warpLanes];
  computeRounded<Op, T, Count>(i, a, result);
  auto* const d = warp.lanes<Storage<T>>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = result[l];
  return i + 1;
}

// ---- decode ------------------------------------------------------------------------------------------------------
Round roundingOf(const Decoder& d) {
  return d.has("rz") ? Round::zero : d.has("rm") ? Round::down : d.has("rp") ? Round::up : Round::nearest;
}

template <class Op, std::size_t Count> void arithmetic(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  const Round mode = roundingOf(d);
  const bool ftz = d.has("ftz"), sat = d.has("sat"), single = d.last() == Type::f32;
  if (mode != Round::nearest) {
    out.flags = unsigned(mode) | (ftz ? 1u : 0u) | (sat ? 2u : 0u);
    out.function = single ? rounded<Op, float, Count> : rounded<Op, double, Count>;
  } else if (!single) {
    out.function = mapOf<Exact<Op, false, false>, double, Count>();
  } else if (sat) {
    out.function = ftz ? mapOf<Exact<Op, true, true>, float, Count>() : mapOf<Exact<Op, false, true>, float, Count>();
  } else {
    out.function = ftz ? mapOf<Exact<Op, true, false>, float, Count>() : mapOf<Exact<Op, false, false>, float, Count>();
  }
}

// .approx.ftz.f64 works on the upper words: a sign, 11 bits of exponent, 20 of mantissa. Subnormals become zeros.
double upperWord(double x) {
  constexpr std::uint64_t exponent = 0x7ffull << 52, upper = ~0ull << 32;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  if (x != x) return std::bit_cast<double>(0x7fffffffull << 32);
  return std::bit_cast<double>(bits & (bits & exponent ? upper : 1ull << 63));
}
template <class Op> struct Coarse {
  double operator()(double x) const { return upperWord(Op{}(upperWord(x))); }
};

template <class Op> void approxDouble(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  out.function = d.has("ftz") ? map<Coarse<Op>, double, double> : mapOf<Exact<Op, false, false>, double, 1>();
}
template <class Op> void sign(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  if (d.last() == Type::f64) out.function = map<Signs<Op, false>, double, double>;
  else out.function = d.has("ftz") ? map<Signs<Op, true>, float, float> : map<Signs<Op, false>, float, float>;
}
template <template <bool> class Op> void extreme(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  const bool nan = d.has("NaN"), ftz = d.has("ftz");
  if (d.last() == Type::f64) {
    out.function = mapOf<Exact<Op<false>, false, false>, double, 2>();
  } else if (d.has("xorsign")) {
    out.function = nan ? (ftz ? mapOf<Exact<XorSign<Op<true>>, true, false>, float, 2>() : mapOf<Exact<XorSign<Op<true>>, false, false>, float, 2>())
                       : (ftz ? mapOf<Exact<XorSign<Op<false>>, true, false>, float, 2>() : mapOf<Exact<XorSign<Op<false>>, false, false>, float, 2>());
  } else {
    out.function = nan ? (ftz ? mapOf<Exact<Op<true>, true, false>, float, 2>() : mapOf<Exact<Op<true>, false, false>, float, 2>())
                       : (ftz ? mapOf<Exact<Op<false>, true, false>, float, 2>() : mapOf<Exact<Op<false>, false, false>, float, 2>());
  }
}
void decodeCopySign(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  out.function = d.last() == Type::f64 ? map<CopySign, double, double, double> : map<CopySign, float, float, float>;
}

template <class T> const Instruction* testp(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto* const a = warp.lanes<const Storage<T>>(i->slot[1]);
  std::uint32_t bits = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    const int kind = std::fpclassify(fromLane<T>(a[l]));
    bool holds = false;
    switch (i->immediate) {
      case TestP::finite: holds = kind != FP_INFINITE && kind != FP_NAN; break;
      case TestP::infinite: holds = kind == FP_INFINITE; break;
      case TestP::number: holds = kind != FP_NAN; break;
      case TestP::notanumber: holds = kind == FP_NAN; break;
      case TestP::normal: holds = kind == FP_NORMAL || kind == FP_ZERO; break;  // zeros count as normal
      case TestP::subnormal: holds = kind == FP_SUBNORMAL; break;
    }
    bits |= std::uint32_t(holds) << l;
  }
  std::uint32_t& d = warp.predicate(i->slot[0]);
  d = (d & ~mask) | (bits & mask);
  return i + 1;
}
void decodeTestp(Decoder& d, Instruction& out) {
  constexpr std::string_view kinds[] = {"finite", "infinite", "number", "notanumber", "normal", "subnormal"};
  while (kinds[out.immediate] != d.word(0)) ++out.immediate;
  out.slot[0] = d.predicate(&d.operand(0));
  out.slot[1] = d.source(d.operand(1), d.last());
  out.function = d.last() == Type::f64 ? testp<double> : testp<float>;
}

}  // namespace

std::span<const Entry> floating() {
  constexpr Class c = Class::floating;
  static const Entry entries[] = {
      {"add[.rn|rz|rm|rp][.ftz][.sat].f32", "=T T T", 10, 10, c, 1, arithmetic<Add, 2>},
      {"add[.rn|rz|rm|rp].f64", "=T T T", 10, 13, c, 1, arithmetic<Add, 2>},
      {"sub[.rn|rz|rm|rp][.ftz][.sat].f32", "=T T T", 10, 10, c, 1, arithmetic<Sub, 2>},
      {"sub[.rn|rz|rm|rp].f64", "=T T T", 10, 13, c, 1, arithmetic<Sub, 2>},
      {"mul[.rn|rz|rm|rp][.ftz][.sat].f32", "=T T T", 10, 10, c, 1, arithmetic<Mul, 2>},
      {"mul[.rn|rz|rm|rp].f64", "=T T T", 10, 13, c, 1, arithmetic<Mul, 2>},
      {"fma.{rn|rz|rm|rp}[.ftz][.sat].f32", "=T T T T", 20, 20, c, 2, arithmetic<Fma, 3>},
      {"fma.{rn|rz|rm|rp}.f64", "=T T T T", 14, 13, c, 2, arithmetic<Fma, 3>},
      {"mad.{rn|rz|rm|rp}[.ftz][.sat].f32", "=T T T T", 20, 20, c, 2, arithmetic<Fma, 3>},
      {"mad.{rn|rz|rm|rp}.f64", "=T T T T", 14, 13, c, 2, arithmetic<Fma, 3>},
      {"div.{rn|rz|rm|rp}[.ftz].f32", "=T T T", 14, 20, c, 1, arithmetic<Div, 2>},
      {"div.{rn|rz|rm|rp}.f64", "=T T T", 14, 13, c, 1, arithmetic<Div, 2>},
      {"rcp.{rn|rz|rm|rp}[.ftz].f32", "=T T", 14, 20, c, 1, arithmetic<Rcp, 1>},
      {"rcp.{rn|rz|rm|rp}.f64", "=T T", 14, 13, c, 1, arithmetic<Rcp, 1>},
      {"rcp.approx.ftz.f64", "=T T", 21, 20, c, 1, approxDouble<Rcp>},
      {"sqrt.{rn|rz|rm|rp}[.ftz].f32", "=T T", 14, 20, c, 1, arithmetic<Sqrt, 1>},
      {"sqrt.{rn|rz|rm|rp}.f64", "=T T", 14, 13, c, 1, arithmetic<Sqrt, 1>},
      {"rsqrt.approx.f64", "=T T", 14, 13, c, 1, approxDouble<Rsqrt>},
      {"rsqrt.approx.ftz.f64", "=T T", 40, 20, c, 1, approxDouble<Rsqrt>},
      {"abs[.ftz].f32", "=T T", 10, 10, c, 0, sign<Abs>},
      {"abs.f64", "=T T", 10, 13, c, 0, sign<Abs>},
      {"neg[.ftz].f32", "=T T", 10, 10, c, 0, sign<Neg>},
      {"neg.f64", "=T T", 10, 13, c, 0, sign<Neg>},
      {"copysign.f32", "=T T T", 20, 20, c, 0, decodeCopySign},
      {"copysign.f64", "=T T T", 20, 20, c, 0, decodeCopySign},
      {"min[.ftz][.NaN][.xorsign][.abs].f32", "=T T T", 10, 10, c, 1, extreme<Min>},
      {"min.f64", "=T T T", 10, 13, c, 1, extreme<Min>},
      {"max[.ftz][.NaN][.xorsign][.abs].f32", "=T T T", 10, 10, c, 1, extreme<Max>},
      {"max.f64", "=T T T", 10, 13, c, 1, extreme<Max>},
      {"testp.{finite|infinite|number|notanumber|normal|subnormal}.f32", "=pred T", 20, 20, c, 0, decodeTestp},
      {"testp.{finite|infinite|number|notanumber|normal|subnormal}.f64", "=pred T", 20, 20, c, 0, decodeTestp},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
