// IEEE arithmetic in float and double: bit for bit, in every rounding mode, with .ftz and .sat.
#include "corpus.h"

namespace cnn::conformance {
namespace {

struct Mode {
  const char* suffix;
  Rounding rounding;
};
constexpr Mode modes[] = {{".rn", Rounding::nearest}, {".rz", Rounding::zero}, {".rm", Rounding::down}, {".rp", Rounding::up}};

using Operation = Sum (*)(Wide, Wide, Wide, Rounding);

struct Form {
  const char* opcode;
  int operands;
  bool saturates;
  Operation operation;
};
constexpr Form forms[] = {
    {"add", 2, true, [](Wide a, Wide b, Wide, Rounding r) { return add(a, b, r); }},
    {"sub", 2, true, [](Wide a, Wide b, Wide, Rounding r) { return add(a, -b, r); }},
    {"mul", 2, true, [](Wide a, Wide b, Wide, Rounding) { return multiply(a, b); }},
    {"fma", 3, true, [](Wide a, Wide b, Wide c, Rounding r) { return fusedMultiplyAdd(a, b, c, r); }},
    {"mad", 3, true, [](Wide a, Wide b, Wide c, Rounding r) { return fusedMultiplyAdd(a, b, c, r); }},
    {"div", 2, false, [](Wide a, Wide b, Wide, Rounding) { return divide(a, b); }},
    {"rcp", 1, false, [](Wide a, Wide, Wide, Rounding) { return divide(1, a); }},
    {"sqrt", 1, false, [](Wide a, Wide, Wide, Rounding) { return squareRoot(a); }},
};

void addForm(Corpus& corpus, const Form& form, Type type, const Mode& mode, bool flush, bool saturate) {
  const std::string instruction = std::string(form.opcode) + mode.suffix + (flush ? ".ftz" : "") + (saturate ? ".sat" : "") + (type == Type::f32 ? ".f32" : ".f64");
  const Format& f = *formatOf(type);
  corpus.add("float", instruction, type, std::vector<Operand>(form.operands, Operand{type}), [&form, &f, mode, flush, saturate](const std::uint64_t* x) {
    Wide v[3] = {0, 0, 0};
    for (int i = 0; i < form.operands; ++i) v[i] = decode(f, flush ? flushed(f, x[i]) : x[i]);
    return encode(f, form.operation(v[0], v[1], v[2], mode.rounding), mode.rounding, flush, saturate);
  });
}

// The smaller or the larger; a number wins over NaN unless the instruction says otherwise; -0 is below +0.
std::uint64_t extreme(const Format& f, std::uint64_t a, std::uint64_t b, bool larger, bool keepNaN) {
  if (isNaN(f, a) && isNaN(f, b)) return a;
  if (isNaN(f, a) || isNaN(f, b)) return keepNaN ? (isNaN(f, a) ? a : b) : (isNaN(f, a) ? b : a);
  const Wide x = decode(f, a), y = decode(f, b);
  const bool less = x < y || (x == y && a > b);  // with equal values, the one with the sign bit
  return less == larger ? b : a;
}

void addSigns(Corpus& corpus, Type type, const std::string& suffix) {
  const Format& f = *formatOf(type);
  const std::uint64_t sign = std::uint64_t(1) << (f.storageBits - 1);
  corpus.add("float", "abs" + suffix, type, {{type}}, [sign](const std::uint64_t* x) { return x[0] & ~sign; });
  corpus.add("float", "neg" + suffix, type, {{type}}, [sign](const std::uint64_t* x) { return x[0] ^ sign; });
  corpus.add("float", "copysign" + suffix, type, {{type}, {type}}, [sign](const std::uint64_t* x) { return (x[1] & ~sign) | (x[0] & sign); });
  corpus.add("float", "min" + suffix, type, {{type}, {type}}, [&f](const std::uint64_t* x) { return extreme(f, x[0], x[1], false, false); });
  corpus.add("float", "max" + suffix, type, {{type}, {type}}, [&f](const std::uint64_t* x) { return extreme(f, x[0], x[1], true, false); });
}

bool classIs(const Format& f, const std::string& name, std::uint64_t x) {
  const std::uint64_t m = x & ~(std::uint64_t(1) << (f.storageBits - 1)), infinity = mask(f.exponentBits) << (f.precision - 1);
  if (name == "finite") return m < infinity;
  if (name == "infinite") return m == infinity;
  if (name == "number") return m <= infinity;
  if (name == "notanumber") return m > infinity;
  if (name == "subnormal") return isSubnormal(f, x);
  return m < infinity && !isSubnormal(f, x);  // normal; zeros are
}

}  // namespace

void addFloat(Corpus& corpus) {
  for (const Form& form : forms)
    for (const Mode& mode : modes) {
      addForm(corpus, form, Type::f32, mode, false, false);
      addForm(corpus, form, Type::f32, mode, true, false);
      addForm(corpus, form, Type::f64, mode, false, false);
      if (form.saturates) addForm(corpus, form, Type::f32, mode, false, true);
    }
  addSigns(corpus, Type::f32, ".f32");
  addSigns(corpus, Type::f64, ".f64");
  corpus.add("float", "min.NaN.f32", Type::f32, {{Type::f32}, {Type::f32}}, [](const std::uint64_t* x) { return extreme(f32, x[0], x[1], false, true); });
  corpus.add("float", "max.NaN.f32", Type::f32, {{Type::f32}, {Type::f32}}, [](const std::uint64_t* x) { return extreme(f32, x[0], x[1], true, true); });
  for (const auto& [type, suffix] : {std::pair{Type::f32, ".f32"}, {Type::f64, ".f64"}})
    for (const std::string name : {"finite", "infinite", "number", "notanumber", "normal", "subnormal"}) {
      const Format& f = *formatOf(type);
      corpus.addBody("float/testp." + name + suffix, "testp." + name + suffix + " %p1, %a; selp.u32 %o, 1, 0, %p1;", Type::u32, {{type}},
                     [&f, name](const Columns& in) {
        Column out(threads);
        for (unsigned t = 0; t < threads; ++t) out[t] = classIs(f, name, in[0][t]);
        return out;
      });
    }
}

}  // namespace cnn::conformance
