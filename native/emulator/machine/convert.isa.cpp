// cvt between all types, with every rounding and saturation.
#include "machine/float_math.h"
#include "machine/narrow.h"
#include "machine/rounding.h"

#include <algorithm>
#include <limits>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

struct Half { std::uint16_t bits; };
struct Bfloat { std::uint16_t bits; };

template <class T> constexpr bool isReal = !std::is_integral_v<T>;
template <class T> constexpr const Format& formatOf = std::is_same_v<T, Half> ? f16Format : bf16Format;

[[gnu::always_inline]] inline float widened(float x) { return x; }
[[gnu::always_inline]] inline double widened(double x) { return x; }
[[gnu::always_inline]] inline float widened(Half x) { return widenHalf(x.bits); }
[[gnu::always_inline]] inline float widened(Bfloat x) { return widenBfloat(x.bits); }

// ---- the general way: one lane at a time; flags say how ------------------------------------------------------------
constexpr std::uint32_t modeBits = 7, integral = 8, ftzBit = 16, satBit = 32, reluBit = 64, finiteBit = 128;

Round processorRound(Mode mode) {
  return mode == Mode::zero ? Round::zero : mode == Mode::down ? Round::down : mode == Mode::up ? Round::up : Round::nearest;
}

// Float to integer: saturates; not-a-number gives zero, or the middle bit alone where 64-bit types take part.
template <class D, class A> D toInteger(double x, Mode mode) {
  if (x != x) {
    constexpr bool isLong = sizeof(D) == 8 || std::is_same_v<A, double>;
    return isLong ? D(std::make_unsigned_t<D>(1) << (8 * sizeof(D) - 1)) : D(0);
  }
  const double rounded = roundIntegral(x, mode);
  constexpr D low = std::numeric_limits<D>::min(), high = std::numeric_limits<D>::max();
  if (rounded <= double(low)) return low;
  return rounded >= double(high) ? high : D(rounded);
}

template <class D> D realFrom(double x, std::uint32_t flags) {
  const Mode mode = Mode(flags & modeBits);
  if (flags & integral) x = x != x ? x : std::copysign(roundIntegral(x, mode), x);
  if (flags & satBit) x = saturated(x);
  if (flags & reluBit) x = x < 0 || (x == 0 && std::signbit(x)) ? 0.0 : x;
  if constexpr (std::is_same_v<D, double>) {
    return x;
  } else if constexpr (std::is_same_v<D, float>) {
    const RoundingScope scope(processorRound(flags & integral ? Mode::nearest : mode));
    volatile double source = x;
    volatile float result = float(source);
    const float kept = canonical(float(result));
    return flags & ftzBit ? flush<true>(kept) : kept;
  } else {
    return D{std::uint16_t(narrow(x, formatOf<D>, mode, flags & finiteBit))};
  }
}

template <class D, class A> D convertLane(A a, std::uint32_t flags) {
  const Mode mode = Mode(flags & modeBits);
  if constexpr (!isReal<A> && !isReal<D>) {
    __extension__ using Wide = __int128;
    Wide x = a;
    if (flags & satBit) x = std::min<Wide>(std::max<Wide>(x, std::numeric_limits<D>::min()), std::numeric_limits<D>::max());
    return D(x);
  } else if constexpr (!isReal<A>) {
    if constexpr (std::is_same_v<D, float> || std::is_same_v<D, double>) {
      if (a == 0) return D(0);  // a compiler may convert by a subtraction, which gives -0 when rounding down
      const RoundingScope scope(processorRound(mode));
      volatile A source = a;
      volatile D result = D(A(source));
      return flags & satBit ? saturated(D(result)) : D(result);
    } else {
      // 64 bits may not fit a double: what is cut off only has to be known to exist.
      constexpr std::uint64_t cut = 8191;
      double x = double(a);
      if constexpr (sizeof(A) == 8)
        if (std::fabs(x) >= 0x1p52) x = double(A(std::uint64_t(a) & ~cut)) + (std::uint64_t(a) & cut ? double(cut / 2 + 1) : 0.0);
      return D{std::uint16_t(narrow(flags & satBit ? saturated(x) : x, formatOf<D>, mode))};
    }
  } else {
    double x = widened(a);
    if constexpr (std::is_same_v<A, float>)
      if (flags & ftzBit) x = flush<true>(a);
    if constexpr (isReal<D>) return realFrom<D>(x, flags);
    else return toInteger<D, A>(x, mode);
  }
}

template <class D, class A> const Instruction* convert(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto* const a = warp.lanes<const Storage<A>>(i->slot[1]);
  Storage<D> result[warpLanes];
  for (unsigned l = 0; l < warpLanes; ++l) result[l] = toLane<D>(convertLane<D, A>(fromLane<A>(a[l]), i->flags));
  auto* const d = warp.lanes<Storage<D>>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = result[l];
  return i + 1;
}
// The destination register is wider than its type: extended by the sign.
template <class D, class A, class Register> const Instruction* convertWider(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto* const a = warp.lanes<const Storage<A>>(i->slot[1]);
  Register result[warpLanes];
  for (unsigned l = 0; l < warpLanes; ++l) result[l] = Register(convertLane<D, A>(fromLane<A>(a[l]), i->flags));
  auto* const d = warp.lanes<Storage<Register>>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = Storage<Register>(result[l]);
  return i + 1;
}

// ---- the common ones, vectorised --------------------------------------------------------------------------------------
struct Cast {
  template <class D> struct To {
    template <class A> D operator()(A a) const { return D(a); }
  };
};
struct WidenHalf { float operator()(std::uint16_t h) const { return canonical(widenHalf(h)); } };
struct WidenBfloat { float operator()(std::uint16_t h) const { return canonical(widenBfloat(h)); } };
struct NarrowHalf { std::uint16_t operator()(float x) const { return narrowHalf(x); } };
struct NarrowBfloat { std::uint16_t operator()(float x) const { return narrowBfloat(x); } };
struct NarrowHalves {
  std::uint32_t operator()(float high, float low) const { return std::uint32_t(narrowHalf(high)) << 16 | narrowHalf(low); }
};
struct NarrowBfloats {
  std::uint32_t operator()(float high, float low) const { return std::uint32_t(narrowBfloat(high)) << 16 | narrowBfloat(low); }
};
struct Truncate {  // cvt.rzi.s32.f32
  std::int32_t operator()(float x) const {
    const float clamped = x < -0x1p31f ? -0x1p31f : x;
    return x != x ? 0 : x >= 0x1p31f ? std::numeric_limits<std::int32_t>::max() : std::int32_t(clamped < 0x1p31f ? clamped : 0.0f);
  }
};

Handler commonConversion(Type d, Type a, std::uint32_t flags) {
  const Mode mode = Mode(flags & modeBits);
  if (flags & ~modeBits & ~integral) return nullptr;
  using U = std::uint32_t;
  using S = std::int32_t;
  if (d == Type::f32 && a == Type::f16) return map<WidenHalf, float, std::uint16_t>;
  if (d == Type::f32 && a == Type::bf16) return map<WidenBfloat, float, std::uint16_t>;
  if (d == Type::s32 && a == Type::f32 && mode == Mode::zero) return map<Truncate, S, float>;
  if (mode == Mode::nearest && !(flags & integral)) {
    if (d == Type::f16 && a == Type::f32) return map<NarrowHalf, std::uint16_t, float>;
    if (d == Type::bf16 && a == Type::f32) return map<NarrowBfloat, std::uint16_t, float>;
    if (d == Type::f32 && a == Type::s32) return map<Cast::To<float>, float, S>;
    if (d == Type::f32 && a == Type::u32) return map<Cast::To<float>, float, U>;
  }
  if (ptx::bits(d) == 64 && a == Type::s32 && ptx::isInteger(d)) return map<Cast::To<std::int64_t>, std::int64_t, S>;
  if (ptx::bits(d) == 64 && a == Type::u32 && ptx::isInteger(d)) return map<Cast::To<std::uint64_t>, std::uint64_t, U>;
  if (ptx::bits(d) == 32 && ptx::bits(a) == 64 && ptx::isInteger(d) && ptx::isInteger(a)) return map<Cast::To<U>, U, std::uint64_t>;
  if (ptx::bits(d) == 32 && a == Type::u16 && ptx::isInteger(d)) return map<Cast::To<U>, U, std::uint16_t>;
  if (ptx::bits(d) == 32 && a == Type::s16 && ptx::isInteger(d)) return map<Cast::To<S>, S, std::int16_t>;
  if (ptx::bits(d) == 16 && ptx::bits(a) == 32 && ptx::isInteger(d) && ptx::isInteger(a)) return map<Cast::To<std::uint16_t>, std::uint16_t, U>;
  return nullptr;
}

template <class F> Handler byType(Type type, F f) {
  switch (type) {
    case Type::u8: return f(std::uint8_t{});
    case Type::s8: return f(std::int8_t{});
    case Type::f16: return f(Half{});
    case Type::bf16: return f(Bfloat{});
    case Type::f32: return f(float{});
    case Type::f64: return f(double{});
    default: return byIntegerType(type, f);
  }
}

// ---- decode ------------------------------------------------------------------------------------------------------
std::uint32_t flagsOf(Decoder& d) {
  const bool toBytes = d.first() == Type::e4m3x2 || d.first() == Type::e5m2x2;
  if (d.has("satfinite") && !toBytes && d.ptxVersion() < 81) d.error("has a .satfinite, which needs PTX 8.1");
  const auto has = [&](const char* a, const char* b) { return d.has(a) || d.has(b); };
  Mode mode = Mode::nearest;
  if (has("rz", "rzi")) mode = Mode::zero;
  if (has("rm", "rmi")) mode = Mode::down;
  if (has("rp", "rpi")) mode = Mode::up;
  if (d.has("rna")) mode = Mode::away;
  const bool toIntegral = d.has("rni") || d.has("rzi") || d.has("rmi") || d.has("rpi");
  return std::uint32_t(mode) | (toIntegral ? integral : 0) | (d.has("ftz") ? ftzBit : 0) | (d.has("sat") ? satBit : 0) |
         (d.has("relu") ? reluBit : 0) | (d.has("satfinite") ? finiteBit : 0);
}

// Which roundings a pair of types takes.
bool roundingFits(const Decoder& d, Type to, Type from) {
  const bool toReal = ptx::isFloat(to), fromReal = ptx::isFloat(from);
  const bool intRounding = d.has("rni") || d.has("rzi") || d.has("rmi") || d.has("rpi");
  const bool realRounding = d.has("rn") || d.has("rz") || d.has("rm") || d.has("rp") || d.has("rna");
  if (toReal && fromReal) {
    if (ptx::bits(to) < ptx::bits(from)) return realRounding && !intRounding;
    if (to == from) return !realRounding;
    return ptx::bits(to) == ptx::bits(from) ? realRounding : !intRounding && !realRounding;
  }
  if (toReal) return realRounding && !intRounding;
  if (fromReal) return intRounding && !realRounding;
  return !intRounding && !realRounding;
}

// .sat between integers stands only where it can do something: where the source has values that the target lacks.
bool saturationFits(const Decoder& d, Type to, Type from) {
  if (!d.has("sat") || ptx::isFloat(to) || ptx::isFloat(from)) return true;
  const unsigned toBits = ptx::bits(to), fromBits = ptx::bits(from);
  if (ptx::isSigned(from)) return !ptx::isSigned(to) || toBits < fromBits;
  return ptx::isSigned(to) ? toBits <= fromBits : toBits < fromBits;
}

// From a 64-bit register that holds a narrower value in its low bits: they come into a slot of their own first.
struct NarrowSource {
  Handler convert;
  std::uint32_t wide;
};
const Instruction* convertLowBits(Warp& warp, const Instruction* i) {
  const auto& source = *static_cast<const NarrowSource*>(i->extra);
  const auto* const wide = warp.lanes<const std::uint64_t>(source.wide);
  auto* const low = warp.lanes<std::uint32_t>(i->slot[1]);
  for (unsigned l = 0; l < warpLanes; ++l) low[l] = std::uint32_t(wide[l]);
  return source.convert(warp, i);
}
void narrowSource(Decoder& d, Instruction& out) {
  auto& source = *d.table<NarrowSource>(1);
  source = {out.function, out.slot[1]};
  out.slot[1] = d.destination(ptx::Operand{}, Type::b32);
  out.extra = &source;
  out.function = convertLowBits;
}

void decodeCvt(Decoder& d, Instruction& out) {
  const Type to = d.first(), from = d.last();
  if (!roundingFits(d, to, from)) d.error("has a rounding that does not fit its types, or lacks one");
  if (!saturationFits(d, to, from)) d.error("has a .sat that cannot change a value");
  if (d.has("ftz") && to != Type::f32 && from != Type::f32) d.error(".ftz needs an .f32");
  out.slot[1] = d.source(d.operand(1), from);
  const bool wideSource = d.width(d.operand(1)) == 64 && ptx::bits(from) < 64;
  const bool wideTarget = d.width(d.operand(0)) == 64 && ptx::bits(to) < 64;
  const bool wordTarget = ptx::bits(to) < 32 && d.operand(0).kind == ptx::Operand::Kind::reg && ptx::bits(d.declared(d.operand(0))) == 32;
  out.slot[0] = d.destination(d.operand(0), wideTarget ? Type::b64 : to);
  out.flags = flagsOf(d);
  out.function = wideTarget || wordTarget ? nullptr : commonConversion(to, from, out.flags);
  if (!out.function) out.function = byType(to, [&]<class D>(D) -> Handler {
    return byType(from, [&]<class A>(A) -> Handler {
      if constexpr (!isReal<D>) {
        if (wideTarget) return convertWider<D, A, std::int64_t>;
        if (wordTarget) return convertWider<D, A, std::int32_t>;
      }
      return convert<D, A>;
    });
  });
  if (wideSource) narrowSource(d, out);
}

// Two numbers into one register, the first into the upper half.
template <class D> const Instruction* convertPair(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto *const a = warp.lanes<const float>(i->slot[1]), *const b = warp.lanes<const float>(i->slot[2]);
  std::uint32_t result[warpLanes];
  for (unsigned l = 0; l < warpLanes; ++l)
    result[l] = std::uint32_t(realFrom<D>(a[l], i->flags).bits) << 16 | realFrom<D>(b[l], i->flags).bits;
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = result[l];
  return i + 1;
}
void decodePair(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::f32);
  out.flags = flagsOf(d);
  const bool half = d.first() == Type::f16x2;
  if (out.flags == std::uint32_t(Mode::nearest)) {
    out.function = half ? map<NarrowHalves, std::uint32_t, float, float> : map<NarrowBfloats, std::uint32_t, float, float>;
  } else {
    out.function = half ? convertPair<Half> : convertPair<Bfloat>;
  }
}

const Instruction* toTf32(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto* const a = warp.lanes<const float>(i->slot[1]);
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    const float x = i->flags & reluBit && (a[l] < 0 || (a[l] == 0 && std::signbit(a[l]))) ? 0.0f : a[l];
    d[l] = x != x ? canonicalNan : narrow(x, tf32Format, Mode(i->flags & modeBits), i->flags & finiteBit) << 13;
  }
  return i + 1;
}
void decodeTf32(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::f32);
  out.flags = flagsOf(d);
  out.function = toTf32;
}

// Eight-bit formats, always in pairs: the first operand into the upper byte.
constexpr std::uint32_t isE5m2 = 1024;
const Instruction* toBytes(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const Format& format = i->flags & isE5m2 ? e5m2Format : e4m3Format;
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  const auto byte = [&](float x) {
    if (i->flags & reluBit && (x < 0 || (x == 0 && std::signbit(x)))) x = 0;
    return narrow(x, format, Mode::nearest, true);
  };
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    if (i->count == 1) {  // from f16x2
      const std::uint32_t pair = warp.lanes<std::uint32_t>(i->slot[1])[l];
      d[l] = byte(widenHalf(std::uint16_t(pair >> 16))) << 8 | byte(widenHalf(std::uint16_t(pair)));
    } else {
      d[l] = byte(warp.lanes<float>(i->slot[1])[l]) << 8 | byte(warp.lanes<float>(i->slot[2])[l]);
    }
  }
  return i + 1;
}
const Instruction* fromBytes(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  const auto half = [&](std::uint8_t v) {
    float x = i->flags & isE5m2 ? widenE5m2(v) : widenE4m3(v);
    if (i->flags & reluBit && (x < 0 || (x == 0 && std::signbit(x)))) x = 0;
    return std::uint32_t(narrowHalf(x));
  };
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    const std::uint32_t pair = warp.lanes<std::uint32_t>(i->slot[1])[l];
    d[l] = half(std::uint8_t(pair >> 8)) << 16 | half(std::uint8_t(pair));
  }
  return i + 1;
}
void decodeBytes(Decoder& d, Instruction& out) {
  const bool narrows = d.first() == Type::e4m3x2 || d.first() == Type::e5m2x2;
  out.slot[0] = d.destination(d.operand(0), d.first());
  for (std::size_t n = 1; n < d.count(); ++n) out.slot[n] = d.source(d.operand(n), d.last());
  out.flags = flagsOf(d) | ((narrows ? d.first() : d.last()) == Type::e5m2x2 ? isE5m2 : 0);
  out.count = std::uint32_t(d.count() - 1);
  out.function = narrows ? toBytes : fromBytes;
}

// cvt.pack.sat: a and b, saturated, to the low `bits` of two elements, b lowest; c moves up to make room for them.
template <int bits, bool isSigned> const Instruction* packSaturated(Warp& warp, const Instruction* i) {
  constexpr std::int64_t low = isSigned ? -(std::int64_t(1) << (bits - 1)) : 0, high = low + (std::int64_t(1) << bits) - 1;
  constexpr std::uint32_t element = (1u << bits) - 1;
  const std::uint32_t mask = warp.mask(i);
  const auto *const a = warp.lanes<const std::int32_t>(i->slot[1]), *const b = warp.lanes<const std::int32_t>(i->slot[2]);
  const auto* const c = warp.lanes<const std::uint32_t>(i->slot[3]);
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  const auto packed = [&](std::int32_t x) { return std::uint32_t(std::clamp(std::int64_t(x), low, high)) & element; };
  for (unsigned l = 0; l < warpLanes; ++l) {
    const std::uint32_t kept = i->count == 3 && 2 * bits < 32 ? c[l] << (2 * bits) % 32 : 0;
    if (inMask(mask, l)) d[l] = kept | packed(a[l]) << bits | packed(b[l]);
  }
  return i + 1;
}
template <int bits, bool isSigned> void decodePack(Decoder& d, Instruction& out) {
  out.slot[0] = d.destination(d.operand(0), Type::b32);
  for (std::size_t n = 1; n < d.count(); ++n) out.slot[n] = d.source(d.operand(n), Type::b32);
  out.count = std::uint32_t(d.count() - 1);
  out.function = packSaturated<bits, isSigned>;
}

}  // namespace

#define CNN_CVT_TYPES ".{u8|u16|u32|u64|s8|s16|s32|s64|f16|f32|f64}"

std::span<const Entry> convert() {
  constexpr Class c = Class::conversion;
  static const Entry entries[] = {
      {"cvt[.rni|rzi|rmi|rpi|rn|rz|rm|rp][.ftz][.sat]" CNN_CVT_TYPES CNN_CVT_TYPES, "=D> T>", 10, 10, c, 0, decodeCvt},
      {"cvt.{rn|rz}[.relu][.satfinite].{f16x2|bf16x2}.f32", "=D f32 f32", 70, 80, c, 0, decodePair},
      {"cvt.{rn|rz}[.relu][.satfinite].{f16|bf16}.f32", "=D T", 70, 80, c, 0, decodeCvt},
      {"cvt.{rm|rp}.bf16.f32", "=D T", 78, 90, c, 0, decodeCvt},
      {"cvt.f32.bf16", "=D T", 71, 80, c, 0, decodeCvt},
      {"cvt[.rni|rzi|rmi|rpi|rn|rz|rm|rp][.sat].bf16.{u8|u16|u32|u64|s8|s16|s32|s64|f16|f64}", "=D T", 78, 90, c, 0, decodeCvt},
      {"cvt[.rni|rzi|rmi|rpi].bf16.bf16", "=D T", 78, 90, c, 0, decodeCvt},
      {"cvt[.rni|rzi|rmi|rpi|rn|rz|rm|rp][.sat].{u8|u16|u32|u64|s8|s16|s32|s64|f16|f64}.bf16", "=D> T", 78, 90, c, 0, decodeCvt},
      {"cvt.rna.tf32.f32", "=b32 T", 70, 80, c, 0, decodeTf32},
      {"cvt.rna.satfinite.tf32.f32", "=b32 T", 81, 80, c, 0, decodeTf32},
      {"cvt.{rn|rz}[.relu].tf32.f32", "=b32 T", 78, 90, c, 0, decodeTf32},
#define CNN_CVT_BYTES(ptx, sm)                                                                             \
  {"cvt.rn.satfinite[.relu].{e4m3x2|e5m2x2}.f32", "=D f32 f32", ptx, sm, c, 0, decodeBytes},              \
  {"cvt.rn.satfinite[.relu].{e4m3x2|e5m2x2}.f16x2", "=D T", ptx, sm, c, 0, decodeBytes},                  \
  {"cvt.rn[.relu].f16x2.{e4m3x2|e5m2x2}", "=D T", ptx, sm, c, 0, decodeBytes},
      CNN_CVT_BYTES(81, 89) CNN_CVT_BYTES(78, 90)
#undef CNN_CVT_BYTES
      {"cvt.pack.sat.u16.s32", "=b32 s32 s32", 65, 72, c, 0, decodePack<16, false>},
      {"cvt.pack.sat.s16.s32", "=b32 s32 s32", 65, 72, c, 0, decodePack<16, true>},
      {"cvt.pack.sat.u8.s32.b32", "=b32 s32 s32 b32", 65, 72, c, 0, decodePack<8, false>},
      {"cvt.pack.sat.s8.s32.b32", "=b32 s32 s32 b32", 65, 72, c, 0, decodePack<8, true>},
      {"cvt.pack.sat.u4.s32.b32", "=b32 s32 s32 b32", 65, 75, c, 0, decodePack<4, false>},
      {"cvt.pack.sat.s4.s32.b32", "=b32 s32 s32 b32", 65, 75, c, 0, decodePack<4, true>},
      {"cvt.pack.sat.u2.s32.b32", "=b32 s32 s32 b32", 65, 75, c, 0, decodePack<2, false>},
      {"cvt.pack.sat.s2.s32.b32", "=b32 s32 s32 b32", 65, 75, c, 0, decodePack<2, true>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
