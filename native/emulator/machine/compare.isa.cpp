// setp and set: comparisons of integers and of single and double precision.
#include "machine/float_math.h"

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

struct Eq { template <class T> bool operator()(T a, T b) const { return a == b; } };
struct Ne { template <class T> bool operator()(T a, T b) const { return a != b; } };
struct Lt { template <class T> bool operator()(T a, T b) const { return a < b; } };
struct Le { template <class T> bool operator()(T a, T b) const { return a <= b; } };
struct Gt { template <class T> bool operator()(T a, T b) const { return a > b; } };
struct Ge { template <class T> bool operator()(T a, T b) const { return a >= b; } };
// Ordered "not equal", and the forms that hold when an operand is not a number.
struct OrderedNe { template <class T> bool operator()(T a, T b) const { return a < b || a > b; } };
template <class Opposite> struct Unordered { template <class T> bool operator()(T a, T b) const { return !Opposite{}(a, b); } };
struct Number { template <class T> bool operator()(T a, T b) const { return a == a && b == b; } };
struct Nan { template <class T> bool operator()(T a, T b) const { return a != a || b != b; } };

template <class Op, bool Ftz> struct Flushed {
  bool operator()(float a, float b) const { return Op{}(flush<Ftz>(a), flush<Ftz>(b)); }
};

using Compare = std::uint32_t (*)(Warp&, const Instruction*);

// slot[0]: p, slot[1], slot[2]: a, b, slot[3]: q, slot[4]: c; flags: how c is combined, immediate: its negation
enum Combine : std::uint32_t { alone, byAnd, byOr, byXor };
[[gnu::always_inline]] inline std::uint32_t combined(std::uint32_t bits, std::uint32_t c, std::uint32_t how) {
  return how == byAnd ? bits & c : how == byOr ? bits | c : bits ^ c;
}

template <class Op, class T> const Instruction* setp(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), bits = collect<Op, T, T>(warp, i);
  std::uint32_t& p = warp.predicate(i->slot[0]);
  if (i->flags == alone) {
    p = (p & ~mask) | (bits & mask);
    return next(warp, i);
  }
  const std::uint32_t c = warp.predicate(i->slot[4]) ^ std::uint32_t(i->immediate), how = i->flags & 3;
  const std::uint32_t first = how == alone ? bits : combined(bits, c, how), second = how == alone ? ~bits : combined(~bits, c, how);
  std::uint32_t& q = warp.predicate(i->slot[3]);
  p = (p & ~mask) | (first & mask);
  q = (q & ~mask) | (second & mask);
  return next(warp, i);
}
constexpr std::uint32_t hasSecond = 4;

// flags as above; count: 1 when the result is 1.0, else all ones
template <class Op, class T> const Instruction* set(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), how = i->flags & 3;
  std::uint32_t bits = collect<Op, T, T>(warp, i);
  if (how != alone) bits = combined(bits, warp.predicate(i->slot[4]) ^ std::uint32_t(i->immediate), how);
  std::uint32_t* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  const std::uint32_t truth = i->count;
  CNN_EACH_LANE d[l] = blend(mask, l, blend(bits, l, truth, std::uint32_t(0)), d[l]);
  return next(warp, i);
}

// ---- decode ------------------------------------------------------------------------------------------------------
struct Setp { template <class Op, class T> static constexpr Handler of = setp<Op, T>; };
struct Set { template <class Op, class T> static constexpr Handler of = set<Op, T>; };

template <class Kind, class T> Handler integerComparison(std::string_view op) {
  if (op == "eq") return Kind::template of<Eq, T>;
  if (op == "ne") return Kind::template of<Ne, T>;
  if (op == "lt" || op == "lo") return Kind::template of<Lt, T>;
  if (op == "le" || op == "ls") return Kind::template of<Le, T>;
  if (op == "gt" || op == "hi") return Kind::template of<Gt, T>;
  return Kind::template of<Ge, T>;
}
template <class Kind, class T, bool Ftz> Handler floatComparison(std::string_view op) {
  const auto pick = []<class Op>(Op) -> Handler {
    if constexpr (Ftz) return Kind::template of<Flushed<Op, true>, T>;
    else return Kind::template of<Op, T>;
  };
  if (op == "eq") return pick(Eq{});
  if (op == "ne") return pick(OrderedNe{});
  if (op == "lt") return pick(Lt{});
  if (op == "le") return pick(Le{});
  if (op == "gt") return pick(Gt{});
  if (op == "ge") return pick(Ge{});
  if (op == "equ") return pick(Unordered<OrderedNe>{});
  if (op == "neu") return pick(Unordered<Eq>{});
  if (op == "ltu") return pick(Unordered<Ge>{});
  if (op == "leu") return pick(Unordered<Gt>{});
  if (op == "gtu") return pick(Unordered<Le>{});
  if (op == "geu") return pick(Unordered<Lt>{});
  return op == "num" ? pick(Number{}) : pick(Nan{});
}

template <class Kind> Handler comparison(Decoder& d, Type type) {
  const std::string_view op = d.word(0);
  if (type == Type::f64) return floatComparison<Kind, double, false>(op);
  if (type == Type::f32) return d.has("ftz") ? floatComparison<Kind, float, true>(op) : floatComparison<Kind, float, false>(op);
  if (ptx::isBits(type)) return byBits(type, [&]<class T>(T) -> Handler { return integerComparison<Kind, T>(op); });
  return byIntegerType(type, [&]<class T>(T) -> Handler { return integerComparison<Kind, T>(op); });
}

// Bits are equal or not; lo, ls, hi and hs are of unsigned numbers.
void checkOrder(Decoder& d) {
  const std::string_view op = d.word(0);
  const bool equality = op == "eq" || op == "ne", isUnsigned = op == "lo" || op == "ls" || op == "hi" || op == "hs";
  if (ptx::isBits(d.last()) && !equality) d.error("orders bits, which are only equal or not");
  if (isUnsigned && ptx::isSigned(d.last())) d.error("compares signed numbers as unsigned ones");
}

void decodeCombination(Decoder& d, Instruction& out) {
  std::uint32_t flip = 0;
  out.slot[4] = d.predicate(d.count() > 3 ? &d.operand(3) : nullptr, &flip);
  out.immediate = flip;
  if (d.count() <= 3) return;
  out.flags |= d.has("and") ? byAnd : d.has("or") ? byOr : byXor;
}

void decodeSetp(Decoder& d, Instruction& out) {
  checkOrder(d);
  const ptx::Operand& target = d.operand(0);
  const ptx::Operand none;  // a sink
  const bool two = target.kind == ptx::Operand::Kind::pair;
  out.slot[0] = d.predicate(two ? &target.parts[0] : &target);
  out.slot[3] = d.predicate(two ? &target.parts[1] : &none);
  out.slot[1] = d.source(d.operand(1), d.last());
  out.slot[2] = d.source(d.operand(2), d.last());
  decodeCombination(d, out);
  if (two) out.flags |= hasSecond;
  out.function = comparison<Setp>(d, d.last());
}

void decodeSet(Decoder& d, Instruction& out) {
  checkOrder(d);
  out.slot[0] = d.destination(d.operand(0), d.first());
  out.slot[1] = d.source(d.operand(1), d.last());
  out.slot[2] = d.source(d.operand(2), d.last());
  decodeCombination(d, out);
  out.count = d.first() == Type::f32 ? std::bit_cast<std::uint32_t>(1.0f) : ~0u;
  out.function = comparison<Set>(d, d.last());
}

}  // namespace

#define CNN_INTEGER_OPS ".{eq|ne|lt|le|gt|ge|lo|ls|hi|hs}"
#define CNN_FLOAT_OPS ".{eq|ne|lt|le|gt|ge|equ|neu|ltu|leu|gtu|geu|num|nan}"
#define CNN_INTEGER_TYPES ".{b16|b32|b64|u16|u32|u64|s16|s32|s64}"

std::span<const Entry> compare() {
  constexpr Class c = Class::integer, f = Class::floating;
  static const Entry entries[] = {
      {"setp" CNN_INTEGER_OPS CNN_INTEGER_TYPES, "=pred|pred T T", 10, 10, c, 0, decodeSetp},
      {"setp" CNN_INTEGER_OPS ".{and|or|xor}" CNN_INTEGER_TYPES, "=pred|pred T T pred", 10, 10, c, 0, decodeSetp},
      {"setp" CNN_FLOAT_OPS "[.ftz].f32", "=pred|pred T T", 10, 10, f, 0, decodeSetp},
      {"setp" CNN_FLOAT_OPS ".{and|or|xor}[.ftz].f32", "=pred|pred T T pred", 10, 10, f, 0, decodeSetp},
      {"setp" CNN_FLOAT_OPS ".f64", "=pred|pred T T", 10, 13, f, 0, decodeSetp},
      {"setp" CNN_FLOAT_OPS ".{and|or|xor}.f64", "=pred|pred T T pred", 10, 13, f, 0, decodeSetp},
      {"set" CNN_INTEGER_OPS ".{u32|s32|f32}" CNN_INTEGER_TYPES, "=D T T", 10, 10, c, 0, decodeSet},
      {"set" CNN_INTEGER_OPS ".{and|or|xor}.{u32|s32|f32}" CNN_INTEGER_TYPES, "=D T T pred", 10, 10, c, 0, decodeSet},
      {"set" CNN_FLOAT_OPS "[.ftz].{u32|s32|f32}.f32", "=D T T", 10, 10, f, 0, decodeSet},
      {"set" CNN_FLOAT_OPS ".{and|or|xor}[.ftz].{u32|s32|f32}.f32", "=D T T pred", 10, 10, f, 0, decodeSet},
      {"set" CNN_FLOAT_OPS ".{u32|s32|f32}.f64", "=D T T", 10, 13, f, 0, decodeSet},
      {"set" CNN_FLOAT_OPS ".{and|or|xor}.{u32|s32|f32}.f64", "=D T T pred", 10, 13, f, 0, decodeSet},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
