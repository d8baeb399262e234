// cvt between all types, with the rounding modes that each pair allows, and saturation.
#include "corpus.h"

namespace cnn::conformance {
namespace {

struct Named {
  Type type;
  const char* name;
  bool isSigned;
};
constexpr Named integers[] = {{Type::u8, "u8", false},   {Type::s8, "s8", true},   {Type::u16, "u16", false}, {Type::s16, "s16", true},
                              {Type::u32, "u32", false}, {Type::s32, "s32", true}, {Type::u64, "u64", false}, {Type::s64, "s64", true}};
constexpr Named reals[] = {{Type::f16, "f16", true}, {Type::f32, "f32", true}, {Type::f64, "f64", true}};

struct Mode {
  const char* suffix;
  Rounding rounding;
};
constexpr Mode toReal[] = {{".rn", Rounding::nearest}, {".rz", Rounding::zero}, {".rm", Rounding::down}, {".rp", Rounding::up}};
constexpr Mode toInteger[] = {{".rni", Rounding::nearest}, {".rzi", Rounding::zero}, {".rmi", Rounding::down}, {".rpi", Rounding::up}};

Wide integerValue(const Named& n, std::uint64_t x) {
  const int bits = bitsOf(n.type);
  return n.isSigned ? Wide(signExtend(x & mask(bits), bits)) : Wide(x & mask(bits));
}

// 2^n, n small.
Wide power(int n) { return n < 0 ? 1 / power(-n) : n == 0 ? Wide(1) : 2 * power(n - 1); }

std::uint64_t clamped(const Named& n, Wide value) {
  const int bits = bitsOf(n.type);
  const Wide least = n.isSigned ? -power(bits - 1) : Wide(0), most = power(n.isSigned ? bits - 1 : bits) - 1;
  if (value <= least) return (n.isSigned ? std::uint64_t(1) << (bits - 1) : 0) & mask(bits);
  if (value >= most) return mask(n.isSigned ? bits - 1 : bits);
  __extension__ using Int = __int128;
  return std::uint64_t(Int(value)) & mask(bits);
}

// To the nearest integer of the mode, still as a wide number. 113 bits hold every value below 2^64 and its fraction.
Wide integral(Wide x, Rounding rounding) {
  if (x != x || x >= power(70) || x <= -power(70)) return x;
  __extension__ using Int = __int128;
  const Int below = Int(x) - (Wide(Int(x)) > x ? 1 : 0);  // floor
  const Wide fraction = x - Wide(below), half = Wide(1) / 2;
  bool up = false;
  switch (rounding) {
    case Rounding::down: up = false; break;
    case Rounding::up: up = fraction > 0; break;
    case Rounding::zero: up = fraction > 0 && x < 0; break;
    case Rounding::nearest: up = fraction > half || (fraction == half && below % 2 != 0); break;
  }
  return Wide(below + (up ? 1 : 0));
}

// Whether every value of `from` is one of `to`: then .sat has nothing to do and is no modifier.
bool fits(const Named& from, const Named& to) {
  const int fromBits = bitsOf(from.type), toBits = bitsOf(to.type);
  if (from.isSigned) return to.isSigned && fromBits <= toBits;
  return to.isSigned ? fromBits < toBits : fromBits <= toBits;
}

void addIntegerToInteger(Corpus& corpus) {
  for (const Named& to : integers)
    for (const Named& from : integers)
      for (const bool saturate : {false, true}) {
        const std::string instruction = std::string("cvt") + (saturate ? ".sat." : ".") + to.name + "." + from.name;
        if (saturate && fits(from, to)) continue;
        corpus.add("conversion", instruction, to.type, {{from.type}}, [to, from, saturate](const std::uint64_t* x) {
          if (saturate) return clamped(to, integerValue(from, x[0]));
          const int bits = bitsOf(from.type);
          const std::uint64_t wide = from.isSigned ? std::uint64_t(signExtend(x[0] & mask(bits), bits)) : x[0] & mask(bits);
          return wide & mask(bitsOf(to.type));
        });
      }
}

void addIntegerToReal(Corpus& corpus) {
  for (const Named& to : reals)
    for (const Named& from : integers)
      for (const Mode& mode : toReal) {
        const Format& f = *formatOf(to.type);
        corpus.add("conversion", std::string("cvt") + mode.suffix + "." + to.name + "." + from.name, to.type, {{from.type}},
                   [&f, from, mode](const std::uint64_t* x) { return encode(f, {integerValue(from, x[0])}, mode.rounding); });
      }
}

// Out of range gives the nearest end of the range. NaN gives 0 for types up to 32 bits.
void addRealToInteger(Corpus& corpus) {
  for (const Named& to : integers)
    for (const Named& from : reals)
      for (const Mode& mode : toInteger) {
        const Format& f = *formatOf(from.type);
        // NaN to 64 bits, and from double, is a value of its own; those inputs are moderate.
        const Range range = bitsOf(to.type) == 64 || from.type == Type::f64 ? Range::moderate : Range::any;
        corpus.add("conversion", std::string("cvt") + mode.suffix + "." + to.name + "." + from.name, to.type, {{from.type, range}},
                   [&f, to, mode](const std::uint64_t* x) {
          const Wide value = decode(f, x[0]);
          return value != value ? 0 : clamped(to, integral(value, mode.rounding));
        });
      }
}

void addRealToReal(Corpus& corpus) {
  for (const Named& to : reals)
    for (const Named& from : reals) {
      const Format &f = *formatOf(to.type), &g = *formatOf(from.type);
      const std::string names = std::string(".") + to.name + "." + from.name;
      if (f.precision > g.precision) {
        corpus.add("conversion", "cvt" + names, to.type, {{from.type}}, [&f, &g](const std::uint64_t* x) { return encode(f, {decode(g, x[0]), 0, x[0] != 0 && decode(g, x[0]) == 0}); });
      } else if (f.precision < g.precision) {
        for (const Mode& mode : toReal)
          corpus.add("conversion", std::string("cvt") + mode.suffix + names, to.type, {{from.type}},
                     [&f, &g, mode](const std::uint64_t* x) { return encode(f, {decode(g, x[0]), 0, x[0] != 0 && decode(g, x[0]) == 0}, mode.rounding); });
      } else {
        for (const Mode& mode : toInteger)
          corpus.add("conversion", std::string("cvt") + mode.suffix + names, to.type, {{from.type}}, [&f, mode](const std::uint64_t* x) {
            const std::uint64_t sign = x[0] & std::uint64_t(1) << (f.storageBits - 1);
            return encode(f, {integral(decode(f, x[0]), mode.rounding), 0, sign != 0}, Rounding::nearest);
          });
      }
    }
  corpus.add("conversion", "cvt.sat.f32.f32", Type::f32, {{Type::f32}},
             [](const std::uint64_t* x) { return encode(f32, {decode(f32, x[0])}, Rounding::nearest, false, true); });
}

std::uint64_t toBf16(std::uint64_t x, Rounding rounding) { return encode(bf16, {decode(f32, x), 0, x >> 31 != 0}, rounding); }

std::uint64_t toF16(std::uint64_t x, Rounding rounding) { return encode(f16, {decode(f32, x), 0, x >> 31 != 0}, rounding); }

// The first operand goes to the upper half.
void addPacked(Corpus& corpus) {
  for (const Mode& mode : {toReal[0], toReal[1]}) {
    corpus.add("conversion", std::string("cvt") + mode.suffix + ".bf16.f32", Type::bf16, {{Type::f32}}, [mode](const std::uint64_t* x) { return toBf16(x[0], mode.rounding); });
    corpus.add("conversion", std::string("cvt") + mode.suffix + ".bf16x2.f32", Type::bf16x2, {{Type::f32}, {Type::f32}},
               [mode](const std::uint64_t* x) { return toBf16(x[0], mode.rounding) << 16 | toBf16(x[1], mode.rounding); });
    corpus.add("conversion", std::string("cvt") + mode.suffix + ".f16x2.f32", Type::f16x2, {{Type::f32}, {Type::f32}},
               [mode](const std::uint64_t* x) { return toF16(x[0], mode.rounding) << 16 | toF16(x[1], mode.rounding); });
  }
  corpus.add("conversion", "cvt.rn.relu.bf16x2.f32", Type::bf16x2, {{Type::f32}, {Type::f32}}, [](const std::uint64_t* x) {
    const auto half = [](std::uint64_t v) { const std::uint64_t h = toBf16(v, Rounding::nearest); return h >> 15 && !isNaN(bf16, h) ? 0 : h; };
    return half(x[0]) << 16 | half(x[1]);
  });
  // To the nearest tf32, ties away from zero; the 13 bits below are not specified.
  for (const std::string finite : {"", ".satfinite"})  // which numbers of moderate size do not meet
    corpus.addBody("conversion/cvt.rna" + finite + ".tf32.f32", "cvt.rna" + finite + ".tf32.f32 %o, %a; and.b32 %o, %o, 0xffffe000;", Type::u32, {{Type::f32, Range::moderate}},
                   [](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = (in[0][t] + 0x1000) & 0xffffe000;
      return out;
    }).ptx = finite.empty() ? 80 : 81;
}

// A source register wider than its type gives its low bits.
void addWideSources(Corpus& corpus) {
  for (const Named& from : {integers[0], integers[3], integers[4], integers[5]})
    for (const Named& to : {integers[2], integers[5], integers[7]})
      corpus.add("conversion", std::string("cvt.") + to.name + "." + from.name + " from 64 bits", to.type, {{Type::u64}}, [to, from](const std::uint64_t* x) {
        const int bits = bitsOf(from.type);
        return (from.isSigned ? std::uint64_t(signExtend(x[0] & mask(bits), bits)) : x[0] & mask(bits)) & mask(bitsOf(to.type));
      }).body = std::string("cvt.") + to.name + "." + from.name + " %o, %a;";
  corpus.add("conversion", "cvt.rn.f32.s32 from 64 bits", Type::f32, {{Type::u64}}, [](const std::uint64_t* x) {
    return encode(f32, {Wide(signExtend(x[0] & mask(32), 32))});
  }).body = "cvt.rn.f32.s32 %o, %a;";
}

// Two saturated integers at the bottom, the second lowest; the third operand moves up to make room.
void addPacking(Corpus& corpus) {
  struct Form { const char* type; int bits; bool isSigned; };
  for (const Form& form : {Form{"u16", 16, false}, {"s16", 16, true}, {"u8", 8, false}, {"s8", 8, true}, {"u4", 4, false}, {"s4", 4, true}, {"u2", 2, false}, {"s2", 2, true}}) {
    const bool three = form.bits < 16;
    for (const bool small : {false, true}) {
      const auto element = [form](std::uint64_t x) {
        const std::int64_t least = form.isSigned ? -(std::int64_t(1) << (form.bits - 1)) : 0, most = least + (std::int64_t(1) << form.bits) - 1;
        const std::int64_t value = signExtend(x, 32);
        return std::uint64_t(value < least ? least : value > most ? most : value) & mask(form.bits);
      };
      std::vector<Operand> operands(2, {Type::s32, small ? Range::lane : Range::any});
      if (three) operands.push_back({Type::u32});
      corpus.add("conversion", std::string("cvt.pack.sat.") + form.type + ".s32" + (three ? ".b32" : "") , Type::u32, operands, [=](const std::uint64_t* x) {
        const std::uint64_t pair = element(x[0]) << form.bits | element(x[1]);
        return three ? (x[2] << 2 * form.bits | pair) & mask(32) : pair;
      }).name += small ? " small" : "";
    }
  }
}

// bf16 from and to everything else.
void addBrain(Corpus& corpus) {
  const auto add = [&](const std::string& instruction, Type to, Operand from, Scalar f) { corpus.add("conversion", instruction, to, {from}, std::move(f)).sm = 90; };
  for (const Named& n : integers) {
    if (bitsOf(n.type) == 8) continue;  // wants a register of 8 bits, which the operands of the corpus are not
    for (const Mode& mode : toReal)
      add(std::string("cvt") + mode.suffix + ".bf16." + n.name, Type::bf16, {n.type}, [n, mode](const std::uint64_t* x) { return encode(bf16, {integerValue(n, x[0])}, mode.rounding); });
    for (const Mode& mode : toInteger)
      add(std::string("cvt") + mode.suffix + "." + n.name + ".bf16", n.type, {Type::bf16, Range::moderate},
          [n, mode](const std::uint64_t* x) { return clamped(n, integral(decode(bf16, x[0]), mode.rounding)); });
  }
  for (const Mode& mode : toReal) {
    for (const Named& real : {reals[0], reals[2]})
      add(std::string("cvt") + mode.suffix + ".bf16." + real.name, Type::bf16, {real.type, Range::moderate},
          [real, mode](const std::uint64_t* x) { return encode(bf16, {decode(*formatOf(real.type), x[0])}, mode.rounding); });
    add(std::string("cvt") + mode.suffix + ".f16.bf16", Type::f16, {Type::bf16, Range::moderate}, [mode](const std::uint64_t* x) { return encode(f16, {decode(bf16, x[0])}, mode.rounding); });
  }
  for (const Mode& mode : {toReal[2], toReal[3]})
    add(std::string("cvt") + mode.suffix + ".bf16.f32", Type::bf16, {Type::f32, Range::moderate}, [mode](const std::uint64_t* x) { return encode(bf16, {decode(f32, x[0])}, mode.rounding); });
  for (const Mode& mode : toInteger)
    add(std::string("cvt") + mode.suffix + ".bf16.bf16", Type::bf16, {Type::bf16, Range::moderate}, [mode](const std::uint64_t* x) {
      const Wide whole = integral(decode(bf16, x[0]), mode.rounding);
      return encode(bf16, {whole, 0, (x[0] & 0x8000) != 0});
    });
  add("cvt.f64.bf16", Type::f64, {Type::bf16, Range::moderate}, [](const std::uint64_t* x) { return encode(f64, {decode(bf16, x[0])}); });
  corpus.add("conversion", "cvt.f32.bf16", Type::f32, {{Type::bf16}}, [](const std::uint64_t* x) { return x[0] << 16; });
  constexpr Format tf32{11, 8, 19};
  for (const Mode& mode : {toReal[0], toReal[1]})
    for (const bool relu : {false, true})
      corpus.add("conversion", std::string("cvt") + mode.suffix + (relu ? ".relu" : "") + ".tf32.f32", Type::u32, {{Type::f32, Range::moderate}}, [=](const std::uint64_t* x) {
        const std::uint64_t bits = encode(tf32, {decode(f32, x[0])}, mode.rounding) << 13;
        return relu && bits >> 31 ? 0 : bits;
      }).sm = 90;
}

// ---- floats of eight bits: found among all their values ------------------------------------------------------------

struct Byte {
  const char* name;
  unsigned largest;                       // code of the largest finite number
  double (*value)(unsigned magnitude);
};
double valueE4m3(unsigned m) {
  if (m == 0x7f) return __builtin_nan("");
  return m < 8 ? m * 0x1p-9 : (8 + m % 8) * __builtin_exp2(int(m / 8) - 10);
}
double valueE5m2(unsigned m) {
  if (m > 0x7b) return m == 0x7c ? __builtin_inf() : __builtin_nan("");
  return m < 4 ? m * 0x1p-16 : (4 + m % 4) * __builtin_exp2(int(m / 4) - 17);
}
constexpr Byte byteFormats[] = {{"e4m3x2", 0x7e, valueE4m3}, {"e5m2x2", 0x7b, valueE5m2}};

// The nearest, of two equally near the even one; beyond the largest, the largest.
std::uint64_t toByte(const Byte& b, double x, bool relu) {
  const double magnitude = x < 0 ? -x : x;
  unsigned best = 0;
  for (unsigned m = 1; m <= b.largest; ++m) {
    const double here = __builtin_fabs(b.value(m) - magnitude), there = __builtin_fabs(b.value(best) - magnitude);
    if (here < there || (here == there && m % 2 == 0)) best = m;
  }
  return x < 0 ? (relu ? 0 : best | 0x80) : best;
}

std::uint64_t fromByte(const Byte& b, std::uint64_t code, bool relu) {
  const double value = b.value(unsigned(code & 0x7f));
  if (code & 0x80 && value == value) return relu ? 0 : encode(f16, {Wide(-value), 0, true});
  return encode(f16, {Wide(value)});
}

void addBytes(Corpus& corpus) {
  for (const Byte& b : byteFormats)
    for (const std::string relu : {"", ".relu"})
      for (const auto& [sm, ptx] : {std::pair{89, 81}, {90, 80}}) {
        const bool positive = !relu.empty();
        const std::string to = "cvt.rn.satfinite" + relu + "." + b.name;
        const auto add = [&](const std::string& instruction, Type result, std::vector<Operand> operands, Scalar f) {
          Case& test = corpus.add("conversion", instruction, result, std::move(operands), std::move(f));
          test.name += " PTX " + std::to_string(ptx);
          test.sm = sm;
          test.ptx = ptx;
        };
        add(to + ".f32", Type::u16, {{Type::f32, Range::moderate}, {Type::f32, Range::moderate}}, [=](const std::uint64_t* x) {
          return toByte(b, double(decode(f32, x[0])), positive) << 8 | toByte(b, double(decode(f32, x[1])), positive);
        });
        add(to + ".f16x2", Type::u16, {{Type::f16x2, Range::moderate}}, [=](const std::uint64_t* x) {
          return toByte(b, double(decode(f16, x[0] >> 16)), positive) << 8 | toByte(b, double(decode(f16, x[0] & 0xffff)), positive);
        });
        add("cvt.rn" + relu + ".f16x2." + b.name, Type::f16x2, {{Type::u16}}, [=](const std::uint64_t* x) {
          return fromByte(b, x[0] >> 8, positive) << 16 | fromByte(b, x[0] & 255, positive);
        });
      }
}

}  // namespace

void addConversion(Corpus& corpus) {
  addIntegerToInteger(corpus);
  addIntegerToReal(corpus);
  addRealToInteger(corpus);
  addRealToReal(corpus);
  addPacked(corpus);
  addWideSources(corpus);
  addPacking(corpus);
  addBrain(corpus);
  addBytes(corpus);
}

}  // namespace cnn::conformance
