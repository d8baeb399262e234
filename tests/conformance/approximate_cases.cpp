// Approximate functions: the reference in double (or 113 bits), the documented error as the bound.
#include "corpus.h"

#include <cmath>

namespace cnn::conformance {
namespace {

void addFunction(Corpus& corpus, const std::string& instruction, Range range, double (*function)(double), std::uint64_t ulps, double absolute = 0) {
  Case& added = corpus.add("approximate", instruction, Type::f32, {{Type::f32, range}},
                           [function](const std::uint64_t* x) { return encode(f32, {Wide(function(double(decode(f32, x[0]))))}); });
  added.ulps = ulps;
  added.absolute = absolute;
}

}  // namespace

// Bounds as the PTX ISA states them: relative ones in ulps of the float result, 2^-22 being 2 to 4 of them.
void addApproximate(Corpus& corpus) {
  addFunction(corpus, "rcp.approx.f32", Range::moderate, [](double x) { return 1 / x; }, 1);
  addFunction(corpus, "rcp.approx.ftz.f32", Range::moderate, [](double x) { return 1 / x; }, 1);
  addFunction(corpus, "sqrt.approx.f32", Range::positive, [](double x) { return std::sqrt(x); }, 4);
  addFunction(corpus, "rsqrt.approx.f32", Range::positive, [](double x) { return 1 / std::sqrt(x); }, 4);
  addFunction(corpus, "ex2.approx.f32", Range::exponent, [](double x) { return std::exp2(x); }, 4);
  addFunction(corpus, "ex2.approx.ftz.f32", Range::exponent, [](double x) { return std::exp2(x); }, 4);
  addFunction(corpus, "lg2.approx.f32", Range::positive, [](double x) { return std::log2(x); }, 4, 0x1p-22);
  addFunction(corpus, "sin.approx.f32", Range::angle, [](double x) { return std::sin(x); }, 0, 0x1p-20);
  addFunction(corpus, "cos.approx.f32", Range::angle, [](double x) { return std::cos(x); }, 0, 0x1p-20);
  addFunction(corpus, "tanh.approx.f32", Range::exponent, [](double x) { return std::tanh(x); }, 1 << 13);
  Case& quotient = corpus.add("approximate", "div.approx.f32", Type::f32, {{Type::f32, Range::moderate}, {Type::f32, Range::moderate}},
                              [](const std::uint64_t* x) { return encode(f32, divide(decode(f32, x[0]), decode(f32, x[1]))); });
  quotient.ulps = 2;
  Case& full = corpus.add("approximate", "div.full.f32", Type::f32, {{Type::f32, Range::moderate}, {Type::f32, Range::moderate}},
                          [](const std::uint64_t* x) { return encode(f32, divide(decode(f32, x[0]), decode(f32, x[1]))); });
  full.ulps = 2;
  // Of double precision only the upper words take part: 20 bits of mantissa in, 20 out, below them zeros.
  for (const bool root : {false, true}) {
    const std::string name = root ? "rsqrt.approx.ftz.f64" : "rcp.approx.ftz.f64";
    const Range range = root ? Range::positive : Range::moderate;
    const auto upper = [root](const std::uint64_t* x) {
      const Wide v = decode(f64, x[0] & ~mask(32));
      return encode(f64, divide(1, root ? squareRoot(v).value : v)) & ~mask(32);
    };
    Case& coarse = corpus.add("approximate", name, Type::f64, {{Type::f64, range}}, upper);
    coarse.ulps = std::uint64_t(4) << 32;
    corpus.addBody("approximate/" + name + ".low", name + " %d8, %a; mov.b64 {%o, %r9}, %d8;", Type::u32, {{Type::f64}}, [](const Columns&) { return Column(threads); });
  }
  Case& half = corpus.add("approximate", "tanh.approx.f16", Type::f16, {{Type::f16, Range::exponent}},
                          [](const std::uint64_t* x) { return encode(f16, {Wide(std::tanh(double(decode(f16, x[0]))))}); });
  half.absolute = 0x1p-10;
  half.ulps = 1;
  Case& halfPower = corpus.add("approximate", "ex2.approx.f16", Type::f16, {{Type::f16, Range::exponent}},
                               [](const std::uint64_t* x) { return encode(f16, {Wide(std::exp2(double(decode(f16, x[0]))))}); });
  halfPower.ulps = 2;
  // Of doubles, to the precision of a float.
  corpus.add("approximate", "rsqrt.approx.f64", Type::f64, {{Type::f64, Range::positive}},
             [](const std::uint64_t* x) { return encode(f64, divide(1, squareRoot(decode(f64, x[0])).value)); }).ulps = std::uint64_t(1) << 31;
  Case& brain = corpus.add("approximate", "tanh.approx.bf16", Type::bf16, {{Type::bf16, Range::exponent}},
                           [](const std::uint64_t* x) { return encode(bf16, {Wide(std::tanh(double(decode(bf16, x[0]))))}); });
  brain.absolute = 0x1p-8;
  brain.ulps = 1;
  brain.sm = 90;
  Case& brainPower = corpus.add("approximate", "ex2.approx.ftz.bf16", Type::bf16, {{Type::bf16, Range::exponent}},
                                [](const std::uint64_t* x) { return encode(bf16, {Wide(std::exp2(double(decode(bf16, x[0]))))}); });
  brainPower.ulps = 2;
  brainPower.sm = 90;
}

}  // namespace cnn::conformance
