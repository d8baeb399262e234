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
  corpus.addBody("compare/set.lt.u32.s32", "set.lt.u32.s32 %o, %a, %b;", Type::u32, {{Type::s32}, {Type::s32}}, expectation(Type::s32, "lt", mask(32)));
  corpus.addBody("compare/set.gt.f32.f32", "set.gt.f32.f32 %o, %a, %b;", Type::f32, {{Type::f32}, {Type::f32}}, expectation(Type::f32, "gt", 0x3f800000));
  for (const std::string combine : {"and", "or", "xor"})
    corpus.addBody("compare/setp.lt." + combine + ".s32",
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
