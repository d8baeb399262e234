// Arithmetic in float16 and bfloat16, single and packed.
#include "corpus.h"

namespace cnn::conformance {
namespace {

struct HalfType {
  Type single, packed;
  const char* suffix;
  bool plain;  // add, sub and mul exist before sm_90
};
constexpr HalfType halfTypes[] = {{Type::f16, Type::f16x2, "f16", true}, {Type::bf16, Type::bf16x2, "bf16", false}};

using Function = std::function<std::uint64_t(const std::uint64_t*)>;

// One definition serves the single form and both lanes of the packed one.
void addBoth(Corpus& corpus, const HalfType& t, const std::string& opcode, int operands, int sm, int ptx, Function function) {
  Case& single = corpus.add("half", opcode + "." + t.suffix, t.single, std::vector<Operand>(operands, Operand{t.single}), function);
  single.sm = sm;
  single.ptx = ptx;
  Case& packed = corpus.add("half", opcode + "." + t.suffix + "x2", t.packed, std::vector<Operand>(operands, Operand{t.packed}),
                            [function, operands](const std::uint64_t* x) {
    std::uint64_t low[3] = {}, high[3] = {};
    for (int i = 0; i < operands; ++i) low[i] = x[i] & 0xffff, high[i] = x[i] >> 16 & 0xffff;
    return function(low) | function(high) << 16;
  });
  packed.sm = sm;
  packed.ptx = ptx;
}

std::uint64_t relu(const Format& f, std::uint64_t x) {
  if (isNaN(f, x)) return x;
  return x >> 15 & 1 ? 0 : x;
}

std::uint64_t extreme(const Format& f, std::uint64_t a, std::uint64_t b, bool larger, bool keepNaN) {
  if (isNaN(f, a) || isNaN(f, b)) return isNaN(f, a) == keepNaN || (isNaN(f, a) && isNaN(f, b)) ? a : b;
  const Wide x = decode(f, a), y = decode(f, b);
  const bool less = x < y || (x == y && a > b);
  return less == larger ? b : a;
}

// Comparisons as masks, 0xffff in the half that holds, and as numbers, 1 in it.
void addMasks(Corpus& corpus, const HalfType& t) {
  const Format& f = *formatOf(t.single);
  const auto compareTo = [&](const std::string& result, std::uint64_t truth, const char* op, bool unordered, bool (*holds)(Wide, Wide)) {
    Case& test = corpus.add("half", std::string("set.") + op + "." + result + "." + t.suffix + "x2", Type::u32, {{t.packed}, {t.packed}}, [=, &f](const std::uint64_t* x) {
      const auto half = [&](int shift) -> std::uint64_t {
        const std::uint64_t a = x[0] >> shift & 0xffff, b = x[1] >> shift & 0xffff;
        const bool isNumber = !isNaN(f, a) && !isNaN(f, b);
        return (isNumber ? holds(decode(f, a), decode(f, b)) : unordered) ? truth : 0;
      };
      return half(0) | half(16) << 16;
    });
    test.sm = t.plain ? 80 : 90;
  };
  const auto compare = [&](const char* op, bool unordered, bool (*holds)(Wide, Wide)) {
    compareTo("u32", 0xffff, op, unordered, holds);
    compareTo(t.suffix + std::string("x2"), encode(f, {1}), op, unordered, holds);
  };
  compare("gt", false, [](Wide a, Wide b) { return a > b; });
  compare("leu", true, [](Wide a, Wide b) { return a <= b; });
}

}  // namespace

void addHalf(Corpus& corpus) {
  for (const HalfType& t : halfTypes) {
    const Format& f = *formatOf(t.single);
    const auto value = [&f](std::uint64_t x) { return decode(f, x); };
    const auto round = [&f](Sum s) { return encode(f, s); };
    const int sm = t.plain ? 80 : 90;
    addBoth(corpus, t, "add.rn", 2, sm, 80, [=](const std::uint64_t* x) { return round(add(value(x[0]), value(x[1]), Rounding::nearest)); });
    addBoth(corpus, t, "sub.rn", 2, sm, 80, [=](const std::uint64_t* x) { return round(add(value(x[0]), -value(x[1]), Rounding::nearest)); });
    addBoth(corpus, t, "mul.rn", 2, sm, 80, [=](const std::uint64_t* x) { return round(multiply(value(x[0]), value(x[1]))); });
    const auto fma = [=](const std::uint64_t* x) { return round(fusedMultiplyAdd(value(x[0]), value(x[1]), value(x[2]), Rounding::nearest)); };
    addBoth(corpus, t, "fma.rn", 3, 80, 80, fma);
    addBoth(corpus, t, "fma.rn.relu", 3, 80, 80, [=, &f](const std::uint64_t* x) { return relu(f, fma(x)); });
    addBoth(corpus, t, "abs", 1, 80, 80, [](const std::uint64_t* x) { return x[0] & 0x7fff; });
    addBoth(corpus, t, "neg", 1, 80, 80, [](const std::uint64_t* x) { return x[0] ^ 0x8000; });
    addBoth(corpus, t, "min", 2, 80, 80, [&f](const std::uint64_t* x) { return extreme(f, x[0], x[1], false, false); });
    addBoth(corpus, t, "max", 2, 80, 80, [&f](const std::uint64_t* x) { return extreme(f, x[0], x[1], true, false); });
    addBoth(corpus, t, "min.NaN", 2, 80, 80, [&f](const std::uint64_t* x) { return extreme(f, x[0], x[1], false, true); });
    addBoth(corpus, t, "max.NaN", 2, 80, 80, [&f](const std::uint64_t* x) { return extreme(f, x[0], x[1], true, true); });
    addMasks(corpus, t);
    if (!t.plain) continue;
    addBoth(corpus, t, "add.rn.sat", 2, 80, 80, [=, &f](const std::uint64_t* x) {
      return encode(f, add(value(x[0]), value(x[1]), Rounding::nearest), Rounding::nearest, false, true);
    });
    addBoth(corpus, t, "fma.rn.ftz", 3, 80, 80, [=, &f](const std::uint64_t* x) {
      const auto v = [&](int i) { return decode(f, flushed(f, x[i])); };
      return encode(f, fusedMultiplyAdd(v(0), v(1), v(2), Rounding::nearest), Rounding::nearest, true);
    });
  }
}

}  // namespace cnn::conformance
