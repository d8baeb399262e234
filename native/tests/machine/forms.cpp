// What compilers other than ours and authors of inline assembly write: forms that are legal without being the usual ones.
#include "kernel.h"

using namespace cnn::test;

namespace {

// Runs `body` in one warp; %r1 is the lane, %r9 the result, %d1 the output, %d2 a buffer of 32 zeros.
std::vector<std::uint32_t> run(const std::string& body, const char* version = "8.3", const char* target = "sm_90a") {
  Device device;
  const std::uint64_t out = device.zeros<std::uint32_t>(32), buffer = device.zeros<std::uint32_t>(32);
  Program program(device, moduleText(".visible .entry k(.param .u64 out, .param .u64 buffer)\n{\n .reg .pred %p<4>;\n .reg .b16 %h<4>;\n .reg .b32 %r<16>;\n"
                                     " .reg .f32 %f<4>;\n .reg .b64 %d<8>;\n ld.param.u64 %d1, [out];\n ld.param.u64 %d2, [buffer];\n mov.u32 %r1, %laneid;\n"
                                     " mul.wide.u32 %d3, %r1, 4;\n add.s64 %d1, %d1, %d3;\n add.s64 %d3, %d2, %d3;\n" + body +
                                     " st.global.b32 [%d1], %r9;\n ret;\n}\n", version, target));
  program.run("k", {1}, {32}, 0, out, buffer);
  return device.download<std::uint32_t>(out, 32);
}

std::string refusal(const std::string& body, const char* version = "8.3", const char* target = "sm_90a") {
  return loadError(moduleText(".visible .entry k()\n{\n .reg .pred %p<4>;\n .reg .b32 %r<16>;\n .reg .b64 %d<8>;\n" + body + " ret;\n}\n", version, target));
}

}  // namespace

TEST(modifiers_in_another_order) {
  // cvt.sat.u8.s32 and ld.relaxed.gpu.global, as they are also written; what keeps its place keeps its meaning.
  const auto got = run(" shl.b32 %r2, %r1, 4;\n cvt.u8.s32.sat %r9, %r2;\n st.global.relaxed.gpu.b32 [%d3], %r9;\n ld.global.relaxed.gpu.b32 %r9, [%d3];\n");
  for (std::uint32_t lane = 0; lane < 32; ++lane) CHECK_EQ(got[lane], std::min(16 * lane, 255u));
  CHECK(contains(refusal(" cvt.sat.sat.u8.s32 %r1, %r2;\n"), "does not exist"));
  CHECK(contains(refusal(" mma.sync.aligned.m16n8k8.col.row.f32.f16.f16.f32 {%r1,%r2,%r3,%r4}, {%r1,%r2}, {%r3}, {%r1,%r2,%r3,%r4};\n"), "does not exist"));
  CHECK(contains(refusal(" cp.async.bulk.global.shared::cluster.mbarrier::complete_tx::bytes [%d1], [%r1], %r2, [%r3];\n"), "does not exist"));
}

TEST(one_element_in_braces) {
  const auto got = run(" add.u32 %r2, %r1, 5;\n st.global.b32 [%d3], {%r2};\n ld.global.b32 {%r9}, [%d3];\n");
  for (std::uint32_t lane = 0; lane < 32; ++lane) CHECK_EQ(got[lane], lane + 5);
}

TEST(sums_of_offsets) {
  const auto got = run(" st.global.b32 [%d3+64-32+-32], %r1;\n ld.global.b32 %r9, [%d3+4-8+4];\n");
  for (std::uint32_t lane = 0; lane < 32; ++lane) CHECK_EQ(got[lane], lane);
}

TEST(predicates_that_are_constants) {
  const auto got = run(" selp.u32 %r2, 3, 4, 1;\n selp.u32 %r3, 30, 40, 0;\n vote.sync.ballot.b32 %r4, 1, 0xffffffff;\n popc.b32 %r4, %r4;\n"
                       " add.u32 %r9, %r2, %r3;\n add.u32 %r9, %r9, %r4;\n");
  for (const std::uint32_t value : got) CHECK_EQ(value, 3u + 40 + 32);
  CHECK(contains(refusal(" setp.eq.u32 1, %r1, %r2;\n"), "must be a predicate"));
}

// Code for devices before sm_70 has no member masks: the lanes that come together take part.
TEST(collectives_without_sync) {
  const auto got = run(" setp.lt.u32 %p1, %r1, 12;\n mov.u32 %r9, 0;\n @!%p1 bra DONE;\n and.b32 %r2, %r1, 1;\n setp.ne.u32 %p2, %r2, 0;\n"
                       " vote.ballot.b32 %r3, %p2;\n vote.any.pred %p3, %p2;\n selp.u32 %r4, 65536, 0, %p3;\n shfl.down.b32 %r5|%p1, %r1, 2, 31;\n"
                       " shl.b32 %r5, %r5, 20;\n add.u32 %r9, %r3, %r4;\n add.u32 %r9, %r9, %r5;\nDONE:\n", "6.0", "sm_60");
  for (std::uint32_t lane = 0; lane < 10; ++lane) CHECK_EQ(got[lane], 0xaaau + 65536 + ((lane + 2) << 20));
  for (std::uint32_t lane = 12; lane < 32; ++lane) CHECK_EQ(got[lane], 0u);
  CHECK(contains(refusal(" vote.ballot.b32 %r1, %p1;\n", "6.4", "sm_70"), "needs .sync"));
  CHECK(contains(refusal(" shfl.up.b32 %r1, %r2, 1, 0;\n"), "needs .sync"));
  CHECK(contains(refusal(" vote.sync.ballot.b32 %r1, %p1;\n"), "operands"));
}

TEST(cache_policies_change_nothing) {
  const auto got = run(" createpolicy.fractional.L2::evict_last.b64 %d4, 1.0;\n createpolicy.fractional.L2::evict_first.L2::evict_unchanged.b64 %d5;\n"
                       " createpolicy.range.global.L2::evict_last.b64 %d6, [%d2], 64, 128;\n add.u32 %r2, %r1, 9;\n"
                       " st.global.L2::cache_hint.b32 [%d3], %r2, %d4;\n ld.global.L1::no_allocate.L2::cache_hint.b32 %r9, [%d3], %d5;\n"
                       " red.global.add.L2::cache_hint.u32 [%d3], 1, %d6;\n atom.global.add.L2::cache_hint.u32 %r9, [%d3], 0, %d6;\n"
                       " atom.global.cas.L2::cache_hint.b32 %r3, [%d3], %r9, 77, %d6;\n");
  for (std::uint32_t lane = 0; lane < 32; ++lane) CHECK_EQ(got[lane], lane + 10);
  CHECK(contains(refusal(" ld.global.b32 %r1, [%d1], %d2;\n"), "cache policy"));
  CHECK(contains(refusal(" st.global.L2::cache_hint.b32 [%d1], %r1;\n"), "cache policy"));
  CHECK(contains(refusal(" atom.global.cas.b32 %r1, [%d1], %r2, %r3, %d2;\n"), "cache policy"));
  CHECK(contains(refusal(" ld.global.L2::cache_hint.b32 %r1, [%d1], %d2;\n", "7.0", "sm_80"), "7.4"));
}

// A comparison of pairs gives a mask, which authors keep in a register of a pair.
TEST(registers_of_pairs_are_words) {
  const auto got = run(" .reg .f16x2 %v;\n mov.b32 %r2, 0x40003c00;\n mov.b32 %r3, 0x3c003c00;\n set.gtu.u32.f16x2 %v, %r2, %r3;\n mov.b32 %r9, %v;\n");
  for (const std::uint32_t value : got) CHECK_EQ(value, 0xffff0000u);
  CHECK(contains(refusal(" .reg .f32 %f;\n add.u32 %f, %r1, %r2;\n"), "not .u32"));
}

TEST(fences_in_one_direction) {
  const auto got = run(" fence.acquire.gpu;\n fence.release.cluster;\n fence.sc.cta;\n mov.u32 %r9, 1;\n", "8.6");
  CHECK_EQ(got[0], 1u);
  CHECK(contains(refusal(" fence.acquire.gpu;\n"), "8.6"));
}
