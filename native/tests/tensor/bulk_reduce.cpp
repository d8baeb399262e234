// Reductions by the tensor memory accelerator and by red.async, against sums and extremes made on the host.
#include "tensor_test.h"

#include "machine/checks.h"
#include "machine/tensor_map.h"

#include <algorithm>
#include <functional>

using namespace cnn::emu;
using namespace cnn::test;

namespace {

constexpr unsigned threads = 64;

// Copies the first `bytes` of `source` (one 16-byte unit per thread) to shared memory, then runs `body`; %d1 source, %d2
// target, %d3 the tensor map, %x0 thread, %x1 tile, %x2 mbarrier (one arrival), %x3 rank, %p0 thread 0.
std::string kernel(const std::string& body) {
  return ".visible .entry k(.param .align 64 .b8 map[128], .param .u64 source, .param .u64 target)\n{\n"
         " .shared .align 128 .b8 tile[2048];\n .shared .align 8 .b64 bar[1];\n"
         " .reg .pred %p<4>;\n .reg .b32 %x<16>;\n .reg .b64 %d<10>;\n .reg .b32 %r<4>;\n"
         " ld.param.u64 %d1, [source];\n ld.param.u64 %d2, [target];\n mov.b64 %d3, map;\n cvta.param.u64 %d3, %d3;\n"
         " mov.u32 %x0, %tid.x;\n mov.u32 %x1, tile;\n mov.u32 %x2, bar;\n mov.u32 %x3, %cluster_ctarank;\n setp.eq.u32 %p0, %x0, 0;\n"
         " @%p0 mbarrier.init.shared.b64 [%x2], 1;\n"
         " mul.wide.u32 %d4, %x0, 16;\n add.s64 %d5, %d1, %d4;\n ld.global.v4.b32 {%r0, %r1, %r2, %r3}, [%d5];\n"
         " shl.b32 %x4, %x0, 4;\n add.s32 %x4, %x4, %x1;\n st.shared.v4.b32 [%x4], {%r0, %r1, %r2, %r3};\n"
         " fence.proxy.async;\n bar.sync 0;\n" + body + " ret;\n}\n";
}

const std::string finish = " @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group 0;\n";

template <class T> using Combination = std::function<T(T, T)>;

// The kernel reduces 1024 bytes of `source` into `target`, in each of `blocks` blocks.
template <class T> void reduces(const std::string& form, const std::vector<T>& source, const std::vector<T>& target, const Combination<T>& combine,
                                unsigned blocks = 1) {
  Device device;
  const std::uint64_t in = device.upload(source), out = device.upload(target);
  cnn::test::Program program(device, moduleText(kernel(" @%p0 cp.reduce.async.bulk.global.shared::cta.bulk_group" + form + " [%d2], [%x1], 1024;\n" + finish)));
  program.run("k", {blocks}, {threads}, 0, TensorMap{}, in, out);
  const auto got = device.download<T>(out, target.size());
  for (std::size_t n = 0; n < target.size(); ++n) {
    T wanted = target[n];
    for (unsigned b = 0; b < blocks; ++b) wanted = combine(wanted, source[n]);
    CHECK_EQ(got[n], wanted);
  }
}

template <class T> std::vector<T> randomIntegers(unsigned seed) {
  Random random(seed);
  std::vector<T> values(1024 / sizeof(T));
  for (T& value : values) value = T(std::uint64_t(random.bits()) << 32 | random.bits());
  values[0] = 0, values[1] = T(~T(0)), values[2] = 1;
  return values;
}

template <class T> void integerForms(const std::string& type, const std::string& bits, bool sums) {
  const auto a = randomIntegers<T>(1), b = randomIntegers<T>(2);
  if (sums) reduces<T>(".add." + type, a, b, [](T x, T y) { return T(std::uint64_t(x) + std::uint64_t(y)); }, 3);
  reduces<T>(".min." + type, a, b, [](T x, T y) { return y < x ? y : x; });
  reduces<T>(".max." + type, a, b, [](T x, T y) { return x < y ? y : x; });
  reduces<T>(".and." + bits, a, b, [](T x, T y) { return x & y; });
  reduces<T>(".or." + bits, a, b, [](T x, T y) { return x | y; });
  reduces<T>(".xor." + bits, a, b, [](T x, T y) { return x ^ y; });
}

}  // namespace

TEST(integers_into_global_memory) {
  integerForms<std::uint32_t>("u32", "b32", true);
  integerForms<std::int32_t>("s32", "b32", true);
  integerForms<std::uint64_t>("u64", "b64", true);
  integerForms<std::int64_t>("s64", "b64", false);
  auto limit = randomIntegers<std::uint32_t>(3), value = randomIntegers<std::uint32_t>(4);
  for (std::size_t n = 0; n < value.size(); ++n) value[n] = n % 3 == 0 ? limit[n] : n % 3 == 1 ? limit[n] / 2 : 0;
  reduces<std::uint32_t>(".inc.u32", limit, value, [](std::uint32_t x, std::uint32_t y) { return x >= y ? 0 : x + 1; });
  reduces<std::uint32_t>(".dec.u32", limit, value, [](std::uint32_t x, std::uint32_t y) { return x == 0 || x > y ? y : x - 1; });
}

TEST(real_numbers_into_global_memory) {
  Random random(5);
  std::vector<float> a(256), b(256);
  std::vector<double> c(128), d(128);
  std::vector<std::uint16_t> e(512), f(512), g(512), h(512);
  for (std::size_t n = 0; n < 256; ++n) a[n] = random.unit(), b[n] = random.unit();
  for (std::size_t n = 0; n < 128; ++n) c[n] = random.unit(), d[n] = random.unit();
  for (std::size_t n = 0; n < 512; ++n)
    e[n] = toF16(random.unit()), f[n] = toF16(random.unit()), g[n] = toBf16(random.unit()), h[n] = toBf16(random.unit());
  reduces<float>(".add.f32", a, b, [](float x, float y) { return x + y; }, 4);
  reduces<double>(".add.f64", c, d, [](double x, double y) { return x + y; }, 4);
  using Half = std::uint16_t;
  reduces<Half>(".add.noftz.f16", e, f, [](Half x, Half y) { return toF16(fromF16(x) + fromF16(y)); }, 2);
  reduces<Half>(".min.f16", e, f, [](Half x, Half y) { return fromF16(y) < fromF16(x) ? y : x; });
  reduces<Half>(".max.f16", e, f, [](Half x, Half y) { return fromF16(x) < fromF16(y) ? y : x; });
  reduces<Half>(".add.noftz.bf16", g, h, [](Half x, Half y) { return toBf16(fromBf16(x) + fromBf16(y)); }, 2);
  reduces<Half>(".min.bf16", g, h, [](Half x, Half y) { return fromBf16(y) < fromBf16(x) ? y : x; });
  reduces<Half>(".max.bf16", g, h, [](Half x, Half y) { return fromBf16(x) < fromBf16(y) ? y : x; });
}

TEST(tiles_into_a_tensor) {
  // 16 x 16 words of a 24 x 12 tensor, from (12, 3): what lies outside is dropped.
  Device device;
  std::vector<std::uint32_t> source(256), target(24 * 12, 1000);
  for (std::uint32_t n = 0; n < 256; ++n) source[n] = n;
  const std::uint64_t in = device.upload(source), out = device.upload(target);
  const std::uint64_t dims[2] = {24, 12}, strides[1] = {96};
  const std::uint32_t box[2] = {16, 16}, steps[2] = {1, 1};
  const auto map = [&](int type) { return std::get<TensorMap>(encodeTiled({type, 2, out, dims, strides, steps, 0, 0, 0, 0}, box)); };
  const std::string body = " mov.b32 %x5, 12;\n mov.b32 %x6, 3;\n @%p0 cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [%d3, {%x5, %x6}], [%x1];\n" + finish;
  cnn::test::Program program(device, moduleText(kernel(body)));
  program.run("k", {2}, {threads}, 0, map(2), in, out);
  const auto got = device.download<std::uint32_t>(out, target.size());
  for (std::uint32_t y = 0; y < 12; ++y)
    for (std::uint32_t x = 0; x < 24; ++x) CHECK_EQ(got[y * 24 + x], y >= 3 && x >= 12 ? 1000 + 2 * ((y - 3) * 16 + x - 12) : 1000);
  // No sum of s64, and none of tf32.
  const auto fault = program.tryRun("k", {1}, {threads}, 0, map(11), in, out);
  REQUIRE(fault.has_value());
  CHECK(contains(fault->report, "no .add for the element type"));
}

// Both blocks of a cluster reduce into block 0: by a bulk copy, and by red.async of every thread.
TEST(reductions_into_a_neighbour) {
  for (const bool bulk : {true, false}) {
    Device device;
    std::vector<std::uint32_t> source(256);
    for (std::uint32_t n = 0; n < 256; ++n) source[n] = n + 1;
    const std::uint64_t in = device.upload(source), out = device.zeros<std::uint32_t>(256);
    const std::string meet = " barrier.cluster.arrive.release.aligned;\n barrier.cluster.wait.acquire.aligned;\n";
    const std::string expected = bulk ? "2048" : "512";
    // The tile of block 0 is the target: the sources stand in its second half, and there in both blocks.
    const std::string copy = " st.shared.v4.b32 [%x4+1024], {%r0, %r1, %r2, %r3};\n fence.proxy.async;\n"
        " setp.eq.u32 %p1, %x3, 0;\n and.pred %p1, %p1, %p0;\n @%p1 mbarrier.arrive.expect_tx.shared.b64 %d6, [%x2], " + expected + ";\n" + meet
        + " mov.u32 %x7, 0;\n mapa.shared::cluster.u32 %x8, %x1, %x7;\n mapa.shared::cluster.u32 %x9, %x2, %x7;\n";
    const std::string send = bulk
        ? " @%p0 cp.reduce.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes.add.u32 [%x8], [%x1+1024], 1024, [%x9];\n"
        : " shl.b32 %x10, %x0, 2;\n add.s32 %x10, %x10, %x8;\n red.async.relaxed.cluster.shared::cluster.mbarrier::complete_tx::bytes.add.u32 [%x10], %r0, [%x9];\n";
    const std::string take = " setp.eq.u32 %p1, %x3, 0;\nW:\n @%p1 mbarrier.try_wait.parity.shared.b64 %p2, [%x2], 0;\n @!%p1 bra D;\n @!%p2 bra W;\n"
        " ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%x4];\n add.s64 %d7, %d2, %d4;\n st.global.v4.b32 [%d7], {%r0, %r1, %r2, %r3};\nD:\n" + meet;
    cnn::test::Program program(device, moduleText(kernel(copy + send + take)));
    program.cluster = {2, 1, 1};
    program.run("k", {2}, {threads}, 0, TensorMap{}, in, out);
    const auto got = device.download<std::uint32_t>(out, 256);
    for (std::uint32_t n = 0; n < 256; ++n) {
      const std::uint32_t added = bulk ? 2 * source[n] : n < threads ? 2 * source[4 * n] : 0;
      CHECK_EQ(got[n], source[n] + added);
    }
  }
}

TEST(stores_to_a_neighbour) {
  Device device;
  std::vector<std::uint32_t> source(256);
  for (std::uint32_t n = 0; n < 256; ++n) source[n] = 7 * n;
  const std::uint64_t in = device.upload(source), out = device.zeros<std::uint32_t>(512);
  const std::string body = " @%p0 mbarrier.arrive.expect_tx.shared.b64 %d6, [%x2], 1024;\n barrier.cluster.arrive;\n barrier.cluster.wait;\n"
      " xor.b32 %x7, %x3, 1;\n mapa.shared::cluster.u32 %x8, %x4, %x7;\n mapa.shared::cluster.u32 %x9, %x2, %x7;\n"
      " add.s32 %r0, %r0, %x3;\n st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.b32 [%x8+1024], {%r0, %r1, %r2, %r3}, [%x9];\n"
      "W:\n mbarrier.try_wait.parity.shared.b64 %p2, [%x2], 0;\n @!%p2 bra W;\n"
      " ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%x4+1024];\n mul.wide.u32 %d8, %x3, 1024;\n add.s64 %d7, %d2, %d4;\n add.s64 %d7, %d7, %d8;\n"
      " st.global.v4.b32 [%d7], {%r0, %r1, %r2, %r3};\n barrier.cluster.arrive;\n barrier.cluster.wait;\n";
  cnn::test::Program program(device, moduleText(kernel(body)));
  program.cluster = {2, 1, 1};
  program.run("k", {2}, {threads}, 0, TensorMap{}, in, out);
  const auto got = device.download<std::uint32_t>(out, 512);
  for (std::uint32_t n = 0; n < 512; ++n) CHECK_EQ(got[n], source[n % 256] + (n % 4 == 0 && n < 256 ? 1 : 0));
}

TEST(faults_and_forms) {
  Device device;
  const std::uint64_t in = device.zeros<std::uint32_t>(256), out = device.zeros<std::uint32_t>(256);
  const auto codeOf = [&](const std::string& body) {
    cnn::test::Program program(device, moduleText(kernel(body)));
    const auto fault = program.tryRun("k", {1}, {threads}, 0, TensorMap{}, in, out);
    return fault ? fault->code : 0;
  };
  const std::string reduce = " @%p0 cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 ";
  CHECK_EQ(codeOf(reduce + "[%d2+8], [%x1], 64;\n"), 716);
  CHECK_EQ(codeOf(reduce + "[%d2], [%x1], 24;\n"), 716);
  CHECK_EQ(codeOf(reduce + "[%d2+1008], [%x1], 32;\n"), 700);
  CHECK_EQ(codeOf(" @%p0 st.async.shared::cluster.mbarrier::complete_tx::bytes.b32 [%x1+2], %x0, [%x2];\n"), 716);
  for (const char* form : {".add.s64", ".min.f32", ".inc.s32", ".add.f16", ".and.u32"})
    CHECK(contains(loadError(moduleText(kernel(" cp.reduce.async.bulk.global.shared::cta.bulk_group" + std::string(form) + " [%d2], [%x1], 64;\n"))), "does not"));
}
