// Jitter moves approximate functions inside their documented bounds, the same way for the same number, and nothing else.
#include "table.h"

#include "machine/jitter.h"

#include <bit>
#include <cmath>

using namespace cnn::test;

namespace {

class WithJitter {
 public:
  explicit WithJitter(std::uint32_t jitter) : before_(cnn::emu::requestedJitter()) { cnn::emu::setJitter(jitter); }
  ~WithJitter() { cnn::emu::setJitter(before_); }

 private:
  std::uint32_t before_;
};

std::uint64_t bits(float x) { return std::bit_cast<std::uint32_t>(x); }
float value(std::uint64_t x) { return std::bit_cast<float>(std::uint32_t(x)); }

std::vector<std::uint64_t> compute(const std::string& opcode, const std::vector<std::uint64_t>& inputs, std::uint32_t jitter) {
  const WithJitter scope(jitter);
  return apply(opcode, "f32", {"f32"}, {inputs});
}

struct Function {
  const char* opcode;
  double low, high, relative, absolute;
  double (*exact)(double);
};
const Function functions[] = {
    {"rcp.approx.f32", 0.5, 100, 0x1p-23, 0, [](double x) { return 1 / x; }},
    {"sqrt.approx.f32", 0.01, 1000, 0x1p-23, 0, [](double x) { return std::sqrt(x); }},
    {"rsqrt.approx.f32", 0.01, 1000, 0x1.126p-23, 0, [](double x) { return 1 / std::sqrt(x); }},
    {"ex2.approx.ftz.f32", -100, 100, 0x1.4p-23, 0, [](double x) { return std::exp2(x); }},
    {"lg2.approx.f32", 0.51, 1.99, 0, 0x1p-22, [](double x) { return std::log2(x); }},
    {"lg2.approx.f32", 2, 1000, 0x1p-22, 0, [](double x) { return std::log2(x); }},
    {"sin.approx.f32", -6.2, 6.2, 0, 0x1.6a1p-21, [](double x) { return std::sin(x); }},
    {"cos.approx.f32", -6.2, 6.2, 0, 0x1.6a1p-21, [](double x) { return std::cos(x); }},
    {"tanh.approx.f32", -5, 5, 0x1p-11, 0, [](double x) { return std::tanh(x); }},
};

std::vector<std::uint64_t> grid(const Function& f) {
  std::vector<std::uint64_t> inputs;
  for (int n = 0; n < 1000; ++n) inputs.push_back(bits(float(f.low + (f.high - f.low) * (n + 0.37) / 1000)));
  return inputs;
}

}  // namespace

TEST(functions_use_their_bounds_and_keep_them) {
  for (const Function& f : functions) {
    const auto inputs = grid(f);
    double most = 0;
    for (const std::uint32_t jitter : {1u, 2u, 12345u}) {
      const auto results = compute(f.opcode, inputs, jitter);
      for (std::size_t n = 0; n < inputs.size(); ++n) {
        const double exact = f.exact(double(value(inputs[n]))), bound = f.relative * std::fabs(exact) + f.absolute;
        CHECK_NEAR(value(results[n]), exact, bound);
        most = std::max(most, std::fabs(value(results[n]) - exact) / bound);
      }
    }
    CHECK(most > 0.6);
  }
}

TEST(the_same_number_gives_the_same_bits) {
  for (const Function& f : functions) {
    const auto inputs = grid(f), once = compute(f.opcode, inputs, 3);
    CHECK(once == compute(f.opcode, inputs, 3));
    CHECK(once != compute(f.opcode, inputs, 4));
    CHECK(once != compute(f.opcode, inputs, 0));
  }
}

TEST(listed_results_do_not_move) {
  const auto at = [](const char* opcode, float x) { return compute(opcode, {bits(x)}, 9)[0]; };
  CHECK_EQ(at("ex2.approx.f32", 0.0f), bits(1.0f));
  CHECK_EQ(at("cos.approx.f32", -0.0f), bits(1.0f));
  CHECK_EQ(at("rcp.approx.f32", INFINITY), bits(0.0f));
  CHECK_EQ(at("rsqrt.approx.f32", 0.0f), bits(INFINITY));
  CHECK_EQ(at("lg2.approx.f32", 1.0f), bits(0.0f));
  CHECK_EQ(at("tanh.approx.f32", -INFINITY), bits(-1.0f));
  CHECK(std::isnan(value(at("sqrt.approx.f32", -1.0f))));
}

TEST(exact_instructions_do_not_move) {
  const std::vector<std::uint64_t> inputs = {bits(3.0f), bits(0.1f), bits(7e9f)};
  for (const char* opcode : {"rcp.rn.f32", "sqrt.rn.f32", "abs.f32"}) CHECK(compute(opcode, inputs, 5) == compute(opcode, inputs, 0));
}
