// Single and double precision: IEEE operations to the bit in every rounding, approximations within their bounds.
#include "table.h"

#include <bit>
#include <cfenv>
#include <cmath>

using namespace cnn::test;

namespace {

float f32(std::uint64_t v) { return std::bit_cast<float>(std::uint32_t(v)); }
double f64(std::uint64_t v) { return std::bit_cast<double>(v); }

float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }
std::uint64_t bits(float x) { return std::isnan(x) ? 0x7fffffffull : std::bit_cast<std::uint32_t>(x); }
std::uint64_t clamped(float x) { return std::isnan(x) || x <= 0 ? 0 : x >= 1 ? 0x3f800000ull : std::bit_cast<std::uint32_t>(x); }

struct Rounding {
  const char* name;
  int mode;
};
constexpr Rounding roundings[] = {{"rn", FE_TONEAREST}, {"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};

// Computes under a rounding mode; volatile keeps the arithmetic in its place.
template <class T, class F> T rounded(int mode, F f) {
  std::fesetround(mode);
  volatile T result = f();
  std::fesetround(FE_TONEAREST);
  return result;
}

using Single = std::function<float(volatile float&, volatile float&, volatile float&)>;
using Double = std::function<double(volatile double&, volatile double&, volatile double&)>;

void singles(std::vector<Row>& rows, const std::string& name, unsigned operands, bool saturates, const Single& f) {
  for (const Rounding& r : roundings)
    for (const bool ftz : {false, true})
      for (const bool sat : {false, true}) {
        if (sat && !saturates) continue;
        rows.push_back({name + "." + r.name + (ftz ? ".ftz" : "") + (sat ? ".sat" : "") + ".f32", "f32", std::vector<std::string>(operands, "f32"),
                        [=](const std::uint64_t* v) {
                          const auto operand = [&](int n) { return ftz ? flushed(f32(v[n])) : f32(v[n]); };
                          volatile float a = operand(0), b = operand(1), c = operand(2);
                          float x = rounded<float>(r.mode, [&] { return f(a, b, c); });
                          if (ftz) x = flushed(x);
                          return sat ? clamped(x) : bits(x);
                        }});
      }
}

// Of two numbers that are none only the kind counts.
void checkDoubles(const std::string& name, unsigned operands, const Double& f) {
  for (const Rounding& r : roundings) {
    std::vector<std::vector<std::uint64_t>> inputs;
    for (unsigned o = 0; o < operands; ++o) inputs.push_back(samples("f64", 500, 5 + o));
    const std::string opcode = name + "." + r.name + ".f64";
    const auto results = apply(opcode, "f64", std::vector<std::string>(operands, "f64"), inputs);
    for (std::size_t n = 0; n < results.size(); ++n) {
      volatile double a = f64(inputs[0][n]), b = operands > 1 ? f64(inputs[1][n]) : 0, c = operands > 2 ? f64(inputs[2][n]) : 0;
      const double x = rounded<double>(r.mode, [&] { return f(a, b, c); });
      if (std::isnan(x)) CHECK(std::isnan(f64(results[n])));
      else CHECK_EQ(results[n], std::bit_cast<std::uint64_t>(x));
    }
  }
}

// Greatest error in units of the last place of the exact value (or absolute where the bound is absolute).
void checkApproximation(const std::string& opcode, double low, double high, double ulps, double absolute, double (*exact)(double)) {
  std::vector<std::uint64_t> inputs;
  for (int n = 0; n < 2000; ++n) inputs.push_back(std::bit_cast<std::uint32_t>(float(low + (high - low) * n / 1999.0)));
  const auto results = apply(opcode, "f32", {"f32"}, {inputs});
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    const double expected = exact(double(f32(inputs[n])));
    const double unit = std::ldexp(1.0, std::max(std::ilogb(expected), -126) - 23);
    CHECK_NEAR(f32(results[n]), expected, std::max(ulps * unit, absolute));
  }
}

}  // namespace

TEST(single_arithmetic) {
  std::vector<Row> rows;
  singles(rows, "add", 2, true, [](auto& a, auto& b, auto&) { return a + b; });
  singles(rows, "sub", 2, true, [](auto& a, auto& b, auto&) { return a - b; });
  singles(rows, "mul", 2, true, [](auto& a, auto& b, auto&) { return a * b; });
  singles(rows, "fma", 3, true, [](auto& a, auto& b, auto& c) { return std::fma(float(a), float(b), float(c)); });
  singles(rows, "div", 2, false, [](auto& a, auto& b, auto&) { return a / b; });
  singles(rows, "rcp", 1, false, [](auto& a, auto&, auto&) { return 1.0f / a; });
  singles(rows, "sqrt", 1, false, [](auto& a, auto&, auto&) { return std::sqrt(float(a)); });
  checkTable(rows, 401);
}

TEST(double_arithmetic) {
  checkDoubles("add", 2, [](auto& a, auto& b, auto&) { return a + b; });
  checkDoubles("sub", 2, [](auto& a, auto& b, auto&) { return a - b; });
  checkDoubles("mul", 2, [](auto& a, auto& b, auto&) { return a * b; });
  checkDoubles("fma", 3, [](auto& a, auto& b, auto& c) { return std::fma(double(a), double(b), double(c)); });
  checkDoubles("div", 2, [](auto& a, auto& b, auto&) { return a / b; });
  checkDoubles("rcp", 1, [](auto& a, auto&, auto&) { return 1.0 / a; });
  checkDoubles("sqrt", 1, [](auto& a, auto&, auto&) { return std::sqrt(double(a)); });
}

TEST(signs_and_extremes) {
  const auto least = [](float a, float b, bool nan) -> std::uint64_t {
    if (std::isnan(a) || std::isnan(b)) return nan || (std::isnan(a) && std::isnan(b)) ? 0x7fffffff : bits(std::isnan(a) ? b : a);
    if (a == b) return bits(std::signbit(a) ? a : b);
    return bits(std::min(a, b));
  };
  checkTable({{"abs.f32", "f32", {"f32"}, [](const std::uint64_t* v) { return v[0] & 0x7fffffff; }},
              {"neg.f32", "f32", {"f32"}, [](const std::uint64_t* v) { return v[0] ^ 0x80000000; }},
              {"abs.f64", "f64", {"f64"}, [](const std::uint64_t* v) { return v[0] & ~(1ull << 63); }},
              {"neg.f64", "f64", {"f64"}, [](const std::uint64_t* v) { return v[0] ^ 1ull << 63; }},
              {"copysign.f32", "f32", {"f32", "f32"}, [](const std::uint64_t* v) { return (v[0] & 0x80000000) | (v[1] & 0x7fffffff); }},
              {"min.f32", "f32", {"f32", "f32"}, [=](const std::uint64_t* v) { return least(f32(v[0]), f32(v[1]), false); }},
              {"min.NaN.f32", "f32", {"f32", "f32"}, [=](const std::uint64_t* v) { return least(f32(v[0]), f32(v[1]), true); }},
              {"min.ftz.f32", "f32", {"f32", "f32"}, [=](const std::uint64_t* v) { return least(flushed(f32(v[0])), flushed(f32(v[1])), false); }},
              {"max.f32", "f32", {"f32", "f32"}, [=](const std::uint64_t* v) {
                 const std::uint64_t m = least(-f32(v[0]), -f32(v[1]), false);
                 return m == 0x7fffffff ? m : m ^ 0x80000000;
               }}});
}

TEST(comparisons) {
  struct Op { const char* name; bool less, equal, greater, unordered; };
  const Op ops[] = {{"eq", 0, 1, 0, 0}, {"ne", 1, 0, 1, 0}, {"lt", 1, 0, 0, 0}, {"le", 1, 1, 0, 0}, {"gt", 0, 0, 1, 0}, {"ge", 0, 1, 1, 0}, {"num", 1, 1, 1, 0},
                    {"equ", 0, 1, 0, 1}, {"neu", 1, 0, 1, 1}, {"ltu", 1, 0, 0, 1}, {"leu", 1, 1, 0, 1}, {"gtu", 0, 0, 1, 1}, {"geu", 0, 1, 1, 1}, {"nan", 0, 0, 0, 1}};
  std::vector<Row> rows;
  for (const Op& op : ops) {
    const auto holds = [op](double a, double b) { return a < b ? op.less : a > b ? op.greater : a == b ? op.equal : op.unordered; };
    rows.push_back({std::string("set.") + op.name + ".u32.f32", "u32", {"f32", "f32"}, [=](const std::uint64_t* v) { return holds(f32(v[0]), f32(v[1])) ? 0xffffffffull : 0; }});
    rows.push_back({std::string("set.") + op.name + ".ftz.f32.f32", "f32", {"f32", "f32"}, [=](const std::uint64_t* v) { return holds(flushed(f32(v[0])), flushed(f32(v[1]))) ? 0x3f800000ull : 0; }});
    rows.push_back({std::string("set.") + op.name + ".s32.f64", "s32", {"f64", "f64"}, [=](const std::uint64_t* v) { return holds(f64(v[0]), f64(v[1])) ? 0xffffffffull : 0; }});
  }
  checkTable(rows, 307);
}

TEST(approximations) {
  checkApproximation("rcp.approx.f32", 0.5, 100, 1, 0, [](double x) { return 1 / x; });
  checkApproximation("sqrt.approx.f32", 0.01, 1000, 1, 0, [](double x) { return std::sqrt(x); });
  checkApproximation("rsqrt.approx.f32", 0.01, 1000, 2, 0, [](double x) { return 1 / std::sqrt(x); });
  checkApproximation("ex2.approx.ftz.f32", -120, 120, 2, 0, [](double x) { return std::exp2(x); });
  checkApproximation("lg2.approx.f32", 0.01, 1000, 1, std::ldexp(1.0, -22), [](double x) { return std::log2(x); });
  checkApproximation("sin.approx.f32", -3.1415, 3.1415, 0, std::ldexp(1.0, -20), [](double x) { return std::sin(x); });
  checkApproximation("cos.approx.f32", -3.1415, 3.1415, 0, std::ldexp(1.0, -20), [](double x) { return std::cos(x); });
  checkApproximation("tanh.approx.f32", -5, 5, 16384, 0, [](double x) { return std::tanh(x); });
}

// -infinity, -subnormal, -0, +0, +subnormal, +infinity, NaN, and a number whose low word does not count.
TEST(coarse_reciprocals_at_their_edges) {
  constexpr std::uint64_t infinity = 0x7ffull << 52, minus = 1ull << 63, quiet = 0x7fffffffull << 32;
  const std::vector<std::uint64_t> inputs{minus | infinity, minus | 1, minus, 0, 1, infinity, quiet | 1, 0x40100000'ffffffff};
  const std::vector<std::uint64_t> reciprocals{minus, minus | infinity, minus | infinity, infinity, infinity, 0, quiet, 0x3fd00000'00000000};
  const std::vector<std::uint64_t> roots{quiet, minus | infinity, minus | infinity, infinity, infinity, 0, quiet, 0x3fe00000'00000000};
  Device device;
  for (const bool root : {false, true}) {
    Program program(device, moduleText(std::string(".visible .entry k(.param .u64 in, .param .u64 out)\n{\n .reg .b32 %r;\n .reg .b64 %d<6>;\n ld.param.u64 %d0, [in];\n"
                                       " ld.param.u64 %d1, [out];\n mov.u32 %r, %tid.x;\n mul.wide.u32 %d2, %r, 8;\n add.u64 %d0, %d0, %d2;\n add.u64 %d1, %d1, %d2;\n"
                                       " ld.global.b64 %d3, [%d0];\n ") + (root ? "rsqrt" : "rcp") + ".approx.ftz.f64 %d4, %d3;\n st.global.b64 [%d1], %d4;\n ret;\n}\n"));
    const std::uint64_t out = device.zeros<std::uint64_t>(inputs.size());
    program.run("k", {1, 1, 1}, {unsigned(inputs.size()), 1, 1}, 0, device.upload(inputs), out);
    const auto got = device.download<std::uint64_t>(out, inputs.size());
    for (std::size_t n = 0; n < inputs.size(); ++n) CHECK_EQ(got[n], (root ? roots : reciprocals)[n]);
  }
}
