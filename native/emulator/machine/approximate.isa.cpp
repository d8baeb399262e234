// The .approx and .full functions in single precision: computed in double and rounded once, which is within every bound
// that the instruction set states; with jitter, anywhere within the bound.
#include "machine/float_math.h"
#include "machine/jitter.h"

#include <cmath>

namespace cnn::emu::CNN_ISA {
namespace {

// What the result may be off by, and the magnitude that the function itself never exceeds.
struct Bound {
  double relative = 0, absolute = 0, most = INFINITY;
};
constexpr double halfUlp = 0x1p-24;  // at most, relative to the value; what rounding takes of a bound

// nearest: the same in single precision, where the host has it.
struct Rcp {
  static float nearest(float a) { return 1 / a; }
  static double exact(double a) { return 1 / a; }
  static Bound bound(double) { return {0x1p-23 - halfUlp}; }
};
struct Sqrt {
  static float nearest(float a) { return __builtin_sqrtf(a); }
  static double exact(double a) { return __builtin_sqrt(a); }
  static Bound bound(double) { return {0x1p-23 - halfUlp}; }
};
struct Rsqrt {
  static double exact(double a) { return 1 / __builtin_sqrt(a); }
  static Bound bound(double) { return {0x1.125fbep-23 - halfUlp}; }  // 2^-22.9
};
struct Ex2 {
  static double exact(double a) { return std::exp2(a); }
  static Bound bound(double) { return {3 * halfUlp / 2}; }           // 2 ulp
};
struct Lg2 {
  static double exact(double a) { return std::log2(a); }
  static Bound bound(double a) { return a > 0.5 && a < 2 ? Bound{0, 0x1p-22 - halfUlp} : Bound{0x1p-22 - halfUlp}; }
};
// 2^-20.5 within two turns, 2^-14.7 within a hundred; further out nothing is promised.
inline Bound periodic(double a) { return {0, (std::fabs(a) <= 6.2831853 ? 0x1.6a09ep-21 : 0x1.3b2c4p-15) - halfUlp, 1}; }
struct Sin {
  static double exact(double a) { return std::sin(a); }
  static Bound bound(double a) { return periodic(a); }
};
struct Cos {
  static double exact(double a) { return std::cos(a); }
  static Bound bound(double a) { return periodic(a); }
};
struct Tanh {
  static double exact(double a) { return std::tanh(a); }
  static Bound bound(double) { return {0x1p-11 - halfUlp, 0, 1}; }
};
struct Div {
  static float nearest(float a, float b) { return a / b; }
  static double exact(double a, double b) { return a / b; }
  static Bound bound(double, double) { return {3 * halfUlp / 2}; }   // 2 ulp
};
// The quotient of divisors beyond 2^126 is zero (not-a-number for an infinite dividend).
struct DivSmall {
  static double exact(double a, double b) {
    const double magnitude = std::fabs(b);
    return magnitude > 0x1p126 && magnitude < INFINITY ? a * (b < 0 ? -0.0 : 0.0) : a / b;
  }
  static Bound bound(double, double) { return {3 * halfUlp / 2}; }   // 2 ulp
};

template <class Op, bool Ftz> struct Rounded {
  template <class... T> float operator()(T... x) const {
    if constexpr (requires { Op::nearest(x...); }) return finish<Ftz, false>(Op::nearest(flush<Ftz>(x)...));
    else return finish<Ftz, false>(float(Op::exact(double(flush<Ftz>(x))...)));
  }
};

// In [-1, 1], by the operands: a function of its inputs, as in hardware.
double deviation(std::uint64_t seed, std::uint32_t a, std::uint32_t b) {
  std::uint64_t h = (seed << 32 ^ a) * 0x9e3779b97f4a7c15ull + b;
  h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ull;
  return double(std::int64_t(h ^ h >> 32)) * 0x1p-63;
}

// Zeros, infinities and what is no number come out as they must: the instruction set lists these results.
template <class Op, bool Ftz> struct Jittered {
  std::uint32_t seed;
  float operator()(float a) const { return off(a, 0, Op::exact(double(a)), Op::bound(double(a)), a != 0); }
  float operator()(float a, float b) const { return off(a, b, Op::exact(double(a), double(b)), Op::bound(double(a), double(b)), a != 0 && b != 0); }

 private:
  float off(float a, float b, double exact, Bound bound, bool moves) const {
    if (!moves || exact == 0 || !std::isfinite(exact)) return finish<Ftz, false>(float(exact));
    const double by = deviation(seed, std::bit_cast<std::uint32_t>(a), std::bit_cast<std::uint32_t>(b));
    const double moved = exact + by * (bound.relative * exact + bound.absolute);
    return finish<Ftz, false>(float(std::fmin(std::fmax(moved, -bound.most), bound.most)));
  }
};

// immediate: the seed
template <class Op, bool Ftz, class... Operand> const Instruction* jittered(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const Jittered<Op, Ftz> compute{std::uint32_t(i->immediate)};
  const auto* const a = warp.lanes<const std::uint32_t>(i->slot[1]), *const b = warp.lanes<const std::uint32_t>(i->slot[2]);
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    const float x = flush<Ftz>(fromLane<float>(a[l]));
    if constexpr (sizeof...(Operand) == 1) d[l] = toLane<float>(compute(x));
    else d[l] = toLane<float>(compute(x, flush<Ftz>(fromLane<float>(b[l]))));
  }
  return i + 1;
}

template <class Op, bool Ftz, class... Operand> Handler choose(std::uint32_t jitter) {
  return jitter ? jittered<Op, Ftz, Operand...> : map<Rounded<Op, Ftz>, float, Operand...>;
}

template <class Op, class... Operand> void decode(Decoder& d, Instruction& out) {
  plainOperands(d, out, ptx::Type::f32, ptx::Type::f32);
  const std::uint32_t jitter = requestedJitter();
  out.immediate = jitter;
  out.function = d.has("ftz") ? choose<Op, true, Operand...>(jitter) : choose<Op, false, Operand...>(jitter);
}

}  // namespace

std::span<const Entry> approximate() {
  constexpr Class c = Class::floating;
  static const Entry entries[] = {
      {"div.full[.ftz].f32", "=T T T", 14, 10, c, 1, decode<Div, float, float>},
      {"div.approx[.ftz].f32", "=T T T", 14, 10, c, 1, decode<DivSmall, float, float>},
      {"rcp.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Rcp, float>},
      {"sqrt.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Sqrt, float>},
      {"rsqrt.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Rsqrt, float>},
      {"sin.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Sin, float>},
      {"cos.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Cos, float>},
      {"lg2.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Lg2, float>},
      {"ex2.approx[.ftz].f32", "=T T", 14, 10, c, 1, decode<Ex2, float>},
      {"tanh.approx.f32", "=T T", 70, 75, c, 1, decode<Tanh, float>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
