// Bits: logic, shifts, fields, permutations, counts; also predicate logic and selection.
#include "machine/lanes.h"

#include <bit>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

struct And { template <class T> T operator()(T a, T b) const { return T(a & b); } };
struct Or { template <class T> T operator()(T a, T b) const { return T(a | b); } };
struct Xor { template <class T> T operator()(T a, T b) const { return T(a ^ b); } };
struct Not { template <class T> T operator()(T a) const { return T(~a); } };
struct Cnot { template <class T> T operator()(T a) const { return T(a == 0); } };

// Shift amounts beyond the width give zero, or the sign.
struct Shl { template <class T> T operator()(T a, std::uint32_t n) const { return n < 8 * sizeof(T) ? T(a << (n % (8 * sizeof(T)))) : T(0); } };
struct Shr {
  template <class T> T operator()(T a, std::uint32_t n) const {
    constexpr std::uint32_t most = 8 * sizeof(T) - 1;
    if constexpr (std::is_signed_v<T>) return T(a >> (n < most ? n : most));
    else return n <= most ? T(a >> (n & most)) : T(0);
  }
};
// Funnel shifts of the 64-bit value b:a; the upper or lower half stays.
template <bool Clamp> inline std::uint32_t funnel(std::uint32_t n) { return Clamp ? (n < 32 ? n : 32) : n & 31; }
template <bool Clamp> struct ShfL {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    return std::uint32_t(((std::uint64_t(b) << 32 | a) << funnel<Clamp>(c)) >> 32);
  }
};
template <bool Clamp> struct ShfR {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    return std::uint32_t((std::uint64_t(b) << 32 | a) >> funnel<Clamp>(c));
  }
};

struct Popc { template <class T> std::uint32_t operator()(T a) const { return std::uint32_t(std::popcount(a)); } };
struct Clz { template <class T> std::uint32_t operator()(T a) const { return std::uint32_t(std::countl_zero(a)); } };
// Position of the most significant bit that is not a sign bit; all ones if there is none.
template <bool Shift> struct Bfind {
  template <class T> std::uint32_t operator()(T a) const {
    using V = std::make_unsigned_t<T>;
    const V bits = std::is_signed_v<T> && a < 0 ? V(~V(a)) : V(a);
    if (bits == 0) return ~0u;
    const auto zeros = std::uint32_t(std::countl_zero(bits));
    return Shift ? zeros : std::uint32_t(8 * sizeof(T) - 1) - zeros;
  }
};
struct Brev {
  template <class T> T operator()(T v) const {
    T out = 0;
    for (unsigned n = 0; n < 8 * sizeof(T); ++n) out = T(out << 1 | (v >> n & 1));
    return out;
  }
};
// Field of `length` bits at `position`; a signed one is filled with its last bit inside the register.
struct Bfe {
  template <class T> T operator()(T a, std::uint32_t b, std::uint32_t c) const {
    using V = std::make_unsigned_t<T>;
    constexpr std::uint32_t size = 8 * sizeof(T);
    const std::uint32_t position = b & 255, length = c & 255;
    if (length == 0) return T(0);
    const std::uint32_t top = position + length - 1 < size - 1 ? position + length - 1 : size - 1;
    const V sign = std::is_signed_v<T> && (V(a) >> top & 1) ? V(~V(0)) : V(0);
    const V shifted = position < size ? V(V(a) >> (position % size)) : V(0);
    const std::uint32_t valid = position < size ? (length < size - position ? length : size - position) : 0;
    if (valid == 0) return T(sign);
    const V mask = valid >= size ? V(~V(0)) : V((V(1) << valid % size) - 1);
    return T((shifted & mask) | (sign & ~mask));
  }
};
struct Bfi {
  template <class T> T operator()(T a, T b, std::uint32_t c, std::uint32_t d) const {
    constexpr std::uint32_t size = 8 * sizeof(T);
    const std::uint32_t position = c & 255, length = d & 255;
    if (position >= size || length == 0) return b;
    const std::uint32_t valid = length < size - position ? length : size - position;
    const T field = T((valid >= size ? T(~T(0)) : T((T(1) << valid % size) - 1)) << position);
    return T((b & ~field) | ((a << position) & field));
  }
};
template <bool Wrap> struct Bmsk {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const {
    const std::uint32_t start = Wrap ? a & 31 : (a < 32 ? a : 32), length = Wrap ? b & 31 : (b < 32 ? b : 32);
    return std::uint32_t(((1ull << length) - 1) << start);
  }
};
template <bool Signed, bool Wrap> struct Szext {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const {
    const std::uint32_t n = Wrap ? b & 31 : b;
    if (n == 0) return 0;
    if (n >= 32) return a;
    return Signed ? std::uint32_t(std::int32_t(a << (32 - n)) >> (32 - n)) : a & ((1u << n) - 1);
  }
};
struct Lop3 {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t table) const {
    std::uint32_t out = 0;
    for (unsigned row = 0; row < 8; ++row)
      if (table >> row & 1) out |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
    return out;
  }
};

// Bytes of b:a chosen by the nibbles of the selector; the top bit of a nibble replicates the sign of its byte.
struct Prmt {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    const std::uint64_t bytes = std::uint64_t(b) << 32 | a;
    std::uint32_t out = 0;
    for (unsigned n = 0; n < 4; ++n) {
      const std::uint32_t selector = c >> (4 * n) & 15;
      std::uint32_t byte = std::uint32_t(bytes >> (8 * (selector & 7))) & 0xff;
      if (selector & 8) byte = byte & 0x80 ? 0xff : 0;
      out |= byte << (8 * n);
    }
    return out;
  }
};
enum class PrmtMode : std::uint8_t { f4e, b4e, rc8, ecl, ecr, rc16 };
template <PrmtMode Mode> struct PrmtBy {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    const std::uint32_t s = c & 3;
    std::uint32_t selector = 0;
    for (unsigned n = 0; n < 4; ++n) {
      std::uint32_t byte = 0;
      if (Mode == PrmtMode::f4e) byte = s + n;
      if (Mode == PrmtMode::b4e) byte = (8 + s - n) & 7;
      if (Mode == PrmtMode::rc8) byte = s;
      if (Mode == PrmtMode::ecl) byte = n < s ? s : n;
      if (Mode == PrmtMode::ecr) byte = n < s ? n : s;
      if (Mode == PrmtMode::rc16) byte = 2 * (s & 1) + (n & 1);
      selector |= byte << (4 * n);
    }
    return Prmt{}(a, b, selector);
  }
};

// Dot product of four (or two) small integers and a sum.
template <bool SignedA, bool SignedB> struct Dp4a {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    for (unsigned n = 0; n < 4; ++n) {
      const std::int32_t x = SignedA ? std::int8_t(a >> (8 * n)) : std::int32_t(std::uint8_t(a >> (8 * n)));
      const std::int32_t y = SignedB ? std::int8_t(b >> (8 * n)) : std::int32_t(std::uint8_t(b >> (8 * n)));
      c += std::uint32_t(x * y);
    }
    return c;
  }
};
template <bool SignedA, bool SignedB, bool High> struct Dp2a {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t c) const {
    for (unsigned n = 0; n < 2; ++n) {
      const unsigned at = 8 * (n + (High ? 2 : 0));
      const std::int32_t x = SignedA ? std::int16_t(a >> (16 * n)) : std::int32_t(std::uint16_t(a >> (16 * n)));
      const std::int32_t y = SignedB ? std::int8_t(b >> at) : std::int32_t(std::uint8_t(b >> at));
      c += std::uint32_t(x * y);
    }
    return c;
  }
};

// ---- predicates: one bit per lane --------------------------------------------------------------------------------
struct Second { std::uint32_t operator()(std::uint32_t, std::uint32_t b) const { return b; } };
template <class Op> const Instruction* onPredicates(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  std::uint32_t& d = warp.predicate(i->slot[0]);
  const std::uint32_t a = warp.predicate(i->slot[1]) ^ i->flags, b = warp.predicate(i->slot[2]) ^ i->count;
  d = (d & ~mask) | (Op{}(a, b) & mask);
  return next(warp, i);
}
template <class Op> void decodeOnPredicates(Decoder& d, Instruction& out) {
  out.slot[0] = d.predicate(&d.operand(0));
  out.slot[1] = d.predicate(&d.operand(1), &out.flags);
  out.slot[2] = d.predicate(d.count() > 2 ? &d.operand(2) : nullptr, &out.count);
  out.function = onPredicates<Op>;
}
void decodeNotPredicate(Decoder& d, Instruction& out) {
  decodeOnPredicates<And>(d, out);
  out.flags = ~out.flags;
}

// d = p ? a : b; slot[3] the predicate
template <class T> const Instruction* selp(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), choice = warp.predicate(i->slot[3]) ^ std::uint32_t(i->immediate);
  const T *const a = warp.lanes<const T>(i->slot[1]), *const b = warp.lanes<const T>(i->slot[2]);
  T* const d = warp.lanes<T>(i->slot[0]);
  if (mask == allLanes) {
    CNN_EACH_LANE d[l] = blend(choice, l, a[l], b[l]);
  } else {
    CNN_EACH_LANE {
      const T value = blend(choice, l, a[l], b[l]);
      d[l] = blend(mask, l, value, d[l]);
    }
  }
  return next(warp, i);
}
void decodeSelp(Decoder& d, Instruction& out) {
  std::uint32_t flip = 0;
  out.slot[0] = d.destination(d.operand(0), d.last());
  out.slot[1] = d.source(d.operand(1), d.last());
  out.slot[2] = d.source(d.operand(2), d.last());
  out.slot[3] = d.predicate(&d.operand(3), &flip);
  out.immediate = flip;
  out.function = ptx::bits(d.last()) == 64 ? selp<std::uint64_t> : selp<std::uint32_t>;
}

struct SlctInteger { template <class T> T operator()(T a, T b, std::int32_t c) const { return c >= 0 ? a : b; } };
template <bool Ftz> struct SlctFloat {
  template <class T> T operator()(T a, T b, float c) const {
    if (Ftz && std::abs(c) < 0x1p-126f) return a;  // a flushed -0 is not negative
    return c >= 0 ? a : b;
  }
};

// ---- decode ------------------------------------------------------------------------------------------------------
template <class Op> void onBits(Decoder& d, Instruction& out) {
  plainOperands(d, out, d.last(), d.last());
  out.function = byBits(d.last(), []<class T>(T) -> Handler {
    if constexpr (std::is_invocable_v<Op, T>) return map<Op, T, T>;
    else return map<Op, T, T, T>;
  });
}
// Operands after the first `full` ones are 32 bits wide.
void mixedOperands(Decoder& d, Instruction& out, Type written, std::size_t full) {
  out.slot[0] = d.destination(d.operand(0), written);
  for (std::size_t n = 1; n < d.count(); ++n) out.slot[n] = d.source(d.operand(n), n <= full ? d.last() : Type::u32);
}
void decodeShl(Decoder& d, Instruction& out) {
  mixedOperands(d, out, d.last(), 1);
  out.function = byBits(d.last(), []<class T>(T) -> Handler { return map<Shl, T, T, std::uint32_t>; });
}
void decodeShr(Decoder& d, Instruction& out) {
  mixedOperands(d, out, d.last(), 1);
  if (ptx::isSigned(d.last())) out.function = byIntegerType(d.last(), []<class T>(T) -> Handler { return map<Shr, T, T, std::uint32_t>; });
  else out.function = byBits(d.last(), []<class T>(T) -> Handler { return map<Shr, T, T, std::uint32_t>; });
}
void decodeShf(Decoder& d, Instruction& out) {
  using W = std::uint32_t;
  plainOperands(d, out, Type::b32, Type::b32);
  const bool clamp = d.has("clamp");
  if (d.has("l")) out.function = clamp ? map<ShfL<true>, W, W, W, W> : map<ShfL<false>, W, W, W, W>;
  else out.function = clamp ? map<ShfR<true>, W, W, W, W> : map<ShfR<false>, W, W, W, W>;
}
template <class Op> void counts(Decoder& d, Instruction& out) {
  mixedOperands(d, out, Type::u32, 1);
  out.function = ptx::bits(d.last()) == 64 ? map<Op, std::uint32_t, std::uint64_t> : map<Op, std::uint32_t, std::uint32_t>;
}
template <bool Shift> void decodeBfind(Decoder& d, Instruction& out) {
  mixedOperands(d, out, Type::u32, 1);
  out.function = byIntegerType(d.last(), []<class T>(T) -> Handler { return map<Bfind<Shift>, std::uint32_t, T>; });
}
void decodeBfe(Decoder& d, Instruction& out) {
  mixedOperands(d, out, d.last(), 1);
  out.function = byIntegerType(d.last(), []<class T>(T) -> Handler { return map<Bfe, T, T, std::uint32_t, std::uint32_t>; });
}
void decodeBfi(Decoder& d, Instruction& out) {
  mixedOperands(d, out, d.last(), 2);
  using W = std::uint32_t;
  out.function = ptx::bits(d.last()) == 64 ? map<Bfi, std::uint64_t, std::uint64_t, std::uint64_t, W, W> : map<Bfi, W, W, W, W, W>;
}
template <class Op> void words2(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::b32);
  out.function = map<Op, std::uint32_t, std::uint32_t, std::uint32_t>;
}
template <class Op> void words3(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::b32);
  out.function = map<Op, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
}
void decodeLop3(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::b32);
  if (d.constant(d.operand(4)) < 0 || d.constant(d.operand(4)) > 255) d.error("needs a table from 0 to 255");
  out.function = map<Lop3, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t>;
}
// lop3.or and lop3.and: p = (d != 0) op q; slot[5]: p, slot[6]: q, flipped by the immediate
template <bool conjunction> const Instruction* lop3Predicate(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), q = warp.predicate(i->slot[6]) ^ std::uint32_t(i->immediate);
  std::uint32_t* word[5];
  for (int n = 0; n < 5; ++n) word[n] = warp.lanes<std::uint32_t>(i->slot[n]);
  std::uint32_t value[warpLanes];
  CNN_EACH_LANE value[l] = Lop3{}(word[1][l], word[2][l], word[3][l], word[4][l]);
  CNN_EACH_LANE word[0][l] = blend(mask, l, value[l], word[0][l]);
  const std::uint32_t any = lanesWhere([&](unsigned lane) { return value[lane] != 0; });
  std::uint32_t& p = warp.predicate(i->slot[5]);
  p = (p & ~mask) | ((conjunction ? any & q : any | q) & mask);
  return i + 1;
}

void decodeLop3Predicate(Decoder& d, Instruction& out) {
  const ptx::Operand& pair = d.operand(0);
  if (pair.kind != ptx::Operand::Kind::pair) return d.error("writes d|p");
  out.slot[0] = d.destination(pair.parts[0], Type::b32);
  out.slot[5] = d.predicate(&pair.parts[1]);
  for (std::size_t n = 1; n <= 4; ++n) out.slot[n] = d.source(d.operand(n), Type::b32);
  if (d.constant(d.operand(4)) < 0 || d.constant(d.operand(4)) > 255) d.error("needs a table from 0 to 255");
  std::uint32_t flip = 0;
  out.slot[6] = d.predicate(&d.operand(5), &flip);
  out.immediate = flip;
  out.function = d.has("and") ? lop3Predicate<true> : lop3Predicate<false>;
}

void decodeDp4a(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::b32);
  using W = std::uint32_t;
  const bool a = d.word(0) == "s32", b = d.word(1) == "s32";
  out.function = a ? (b ? map<Dp4a<true, true>, W, W, W, W> : map<Dp4a<true, false>, W, W, W, W>)
                   : (b ? map<Dp4a<false, true>, W, W, W, W> : map<Dp4a<false, false>, W, W, W, W>);
}
template <bool High> void decodeDp2a(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::b32);
  using W = std::uint32_t;
  const bool a = d.word(1) == "s32", b = d.word(2) == "s32";
  out.function = a ? (b ? map<Dp2a<true, true, High>, W, W, W, W> : map<Dp2a<true, false, High>, W, W, W, W>)
                   : (b ? map<Dp2a<false, true, High>, W, W, W, W> : map<Dp2a<false, false, High>, W, W, W, W>);
}
void decodeSlct(Decoder& d, Instruction& out) {
  const Type type = d.first();
  out.slot[0] = d.destination(d.operand(0), type);
  out.slot[1] = d.source(d.operand(1), type);
  out.slot[2] = d.source(d.operand(2), type);
  out.slot[3] = d.source(d.operand(3), d.last());
  const bool isFloat = d.last() == Type::f32, ftz = d.has("ftz");
  out.function = byBits(type, [&]<class T>(T) -> Handler {
    if (!isFloat) return map<SlctInteger, T, T, T, std::int32_t>;
    return ftz ? map<SlctFloat<true>, T, T, T, float> : map<SlctFloat<false>, T, T, T, float>;
  });
}

}  // namespace

std::span<const Entry> logic() {
  constexpr Class c = Class::integer;
  static const Entry entries[] = {
      {"and.{b16|b32|b64}", "=T T T", 10, 10, c, 0, onBits<And>},
      {"or.{b16|b32|b64}", "=T T T", 10, 10, c, 0, onBits<Or>},
      {"xor.{b16|b32|b64}", "=T T T", 10, 10, c, 0, onBits<Xor>},
      {"not.{b16|b32|b64}", "=T T", 10, 10, c, 0, onBits<Not>},
      {"cnot.{b16|b32|b64}", "=T T", 10, 10, c, 0, onBits<Cnot>},
      {"and.pred", "=T T T", 10, 10, c, 0, decodeOnPredicates<And>},
      {"or.pred", "=T T T", 10, 10, c, 0, decodeOnPredicates<Or>},
      {"xor.pred", "=T T T", 10, 10, c, 0, decodeOnPredicates<Xor>},
      {"not.pred", "=T T", 10, 10, c, 0, decodeNotPredicate},
      {"lop3.b32", "=T T T T imm", 43, 50, c, 0, decodeLop3},
      {"lop3.{or|and}.b32", "=T|pred T T T imm pred", 82, 70, c, 0, decodeLop3Predicate},
      {"shl.{b16|b32|b64}", "=T T u32", 10, 10, c, 0, decodeShl},
      {"shr.{b16|b32|b64|u16|u32|u64|s16|s32|s64}", "=T T u32", 10, 10, c, 0, decodeShr},
      {"shf.{l|r}.{clamp|wrap}.b32", "=T T T u32", 31, 32, c, 0, decodeShf},
      {"popc.{b32|b64}", "=u32 T", 20, 20, c, 0, counts<Popc>},
      {"clz.{b32|b64}", "=u32 T", 20, 20, c, 0, counts<Clz>},
      {"bfind.{u32|u64|s32|s64}", "=u32 T", 20, 20, c, 0, decodeBfind<false>},
      {"bfind.shiftamt.{u32|u64|s32|s64}", "=u32 T", 20, 20, c, 0, decodeBfind<true>},
      {"brev.{b32|b64}", "=T T", 20, 20, c, 0, onBits<Brev>},
      {"bfe.{u32|u64|s32|s64}", "=T T u32 u32", 20, 20, c, 0, decodeBfe},
      {"bfi.{b32|b64}", "=T T T u32 u32", 20, 20, c, 0, decodeBfi},
      {"bmsk.clamp.b32", "=T u32 u32", 76, 70, c, 0, words2<Bmsk<false>>},
      {"bmsk.wrap.b32", "=T u32 u32", 76, 70, c, 0, words2<Bmsk<true>>},
      {"szext.clamp.u32", "=T T u32", 76, 70, c, 0, words2<Szext<false, false>>},
      {"szext.clamp.s32", "=T T u32", 76, 70, c, 0, words2<Szext<true, false>>},
      {"szext.wrap.u32", "=T T u32", 76, 70, c, 0, words2<Szext<false, true>>},
      {"szext.wrap.s32", "=T T u32", 76, 70, c, 0, words2<Szext<true, true>>},
      {"prmt.b32", "=T T T T", 20, 20, c, 0, words3<Prmt>},
      {"prmt.b32.f4e", "=b32 b32 b32 b32", 20, 20, c, 0, words3<PrmtBy<PrmtMode::f4e>>},
      {"prmt.b32.b4e", "=b32 b32 b32 b32", 20, 20, c, 0, words3<PrmtBy<PrmtMode::b4e>>},
      {"prmt.b32.rc8", "=b32 b32 b32 b32", 20, 20, c, 0, words3<PrmtBy<PrmtMode::rc8>>},
      {"prmt.b32.ecl", "=b32 b32 b32 b32", 20, 20, c, 0, words3<PrmtBy<PrmtMode::ecl>>},
      {"prmt.b32.ecr", "=b32 b32 b32 b32", 20, 20, c, 0, words3<PrmtBy<PrmtMode::ecr>>},
      {"prmt.b32.rc16", "=b32 b32 b32 b32", 20, 20, c, 0, words3<PrmtBy<PrmtMode::rc16>>},
      {"dp4a.{u32|s32}.{u32|s32}", "=b32 D T b32", 50, 61, c, 0, decodeDp4a},
      {"dp2a.lo.{u32|s32}.{u32|s32}", "=b32 D T b32", 50, 61, c, 0, decodeDp2a<false>},
      {"dp2a.hi.{u32|s32}.{u32|s32}", "=b32 D T b32", 50, 61, c, 0, decodeDp2a<true>},
      {"selp.{b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64}", "=T T T pred", 10, 10, c, 0, decodeSelp},
      {"slct.{b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64}.s32", "=D D D s32", 10, 10, c, 0, decodeSlct},
      {"slct[.ftz].{b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64}.f32", "=D D D f32", 10, 10, c, 0, decodeSlct},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
