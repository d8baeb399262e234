// f16 and bf16 against a search of all their values, and conversions to and from every type.
#include "table.h"

#include <algorithm>
#include <bit>
#include <cmath>

using namespace cnn::test;

namespace {

double widen(std::uint64_t bits, bool bfloat) {
  const int exponentBits = bfloat ? 8 : 5, fractionBits = bfloat ? 7 : 10, bias = bfloat ? 127 : 15;
  const int exponent = int(bits >> fractionBits) & ((1 << exponentBits) - 1), fraction = int(bits) & ((1 << fractionBits) - 1);
  double x = exponent == 0 ? std::ldexp(double(fraction), 1 - bias - fractionBits) : std::ldexp(double(fraction + (1 << fractionBits)), exponent - bias - fractionBits);
  if (exponent == (1 << exponentBits) - 1) x = fraction ? NAN : INFINITY;
  return bits & 0x8000 ? -x : x;
}

// Exact for nearly all sums and products of halves.
__extension__ using Quad = __float128;

// The nearest value by search among neighbours, even at ties; `exact` holds every bit.
std::uint64_t nearest(Quad exact, bool negativeZero, bool bfloat) {
  if (exact != exact) return 0x7fff;
  const std::uint64_t sign = exact < 0 || (exact == 0 && negativeZero) ? 0x8000 : 0;
  const Quad magnitude = exact < 0 ? -exact : exact;
  const std::uint64_t infinity = bfloat ? 0x7f80 : 0x7c00;
  if (magnitude > Quad(1e300)) return sign | infinity;
  std::uint64_t low = 0, high = infinity;  // greatest value that is not above
  while (high - low > 1) {
    const std::uint64_t middle = (low + high) / 2;
    (Quad(widen(middle, bfloat)) <= magnitude ? low : high) = middle;
  }
  const Quad below = Quad(widen(low, bfloat));
  const Quad step = low + 1 == infinity ? below - Quad(widen(low - 1, bfloat)) : Quad(widen(low + 1, bfloat)) - below;
  const Quad twice = 2 * (magnitude - below);
  if (twice > step || (twice == step && (low & 1))) ++low;
  return sign | low;
}

// a + b; what is too small for even this format still decides ties.
Quad sum(Quad a, Quad b) {
  const Quad rounded = a + b;
  const auto magnitude = [](Quad x) { return x < 0 ? -x : x; };
  const Quad large = magnitude(a) > magnitude(b) ? a : b, small = magnitude(a) > magnitude(b) ? b : a;
  if (small == 0 || rounded != large || large - large != 0) return rounded;
  return large + magnitude(large) * Quad(0x1p-100) * (small > 0 ? 1 : -1);
}

std::uint64_t halves(std::uint64_t a, std::uint64_t b, std::uint64_t c, const std::function<std::uint64_t(std::uint64_t, std::uint64_t, std::uint64_t)>& f) {
  return f(a & 0xffff, b & 0xffff, c & 0xffff) | f(a >> 16, b >> 16, c >> 16) << 16;
}

}  // namespace

TEST(arithmetic) {
  std::vector<Row> rows;
  for (const bool bfloat : {false, true}) {
    const std::string type = bfloat ? "bf16" : "f16";
    const auto w = [=](std::uint64_t v) { return Quad(widen(v, bfloat)); };
    const std::function<std::uint64_t(std::uint64_t, std::uint64_t, std::uint64_t)> operations[] = {
        [=](std::uint64_t a, std::uint64_t b, std::uint64_t) { return nearest(sum(w(a), w(b)), (a & b) >> 15, bfloat); },
        [=](std::uint64_t a, std::uint64_t b, std::uint64_t) { return nearest(sum(w(a), -w(b)), (a & ~b) >> 15 & 1, bfloat); },
        [=](std::uint64_t a, std::uint64_t b, std::uint64_t) { return nearest(w(a) * w(b), (a ^ b) >> 15, bfloat); },
        [=](std::uint64_t a, std::uint64_t b, std::uint64_t c) {
          const Quad product = w(a) * w(b);
          const bool zeroSign = product == 0 && w(c) == 0 ? ((a ^ b) & c) >> 15 : (a ^ b) >> 15 && product + w(c) == 0 && product == 0;
          return nearest(sum(product, w(c)), zeroSign, bfloat);
        }};
    const char* names[] = {"add", "sub", "mul", "fma.rn"};
    for (int n = 0; n < 4; ++n) {
      const unsigned count = n == 3 ? 3 : 2;
      rows.push_back({std::string(names[n]) + "." + type, type, std::vector<std::string>(count, type),
                      [f = operations[n]](const std::uint64_t* v) { return f(v[0], v[1], v[2]); }});
      rows.push_back({std::string(names[n]) + "." + type + "x2", type + "x2", std::vector<std::string>(count, type + "x2"),
                      [f = operations[n]](const std::uint64_t* v) { return halves(v[0], v[1], v[2], f); }});
    }
  }
  checkTable(rows, 1501);
}

TEST(narrowing) {
  std::vector<Row> rows;
  for (const bool bfloat : {false, true}) {
    const std::string type = bfloat ? "bf16" : "f16";
    const auto from = [=](std::uint64_t v) { return nearest(Quad(double(std::bit_cast<float>(std::uint32_t(v)))), v >> 31, bfloat); };
    rows.push_back({"cvt.rn." + type + ".f32", type, {"f32"}, [=](const std::uint64_t* v) { return from(v[0]); }});
    rows.push_back({"cvt.rn." + type + "x2.f32", type + "x2", {"f32", "f32"}, [=](const std::uint64_t* v) { return from(v[0]) << 16 | from(v[1]); }});
    rows.push_back({"cvt.rn.relu." + type + ".f32", type, {"f32"}, [=](const std::uint64_t* v) { const std::uint64_t h = from(v[0]); return h == 0x7fff ? h : h & 0x8000 ? 0 : h; }});
    rows.push_back({"cvt.rz." + type + ".f32", type, {"f32"}, [=](const std::uint64_t* v) -> std::uint64_t {
                      const float x = std::bit_cast<float>(std::uint32_t(v[0]));
                      const std::uint64_t h = from(v[0]);
                      if (std::isnan(x) || std::isinf(x)) return h;
                      return std::fabs(widen(h, bfloat)) > std::fabs(double(x)) ? h - 1 : h;
                    }});
    rows.push_back({"cvt.f32." + type, "f32", {type}, [=](const std::uint64_t* v) { const double x = widen(v[0], bfloat); return std::isnan(x) ? 0x7fffffffull : std::bit_cast<std::uint32_t>(float(x)); }});
    for (const char* integer : {"s32", "u32", "s64", "u64"})
      rows.push_back({"cvt.rn." + type + "." + integer, type, {integer}, [=](const std::uint64_t* v) {
                        const std::string t = integer;
                        const Quad x = t == "s32" ? Quad(std::int32_t(v[0])) : t == "u32" ? Quad(std::uint32_t(v[0])) : t == "s64" ? Quad(std::int64_t(v[0])) : Quad(v[0]);
                        return nearest(x, false, bfloat);
                      }});
  }
  rows.push_back({"cvt.rna.tf32.f32", "tf32", {"f32"}, [](const std::uint64_t* v) {
                    if ((v[0] & 0x7fffffff) > 0x7f800000) return std::uint64_t(0x7fffffff);
                    if ((v[0] & 0x7f800000) == 0x7f800000) return v[0];
                    return (v[0] + 0x1000) & 0xffffe000;
                  }});
  checkTable(rows, 1501);
}

TEST(integers_from_reals) {
  std::vector<Row> rows;
  struct Target { const char* name; int bits; bool isSigned; };
  for (const Target t : {Target{"s8", 8, true}, {"u8", 8, false}, {"s16", 16, true}, {"u16", 16, false}, {"s32", 32, true}, {"u32", 32, false}, {"s64", 64, true}, {"u64", 64, false}})
    for (const char* source : {"f32", "f64"})
      for (const char* mode : {"rni", "rzi", "rmi", "rpi"})
        rows.push_back({std::string("cvt.") + mode + "." + t.name + "." + source, t.name, {source}, [=](const std::uint64_t* v) -> std::uint64_t {
                          const bool isDouble = source[1] == '6';
                          const double x = isDouble ? std::bit_cast<double>(v[0]) : double(std::bit_cast<float>(std::uint32_t(v[0])));
                          if (std::isnan(x)) return isDouble || t.bits == 64 ? 1ull << (t.bits - 1) : 0;
                          const std::string m = mode;
                          const double r = m == "rni" ? std::nearbyint(x) : m == "rzi" ? std::trunc(x) : m == "rmi" ? std::floor(x) : std::ceil(x);
                          const double high = std::ldexp(1.0, t.isSigned ? t.bits - 1 : t.bits), low = t.isSigned ? -high : 0;
                          if (r >= high) return t.isSigned ? (1ull << (t.bits - 1)) - 1 : t.bits == 64 ? ~0ull : (1ull << t.bits) - 1;
                          if (r < low) return t.isSigned ? 1ull << (t.bits - 1) : 0;
                          return r < 0 ? std::uint64_t(std::int64_t(r)) : std::uint64_t(r);
                        }});
  checkTable(rows, 307);
}

TEST(integers_from_integers) {
  std::vector<Row> rows;
  const char* types[] = {"s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64"};
  const auto bitsOf = [](const std::string& t) { return std::stoi(t.substr(1)); };
  __extension__ using Wide = __int128;
  // .sat is a modifier only where some value of the source is none of the target.
  const auto fits = [&](const std::string& from, const std::string& to) {
    if (from[0] == 's') return to[0] == 's' && bitsOf(from) <= bitsOf(to);
    return bitsOf(from) + (to[0] == 's') <= bitsOf(to);
  };
  for (const std::string from : types)
    for (const std::string to : types)
      for (const bool sat : {false, true}) {
        if (sat && fits(from, to)) continue;
        rows.push_back({std::string("cvt") + (sat ? ".sat." : ".") + to + "." + from, to, {from}, [=](const std::uint64_t* v) {
                          const int fromBits = bitsOf(from), toBits = bitsOf(to);
                          Wide x = v[0];
                          if (from[0] == 's' && (v[0] >> (fromBits - 1) & 1)) x -= Wide(1) << fromBits;
                          if (!sat) return std::uint64_t(x);
                          const Wide low = to[0] == 's' ? -(Wide(1) << (toBits - 1)) : 0, high = (Wide(1) << (to[0] == 's' ? toBits - 1 : toBits)) - 1;
                          return std::uint64_t(std::min(std::max(x, low), high));
                        }});
      }
  checkTable(rows, 101);
}
