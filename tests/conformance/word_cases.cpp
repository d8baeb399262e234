// Single threads: arithmetic with a carry, half words, 24-bit products, fields, permutations, predicates, and moves between
// registers and their parts.
#include "corpus.h"

namespace cnn::conformance {
namespace {

__extension__ using Int = __int128;
__extension__ using Unsigned = unsigned __int128;

struct Width {
  Type type;
  const char* suffix;
  int bits;
  bool isSigned;
};
constexpr Width widths[] = {{Type::u32, "u32", 32, false}, {Type::s32, "s32", 32, true}, {Type::u64, "u64", 64, false}, {Type::s64, "s64", 64, true}};

// One half of a product, as a word.
std::uint64_t half(const Width& w, std::uint64_t a, std::uint64_t b, bool high) {
  const Unsigned product = w.isSigned ? Unsigned(Int(signExtend(a, w.bits)) * signExtend(b, w.bits)) : Unsigned(a) * b;
  return std::uint64_t(high ? product >> w.bits : product) & mask(w.bits);
}

// The carry that comes in is bit 0 of the thread's number; the one that goes out is read by another addition.
void addCarry(Corpus& corpus, const std::string& opcode, const Width& w) {
  const bool subtracts = opcode.starts_with("sub"), multiplies = opcode.starts_with("mad"), takes = opcode[3] == 'c', gives = opcode.ends_with(".cc");
  const std::string word = w.bits == 64 ? "%d9" : "%r9", make = subtracts ? "sub.cc.u32 %r10, 0, %r8; " : "add.cc.u32 %r10, %r8, 0xffffffff; ";
  const std::string begin = std::string("and.b32 %r8, %r1, 1; ") + (takes ? make : ""), operands = multiplies ? ", %a, %b, %c;" : ", %a, %b;";
  const std::vector<Operand> inputs(multiplies ? 3 : 2, Operand{w.type});
  const auto exact = [=](const Columns& in, unsigned t) -> Unsigned {
    const std::uint64_t carry = takes ? t & 1 : 0, a = in[0][t], b = in[1][t];
    if (subtracts) return Unsigned(a) - b - carry;
    return multiplies ? Unsigned(half(w, a, b, opcode.find(".hi") != std::string::npos)) + in[2][t] + carry : Unsigned(a) + b + carry;
  };
  corpus.addBody("integer/" + opcode + "." + w.suffix, begin + opcode + "." + w.suffix + " %o" + operands, w.type, inputs, [=](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = std::uint64_t(exact(in, t)) & mask(w.bits);
    return out;
  });
  if (!gives) return;
  corpus.addBody("integer/" + opcode + "." + w.suffix + " carry", begin + opcode + "." + w.suffix + " " + word + operands + (subtracts ? " subc" : " addc") + ".u32 %o, 0, 0;", Type::u32,
                 inputs, [=](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) {
      const bool carry = std::uint64_t(exact(in, t) >> w.bits) & 1;
      out[t] = !carry ? 0 : subtracts ? mask(32) : 1;
    }
    return out;
  });
}

void addCarries(Corpus& corpus) {
  for (const Width& w : widths)
    for (const std::string opcode : {"add.cc", "addc", "addc.cc", "sub.cc", "subc", "subc.cc", "mad.lo.cc", "mad.hi.cc", "madc.lo", "madc.hi", "madc.lo.cc", "madc.hi.cc"})
      addCarry(corpus, opcode, w);
}

// Two 16-bit numbers in a word.
void addHalves(Corpus& corpus) {
  struct Form { const char* opcode; bool isSigned; std::int64_t (*f)(std::int64_t, std::int64_t); };
  const auto most = [](std::int64_t a, std::int64_t b) { return a < b ? b : a; };
  const auto least = [](std::int64_t a, std::int64_t b) { return a < b ? a : b; };
  const auto mostPositive = [](std::int64_t a, std::int64_t b) { return a < b ? (b < 0 ? 0 : b) : (a < 0 ? 0 : a); };
  const auto leastPositive = [](std::int64_t a, std::int64_t b) { return a < b ? (a < 0 ? 0 : a) : (b < 0 ? 0 : b); };
  const auto sum = [](std::int64_t a, std::int64_t b) { return a + b; };
  for (const Form& form : {Form{"add.u16x2", false, sum}, {"add.s16x2", true, sum}, {"min.u16x2", false, least}, {"min.s16x2", true, least}, {"max.u16x2", false, most},
                           {"max.s16x2", true, most}, {"min.relu.s16x2", true, leastPositive}, {"max.relu.s16x2", true, mostPositive}})
    corpus.add("integer", form.opcode, Type::u32, {{Type::u32}, {Type::u32}}, [form](const std::uint64_t* x) {
      std::uint64_t result = 0;
      for (const int shift : {0, 16}) {
        const std::uint64_t a = x[0] >> shift & 0xffff, b = x[1] >> shift & 0xffff;
        result |= std::uint64_t(form.isSigned ? form.f(signExtend(a, 16), signExtend(b, 16)) : form.f(std::int64_t(a), std::int64_t(b))) % 65536 << shift;
      }
      return result;
    }).sm = 90;
  corpus.add("integer", "min.relu.s32", Type::s32, {{Type::s32}, {Type::s32}},
             [=](const std::uint64_t* x) { return std::uint64_t(leastPositive(signExtend(x[0], 32), signExtend(x[1], 32))) & mask(32); }).sm = 90;
  corpus.add("integer", "max.relu.s32", Type::s32, {{Type::s32}, {Type::s32}},
             [=](const std::uint64_t* x) { return std::uint64_t(mostPositive(signExtend(x[0], 32), signExtend(x[1], 32))) & mask(32); }).sm = 90;
}

std::uint64_t clamped32(std::int64_t x) { return std::uint64_t(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x) & mask(32); }

void addProducts(Corpus& corpus) {
  for (const Width& w : {Width{Type::u16, "u16", 16, false}, {Type::s16, "s16", 16, true}, widths[0], widths[1], widths[2], widths[3]})
    corpus.add("integer", std::string("mad.hi.") + w.suffix, w.type, {{w.type}, {w.type}, {w.type}},
               [w](const std::uint64_t* x) { return (half(w, x[0], x[1], true) + x[2]) & mask(w.bits); });
  corpus.add("integer", "mad.hi.sat.s32", Type::s32, {{Type::s32}, {Type::s32}, {Type::s32}},
             [](const std::uint64_t* x) { return clamped32((signExtend(x[0], 32) * signExtend(x[1], 32) >> 32) + signExtend(x[2], 32)); });
  corpus.add("integer", "sub.sat.s32", Type::s32, {{Type::s32}, {Type::s32}}, [](const std::uint64_t* x) { return clamped32(signExtend(x[0], 32) - signExtend(x[1], 32)); });
  for (const Width& w : {widths[0], widths[1]}) {
    const auto product = [w](const std::uint64_t* x) {
      const auto low = [w](std::uint64_t v) { return w.isSigned ? signExtend(v, 24) : std::int64_t(v & 0xffffff); };
      return low(x[0]) * low(x[1]);  // 48 bits
    };
    const std::string type = std::string(".") + w.suffix;
    corpus.add("integer", "mul24.hi" + type, w.type, {{w.type}, {w.type}}, [=](const std::uint64_t* x) { return std::uint64_t(product(x) >> 16) & mask(32); });
    corpus.add("integer", "mad24.lo" + type, w.type, {{w.type}, {w.type}, {w.type}}, [=](const std::uint64_t* x) { return (std::uint64_t(product(x)) + x[2]) & mask(32); });
    corpus.add("integer", "mad24.hi" + type, w.type, {{w.type}, {w.type}, {w.type}}, [=](const std::uint64_t* x) { return (std::uint64_t(product(x) >> 16) + x[2]) & mask(32); });
    for (const Width& v : {widths[0], widths[1]})
      for (const bool high : {false, true})
        corpus.add("integer", std::string("dp2a.") + (high ? "hi" : "lo") + type + "." + v.suffix, Type::u32, {{Type::u32}, {Type::u32}, {Type::u32}}, [=](const std::uint64_t* x) {
          std::int64_t sum = std::int64_t(x[2]);
          for (int i = 0; i < 2; ++i) {
            const std::uint64_t a = x[0] >> (16 * i) & 0xffff, b = x[1] >> (8 * i + (high ? 16 : 0)) & 255;
            sum += (w.isSigned ? signExtend(a, 16) : std::int64_t(a)) * (v.isSigned ? signExtend(b, 8) : std::int64_t(b));
          }
          return std::uint64_t(sum) & mask(32);
        });
  }
}

void addFields(Corpus& corpus) {
  for (const auto& [type, suffix] : {std::pair{Type::u16, ".b16"}, {Type::u32, ".b32"}, {Type::u64, ".b64"}})
    corpus.add("logic", std::string("cnot") + suffix, type, {{type}}, [](const std::uint64_t* x) { return std::uint64_t(x[0] == 0); });
  for (const Width& w : widths)
    corpus.add("logic", std::string("bfind.shiftamt.") + w.suffix, Type::u32, {{w.type}}, [w](const std::uint64_t* x) {
      const std::uint64_t value = w.isSigned && x[0] >> (w.bits - 1) ? ~x[0] & mask(w.bits) : x[0];
      for (int shift = 0; shift < w.bits; ++shift)
        if (value >> (w.bits - 1 - shift) & 1) return std::uint64_t(shift);
      return mask(32);
    });
  for (const bool wraps : {false, true}) {
    const std::string mode = wraps ? ".wrap" : ".clamp";
    corpus.add("logic", "bmsk" + mode + ".b32", Type::u32, {{Type::u32, Range::shift}, {Type::u32, Range::shift}}, [wraps](const std::uint64_t* x) {
      const std::uint64_t from = wraps ? x[0] % 32 : x[0], count = wraps ? x[1] % 32 : x[1];
      std::uint64_t bits = 0;
      for (std::uint64_t i = from; i < from + count && i < 32; ++i) bits |= std::uint64_t(1) << i;
      return bits;
    });
    for (const bool isSigned : {false, true})
      corpus.add("logic", "szext" + mode + (isSigned ? ".s32" : ".u32"), isSigned ? Type::s32 : Type::u32, {{Type::u32}, {Type::u32, Range::shift}}, [=](const std::uint64_t* x) {
        const std::uint64_t count = wraps ? x[1] % 32 : x[1];
        if (count >= 32) return x[0];
        if (count == 0) return std::uint64_t(0);
        return (isSigned ? std::uint64_t(signExtend(x[0], int(count))) : x[0] & mask(int(count))) & mask(32);
      });
  }
}

// Byte i of the result is byte pick(i, mode) of the eight bytes of a and b.
void addPermutations(Corpus& corpus) {
  struct Mode { const char* name; int (*pick)(int i, int c); };
  for (const Mode& mode : {Mode{"f4e", [](int i, int c) { return c + i; }}, {"b4e", [](int i, int c) { return (c - i) & 7; }}, {"rc8", [](int, int c) { return c; }},
                           {"ecl", [](int i, int c) { return i < c ? c : i; }}, {"ecr", [](int i, int c) { return i < c ? i : c; }},
                           {"rc16", [](int i, int c) { return c % 2 * 2 + i % 2; }}})
    corpus.add("logic", std::string("prmt.b32.") + mode.name, Type::u32, {{Type::u32}, {Type::u32}, {Type::u32}}, [mode](const std::uint64_t* x) {
      std::uint64_t result = 0;
      for (int i = 0; i < 4; ++i) result |= ((x[1] << 32 | x[0]) >> (8 * mode.pick(i, int(x[2] & 3))) & 255) << (8 * i);
      return result;
    });
}

void addPredicates(Corpus& corpus) {
  struct Form { const char* opcode; bool (*f)(bool, bool); };
  for (const Form& form : {Form{"and.pred %p3, %p1, %p2", [](bool a, bool b) { return a && b; }}, {"or.pred %p3, %p1, %p2", [](bool a, bool b) { return a || b; }},
                           {"xor.pred %p3, %p1, %p2", [](bool a, bool b) { return a != b; }}, {"not.pred %p3, %p1", [](bool a, bool) { return !a; }}})
    corpus.addBody(std::string("logic/") + form.opcode, std::string("and.b32 %r8, %a, 1; setp.ne.u32 %p1, %r8, 0; and.b32 %r9, %a, 2; setp.ne.u32 %p2, %r9, 0; ") + form.opcode
                   + "; selp.b32 %o, 1, 0, %p3;", Type::u32, {{Type::u32}}, [form](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = form.f(in[0][t] & 1, in[0][t] & 2);
      return out;
    });
}

// A register taken apart and put together the other way round.
void addParts(Corpus& corpus) {
  struct Form { int bits, parts; Type type; };
  for (const Form& form : {Form{16, 2, Type::u16}, {32, 2, Type::u32}, {32, 4, Type::u32}, {64, 2, Type::u64}, {64, 4, Type::u64}}) {
    const int bits = form.bits / form.parts;
    std::string there = "{", back = "{";
    for (int i = 0; i < form.parts; ++i) {
      there += (i ? ", %q" : "%q") + std::to_string(i);
      back += (i ? ", %q" : "%q") + std::to_string(form.parts - 1 - i);
    }
    const std::string mov = "mov.b" + std::to_string(form.bits);
    corpus.addBody("logic/" + mov + " of " + std::to_string(form.parts) + " parts", "{ .reg .b" + std::to_string(bits) + " %q<4>; " + mov + " " + there + "}, %a; " + mov + " %o, " + back + "}; }",
                   form.type, {{form.type}}, [=](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t)
        for (int i = 0; i < form.parts; ++i) out[t] |= (in[0][t] >> (bits * i) & mask(bits)) << (bits * (form.parts - 1 - i));
      return out;
    }).ptx = 83;
  }
}

}  // namespace

void addWord(Corpus& corpus) {
  addCarries(corpus);
  addHalves(corpus);
  addProducts(corpus);
  addFields(corpus);
  addPermutations(corpus);
  addPredicates(corpus);
  addParts(corpus);
}

}  // namespace cnn::conformance
