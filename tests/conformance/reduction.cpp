#include "reduction.h"

namespace cnn::conformance {
namespace {

std::uint64_t sum(const Format& f, std::uint64_t a, std::uint64_t b) { return encode(f, add(decode(f, a), decode(f, b), Rounding::nearest)); }

template <class Less> Combine smaller(Less less) {
  return [less](std::uint64_t a, std::uint64_t b) { return less(b, a) ? b : a; };
}
template <class Less> Combine larger(Less less) {
  return [less](std::uint64_t a, std::uint64_t b) { return less(a, b) ? b : a; };
}

template <class Less> void addExtremes(std::vector<Reduction>& all, const std::string& type, Type element, Range range, Less less) {
  all.push_back({".min", type, element, range, smaller(less)});
  all.push_back({".max", type, element, range, larger(less)});
}

}  // namespace

std::vector<Reduction> reductions() {
  std::vector<Reduction> all;
  const auto plain = [](std::uint64_t a, std::uint64_t b) { return a < b; };
  all.push_back({".add", ".u32", Type::u32, Range::any, [](auto a, auto b) { return (a + b) & mask(32); }});
  all.push_back({".add", ".s32", Type::s32, Range::any, [](auto a, auto b) { return (a + b) & mask(32); }});
  all.push_back({".add", ".u64", Type::u64, Range::any, [](auto a, auto b) { return a + b; }});
  all.push_back({".add", ".f32", Type::f32, Range::moderate, [](auto a, auto b) { return sum(f32, a, b); }});
  all.push_back({".add", ".f64", Type::f64, Range::moderate, [](auto a, auto b) { return sum(f64, a, b); }});
  all.push_back({".add.noftz", ".f16", Type::f16, Range::moderate, [](auto a, auto b) { return sum(f16, a, b); }});
  all.push_back({".add.noftz", ".bf16", Type::bf16, Range::moderate, [](auto a, auto b) { return sum(bf16, a, b); }});
  addExtremes(all, ".u32", Type::u32, Range::any, plain);
  addExtremes(all, ".u64", Type::u64, Range::any, plain);
  addExtremes(all, ".s32", Type::s32, Range::any, [](std::uint64_t a, std::uint64_t b) { return signExtend(a, 32) < signExtend(b, 32); });
  addExtremes(all, ".s64", Type::s64, Range::any, [](std::uint64_t a, std::uint64_t b) { return std::int64_t(a) < std::int64_t(b); });
  addExtremes(all, ".f16", Type::f16, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return decode(f16, a) < decode(f16, b); });
  addExtremes(all, ".bf16", Type::bf16, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return decode(bf16, a) < decode(bf16, b); });
  all.push_back({".inc", ".u32", Type::u32, Range::any, [](auto old, auto bound) { return old >= bound ? 0 : old + 1; }});
  all.push_back({".dec", ".u32", Type::u32, Range::any, [](auto old, auto bound) { return old == 0 || old > bound ? bound : old - 1; }});
  for (const auto& [type, element] : {std::pair{".b32", Type::u32}, {".b64", Type::u64}}) {
    all.push_back({".and", type, element, Range::any, [](auto a, auto b) { return a & b; }});
    all.push_back({".or", type, element, Range::any, [](auto a, auto b) { return a | b; }});
    all.push_back({".xor", type, element, Range::any, [](auto a, auto b) { return a ^ b; }});
  }
  for (Reduction& r : all) {
    const bool word = r.type == ".u32" || r.type == ".s32" || r.type == ".b32";
    r.onShared = word || (r.operation == ".add" && r.type == ".u64");
  }
  return all;
}

}  // namespace cnn::conformance
