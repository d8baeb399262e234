// The shortest complete programs: one thread per element, and a block that shares memory.
#include "kernel.h"

using namespace cnn::test;
using cnn::emu::Dim3;

namespace {

constexpr const char* saxpy = R"(
.visible .entry saxpy(.param .u64 x, .param .u64 y, .param .f32 a, .param .u32 n)
{
  .reg .pred %p<2>;
  .reg .f32 %f<5>;
  .reg .b32 %r<6>;
  .reg .b64 %rd<8>;
  ld.param.u64 %rd1, [x];
  ld.param.u64 %rd2, [y];
  ld.param.f32 %f1, [a];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.s32 %p1, %r5, %r1;
  @%p1 bra DONE;
  cvta.to.global.u64 %rd3, %rd1;
  mul.wide.s32 %rd4, %r5, 4;
  add.s64 %rd5, %rd3, %rd4;
  cvta.to.global.u64 %rd6, %rd2;
  add.s64 %rd7, %rd6, %rd4;
  ld.global.f32 %f2, [%rd5];
  ld.global.f32 %f3, [%rd7];
  fma.rn.f32 %f4, %f1, %f2, %f3;
  st.global.f32 [%rd7], %f4;
DONE:
  ret;
})";

}  // namespace

TEST(saxpy) {
  Device device;
  Program program(device, moduleText(saxpy));
  for (const unsigned n : {1u, 31u, 32u, 33u, 256u, 443u, 10007u}) {
    std::vector<float> x(n), y(n);
    for (unsigned i = 0; i < n; ++i) x[i] = float(i) * 0.25f, y[i] = 1.0f / float(i + 1);
    const auto dx = device.upload(x), dy = device.upload(y);
    program.run("saxpy", {(n + 127) / 128}, {128}, 0, dx, dy, 2.5f, n);
    const auto result = device.download<float>(dy, n);
    for (unsigned i = 0; i < n; ++i) CHECK_EQ(result[i], std::fma(2.5f, x[i], y[i]));
  }
}

TEST(shared_reversal) {
  Device device;
  Program program(device, moduleText(R"(
.visible .entry reverse(.param .u64 data)
{
  .reg .b32 %r<8>;
  .reg .b64 %rd<5>;
  .shared .align 4 .b8 tile[1024];
  ld.param.u64 %rd1, [data];
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd2, %r1, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.u32 %r2, [%rd3];
  mov.u32 %r3, tile;
  shl.b32 %r4, %r1, 2;
  add.s32 %r5, %r3, %r4;
  st.shared.u32 [%r5], %r2;
  bar.sync 0;
  sub.s32 %r6, %r3, %r4;
  ld.shared.u32 %r7, [%r6+1020];
  st.global.u32 [%rd3], %r7;
  ret;
})"));
  std::vector<std::uint32_t> data(256);
  for (unsigned i = 0; i < 256; ++i) data[i] = i * 7;
  const auto address = device.upload(data);
  program.run("reverse", {1}, {256}, 0, address);
  const auto result = device.download<std::uint32_t>(address, 256);
  for (unsigned i = 0; i < 256; ++i) CHECK_EQ(result[i], (255 - i) * 7);
}
