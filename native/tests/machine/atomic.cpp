// Atomics: every operation and type in every space; what is left in memory and what `atom` returns.
#include "table.h"

#include <algorithm>
#include <bit>

using namespace cnn::test;

namespace {

using Word = std::uint64_t;
constexpr unsigned threads = 64;

struct Operation {
  std::string form, type;  // "add", "u32"
  unsigned operands;       // 2 for compare-and-swap
  bool hasReduction;       // `red` knows it too
  std::function<Word(Word old, Word a, Word b)> result;
  std::string suffix() const { return "." + form + "." + type; }
};

// %at becomes the address of this thread's word: in the tile, or in the array of words in global memory.
struct Space {
  std::string suffix, address;
};
const Space spaces[] = {
    {".global", "mov.b64 %at, %words;"},
    {".shared", "mov.u64 %at, tile;\nadd.u64 %at, %at, %slot;"},
    {"", "cvta.global.u64 %at, %words;"},
    {"", "mov.u64 %at, tile;\ncvta.shared.u64 %at, %at;\nadd.u64 %at, %at, %slot;"},
};

template <class T> T as(Word word) { return static_cast<T>(word); }

template <class T> void addIntegers(std::vector<Operation>& all, const std::string& type) {
  all.push_back({"min", type, 1, true, [](Word old, Word a, Word) { return Word(std::min(as<T>(old), as<T>(a))); }});
  all.push_back({"max", type, 1, true, [](Word old, Word a, Word) { return Word(std::max(as<T>(old), as<T>(a))); }});
}

void addBits(std::vector<Operation>& all, const std::string& type) {
  all.push_back({"and", type, 1, true, [](Word old, Word a, Word) { return old & a; }});
  all.push_back({"or", type, 1, true, [](Word old, Word a, Word) { return old | a; }});
  all.push_back({"xor", type, 1, true, [](Word old, Word a, Word) { return old ^ a; }});
  all.push_back({"exch", type, 1, false, [](Word, Word a, Word) { return a; }});
}

// The bits of a floating-point number; tests use small integers, so that sums are exact.
template <class T> Word encode(double value) {
  if constexpr (sizeof(T) == 8) return std::bit_cast<std::uint64_t>(T(value));
  else if constexpr (sizeof(T) == 4) return std::bit_cast<std::uint32_t>(T(value));
  else return std::bit_cast<std::uint16_t>(T(value));
}
Word encodeBfloat(double value) { return encode<float>(value) >> 16; }

Word encodeAs(const std::string& type, int value) {
  __extension__ using Half = _Float16;
  if (type == "f64") return encode<double>(value);
  if (type == "f32") return encode<float>(value);
  if (type == "f16") return encode<Half>(value);
  if (type == "bf16") return encodeBfloat(value);
  if (type == "f16x2") return encode<Half>(value) << 16 | encode<Half>(value + 1);
  return encodeBfloat(value) << 16 | encodeBfloat(value + 1);
}

std::vector<Operation> integerOperations() {
  std::vector<Operation> all;
  for (const char* type : {"u32", "s32", "u64"}) all.push_back({"add", type, 1, true, [](Word old, Word a, Word) { return old + a; }});
  addIntegers<std::uint32_t>(all, "u32");
  addIntegers<std::int32_t>(all, "s32");
  addIntegers<std::uint64_t>(all, "u64");
  addIntegers<std::int64_t>(all, "s64");
  addBits(all, "b32");
  addBits(all, "b64");
  all.push_back({"inc", "u32", 1, true, [](Word old, Word a, Word) { return old >= a ? 0 : old + 1; }});
  all.push_back({"dec", "u32", 1, true, [](Word old, Word a, Word) { return old == 0 || old > a ? a : old - 1; }});
  for (const char* type : {"b16", "b32", "b64"})
    all.push_back({"cas", type, 2, false, [](Word old, Word a, Word b) { return old == a ? b : old; }});
  return all;
}

// The operation on one word per thread; the words after it, and with `returns` the words returned.
std::string kernel(const Operation& operation, const Space& space, bool returns) {
  const std::string width = std::to_string(8 * bytesOf(operation.type)), memory = ".b" + width;
  const std::string suffix = operation.suffix();
  const std::string operands = operation.operands == 2 ? "%a, %b" : "%a";
  return ".visible .entry k(.param .u64 words, .param .u64 first, .param .u64 second, .param .u64 returned)\n{\n"
         ".shared .align 16 .b8 tile[512];\n.reg .b32 %t;\n.reg .b64 %words, %first, %second, %returned, %at, %slot;\n"
         ".reg .b" + width + " %a, %b, %old;\nmov.u32 %t, %tid.x;\nmul.wide.u32 %slot, %t, 8;\n"
         "ld.param.u64 %words, [words];\nld.param.u64 %first, [first];\nld.param.u64 %second, [second];\nld.param.u64 %returned, [returned];\n"
         "add.u64 %words, %words, %slot;\nadd.u64 %first, %first, %slot;\nadd.u64 %second, %second, %slot;\nadd.u64 %returned, %returned, %slot;\n"
         + space.address + "\nld.global" + memory + " %a, [%first];\nld.global" + memory + " %b, [%second];\n"
         "ld.global" + memory + " %old, [%words];\nst" + space.suffix + memory + " [%at], %old;\n"
         + (returns ? "atom" + space.suffix + suffix + " %old, [%at], " + operands + ";\nst.global" + memory + " [%returned], %old;\n"
                    : "red" + space.suffix + suffix + " [%at], " + operands + ";\n")
         + "ld" + space.suffix + memory + " %a, [%at];\nst.global" + memory + " [%words], %a;\nret;\n}\n";
}

using Columns = std::vector<std::vector<Word>>;  // before, first operand, second operand

void checkOperation(const Operation& operation, const Columns& columns) {
  const unsigned bits = 8 * bytesOf(operation.type);
  const Word mask = bits == 64 ? ~Word(0) : (Word(1) << bits) - 1;
  for (const Space& space : spaces)
    for (const bool returns : {true, false}) {
      if (!returns && !operation.hasReduction) continue;
      Device device;
      Program program(device, moduleText(kernel(operation, space, returns)));
      const auto words = device.upload(columns[0]), returned = device.zeros<Word>(threads);
      program.run("k", {1}, {threads}, 0, words, device.upload(columns[1]), device.upload(columns[2]), returned);
      const auto after = device.download<Word>(words, threads), old = device.download<Word>(returned, threads);
      bool same = true;
      for (unsigned t = 0; t < threads; ++t) {
        const Word before = columns[0][t] & mask;
        same = same && (after[t] & mask) == (operation.result(before, columns[1][t] & mask, columns[2][t] & mask) & mask);
        same = same && (!returns || (old[t] & mask) == before);
      }
      cnn::check::report(same, __FILE__, __LINE__, same ? "" : (returns ? "atom" : "red") + space.suffix + operation.suffix() + " is wrong");
    }
}

}  // namespace

TEST(integers_and_bits) {
  for (const Operation& operation : integerOperations()) {
    Columns columns;
    for (unsigned c = 0; c < 3; ++c) columns.push_back(samples(operation.type, threads, 11 + c));
    // Every other comparison and bound meets the word it is compared with.
    for (unsigned t = 0; t < threads; t += 2) columns[1][t] = columns[0][t];
    checkOperation(operation, columns);
  }
}

TEST(sums_of_floating_point_numbers) {
  for (const std::string type : {"f32", "f64", "f16", "bf16", "f16x2", "bf16x2"}) {
    Columns columns(3, std::vector<Word>(threads));
    for (unsigned t = 0; t < threads; ++t) columns[0][t] = encodeAs(type, int(t)), columns[1][t] = encodeAs(type, 32 - int(t) / 2);
    // Of pairs, both halves are numbers one apart: their sums are two apart.
    const auto sum = [&](Word old, Word a, Word) {
      for (int t = 0; t < int(threads); ++t) {
        if (old != encodeAs(type, t) || a != encodeAs(type, 32 - t / 2)) continue;
        const int total = t + 32 - t / 2;
        const std::string half = type.substr(0, type.find("x2"));
        return half == type ? encodeAs(type, total) : encodeAs(half, total) << 16 | encodeAs(half, total + 2);
      }
      return ~Word(0);
    };
    const bool isHalf = type != "f32" && type != "f64";
    checkOperation({isHalf ? "add.noftz" : "add", type, 1, true, sum}, columns);
  }
}

TEST(each_thread_gets_another_count) {
  for (const std::string space : {"global", "shared"}) {
    Device device;
    Program program(device, moduleText(".global .u32 counter;\n.visible .entry k(.param .u64 out)\n{\n.shared .u32 cell;\n.reg .b32 %t, %old, %zero;\n.reg .b64 %out, %at;\n"
                                       "mov.u64 %at, " + std::string(space == "shared" ? "cell" : "counter") + ";\nmov.u32 %t, %tid.x;\nmov.u32 %zero, 0;\n"
                                       "st." + space + ".u32 [%at], %zero;\nbar.sync 0;\natom." + space + ".add.u32 %old, [%at], 1;\n"
                                       "ld.param.u64 %out, [out];\nmad.wide.u32 %out, %t, 4, %out;\nst.global.u32 [%out], %old;\nret;\n}\n"));
    const auto out = device.zeros<std::uint32_t>(threads);
    program.run("k", {1}, {threads}, 0, out);
    auto counts = device.download<std::uint32_t>(out, threads);
    std::sort(counts.begin(), counts.end());
    for (unsigned t = 0; t < threads; ++t) CHECK_EQ(counts[t], t);
  }
}

// red.global.add.v2.f32 and .v4.f32: two and four neighbours at once.
TEST(sums_of_vectors) {
  for (const unsigned count : {2u, 4u}) {
    const std::string size = std::to_string(count), list = count == 2 ? "{%v0, %v1}" : "{%v0, %v1, %v2, %v3}";
    Device device;
    Program program(device, moduleText(".visible .entry k(.param .u64 words)\n{\n.reg .b32 %t;\n.reg .f32 %v<4>;\n.reg .b64 %words;\n"
                                       "mov.u32 %t, %tid.x;\nand.b32 %t, %t, 15;\nld.param.u64 %words, [words];\nmad.wide.u32 %words, %t, " + std::to_string(4 * count) + ", %words;\n"
                                       "mov.f32 %v0, 0f3f800000;\nadd.f32 %v1, %v0, %v0;\nadd.f32 %v2, %v1, %v0;\nadd.f32 %v3, %v1, %v1;\n"
                                       "red.global.add.v" + size + ".f32 [%words], " + list + ";\nret;\n}\n"));
    std::vector<float> words(16 * count);
    for (std::size_t n = 0; n < words.size(); ++n) words[n] = float(n);
    const auto address = device.upload(words);
    program.run("k", {1}, {threads}, 0, address);  // four threads add to each vector
    const auto sums = device.download<float>(address, words.size());
    for (std::size_t n = 0; n < words.size(); ++n) CHECK_EQ(sums[n], words[n] + 4 * float(n % count + 1));
  }
}
