// Bits: and, or, xor, not, lop3, shifts, funnel shifts, counting, fields, byte permutation.
#include "corpus.h"

#include <bit>

namespace cnn::conformance {
namespace {

void addWidth(Corpus& corpus, int bits, Type u, Type s) {
  const std::string b = ".b" + std::to_string(bits), us = ".u" + std::to_string(bits), ss = ".s" + std::to_string(bits);
  corpus.add("logic", "and" + b, u, {{u}, {u}}, [](const std::uint64_t* x) { return x[0] & x[1]; });
  corpus.add("logic", "or" + b, u, {{u}, {u}}, [](const std::uint64_t* x) { return x[0] | x[1]; });
  corpus.add("logic", "xor" + b, u, {{u}, {u}}, [](const std::uint64_t* x) { return x[0] ^ x[1]; });
  corpus.add("logic", "not" + b, u, {{u}}, [bits](const std::uint64_t* x) { return ~x[0] & mask(bits); });
  // Shifts by the width and more empty the register, or fill it with the sign.
  corpus.add("logic", "shl" + b, u, {{u}, {Type::u32, Range::shift}},
             [bits](const std::uint64_t* x) { return x[1] >= std::uint64_t(bits) ? 0 : (x[0] << x[1]) & mask(bits); });
  corpus.add("logic", "shr" + us, u, {{u}, {Type::u32, Range::shift}},
             [bits](const std::uint64_t* x) { return x[1] >= std::uint64_t(bits) ? 0 : x[0] >> x[1]; });
  corpus.add("logic", "shr" + ss, s, {{s}, {Type::u32, Range::shift}}, [bits](const std::uint64_t* x) {
    const std::uint64_t by = x[1] >= std::uint64_t(bits) ? std::uint64_t(bits) - 1 : x[1];
    return std::uint64_t(signExtend(x[0], bits) >> by) & mask(bits);
  });
}

std::uint64_t reversed(std::uint64_t x, int bits) {
  std::uint64_t r = 0;
  for (int i = 0; i < bits; ++i) r |= (x >> i & 1) << (bits - 1 - i);
  return r;
}

// Position of the highest bit that differs from the sign, or all ones.
std::uint64_t highest(std::uint64_t x, int bits, bool isSigned) {
  if (isSigned && x >> (bits - 1) & 1) x = ~x & mask(bits);
  return x ? std::uint64_t(63 - std::countl_zero(x)) : mask(32);
}

std::uint64_t extracted(std::uint64_t value, std::uint64_t position, std::uint64_t length, int bits, bool isSigned) {
  position &= 255, length &= 255;
  const bool sign = isSigned && length > 0 && (value >> (position + length - 1 < std::uint64_t(bits) ? position + length - 1 : bits - 1) & 1);
  std::uint64_t result = 0;
  for (int i = 0; i < bits; ++i) {
    const std::uint64_t at = position + std::uint64_t(i);
    const bool bit = std::uint64_t(i) < length && at < std::uint64_t(bits) ? (value >> at & 1) : sign;
    result |= std::uint64_t(bit) << i;
  }
  return result;
}

void addCounting(Corpus& corpus, int bits, Type u, Type s) {
  const std::string b = ".b" + std::to_string(bits), us = ".u" + std::to_string(bits), ss = ".s" + std::to_string(bits);
  corpus.add("logic", "popc" + b, Type::u32, {{u}}, [](const std::uint64_t* x) { return std::uint64_t(std::popcount(x[0])); });
  corpus.add("logic", "clz" + b, Type::u32, {{u}}, [bits](const std::uint64_t* x) { return std::uint64_t(std::countl_zero(x[0]) - (64 - bits)); });
  corpus.add("logic", "brev" + b, u, {{u}}, [bits](const std::uint64_t* x) { return reversed(x[0], bits); });
  corpus.add("logic", "bfind" + us, Type::u32, {{u}}, [bits](const std::uint64_t* x) { return highest(x[0], bits, false); });
  corpus.add("logic", "bfind" + ss, Type::u32, {{s}}, [bits](const std::uint64_t* x) { return highest(x[0], bits, true); });
  corpus.add("logic", "bfe" + us, u, {{u}, {Type::u32, Range::shift}, {Type::u32, Range::shift}},
             [bits](const std::uint64_t* x) { return extracted(x[0], x[1], x[2], bits, false); });
  corpus.add("logic", "bfe" + ss, s, {{s}, {Type::u32, Range::shift}, {Type::u32, Range::shift}},
             [bits](const std::uint64_t* x) { return extracted(x[0], x[1], x[2], bits, true); });
  corpus.addBody("logic/bfi" + b, "bfi" + b + " %o, %a, %b, %c, 7;", u, {{u}, {u}, {Type::u32, Range::shift}}, [bits](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) {
      out[t] = in[1][t];
      for (std::uint64_t i = 0; i < 7 && in[2][t] + i < std::uint64_t(bits); ++i) {
        const std::uint64_t at = std::uint64_t(1) << (in[2][t] + i);
        out[t] = in[0][t] >> i & 1 ? out[t] | at : out[t] & ~at;
      }
    }
    return out;
  });
}

std::uint64_t permuted(std::uint64_t a, std::uint64_t b, std::uint64_t selector) {
  const std::uint64_t pool = (b << 32) | a;
  std::uint64_t result = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t pick = selector >> (4 * i) & 15, byte = pool >> (8 * (pick & 7)) & 255;
    result |= (pick & 8 ? (byte & 128 ? 255 : 0) : byte) << (8 * i);
  }
  return result;
}

}  // namespace

void addLogic(Corpus& corpus) {
  addWidth(corpus, 16, Type::u16, Type::s16);
  addWidth(corpus, 32, Type::u32, Type::s32);
  addWidth(corpus, 64, Type::u64, Type::s64);
  addCounting(corpus, 32, Type::u32, Type::s32);
  addCounting(corpus, 64, Type::u64, Type::s64);
  corpus.add("logic", "prmt.b32", Type::u32, {{Type::u32}, {Type::u32}, {Type::u32}},
             [](const std::uint64_t* x) { return permuted(x[0], x[1], x[2]); });
  for (const unsigned table : {0x80u, 0x96u, 0xe8u, 0xcau, 0x1bu}) {
    corpus.addBody("logic/lop3.b32 " + std::to_string(table), "lop3.b32 %o, %a, %b, %c, " + std::to_string(table) + ";", Type::u32,
                   {{Type::u32}, {Type::u32}, {Type::u32}}, [table](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t)
        for (int i = 0; i < 32; ++i) {
          const unsigned index = unsigned(in[0][t] >> i & 1) << 2 | unsigned(in[1][t] >> i & 1) << 1 | unsigned(in[2][t] >> i & 1);
          out[t] |= std::uint64_t(table >> index & 1) << i;
        }
      return out;
    });
  }
  // With a predicate: whether any bit is left, and another condition.
  for (const std::string op : {"or", "and"})
    for (const bool sink : {false, true})
      for (const bool negated : {false, true}) {
        Case& test = corpus.addBody("logic/lop3." + op + ".b32" + (sink ? " _|p" : "") + (negated ? " !q" : ""),
                                    "setp.gt.u32 %p2, %c, 0x7fffffff; setp.ne.u32 %p1, %c, %c; mov.u32 %r8, 0; lop3." + op + ".b32 " + (sink ? "_" : "%r8") + "|%p1, %a, %b, %c, 0x80, "
                                    + (negated ? "!" : "") + "%p2; selp.u32 %r9, 1, 0, %p1; xor.b32 %o, %r8, %r9;", Type::u32, {{Type::u32}, {Type::u32}, {Type::u32}},
                                    [op, sink, negated](const Columns& in) {
          Column out(threads);
          for (unsigned t = 0; t < threads; ++t) {
            const std::uint64_t all = in[0][t] & in[1][t] & in[2][t];
            const bool q = (in[2][t] > 0x7fffffff) != negated, any = all != 0;
            out[t] = (sink ? 0 : all) ^ std::uint64_t(op == "or" ? any || q : any && q);
          }
          return out;
        });
        test.ptx = 82;
      }
  const std::vector<Operand> funnel = {{Type::u32}, {Type::u32}, {Type::u32, Range::shift}};
  const auto pair = [](const std::uint64_t* x) { return x[1] << 32 | x[0]; };
  corpus.add("logic", "shf.l.wrap.b32", Type::u32, funnel, [pair](const std::uint64_t* x) { return (pair(x) << (x[2] & 31)) >> 32; });
  corpus.add("logic", "shf.r.wrap.b32", Type::u32, funnel, [pair](const std::uint64_t* x) { return (pair(x) >> (x[2] & 31)) & mask(32); });
  corpus.add("logic", "shf.l.clamp.b32", Type::u32, funnel,
             [pair](const std::uint64_t* x) { return x[2] >= 32 ? x[0] : (pair(x) << x[2]) >> 32; });
  corpus.add("logic", "shf.r.clamp.b32", Type::u32, funnel,
             [pair](const std::uint64_t* x) { return x[2] >= 32 ? x[1] : (pair(x) >> x[2]) & mask(32); });
}

}  // namespace cnn::conformance
