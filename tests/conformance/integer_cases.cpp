// Integer arithmetic: add, sub, mul, mad, div, rem, min, max, abs, neg, sad, mul24, dp4a, carries.
#include "corpus.h"

namespace cnn::conformance {
namespace {

__extension__ using Int = __int128;

struct IntegerType {
  Type type;
  const char* suffix;
  int bits;
  bool isSigned;
  Int read(std::uint64_t x) const { return isSigned ? Int(signExtend(x, bits)) : Int(x & mask(bits)); }
  std::uint64_t wrap(Int x) const { return std::uint64_t(x) & mask(bits); }
};

constexpr IntegerType types[] = {{Type::u16, "u16", 16, false}, {Type::s16, "s16", 16, true}, {Type::u32, "u32", 32, false},
                                 {Type::s32, "s32", 32, true},  {Type::u64, "u64", 64, false}, {Type::s64, "s64", 64, true}};

using Operation = Int (*)(Int, Int, Int);

void add(Corpus& corpus, const IntegerType& t, const std::string& opcode, int operands, Operation operation, Range second = Range::any) {
  std::vector<Operand> list(operands, Operand{t.type, Range::any});
  if (operands > 1) list[1].range = second;
  corpus.add("integer", opcode + "." + t.suffix, t.type, list, [t, operation, operands](const std::uint64_t* x) {
    return t.wrap(operation(t.read(x[0]), operands > 1 ? t.read(x[1]) : 0, operands > 2 ? t.read(x[2]) : 0));
  });
}

// The upper half of the product, which 128 bits hold for every width.
void addHigh(Corpus& corpus, const IntegerType& t) {
  if (t.bits == 64 && !t.isSigned) {
    corpus.add("integer", "mul.hi.u64", t.type, {{t.type}, {t.type}}, [](const std::uint64_t* x) {
      __extension__ using Unsigned = unsigned __int128;
      return std::uint64_t((Unsigned(x[0]) * x[1]) >> 64);
    });
    return;
  }
  corpus.add("integer", std::string("mul.hi.") + t.suffix, t.type, {{t.type}, {t.type}},
             [t](const std::uint64_t* x) { return t.wrap((t.read(x[0]) * t.read(x[1])) >> t.bits); });
}

void addWide(Corpus& corpus, const IntegerType& t) {
  const Type wide = t.bits == 16 ? (t.isSigned ? Type::s32 : Type::u32) : (t.isSigned ? Type::s64 : Type::u64);
  corpus.add("integer", std::string("mul.wide.") + t.suffix, wide, {{t.type}, {t.type}},
             [t](const std::uint64_t* x) { return std::uint64_t(t.read(x[0]) * t.read(x[1])) & mask(2 * t.bits); });
  corpus.add("integer", std::string("mad.wide.") + t.suffix, wide, {{t.type}, {t.type}, {wide}},
             [t](const std::uint64_t* x) { return (std::uint64_t(t.read(x[0]) * t.read(x[1])) + x[2]) & mask(2 * t.bits); });
}

void addSpecial(Corpus& corpus) {
  for (const bool isSigned : {false, true}) {
    const Type type = isSigned ? Type::s32 : Type::u32;
    const std::string suffix = isSigned ? ".s32" : ".u32";
    const auto low24 = [isSigned](std::uint64_t x) { return isSigned ? signExtend(x, 24) : std::int64_t(x & 0xffffff); };
    corpus.add("integer", "mul24.lo" + suffix, type, {{type}, {type}},
               [low24](const std::uint64_t* x) { return std::uint64_t(low24(x[0]) * low24(x[1])) & mask(32); });
    corpus.add("integer", "dp4a" + suffix + suffix, type, {{type}, {type}, {type}}, [isSigned](const std::uint64_t* x) {
      std::int64_t sum = std::int64_t(x[2]);
      for (int i = 0; i < 4; ++i) {
        const std::uint64_t a = x[0] >> (8 * i) & 255, b = x[1] >> (8 * i) & 255;
        sum += isSigned ? signExtend(a, 8) * signExtend(b, 8) : std::int64_t(a * b);
      }
      return std::uint64_t(sum) & mask(32);
    });
  }
  corpus.add("integer", "add.sat.s32", Type::s32, {{Type::s32}, {Type::s32}}, [](const std::uint64_t* x) {
    const std::int64_t sum = signExtend(x[0], 32) + signExtend(x[1], 32);
    return std::uint64_t(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum) & mask(32);
  });
  // A 64-bit sum and difference by halves, through the carry.
  const char* unpack = "mov.b64 {%r8, %r9}, %a; mov.b64 {%r10, %r11}, %b;";
  const auto each = [](std::uint64_t (*f)(std::uint64_t, std::uint64_t)) {
    return [f](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = f(in[0][t], in[1][t]);
      return out;
    };
  };
  corpus.addBody("integer/add.cc.u32+addc.u32", std::string(unpack) + " add.cc.u32 %r8, %r8, %r10; addc.u32 %r9, %r9, %r11; mov.b64 %o, {%r8, %r9};",
                 Type::u64, {{Type::u64}, {Type::u64}}, each([](std::uint64_t a, std::uint64_t b) { return a + b; }));
  corpus.addBody("integer/sub.cc.u32+subc.u32", std::string(unpack) + " sub.cc.u32 %r8, %r8, %r10; subc.u32 %r9, %r9, %r11; mov.b64 %o, {%r8, %r9};",
                 Type::u64, {{Type::u64}, {Type::u64}}, each([](std::uint64_t a, std::uint64_t b) { return a - b; }));
  // A product of 64 by 32 bits in words, through the carry.
  corpus.addBody("integer/mad.lo.cc.u32+madc.hi.u32", "mov.b64 {%r8, %r9}, %a; mov.b64 {%r10, %r11}, %b; mul.lo.u32 %r12, %r8, %r10; mul.hi.u32 %r13, %r8, %r10; "
                 "mad.lo.cc.u32 %r13, %r9, %r10, %r13; madc.hi.u32 %r14, %r9, %r10, 0; mov.b64 %o, {%r13, %r14};", Type::u64, {{Type::u64}, {Type::u64}},
                 each([](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    return std::uint64_t((Wide(a) * (b & mask(32))) >> 32);  // words 1 and 2 of a times the low word of b
  }));
}

}  // namespace

void addInteger(Corpus& corpus) {
  for (const IntegerType& t : types) {
    add(corpus, t, "add", 2, [](Int a, Int b, Int) { return a + b; });
    add(corpus, t, "sub", 2, [](Int a, Int b, Int) { return a - b; });
    add(corpus, t, "min", 2, [](Int a, Int b, Int) { return a < b ? a : b; });
    add(corpus, t, "max", 2, [](Int a, Int b, Int) { return a < b ? b : a; });
    add(corpus, t, "div", 2, [](Int a, Int b, Int) { return a / b; }, Range::nonzero);
    add(corpus, t, "rem", 2, [](Int a, Int b, Int) { return a % b; }, Range::nonzero);
    corpus.add("integer", std::string("mul.lo.") + t.suffix, t.type, {{t.type}, {t.type}},
               [t](const std::uint64_t* x) { return (x[0] * x[1]) & mask(t.bits); });
    corpus.add("integer", std::string("mad.lo.") + t.suffix, t.type, {{t.type}, {t.type}, {t.type}},
               [t](const std::uint64_t* x) { return (x[0] * x[1] + x[2]) & mask(t.bits); });
    addHigh(corpus, t);
    if (t.bits < 64) addWide(corpus, t);
    if (t.bits < 64)
      add(corpus, t, "sad", 3, [](Int a, Int b, Int c) { return c + (a < b ? b - a : a - b); });
    if (!t.isSigned) continue;
    add(corpus, t, "abs", 1, [](Int a, Int, Int) { return a < 0 ? -a : a; });
    add(corpus, t, "neg", 1, [](Int a, Int, Int) { return -a; });
  }
  addSpecial(corpus);
}

}  // namespace cnn::conformance
