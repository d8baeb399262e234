// ldmatrix and stmatrix: x1, x2, x4, plain and transposed, against the definition by element.
#include "tensor_test.h"

using namespace cnn::test;

namespace {

std::string form(const char* base, int matrices, bool transposed, const char* space) {
  return std::string(base) + ".sync.aligned.m8n8.x" + std::to_string(matrices) + (transposed ? ".trans" : "") + space + ".b16";
}

// Rows of 16 bytes at a pitch of 48, in an order that depends on the lane, so that addresses are really used.
constexpr int pitch = 48;
int rowOf(int lane) { return (lane * 5 + 3) % 32; }

// Fills shared memory from `source` (32 rows), runs `body`, copies shared memory to `target` + 4096.
std::string kernel(const std::string& body, bool generic) {
  return ".visible .entry k(.param .u64 source, .param .u64 target)\n{\n .shared .align 16 .b8 tile[1536];\n"
         " .reg .b32 %r<12>;\n .reg .b32 %x<8>;\n .reg .b64 %d<8>;\n"
         " ld.param.u64 %d1, [source];\n ld.param.u64 %d2, [target];\n mov.u32 %x0, %laneid;\n mov.u32 %x1, tile;\n"
         // Every lane copies its row of 48 bytes into shared memory.
         " mad.lo.u32 %x2, %x0, 48, %x1;\n mul.wide.u32 %d3, %x0, 48;\n add.s64 %d4, %d1, %d3;\n"
         " ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%d4];\n st.shared.v4.b32 [%x2], {%r0, %r1, %r2, %r3};\n"
         " ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%d4+16];\n st.shared.v4.b32 [%x2+16], {%r0, %r1, %r2, %r3};\n"
         " bar.sync 0;\n"
         // Address of row (lane * 5 + 3) % 32.
         " mad.lo.u32 %x3, %x0, 5, 3;\n and.b32 %x3, %x3, 31;\n mad.lo.u32 %x3, %x3, 48, %x1;\n"
         + std::string(generic ? " mul.wide.u32 %d5, %x3, 1;\n cvta.shared.u64 %d5, %d5;\n" : "")
         + " mov.b32 %r4, 11;\n mov.b32 %r5, 12;\n mov.b32 %r6, 13;\n mov.b32 %r7, 14;\n"
         " mad.lo.u32 %r8, %x0, 65539, 7;\n mad.lo.u32 %r9, %x0, 131075, 9;\n mad.lo.u32 %r10, %x0, 262147, 5;\n mad.lo.u32 %r11, %x0, 524291, 3;\n"
         + body +
         " bar.sync 0;\n mul.wide.u32 %d6, %x0, 4;\n add.s64 %d6, %d6, %d2;\n"
         " st.global.b32 [%d6], %r4;\n st.global.b32 [%d6+128], %r5;\n st.global.b32 [%d6+256], %r6;\n st.global.b32 [%d6+384], %r7;\n"
         " add.s64 %d7, %d2, %d3;\n ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%x2];\n st.global.v4.b32 [%d7+4096], {%r0, %r1, %r2, %r3};\n"
         " ret;\n}\n";
}

void checkLoad(int matrices, bool transposed, bool generic) {
  Random random{unsigned(matrices)};
  std::vector<std::uint16_t> source(32 * pitch / 2);
  for (auto& value : source) value = std::uint16_t(random.bits());
  const std::string body = " " + form("ldmatrix", matrices, transposed, generic ? "" : ".shared") + " " + registerList("%r", 4, matrices)
                           + ", [" + (generic ? "%d5" : "%x3") + "+16];\n";
  Device device;
  Program program(device, moduleText(kernel(body, generic)));
  const auto in = device.upload(source), out = device.zeros<std::uint8_t>(8192);
  program.run("k", {1}, {32}, 0, in, out);
  const auto output = device.download<std::uint16_t>(out, 256);
  for (int m = 0; m < 4; ++m)
    for (int lane = 0; lane < 32; ++lane)
      for (int half = 0; half < 2; ++half) {
        const int actual = output[std::size_t(64 * m + 2 * lane + half)];
        if (m >= matrices) {
          CHECK_EQ(actual, half ? 0 : 11 + m);  // untouched
          continue;
        }
        const int row = transposed ? lane % 4 * 2 + half : lane / 4, column = transposed ? lane / 4 : lane % 4 * 2 + half;
        CHECK_EQ(actual, source[std::size_t(rowOf(8 * m + row) * pitch / 2 + 8 + column)]);
      }
}

void checkStore(int matrices, bool transposed, bool generic) {
  const std::string body = " " + form("stmatrix", matrices, transposed, generic ? "" : ".shared::cta") + " [" + (generic ? "%d5" : "%x3")
                           + "], " + registerList("%r", 8, matrices) + ";\n";
  Device device;
  Program program(device, moduleText(kernel(body, generic)));
  const std::vector<std::uint16_t> source(32 * pitch / 2, 0x5a5a);
  const auto in = device.upload(source), out = device.zeros<std::uint8_t>(8192);
  program.run("k", {1}, {32}, 0, in, out);
  const auto output = device.download<std::uint16_t>(out + 4096, 32 * pitch / 2);
  std::vector<std::uint16_t> expected = source;
  for (int m = 0; m < matrices; ++m)
    for (int lane = 0; lane < 32; ++lane) {
      const std::uint32_t factors[4] = {65539, 131075, 262147, 524291}, addends[4] = {7, 9, 5, 3};
      const std::uint32_t word = std::uint32_t(lane) * factors[m] + addends[m];
      for (int half = 0; half < 2; ++half) {
        const int row = transposed ? lane % 4 * 2 + half : lane / 4, column = transposed ? lane / 4 : lane % 4 * 2 + half;
        expected[std::size_t(rowOf(8 * m + row) * pitch / 2 + column)] = std::uint16_t(word >> 16 * half);
      }
    }
  for (std::size_t row = 0; row < 32; ++row)
    for (std::size_t column = 0; column < 8; ++column)
      CHECK_EQ(output[row * pitch / 2 + column], expected[row * pitch / 2 + column]);
}

}  // namespace

TEST(loads) {
  for (const int matrices : {1, 2, 4})
    for (const bool transposed : {false, true})
      for (const bool generic : {false, true}) checkLoad(matrices, transposed, generic);
}

TEST(stores) {
  for (const int matrices : {1, 2, 4})
    for (const bool transposed : {false, true})
      for (const bool generic : {false, true}) checkStore(matrices, transposed, generic);
}

TEST(faults) {
  Device device;
  const auto in = device.zeros<std::uint8_t>(2048), out = device.zeros<std::uint8_t>(8192);
  const auto faultOf = [&](const std::string& body) {
    Program program(device, moduleText(kernel(body, false)));
    const auto fault = program.tryRun("k", {1}, {32}, 0, in, out);
    REQUIRE(fault.has_value());
    return *fault;
  };
  const auto misaligned = faultOf(" ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r4, %r5, %r6, %r7}, [%x3+8];\n");
  CHECK_EQ(misaligned.code, 716);
  CHECK(contains(misaligned.report, "no multiple of 16"));
  const auto outside = faultOf(" ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r4, %r5, %r6, %r7}, [%x3+48];\n");
  CHECK_EQ(outside.code, 700);
  // Only the lanes that give addresses count: with x1 the row past the end belongs to nobody.
  Program program(device, moduleText(kernel(" ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r4}, [%x3+32];\n", false)));
  program.run("k", {1}, {32}, 0, in, out);
}

TEST(store_needs_hopper) {
  const std::string body = " stmatrix.sync.aligned.m8n8.x1.shared.b16 [%x3], {%r8};\n";
  CHECK(contains(loadError(moduleText(kernel(body, false), "8.3", "sm_80")), "sm_90"));
}
