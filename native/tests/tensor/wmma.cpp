// wmma: fragments loaded from matrices in every layout, multiplied, and stored, against the product by its definition.
#include "tensor_test.h"

using namespace cnn::emu;
using namespace cnn::test;

namespace {

struct Type {
  const char* name;
  unsigned bytes;
  int least;                 // of the values in a test: small integers, so that every sum is exact
};
constexpr Type f16{"f16", 2, -3}, bf16{"bf16", 2, -3}, tf32{"tf32", 4, -3}, u8{"u8", 1, 0}, s8{"s8", 1, -3}, f32{"f32", 4, -3}, s32{"s32", 4, -3}, f64{"f64", 8, -3};

std::uint64_t encoded(const Type& type, int value) {
  const std::string name = type.name;
  if (name == "f16") return toF16(value);
  if (name == "bf16") return toBf16(float(value));
  if (name == "f32" || name == "tf32") return std::bit_cast<std::uint32_t>(float(value));
  if (name == "f64") return std::bit_cast<std::uint64_t>(double(value));
  return std::uint32_t(value);
}

int decoded(const Type& type, std::uint64_t bits) {
  const std::string name = type.name;
  if (name == "f16") return int(fromF16(std::uint16_t(bits)));
  if (name == "f32") return int(std::bit_cast<float>(std::uint32_t(bits)));
  if (name == "f64") return int(std::bit_cast<double>(bits));
  return std::int32_t(bits);
}

struct Form {
  const char* shape;
  int m, n, k;
  Type element, c, d;
  int a, b;                  // registers of their fragments
  const char* types;         // of wmma.mma
};

constexpr Form forms[] = {
    {"m16n16k16", 16, 16, 16, f16, f32, f32, 8, 8, "f32.f32"},
    {"m16n16k16", 16, 16, 16, f16, f16, f16, 8, 8, "f16.f16"},
    {"m16n16k16", 16, 16, 16, f16, f16, f32, 8, 8, "f32.f16"},
    {"m16n16k16", 16, 16, 16, f16, f32, f16, 8, 8, "f16.f32"},
    {"m32n8k16", 32, 8, 16, f16, f32, f32, 8, 8, "f32.f32"},
    {"m8n32k16", 8, 32, 16, f16, f16, f32, 8, 8, "f32.f16"},
    {"m16n16k16", 16, 16, 16, bf16, f32, f32, 4, 4, "f32.bf16.bf16.f32"},
    {"m32n8k16", 32, 8, 16, bf16, f32, f32, 8, 2, "f32.bf16.bf16.f32"},
    {"m8n32k16", 8, 32, 16, bf16, f32, f32, 2, 8, "f32.bf16.bf16.f32"},
    {"m16n16k8", 16, 16, 8, tf32, f32, f32, 4, 4, "f32.tf32.tf32.f32"},
    {"m16n16k16", 16, 16, 16, u8, s32, s32, 2, 2, "s32.u8.u8.s32"},
    {"m32n8k16", 32, 8, 16, s8, s32, s32, 4, 1, "s32.s8.s8.s32.satfinite"},
    {"m8n32k16", 8, 32, 16, s8, s32, s32, 1, 4, "s32.s8.s8.s32"},
    {"m8n8k4", 8, 8, 4, f64, f64, f64, 1, 1, "f64.f64.f64.f64"},
};

constexpr std::size_t pitchBytes = 288;  // longer than any line

int accumulatorRegisters(const Type& type) { return type.bytes == 8 ? 2 : type.bytes == 2 ? 4 : 8; }
const char* prefix(const Type& type, const char* narrow, const char* wide) { return type.bytes == 8 ? wide : narrow; }

// A matrix in memory: element (row, column) is (5 row + 3 column + seed) mod 8, moved to the least value.
int valueAt(const Type& type, int row, int column, int seed) { return ((5 * row + 3 * column + seed) & 7) + type.least; }

std::vector<std::uint8_t> matrix(const Type& type, int rows, int columns, bool columnMajor, int seed) {
  std::vector<std::uint8_t> bytes(pitchBytes * 32, 0xee);
  for (int row = 0; row < rows; ++row)
    for (int column = 0; column < columns; ++column) {
      const std::uint64_t bits = encoded(type, valueAt(type, row, column, seed));
      const std::size_t line = std::size_t(columnMajor ? column : row), place = std::size_t(columnMajor ? row : column);
      std::memcpy(bytes.data() + line * pitchBytes + place * type.bytes, &bits, type.bytes);
    }
  return bytes;
}

const char* layout(bool columnMajor) { return columnMajor ? "col" : "row"; }
std::string stride(const Type& type) { return std::to_string(pitchBytes / type.bytes); }

// Each matrix lies in its own layout; `between` works on the accumulators %c0.. or %e0...
std::string kernel(const Form& f, bool colA, bool colB, bool colC, bool colD, const std::string& between = "") {
  const auto load = [&](const char* which, bool column, const Type& type, const std::string& registers, const char* pointer) {
    return " wmma.load." + std::string(which) + ".sync.aligned." + layout(column) + "." + f.shape + ".global." + type.name + " " + registers + ", [" + pointer + "], "
           + stride(type) + ";\n";
  };
  const std::string a = registerList(prefix(f.element, "%a", "%x"), 0, f.a), b = registerList(prefix(f.element, "%b", "%y"), 0, f.b);
  const std::string c = registerList(prefix(f.c, "%c", "%z"), 0, accumulatorRegisters(f.c)), d = registerList(prefix(f.d, "%e", "%w"), 0, accumulatorRegisters(f.d));
  return moduleText(".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, .param .u64 d)\n{\n .reg .b32 %a<8>, %b<8>, %c<8>, %e<8>;\n"
                    " .reg .f64 %x<2>, %y<2>, %z<2>, %w<2>;\n .reg .b64 %d<6>;\n .reg .b32 %r<4>;\n ld.param.u64 %d1, [a];\n ld.param.u64 %d2, [b];\n ld.param.u64 %d3, [c];\n ld.param.u64 %d4, [d];\n"
                    + load("a", colA, f.element, a, "%d1") + load("b", colB, f.element, b, "%d2") + load("c", colC, f.c, c, "%d3")
                    + " wmma.mma.sync.aligned." + layout(colA) + "." + layout(colB) + "." + f.shape + "." + f.types + " " + d + ", " + a + ", " + b + ", " + c + ";\n" + between
                    + " wmma.store.d.sync.aligned." + layout(colD) + "." + f.shape + ".global." + f.d.name + " [%d4], " + d + ", " + stride(f.d) + ";\n ret;\n}\n", "8.0", "sm_80");
}

void check(const Form& f, bool colA, bool colB, bool colC, bool colD, const std::string& between, int factor) {
  Device device;
  const std::uint64_t a = device.upload(matrix(f.element, f.m, f.k, colA, 0)), b = device.upload(matrix(f.element, f.k, f.n, colB, 1));
  const std::uint64_t c = device.upload(matrix(f.c, f.m, f.n, colC, 2)), d = device.zeros<std::uint8_t>(pitchBytes * 32);
  cnn::test::Program program(device, kernel(f, colA, colB, colC, colD, between));
  program.run("k", {1}, {32}, 0, a, b, c, d);
  const auto got = device.download<std::uint8_t>(d, pitchBytes * 32);
  for (int row = 0; row < f.m; ++row)
    for (int column = 0; column < f.n; ++column) {
      int sum = valueAt(f.c, row, column, 2);
      for (int k = 0; k < f.k; ++k) sum += valueAt(f.element, row, k, 0) * valueAt(f.element, k, column, 1);
      std::uint64_t bits = 0;
      const std::size_t line = std::size_t(colD ? column : row), place = std::size_t(colD ? row : column);
      std::memcpy(&bits, got.data() + line * pitchBytes + place * f.d.bytes, f.d.bytes);
      CHECK_EQ(decoded(f.d, bits), factor * sum);
    }
}

std::optional<Fault> faultOf(const std::string& body) {
  Device device;
  const std::uint64_t a = device.zeros<float>(1024);
  cnn::test::Program program(device, moduleText(".visible .entry k(.param .u64 a)\n{\n .reg .b32 %r<8>, %x;\n .reg .b64 %d<4>;\n ld.param.u64 %d1, [a];\n mov.u32 %x, %laneid;\n" + body + " ret;\n}\n"));
  return program.tryRun("k", {1}, {32}, 0, a);
}

}  // namespace

TEST(products_in_every_layout) {
  for (const Form& f : forms)
    for (int layouts = 0; layouts < 16; ++layouts) check(f, layouts & 1, layouts & 2, layouts & 4, layouts & 8, "", 1);
}

// A function of every register of a fragment is a function of every element, however they lie.
TEST(registers_hold_every_element) {
  std::string twice;
  for (int r = 0; r < 8; ++r) twice += " add.f32 %e" + std::to_string(r) + ", %e" + std::to_string(r) + ", %e" + std::to_string(r) + ";\n";
  check(forms[0], false, true, false, true, twice, 2);
  std::string halves;
  for (int r = 0; r < 4; ++r) halves += " add.f16x2 %e" + std::to_string(r) + ", %e" + std::to_string(r) + ", %e" + std::to_string(r) + ";\n";
  check(forms[1], false, false, true, false, halves, 2);
}

TEST(faults) {
  const std::string load = " wmma.load.a.sync.aligned.row.m16n16k8.global.tf32 {%r0, %r1, %r2, %r3}, ";
  CHECK(!faultOf(load + "[%d1+32], 16;\n"));
  CHECK_EQ(faultOf(load + "[%d1+16], 16;\n")->code, 716);
  CHECK_EQ(faultOf(load + "[%d1], 18;\n")->code, 716);
  CHECK_EQ(faultOf(load + "[%d1+3968], 16;\n")->code, 700);
  CHECK(contains(faultOf(" mad.wide.u32 %d1, %x, 32, %d1;\n" + load + "[%d1], 16;\n")->report, "different matrices"));
}

TEST(registers_are_counted) {
  const auto refused = [](const std::string& statement) {
    return contains(loadError(moduleText(".visible .entry k()\n{\n .reg .b32 %r<8>;\n .reg .b64 %d1;\n " + statement + "\n ret;\n}\n")), "elements");
  };
  CHECK(refused("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r0, %r1, %r2, %r3}, [%d1];"));
  CHECK(refused("wmma.load.b.sync.aligned.row.m16n16k8.global.tf32 {%r0, %r1}, [%d1];"));
  CHECK(refused("wmma.store.d.sync.aligned.row.m16n16k16.global.f32 [%d1], {%r0, %r1, %r2, %r3};"));
}
