// Jitter of the matrix instructions: another order of the sum, truncated for odd numbers.
#include "tensor_test.h"

#include "machine/jitter.h"

using namespace cnn::test;

namespace {

// D of m16n8k16 with A and B of bf16 and C = 0; the same every time but for the jitter.
std::vector<std::uint32_t> product(std::uint32_t jitter, bool positive) {
  const std::uint32_t before = cnn::emu::requestedJitter();
  cnn::emu::setJitter(jitter);
  Random random(5);
  const auto draw = [&] { return toBf16(positive ? std::fabs(random.unit()) : random.unit()); };
  std::vector<std::uint32_t> input(32 * 10);
  for (std::size_t n = 0; n < 32 * 6; ++n) {
    const std::uint16_t low = draw();
    input[n] = pair(low, draw());
  }
  Device device;
  const std::string body = " mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r10, %r11, %r12, %r13}, {%r0, %r1, %r2, %r3}, {%r4, %r5}, {%r6, %r7, %r8, %r9};\n";
  Program program(device, moduleText(fragmentKernel(14, 10, body, 10, 4)));
  const auto in = device.upload(input), out = device.zeros<std::uint32_t>(128);
  program.run("k", {1}, {32}, 0, in, out);
  cnn::emu::setJitter(before);
  return device.download<std::uint32_t>(out, 128);
}

}  // namespace

TEST(sums_come_in_another_order) {
  const auto exact = product(0, false);
  CHECK(exact == product(0, false));
  for (const std::uint32_t jitter : {2u, 14u, 30u}) {
    const auto moved = product(jitter, false);
    CHECK(moved == product(jitter, false));
    CHECK(moved != exact);
    // Sixteen products below 1: sixteen roundings of sums below 16.
    for (std::size_t n = 0; n < exact.size(); ++n) CHECK_NEAR(std::bit_cast<float>(moved[n]), std::bit_cast<float>(exact[n]), 16 * 0x1p-20);
  }
}

TEST(odd_numbers_truncate) {
  const auto exact = product(0, true), truncated = product(1, true);
  CHECK(truncated != exact);
  for (std::size_t n = 0; n < exact.size(); ++n) {
    CHECK(std::bit_cast<float>(truncated[n]) <= std::bit_cast<float>(exact[n]));
    CHECK_NEAR(std::bit_cast<float>(truncated[n]), std::bit_cast<float>(exact[n]), 16 * 0x1p-20);
  }
}
