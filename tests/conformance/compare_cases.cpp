// setp with every comparison, its boolean combination, set, selp, slct.
#include "corpus.h"

namespace cnn::conformance {
namespace {

enum class Order { less, equal, greater, unordered };

Order orderOf(Type type, std::uint64_t a, std::uint64_t b) {
  if (const Format* f = formatOf(type)) {
    const Wide x = decode(*f, a), y = decode(*f, b);
    return x < y ? Order::less : x == y ? Order::equal : x > y ? Order::greater : Order::unordered;
  }
  const int bits = bitsOf(type);
  const bool isSigned = type == Type::s16 || type == Type::s32 || type == Type::s64;
  if (a == b) return Order::equal;
  const bool less = isSigned ? signExtend(a, bits) < signExtend(b, bits) : a < b;
  return less ? Order::less : Order::greater;
}

// The ordered comparisons are false for NaN, those with a `u` in front are true.
bool holds(const std::string& comparison, Order order) {
  if (comparison == "num") return order != Order::unordered;
  if (comparison == "nan") return order == Order::unordered;
  const bool acceptsNaN = comparison.size() == 3;
  if (order == Order::unordered) return acceptsNaN;
  const std::string plain = acceptsNaN ? comparison.substr(0, 2) : comparison;
  if (plain == "eq") return order == Order::equal;
  if (plain == "ne") return order != Order::equal;
  if (plain == "lt" || plain == "lo") return order == Order::less;
  if (plain == "le" || plain == "ls") return order != Order::greater;
  if (plain == "gt" || plain == "hi") return order == Order::greater;
  return order != Order::less;  // ge, hs
}

std::function<Column(const Columns&)> expectation(Type type, const std::string& comparison, std::uint64_t yes) {
  return [=](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = holds(comparison, orderOf(type, in[0][t], in[1][t])) ? yes : 0;
    return out;
  };
}

void addComparisons(Corpus& corpus, Type type, const std::string& suffix, std::vector<std::string> comparisons) {
  for (const std::string& comparison : comparisons)
    corpus.addBody("compare/setp." + comparison + suffix, "setp." + comparison + suffix + " %p1, %a, %b; selp.u32 %o, 1, 0, %p1;", Type::u32,
                   {{type}, {type}}, expectation(type, comparison, 1));
}

// The comparison joined with bit 0 of the thread's number, as predicates and as masks or 1.0.
bool joined(const std::string& combine, bool a, bool b) { return combine == "and" ? a && b : combine == "or" ? a || b : a != b; }

void addJoined(Corpus& corpus, Type type, const std::string& suffix, const std::vector<std::string>& comparisons, bool hasSet, int sm = 80) {
  const std::string combines[] = {"and", "or", "xor"}, results[] = {"u32", "s32", "f32"};
  const std::string predicate = "and.b32 %r8, %r1, 1; setp.ne.u32 %p2, %r8, 0; ";
  const auto expected = [=](const std::string& comparison, const std::string& combine, std::uint64_t yes) {
    return [=](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) {
        const bool holding = holds(comparison, orderOf(type, in[0][t], in[1][t]));
        out[t] = (combine.empty() ? holding : joined(combine, holding, t & 1)) ? yes : 0;
      }
      return out;
    };
  };
  for (std::size_t i = 0; i < comparisons.size(); ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      const std::string &comparison = comparisons[i], &combine = combines[j], &result = results[(i + j) % 3], word = "%o, %a, %b";
      const Type resultType = result == "f32" ? Type::f32 : Type::u32;
      const std::uint64_t yes = result == "f32" ? 0x3f800000 : mask(32);
      const auto add = [&](const std::string& instruction, const std::string& body, Type to, const std::string& with, std::uint64_t value) {
        corpus.addBody("compare/" + instruction, body, to, {{type}, {type}}, expected(comparison, with, value)).sm = sm;
      };
      const std::string setp = "setp." + comparison + "." + combine + suffix, set = "set." + comparison + "." + combine + "." + result + suffix, plain = "set." + comparison + "." + result + suffix;
      add(setp, predicate + setp + " %p1, %a, %b, %p2; selp.b32 %o, 1, 0, %p1;", Type::u32, combine, 1);
      if (!hasSet) continue;
      add(set, predicate + set + " " + word + ", %p2;", resultType, combine, yes);
      add(plain + " ", plain + " " + word + ";", resultType, "", yes);
    }
}

// Halves as results: 1.0 in their own format, or a mask of 16 or 32 bits.
void addHalfSets(Corpus& corpus, Type type, const std::string& name, const std::vector<std::string>& comparisons, std::uint64_t one, int sm) {
  struct Result { std::string name; Type type; std::uint64_t yes; };
  const Result results[] = {{name, type, one}, {"u16", Type::u16, 0xffff}, {"s16", Type::u16, 0xffff}, {"u32", Type::u32, mask(32)}, {"s32", Type::u32, mask(32)}};
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Result& r = results[i % 5];
    const std::string instruction = "set." + comparisons[i] + "." + r.name + "." + name;
    corpus.addBody("compare/" + instruction, instruction + " %o, %a, %b;", r.type, {{type}, {type}}, expectation(type, comparisons[i], r.yes)).sm = sm;
  }
}

// slct and selp move registers of any type.
void addSelections(Corpus& corpus) {
  struct Moved { const char* suffix; Type type; };
  for (const Moved& m : {Moved{".b16", Type::u16}, {".u16", Type::u16}, {".s16", Type::u16}, {".b32", Type::u32}, {".u32", Type::u32}, {".s32", Type::u32}, {".f32", Type::u32},
                         {".b64", Type::u64}, {".u64", Type::u64}, {".s64", Type::u64}, {".f64", Type::u64}}) {
    corpus.addBody(std::string("compare/selp") + m.suffix + " ", std::string("setp.ge.s32 %p1, %c, 0; selp") + m.suffix + " %o, %a, %b, %p1;", m.type, {{m.type}, {m.type}, {Type::s32}},
                   [](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = signExtend(in[2][t], 32) >= 0 ? in[0][t] : in[1][t];
      return out;
    });
    corpus.add("compare", std::string("slct") + m.suffix + ".s32 ", m.type, {{m.type}, {m.type}, {Type::s32}}, [](const std::uint64_t* x) { return signExtend(x[2], 32) >= 0 ? x[0] : x[1]; });
    for (const bool flush : {false, true})
      corpus.add("compare", std::string("slct") + (flush ? ".ftz" : "") + m.suffix + ".f32", m.type, {{m.type}, {m.type}, {Type::f32}},
                 [flush](const std::uint64_t* x) { return decode(f32, flush ? flushed(f32, x[2]) : x[2]) >= 0 ? x[0] : x[1]; });
  }
}

}  // namespace

void addCompare(Corpus& corpus) {
  const std::vector<std::string> integer = {"eq", "ne", "lt", "le", "gt", "ge"};
  const std::vector<std::string> real = {"eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"};
  addComparisons(corpus, Type::s16, ".s16", integer);
  addComparisons(corpus, Type::s32, ".s32", integer);
  addComparisons(corpus, Type::s64, ".s64", integer);
  for (const auto& [type, suffix] : {std::pair{Type::u16, ".u16"}, {Type::u32, ".u32"}, {Type::u64, ".u64"}}) {
    addComparisons(corpus, type, suffix, integer);
    addComparisons(corpus, type, suffix, {"lo", "ls", "hi", "hs"});
  }
  addComparisons(corpus, Type::u32, ".b32", {"eq", "ne"});
  addComparisons(corpus, Type::f32, ".f32", real);
  addComparisons(corpus, Type::f64, ".f64", real);
  addComparisons(corpus, Type::f16, ".f16", real);
  for (const auto& [type, suffix] : {std::pair{Type::s16, ".s16"}, {Type::s32, ".s32"}, {Type::s64, ".s64"}, {Type::u16, ".u16"}, {Type::u32, ".u32"}, {Type::u64, ".u64"}})
    addJoined(corpus, type, suffix, integer, true);
  for (const auto& [type, suffix] : {std::pair{Type::u16, ".u16"}, {Type::u32, ".u32"}, {Type::u64, ".u64"}}) addJoined(corpus, type, suffix, {"lo", "ls", "hi", "hs"}, true);
  for (const auto& [type, suffix] : {std::pair{Type::u16, ".b16"}, {Type::u32, ".b32"}, {Type::u64, ".b64"}}) addJoined(corpus, type, suffix, {"eq", "ne"}, true);
  for (const auto& [type, suffix] : {std::pair{Type::f32, ".f32"}, {Type::f64, ".f64"}}) addJoined(corpus, type, suffix, real, true);
  addJoined(corpus, Type::f16, ".f16", real, false);
  addJoined(corpus, Type::bf16, ".bf16", real, false, 90);
  addHalfSets(corpus, Type::f16, "f16", real, 0x3c00, 80);
  addHalfSets(corpus, Type::bf16, "bf16", real, 0x3f80, 90);
  for (const std::string& comparison : real)
    corpus.addBody("compare/setp." + comparison + ".bf16", "setp." + comparison + ".bf16 %p1, %a, %b; selp.u32 %o, 1, 0, %p1;", Type::u32, {{Type::bf16}, {Type::bf16}},
                   expectation(Type::bf16, comparison, 1)).sm = 90;
  addSelections(corpus);
  corpus.addBody("compare/set.lt.u32.s32", "set.lt.u32.s32 %o, %a, %b;", Type::u32, {{Type::s32}, {Type::s32}}, expectation(Type::s32, "lt", mask(32)));
  corpus.addBody("compare/set.gt.f32.f32", "set.gt.f32.f32 %o, %a, %b;", Type::f32, {{Type::f32}, {Type::f32}}, expectation(Type::f32, "gt", 0x3f800000));
  for (const std::string combine : {"and", "or", "xor"})
    corpus.addBody("compare/setp.lt." + combine + ".s32 and its opposite",
                   "setp.ge.s32 %p2, %a, 0; setp.lt." + combine + ".s32 %p1|%p3, %a, %b, %p2; selp.u32 %o, 1, 0, %p1; @%p3 add.u32 %o, %o, 2;", Type::u32,
                   {{Type::s32}, {Type::s32}}, [combine](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) {
        const bool less = signExtend(in[0][t], 32) < signExtend(in[1][t], 32), positive = signExtend(in[0][t], 32) >= 0;
        const auto joined = [&](bool x) { return combine == "and" ? x && positive : combine == "or" ? x || positive : x != positive; };
        out[t] = std::uint64_t(joined(less)) + 2 * std::uint64_t(joined(!less));
      }
      return out;
    });
  corpus.add("compare", "slct.u32.s32", Type::u32, {{Type::u32}, {Type::u32}, {Type::s32}},
             [](const std::uint64_t* x) { return signExtend(x[2], 32) >= 0 ? x[0] : x[1]; });
  corpus.addBody("compare/mov.pred.constant",
                 "mov.pred %p1, -1; mov.pred %p2, 0; setp.lt.u32 %p3, %a, 1000; @%p3 mov.pred %p2, 1; selp.u32 %o, %a, 0, %p1; @%p2 add.u32 %o, %o, 2;",
                 Type::u32, {{Type::u32}}, [](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = std::uint32_t(in[0][t] + (std::uint32_t(in[0][t]) < 1000 ? 2 : 0));
    return out;
  });
  corpus.addBody("compare/selp.b64", "setp.ne.u32 %p1, %c, 0; selp.b64 %o, %a, %b, %p1;", Type::u64, {{Type::u64}, {Type::u64}, {Type::u32}},
                 [](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = in[2][t] ? in[0][t] : in[1][t];
    return out;
  });
}

}  // namespace cnn::conformance
