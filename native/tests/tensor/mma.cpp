// mma.sync in every shape and type, against sums in double over the layouts as the instruction set reference lists them.
#include "tensor_test.h"

using namespace cnn::test;

namespace {

struct Shape {
  int m, k;
};

std::string opcode(const Shape& s, const std::string& types) {
  return "mma.sync.aligned.m" + std::to_string(s.m) + "n8k" + std::to_string(s.k) + ".row.col." + types;
}

// Registers: A, B, C, then D.
std::string instruction(const std::string& name, int a, int b, int c) {
  return " " + name + " " + registerList("%r", a + b + c, c) + ", " + registerList("%r", 0, a) + ", "
         + (b == 1 ? "%r" + std::to_string(a) : registerList("%r", a, b)) + ", " + registerList("%r", a + b, c) + ";\n";
}

std::vector<std::uint32_t> execute(const std::string& name, int a, int b, int c, const std::vector<std::uint32_t>& input) {
  Device device;
  Program program(device, moduleText(fragmentKernel(a + b + 2 * c, a + b + c, instruction(name, a, b, c), a + b + c, c)));
  const auto in = device.upload(input), out = device.zeros<std::uint32_t>(std::size_t(32 * c));
  program.run("k", {1}, {32}, 0, in, out);
  return device.download<std::uint32_t>(out, std::size_t(32 * c));
}

// A 16-bit operand format.
struct Format {
  const char* name;
  std::uint16_t (*pack)(float);
  double (*unpack)(std::uint16_t);
};
const Format bf16{"bf16", toBf16, [](std::uint16_t b) { return double(fromBf16(b)); }};
const Format f16{"f16", [](float v) { return toF16(v); }, fromF16};

// Row and column of element i of a lane's A (16-bit), B and C fragments.
int rowA(int lane, int i) { return lane / 4 + (i < 2 || (i >= 4 && i < 6) ? 0 : 8); }
int columnA(int lane, int i) { return lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0); }
int rowB(int lane, int i) { return lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0); }
int rowC(int lane, int i) { return lane / 4 + (i >= 2 ? 8 : 0); }
int columnC(int lane, int i) { return lane % 4 * 2 + (i & 1); }

void check16(const Format& format, int k, bool halfSum) {
  Random random(unsigned(k) + (halfSum ? 100 : 0));
  const int na = k / 4, nb = k / 8, nc = halfSum ? 2 : 4;
  double A[16][16], B[16][8], C[16][8];
  std::vector<std::uint32_t> input(std::size_t(32 * (na + nb + nc)));
  const auto draw = [&](double& value) {
    const std::uint16_t bits = format.pack(random.unit() * 4);
    value = format.unpack(bits);
    return bits;
  };
  for (int lane = 0; lane < 32; ++lane) {
    for (int r = 0; r < na; ++r) {
      const std::uint16_t low = draw(A[rowA(lane, 2 * r)][columnA(lane, 2 * r)]);
      input[std::size_t(32 * r + lane)] = pair(low, draw(A[rowA(lane, 2 * r + 1)][columnA(lane, 2 * r + 1)]));
    }
    for (int r = 0; r < nb; ++r) {
      const std::uint16_t low = draw(B[rowB(lane, 2 * r)][lane / 4]);
      input[std::size_t(32 * (na + r) + lane)] = pair(low, draw(B[rowB(lane, 2 * r + 1)][lane / 4]));
    }
    for (int i = 0; i < 4; ++i) {
      const float c = random.unit();
      double& at = C[rowC(lane, i)][columnC(lane, i)];
      if (!halfSum) {
        at = c;
        input[std::size_t(32 * (na + nb + i) + lane)] = std::bit_cast<std::uint32_t>(c);
      } else {
        at = fromF16(toF16(c));
        input[std::size_t(32 * (na + nb + i / 2) + lane)] |= std::uint32_t(toF16(c)) << (i % 2 * 16);
      }
    }
  }
  const std::string sum = halfSum ? "f16" : "f32";
  const auto output = execute(opcode({16, k}, sum + "." + format.name + "." + format.name + "." + sum), na, nb, nc, input);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = rowC(lane, i), column = columnC(lane, i);
      double expected = C[row][column], scale = std::fabs(expected);
      for (int j = 0; j < k; ++j) {
        expected += A[row][j] * B[j][column];
        scale += std::fabs(A[row][j] * B[j][column]);
      }
      const std::uint32_t word = output[std::size_t(32 * (halfSum ? i / 2 : i) + lane)];
      const double actual = halfSum ? fromF16(std::uint16_t(word >> (i % 2 * 16))) : std::bit_cast<float>(word);
      CHECK_NEAR(actual, expected, scale * 0x1p-21 + (halfSum ? std::fabs(expected) * 0x1p-10 : 0));
    }
}

void checkTf32(int k) {
  Random random{unsigned(k)};
  const int na = k / 2, nb = k / 4;
  double A[16][8], B[8][8], C[16][8];
  std::vector<std::uint32_t> input(std::size_t(32 * (na + nb + 4)));
  for (int lane = 0; lane < 32; ++lane) {
    const int g = lane / 4, t = lane % 4;
    const auto draw = [&](int r, double& value) {
      // Bits below tf32 are ignored by the instruction: leave them in.
      const float full = random.unit();
      value = toTf32(full);
      input[std::size_t(32 * r + lane)] = std::bit_cast<std::uint32_t>(full);
    };
    draw(0, A[g][t]);
    draw(1, A[g + 8][t]);
    if (k == 8) draw(2, A[g][t + 4]), draw(3, A[g + 8][t + 4]);
    draw(na, B[t][g]);
    if (k == 8) draw(na + 1, B[t + 4][g]);
    for (int i = 0; i < 4; ++i) {
      const float c = random.unit();
      C[rowC(lane, i)][columnC(lane, i)] = c;
      input[std::size_t(32 * (na + nb + i) + lane)] = std::bit_cast<std::uint32_t>(c);
    }
  }
  const auto output = execute(opcode({16, k}, "f32.tf32.tf32.f32"), na, nb, 4, input);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const int row = rowC(lane, i), column = columnC(lane, i);
      double expected = C[row][column];
      for (int j = 0; j < k; ++j) expected += A[row][j] * B[j][column];
      CHECK_NEAR(std::bit_cast<float>(output[std::size_t(32 * i + lane)]), expected, 4e-6);
    }
}

void check8(const Shape& s, bool signedA, bool signedB, bool saturate) {
  Random random(unsigned(s.m + s.k + 2 * signedA + signedB));
  const int na = s.m * s.k / 128, nb = s.k / 16, nc = s.m / 4;
  std::vector<std::vector<std::int64_t>> A(16, std::vector<std::int64_t>(32)), B(32, std::vector<std::int64_t>(8)), C(16, std::vector<std::int64_t>(8));
  std::vector<std::uint32_t> input(std::size_t(32 * (na + nb + nc)));
  const auto draw = [&](int r, int lane, int byte, bool isSigned, std::int64_t& value) {
    const std::uint8_t bits = std::uint8_t(random.bits() >> 7);
    value = isSigned ? std::int8_t(bits) : bits;
    input[std::size_t(32 * r + lane)] |= std::uint32_t(bits) << 8 * byte;
  };
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4 * na; ++i) {
      const int row = lane / 4 + (s.m == 16 && i / 4 % 2 == 1 ? 8 : 0), column = lane % 4 * 4 + i % 4 + (i >= 8 ? 16 : 0);
      draw(i / 4, lane, i % 4, signedA, A[std::size_t(row)][std::size_t(column)]);
    }
    for (int i = 0; i < 4 * nb; ++i)
      draw(na + i / 4, lane, i % 4, signedB, B[std::size_t(lane % 4 * 4 + i % 4 + (i >= 4 ? 16 : 0))][std::size_t(lane / 4)]);
    for (int i = 0; i < nc; ++i) {
      // Near the ends, so that saturation and wrapping differ.
      const std::int32_t c = i % 2 ? INT32_MAX - random.integer(0, 200000) : INT32_MIN + random.integer(0, 200000);
      C[std::size_t(rowC(lane, i))][std::size_t(columnC(lane, i))] = c;
      input[std::size_t(32 * (na + nb + i) + lane)] = std::uint32_t(c);
    }
  }
  const std::string types = std::string(saturate ? "satfinite." : "") + "s32." + (signedA ? "s8" : "u8") + "." + (signedB ? "s8" : "u8") + ".s32";
  const auto output = execute(opcode(s, types), na, nb, nc, input);
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < nc; ++i) {
      const auto row = std::size_t(rowC(lane, i)), column = std::size_t(columnC(lane, i));
      std::int64_t expected = C[row][column];
      for (std::size_t j = 0; j < std::size_t(s.k); ++j) expected += A[row][j] * B[j][column];
      if (saturate) expected = std::min<std::int64_t>(std::max<std::int64_t>(expected, INT32_MIN), INT32_MAX);
      CHECK_EQ(std::int32_t(output[std::size_t(32 * i + lane)]), std::int32_t(std::uint32_t(std::uint64_t(expected))));
    }
}

}  // namespace

TEST(bf16_k8) { check16(bf16, 8, false); }
TEST(bf16_k16) { check16(bf16, 16, false); }
TEST(f16_k8) { check16(f16, 8, false); }
TEST(f16_k16) { check16(f16, 16, false); }
TEST(f16_sums_k8) { check16(f16, 8, true); }
TEST(f16_sums_k16) { check16(f16, 16, true); }
TEST(tf32_k4) { checkTf32(4); }
TEST(tf32_k8) { checkTf32(8); }

TEST(integers_of_every_sign) {
  for (const Shape s : {Shape{8, 16}, Shape{16, 16}, Shape{16, 32}})
    for (const bool a : {false, true})
      for (const bool b : {false, true})
        for (const bool saturate : {false, true}) check8(s, a, b, saturate);
}

TEST(result_may_overwrite_operands) {
  // D = C and D = A: all operands are read before anything is written.
  const std::string body = " mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r0, %r1, %r2, %r3}, {%r0, %r1, %r2, %r3}, {%r4, %r5}, {%r3, %r2, %r1, %r0};\n"
                           " mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r10, %r11, %r12, %r13}, {%r6, %r7, %r8, %r9}, {%r4, %r5}, {%r9, %r8, %r7, %r6};\n";
  Random random(5);
  std::vector<std::uint32_t> input(32 * 10);
  for (int lane = 0; lane < 32; ++lane)
    for (int r = 0; r < 10; ++r) input[std::size_t(32 * r + lane)] = r < 6 ? pair(toBf16(random.unit()), toBf16(random.unit())) : input[std::size_t(32 * (r - 6) + lane)];
  Device device;
  Program program(device, moduleText(fragmentKernel(14, 10, body, 0, 14)));
  const auto in = device.upload(input), out = device.zeros<std::uint32_t>(32 * 14);
  program.run("k", {1}, {32}, 0, in, out);
  const auto output = device.download<std::uint32_t>(out, 32 * 14);
  for (std::size_t n = 0; n < 128; ++n) CHECK_EQ(output[n], output[320 + n]);
}

TEST(needs_the_whole_warp) {
  const std::string body = " setp.lt.u32 %p1, %t0, 20;\n @%p1 mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%r7, %r8, %r9, %r10}, {%r0, %r1}, {%r2}, {%r3, %r4, %r5, %r6};\n";
  Device device;
  Program program(device, moduleText(fragmentKernel(11, 7, body, 7, 4)));
  const auto in = device.zeros<std::uint32_t>(32 * 7), out = device.zeros<std::uint32_t>(32 * 4);
  const auto fault = program.tryRun("k", {1}, {32}, 0, in, out);
  REQUIRE(fault.has_value());
  CHECK(contains(fault->report, "mma.sync needs all 32 lanes"));
  // All lanes, or none: legal.
  std::string fine = body;
  fine.replace(fine.find(", 20"), 4, ", 32");
  Program whole(device, moduleText(fragmentKernel(11, 7, fine, 7, 4)));
  whole.run("k", {1}, {32}, 0, in, out);
}

TEST(unknown_forms_do_not_load) {
  const auto refuse = [](const std::string& line, const char* target = "sm_90a") {
    return loadError(moduleText(fragmentKernel(20, 0, line, 0, 0), "8.3", target));
  };
  CHECK(contains(refuse(" mma.sync.aligned.m16n8k16.row.row.f32.bf16.bf16.f32 {%r0, %r1, %r2, %r3}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%r0, %r1, %r2, %r3};\n"), "row"));
  CHECK(contains(refuse(" mma.sync.aligned.m16n8k16.row.col.f32.bf16.f16.f32 {%r0, %r1, %r2, %r3}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%r0, %r1, %r2, %r3};\n"), "f16"));
  CHECK(contains(refuse(" mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r0, %r1, %r2, %r3}, {%r4, %r5}, {%r8, %r9}, {%r0, %r1, %r2, %r3};\n"), "4 elements"));
  CHECK(contains(refuse(" mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r0, %r1, %r2, %r3}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%r0, %r1, %r2, %r3};\n", "sm_75"), "sm_80"));
}
