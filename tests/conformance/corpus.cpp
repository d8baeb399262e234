#include "corpus.h"

#include "whole_block.h"

#include <algorithm>
#include <array>
#include <random>

namespace cnn::conformance {

int bitsOf(Type type) {
  switch (type) {
    case Type::u8: case Type::s8: case Type::e4m3: case Type::e5m2: return 8;
    case Type::u16: case Type::s16: case Type::f16: case Type::bf16: return 16;
    case Type::u64: case Type::s64: case Type::f64: return 64;
    default: return 32;
  }
}

int registerBits(Type type) { return bitsOf(type) == 8 ? 16 : bitsOf(type); }

const Format* formatOf(Type type) {
  switch (type) {
    case Type::f16: case Type::f16x2: return &f16;
    case Type::bf16: case Type::bf16x2: return &bf16;
    case Type::e4m3: return &e4m3;
    case Type::e5m2: return &e5m2;
    case Type::f32: return &f32;
    case Type::f64: return &f64;
    default: return nullptr;
  }
}

Case& Corpus::addBody(const std::string& name, const std::string& body, Type result, std::vector<Operand> operands,
                      std::function<Column(const Columns&)> expected) {
  Case added;
  added.name = name;
  added.body = body;
  added.result = result;
  added.operands = std::move(operands);
  added.expected = std::move(expected);
  cases.push_back(std::move(added));
  return cases.back();
}

Case& Corpus::add(const std::string& family, const std::string& instruction, Type result, std::vector<Operand> operands, Scalar expected) {
  constexpr const char* names[] = {", %a", ", %b", ", %c"};
  std::string body = instruction + " %o";
  for (std::size_t i = 0; i < operands.size(); ++i) body += names[i];
  return addBody(family + "/" + instruction, body + ";", result, std::move(operands), [expected](const Columns& columns) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) {
      std::array<std::uint64_t, 3> values{};
      for (std::size_t i = 0; i < columns.size(); ++i) values[i] = columns[i][t];
      out[t] = expected(values.data());
    }
    return out;
  });
}

Corpus makeCorpus() {
  Corpus corpus;
  addInteger(corpus);
  addLogic(corpus);
  addWord(corpus);
  addCompare(corpus);
  addFloat(corpus);
  addHalf(corpus);
  addConversion(corpus);
  addApproximate(corpus);
  addMemory(corpus);
  addAtomic(corpus);
  addAtomicVector(corpus);
  addWarp(corpus);
  addMatrix(corpus);
  addFragment(corpus);
  addBlockSync(corpus);
  addControl(corpus);
  addCache(corpus);
  addAsyncCopy(corpus);
  addMbarrier(corpus);
  addBulk(corpus);
  addTensor(corpus);
  addCluster(corpus);
  addWarpgroup(corpus);
  return corpus;
}

std::uint64_t hashOf(const std::string& text) {
  std::uint64_t hash = 14695981039346656037u;  // FNV-1a
  for (const unsigned char c : text) hash = (hash ^ c) * 1099511628211u;
  return hash;
}

namespace {

std::string bits(int count) { return std::to_string(count); }

// Address of this thread's element of array `name`, in %d1.
std::string address(const std::string& name, Type type) {
  return "  ld.param.u64 %d1, [" + name + "];\n  cvta.to.global.u64 %d1, %d1;\n  mul.wide.u32 %d2, %r1, " + bits(bitsOf(type) / 8)
         + ";\n  add.s64 %d1, %d1, %d2;\n";
}

std::string memoryType(Type type) { return (bitsOf(type) == 8 ? "u" : "b") + bits(bitsOf(type)); }

}  // namespace

std::string ptxHeader(const Case& test) {
  return "// " + test.name + "\n.version " + bits(test.ptx / 10) + "." + bits(test.ptx % 10) + "\n.target sm_" + bits(test.sm) + (test.specific ? "a" : "")
         + "\n.address_size 64\n" + test.declarations;
}

std::string ptxOf(const Case& test) {
  constexpr const char* registers[] = {"%a", "%b", "%c"};
  if (test.whole) return wholeBlockPtx(test);
  std::string text = ptxHeader(test) + "\n.visible .entry k(.param .u64 out";
  for (std::size_t i = 0; i < test.operands.size(); ++i) text += ", .param .u64 in" + bits(int(i));
  text += ") {\n  .reg .pred %p<8>;\n  .reg .b16 %h<32>;\n  .reg .b32 %r<64>;\n  .reg .b64 %d<32>;\n";
  text += "  .reg .b" + bits(registerBits(test.result)) + " %o;\n";
  for (std::size_t i = 0; i < test.operands.size(); ++i)
    text += "  .reg .b" + bits(registerBits(test.operands[i].type)) + " " + registers[i] + ";\n";
  text += "  mov.u32 %r1, %tid.x;\n";
  for (std::size_t i = 0; i < test.operands.size(); ++i) {
    const Type type = test.operands[i].type;
    text += address("in" + bits(int(i)), type) + "  ld.global." + memoryType(type) + " " + registers[i] + ", [%d1];\n";
  }
  text += "  " + test.body + "\n" + address("out", test.result) + "  st.global." + memoryType(test.result) + " [%d1], %o;\n  ret;\n}\n";
  return text;
}

namespace {

// Values at which integer and floating-point code tends to go wrong.
std::uint64_t edge(Type type, unsigned which) {
  const int width = bitsOf(type);
  if (const Format* f = formatOf(type); f && f->storageBits == width) {
    const std::uint64_t one = std::uint64_t(f->bias()) << (f->precision - 1), sign = std::uint64_t(1) << (width - 1);
    const std::uint64_t infinity = mask(f->exponentBits) << (f->precision - 1);
    const std::uint64_t values[] = {0, sign, one, one | sign, infinity, infinity | sign, infinity + 1 + infinity / 2 % 4, 1, sign | 1,
                                    infinity - 1, std::uint64_t(1) << (f->precision - 1), one + 1, one - 1};
    return values[which % std::size(values)];
  }
  const std::uint64_t values[] = {0, 1, mask(width), mask(width - 1), std::uint64_t(1) << (width - 1), 2, mask(width) - 1, width - 1u};
  return values[which % std::size(values)];
}

std::uint64_t fromDouble(Type type, double value) { return encode(*formatOf(type), {Wide(value)}); }

std::uint64_t drawFloat(Type type, Range range, std::mt19937_64& random) {
  std::uniform_real_distribution<double> unit(-1, 1);
  const double sign = random() % 2 ? 1 : -1, x = unit(random);
  switch (range) {
    case Range::positive: return fromDouble(type, __builtin_exp2(x * (bitsOf(type) == 16 ? 5 : 20)));
    case Range::angle: return fromDouble(type, x * 3.14);
    case Range::exponent: return fromDouble(type, x * (bitsOf(type) == 16 ? 8 : 20));
    default: return fromDouble(type, sign * __builtin_exp2(x * (bitsOf(type) == 16 ? 5 : 20)));
  }
}

std::uint64_t draw(const Operand& operand, unsigned thread, unsigned index, std::mt19937_64& random) {
  const Type type = operand.type;
  const std::uint64_t pattern = random() & mask(bitsOf(type));
  const bool packed = type == Type::f16x2 || type == Type::bf16x2;
  if (packed) {
    const Operand half{type == Type::f16x2 ? Type::f16 : Type::bf16, operand.range};
    const std::uint64_t low = draw(half, thread, index, random);
    return low | draw(half, thread + 5, index + 1, random) << 16;
  }
  switch (operand.range) {
    case Range::shift: return random() % 71;
    case Range::lane: return random() % 32;
    case Range::byte: return random() % 256;
    case Range::small:
      if (!formatOf(type)) return std::uint64_t(std::int64_t(random() % 17) - 8) & mask(bitsOf(type));
      return fromDouble(type, double(std::int64_t(random() % 17) - 8));
    case Range::nonzero: return pattern ? pattern : 1;
    case Range::any:
      // The first threads meet every pair of edges; after that half the values are of ordinary size.
      if (thread < 80) return edge(type, index == 0 ? thread : thread * 7 + thread / 13 + index);
      if (formatOf(type) && thread % 2) return drawFloat(type, Range::moderate, random);
      return pattern;
    default: return drawFloat(type, operand.range, random);
  }
}

}  // namespace

Columns inputsOf(const Case& test) {
  std::mt19937_64 random(hashOf(test.name));
  Columns columns;
  std::size_t longest = 0;
  for (const Operand& operand : test.operands) {
    columns.emplace_back(operand.count);
    longest = std::max(longest, operand.count);
  }
  for (std::size_t t = 0; t < longest; ++t)
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (t < columns[i].size()) columns[i][t] = draw(test.operands[i], unsigned(t), unsigned(i), random);
  return columns;
}

}  // namespace cnn::conformance
