// Integer arithmetic: results wrap, except with .sat.
#include "machine/lanes.h"

#include <algorithm>
#include <limits>

namespace cnn::emu::CNN_ISA {
namespace {

template <class T> using U = std::make_unsigned_t<T>;

// The type with twice the bits; 64 x 64 uses the compiler's 128-bit integers.
template <class T> struct Twice;
template <> struct Twice<std::uint16_t> { using type = std::uint32_t; };
template <> struct Twice<std::uint32_t> { using type = std::uint64_t; };
template <> struct Twice<std::int16_t> { using type = std::int32_t; };
template <> struct Twice<std::int32_t> { using type = std::int64_t; };
__extension__ using Wide128 = __int128;
__extension__ using WideU128 = unsigned __int128;
template <> struct Twice<std::int64_t> { using type = Wide128; };
template <> struct Twice<std::uint64_t> { using type = WideU128; };
template <class T> using TwiceT = typename Twice<T>::type;

struct Add { template <class T> T operator()(T a, T b) const { return T(U<T>(U<T>(a) + U<T>(b))); } };
struct Sub { template <class T> T operator()(T a, T b) const { return T(U<T>(U<T>(a) - U<T>(b))); } };
// Products in 32 bits at least: 16-bit operands would be promoted to int and might overflow it.
struct MulLo {
  template <class T> T operator()(T a, T b) const {
    if constexpr (sizeof(T) == 2) return T(std::uint32_t(U<T>(a)) * std::uint32_t(U<T>(b)));
    else return T(U<T>(a) * U<T>(b));
  }
};
struct MulHi {
  template <class T> T operator()(T a, T b) const { return T((TwiceT<T>(a) * TwiceT<T>(b)) >> (8 * sizeof(T))); }
};
struct MulWide { template <class T> TwiceT<T> operator()(T a, T b) const { return TwiceT<T>(a) * TwiceT<T>(b); } };
struct MadLo { template <class T> T operator()(T a, T b, T c) const { return Add{}(MulLo{}(a, b), c); } };
struct MadHi { template <class T> T operator()(T a, T b, T c) const { return Add{}(MulHi{}(a, b), c); } };
struct MadWide {
  template <class T> TwiceT<T> operator()(T a, T b, TwiceT<T> c) const { return Add{}(MulWide{}(a, b), c); }
};

inline std::int32_t saturate(std::int64_t v) {
  constexpr std::int64_t low = std::numeric_limits<std::int32_t>::min(), high = std::numeric_limits<std::int32_t>::max();
  return std::int32_t(v < low ? low : v > high ? high : v);
}
struct AddSat { std::int32_t operator()(std::int32_t a, std::int32_t b) const { return saturate(std::int64_t(a) + b); } };
struct SubSat { std::int32_t operator()(std::int32_t a, std::int32_t b) const { return saturate(std::int64_t(a) - b); } };
struct MadHiSat {
  std::int32_t operator()(std::int32_t a, std::int32_t b, std::int32_t c) const {
    return saturate((std::int64_t(a) * b >> 32) + c);
  }
};

template <class T> inline T low24(T v) { return T(U<T>(v) << 8) >> 8; }
struct Mul24Lo { template <class T> T operator()(T a, T b) const { return T(std::uint64_t(std::int64_t(low24(a)) * std::int64_t(low24(b)))); } };
struct Mul24Hi {
  template <class T> T operator()(T a, T b) const { return T((std::int64_t(low24(a)) * std::int64_t(low24(b))) >> 16); }
};
struct Mad24Lo { template <class T> T operator()(T a, T b, T c) const { return Add{}(Mul24Lo{}(a, b), c); } };
struct Mad24Hi { template <class T> T operator()(T a, T b, T c) const { return Add{}(Mul24Hi{}(a, b), c); } };

struct Sad { template <class T> T operator()(T a, T b, T c) const { return Add{}(c, T(a < b ? U<T>(b) - U<T>(a) : U<T>(a) - U<T>(b))); } };
// Division by zero is unspecified in the instruction set; the hardware gives all ones, and the dividend as remainder.
// The least integer by -1 wraps. Quotients of 32 bits come from double precision, which vectorises: the exact quotient
// is at least 2^-32 (relatively) away from the next integer, so rounding to 53 bits never reaches it.
struct Div {
  template <class T> T operator()(T a, T b) const {
    if constexpr (sizeof(T) <= 4) {
      const double quotient = double(a) / double(b == 0 ? T(1) : b);
      return b == 0 ? T(-1) : T(std::int64_t(quotient));
    } else {
      if (b == 0) return T(-1);
      if (std::is_signed_v<T> && b == T(-1)) return T(U<T>(0) - U<T>(a));
      return T(a / b);
    }
  }
};
struct Rem {
  template <class T> T operator()(T a, T b) const { return b == 0 ? a : Sub{}(a, MulLo{}(Div{}(a, b), b)); }
};
struct Min { template <class T> T operator()(T a, T b) const { return a < b ? a : b; } };
struct Max { template <class T> T operator()(T a, T b) const { return a < b ? b : a; } };
struct MinRelu { template <class T> T operator()(T a, T b) const { return Max{}(Min{}(a, b), T(0)); } };
struct MaxRelu { template <class T> T operator()(T a, T b) const { return Max{}(Max{}(a, b), T(0)); } };
struct Abs { template <class T> T operator()(T a) const { return a < 0 ? T(U<T>(0) - U<T>(a)) : a; } };
struct Neg { template <class T> T operator()(T a) const { return T(U<T>(0) - U<T>(a)); } };

// Two 16-bit halves in one register.
template <class Op, class H> struct Halves {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const {
    const std::uint32_t low = std::uint16_t(Op{}(H(a), H(b)));
    const std::uint32_t high = std::uint16_t(Op{}(H(a >> 16), H(b >> 16)));
    return low | high << 16;
  }
};

// ---- decode -----------------------------------------------------------------------------------------------------
template <class Op> void unary(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  out.function = byIntegerType(d.last(), []<class T>(T) -> Handler { return map<Op, T, T>; });
}
template <class Op> void binary(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  out.function = byIntegerType(d.last(), []<class T>(T) -> Handler { return map<Op, T, T, T>; });
}
template <class Op> void ternary(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  out.function = byIntegerType(d.last(), []<class T>(T) -> Handler { return map<Op, T, T, T, T>; });
}
template <class Op, class H> void halves(Decoder& d, Instruction& out) {
  plainOperands(d, out, ptx::Type::b32, ptx::Type::b32);
  out.function = map<Halves<Op, H>, std::uint32_t, std::uint32_t, std::uint32_t>;
}
template <class Op> void saturated(Decoder& d, Instruction& out) {
  using I = std::int32_t;
  plainOperands(d, out, d.last(), d.last());
  if constexpr (std::is_invocable_v<Op, I, I>) out.function = map<Op, I, I, I>;
  else out.function = map<Op, I, I, I, I>;
}

template <class F> Handler byNarrowType(ptx::Type type, F f) {
  switch (type) {
    case ptx::Type::u16: return f(std::uint16_t{});
    case ptx::Type::s16: return f(std::int16_t{});
    case ptx::Type::u32: return f(std::uint32_t{});
    default: return f(std::int32_t{});
  }
}
void mulWide(Decoder& d, Instruction& out) {
  const ptx::Type wide = ptx::bits(d.last()) == 32 ? ptx::Type::u64 : ptx::Type::u32;
  plainOperands(d, out, wide, d.last());
  out.function = byNarrowType(d.last(), []<class T>(T) -> Handler { return map<MulWide, TwiceT<T>, T, T>; });
}
void madWide(Decoder& d, Instruction& out) {
  const ptx::Type wide = ptx::bits(d.last()) == 32 ? ptx::Type::u64 : ptx::Type::u32;
  plainOperands(d, out, wide, d.last());
  out.slot[3] = d.source(d.operand(3), wide);
  out.function = byNarrowType(d.last(), []<class T>(T) -> Handler { return map<MadWide, TwiceT<T>, T, T, TwiceT<T>>; });
}
template <class Op> void product24(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  if constexpr (std::is_invocable_v<Op, int, int>)
    out.function = d.last() == ptx::Type::u32 ? map<Op, std::uint32_t, std::uint32_t, std::uint32_t> : map<Op, int, int, int>;
  else
    out.function = d.last() == ptx::Type::u32 ? map<Op, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>
                                              : map<Op, int, int, int, int>;
}

}  // namespace

std::span<const Entry> integer() {
  constexpr Class c = Class::integer;
  static const Entry entries[] = {
      {"add.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<Add>},
      {"add.sat.s32", "=T T T", 10, 10, c, 0, saturated<AddSat>},
      {"add.u16x2", "=T T T", 80, 90, c, 0, halves<Add, std::uint16_t>},
      {"add.s16x2", "=T T T", 80, 90, c, 0, halves<Add, std::int16_t>},
      {"sub.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<Sub>},
      {"sub.sat.s32", "=T T T", 10, 10, c, 0, saturated<SubSat>},
      {"mul.lo.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<MulLo>},
      {"mul.hi.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<MulHi>},
      {"mul.wide.{u16|u32|s16|s32}", "=2T T T", 10, 10, c, 0, mulWide},
      {"mad.lo.{u16|u32|u64|s16|s32|s64}", "=T T T T", 10, 10, c, 0, ternary<MadLo>},
      {"mad.hi.{u16|u32|u64|s16|s32|s64}", "=T T T T", 10, 10, c, 0, ternary<MadHi>},
      {"mad.hi.sat.s32", "=T T T T", 10, 10, c, 0, saturated<MadHiSat>},
      {"mad.wide.{u16|u32|s16|s32}", "=2T T T 2T", 10, 10, c, 0, madWide},
      {"mul24.lo.{u32|s32}", "=T T T", 10, 10, c, 0, product24<Mul24Lo>},
      {"mul24.hi.{u32|s32}", "=T T T", 10, 10, c, 0, product24<Mul24Hi>},
      {"mad24.lo.{u32|s32}", "=T T T T", 10, 10, c, 0, product24<Mad24Lo>},
      {"mad24.hi.{u32|s32}", "=T T T T", 10, 10, c, 0, product24<Mad24Hi>},
      {"sad.{u16|u32|u64|s16|s32|s64}", "=T T T T", 10, 10, c, 0, ternary<Sad>},
      {"div.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<Div>},
      {"rem.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<Rem>},
      {"min.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<Min>},
      {"max.{u16|u32|u64|s16|s32|s64}", "=T T T", 10, 10, c, 0, binary<Max>},
      {"min.relu.s32", "=T T T", 80, 90, c, 0, saturated<MinRelu>},
      {"max.relu.s32", "=T T T", 80, 90, c, 0, saturated<MaxRelu>},
      {"min.u16x2", "=T T T", 80, 90, c, 0, halves<Min, std::uint16_t>},
      {"min.s16x2", "=T T T", 80, 90, c, 0, halves<Min, std::int16_t>},
      {"min.relu.s16x2", "=T T T", 80, 90, c, 0, halves<MinRelu, std::int16_t>},
      {"max.u16x2", "=T T T", 80, 90, c, 0, halves<Max, std::uint16_t>},
      {"max.s16x2", "=T T T", 80, 90, c, 0, halves<Max, std::int16_t>},
      {"max.relu.s16x2", "=T T T", 80, 90, c, 0, halves<MaxRelu, std::int16_t>},
      {"abs.{s16|s32|s64}", "=T T", 10, 10, c, 0, unary<Abs>},
      {"neg.{s16|s32|s64}", "=T T", 10, 10, c, 0, unary<Neg>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
