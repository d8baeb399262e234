// The optional checks: each finds its seeded bug and leaves the clean twin alone.
#include "checked_kernel.h"

using namespace cnn::test;
namespace emu = cnn::emu;

namespace {

std::string run(unsigned checks, const std::string& body, unsigned blocks = 1) { return runChecked(checks, body, blocks); }

}  // namespace

TEST(race_in_shared_memory) {
  const std::string store = "st.shared.u32 [%r3], %r0;\n", load = "xor.b32 %r4, %r3, 128;\nld.shared.u32 %r5, [%r4];\n";
  CHECK(contains(run(emu::checkRace, store + load), "race: this"));
  CHECK_EQ(run(emu::checkRace, store + "bar.sync 0;\n" + load), "");
  CHECK(contains(run(emu::checkRace, store + "bar.sync 0;\n" + load + store), "race: this"));
  CHECK_EQ(run(emu::checkRace, store + "bar.sync 0;\n" + load + "bar.sync 0;\n" + store), "");
}

TEST(race_inside_a_warp) {
  const std::string store = "st.shared.u32 [%r3], %r0;\n", load = "xor.b32 %r4, %r3, 4;\nld.shared.u32 %r5, [%r4];\n";
  CHECK(contains(run(emu::checkRace, store + load), "race"));
  CHECK_EQ(run(emu::checkRace, store + "bar.warp.sync -1;\n" + load), "");
}

TEST(race_between_blocks) {
  CHECK(contains(run(emu::checkRace, "mov.u32 %r4, %ctaid.x;\nst.global.u32 [%x2], %r4;", 2), "race: this write of global memory"));
  CHECK_EQ(run(emu::checkRace, "atom.global.add.u32 %r4, [%x2], 1;", 2), "");
}

TEST(races_are_told_apart_by_the_byte) {
  // Thread n owns byte n: neighbours share a word. Then words over bytes, and bytes over words.
  const std::string byte = "add.u32 %r4, %r1, %r0;\n", store = byte + "st.shared.u8 [%r4], %r0;\n", load = byte + "ld.shared.u8 %r5, [%r4];\n";
  CHECK_EQ(run(emu::checkRace, store + load + store), "");
  const std::string next = "xor.b32 %r6, %r0, 32;\nadd.u32 %r4, %r1, %r6;\n";
  CHECK(contains(run(emu::checkRace, store + next + "ld.shared.u8 %r5, [%r4];"), "race: this"));
  const std::string half = "and.b32 %r6, %r4, 0xfffffffe;\n";
  CHECK(contains(run(emu::checkRace, store + half + "ld.shared.u16 %r5, [%r6];"), "race: this"));
  CHECK(contains(run(emu::checkRace, "setp.eq.u32 %p1, %r0, 0;\n@%p1 st.shared.u32 [%r1], %r0;\nsetp.eq.u32 %p2, %r0, 35;\n@%p2 st.shared.u8 [%r1+3], %r0;"), "race: this write"));
  CHECK_EQ(run(emu::checkRace, "setp.eq.u32 %p1, %r0, 0;\n@%p1 st.shared.u32 [%r1], %r0;\nsetp.eq.u32 %p2, %r0, 35;\n@%p2 st.shared.u8 [%r1+4], %r0;"), "");
  CHECK_EQ(run(emu::checkRace, "setp.eq.u32 %p1, %r0, 0;\n@%p1 st.shared.u32 [%r1], %r0;\nbar.sync 0;\nsetp.eq.u32 %p2, %r0, 35;\n@%p2 st.shared.u8 [%r1+3], %r0;"), "");
}

TEST(races_with_every_reader) {
  // All lanes read word 0; one of them, or one of the other warp, writes it.
  const std::string read = "setp.lt.u32 %p1, %r0, 32;\n@%p1 ld.shared.u32 %r5, [%r1];\n", first = "setp.eq.u32 %p2, %r0, 0;\n", other = "setp.eq.u32 %p2, %r0, 40;\n";
  const std::string write = "@%p2 st.shared.u32 [%r1], %r0;\n";
  CHECK(contains(run(emu::checkRace, read + first + write), "race: this write of shared memory is not ordered with a read by warp 0 several lanes"));
  CHECK(contains(run(emu::checkRace, read + other + write), "race: this"));
  CHECK_EQ(run(emu::checkRace, read + "bar.warp.sync -1;\n" + first + write), "");
  CHECK_EQ(run(emu::checkRace, read + "bar.sync 0;\n" + other + write), "");
  // Both warps read, and the writer has met its own alone: the earlier reads of the other count too.
  const std::string reads = "ld.shared.u32 %r5, [%r1];\n";
  CHECK(contains(run(emu::checkRace, reads + other + "bar.warp.sync -1;\n" + write), "race: this"));
}

TEST(blocks_follow_each_other_in_shared_memory) {
  // What an earlier block has left in the same place is no partner of a race.
  CHECK_EQ(run(emu::checkRace, "st.shared.u32 [%r3], %r0;\nbar.sync 0;\nxor.b32 %r4, %r3, 128;\nld.shared.u32 %r5, [%r4];", 50), "");
}

TEST(uninitialised) {
  CHECK(contains(run(emu::checkInit, "ld.global.u32 %r4, [%x2];"), "uninitialised: load of 4 bytes of global memory"));
  CHECK_EQ(run(emu::checkInit, "st.global.u32 [%x2], 1;\nld.global.u32 %r4, [%x2];"), "");
  CHECK(contains(run(emu::checkInit, "ld.shared.u32 %r4, [%r3];"), "uninitialised: load of 4 bytes of shared memory"));
  CHECK_EQ(run(emu::checkInit, "st.shared.u32 [%r3], 1;\nld.shared.u32 %r4, [%r3];"), "");
}

TEST(uninitialised_local_memory) {
  const std::string stack = ".local .align 8 .b8 stack[16];\nmov.u32 %r4, stack;\n", store = "st.local.u32 [%r4+8], %r0;\n";
  CHECK_EQ(run(emu::checkInit, stack + store + "ld.local.u32 %r5, [%r4+8];"), "");
  CHECK(contains(run(emu::checkInit, stack + store + "ld.local.u32 %r5, [%r4+4];"), "uninitialised: load of 4 bytes of local memory at 0x4"));
  CHECK(contains(run(emu::checkInit, stack + store + "ld.local.v2.u32 {%r5, %r6}, [%r4+8];"), "uninitialised: load of 8 bytes of local memory"));
  const std::string generic = "cvta.local.u64 %x4, %x4;\n";
  CHECK_EQ(run(emu::checkInit, stack + store + "cvt.u64.u32 %x4, %r4;\n" + generic + "ld.u32 %r5, [%x4+8];"), "");
  CHECK(contains(run(emu::checkInit, stack + store + "cvt.u64.u32 %x4, %r4;\n" + generic + "ld.u32 %r5, [%x4];"), "local memory"));
  // Each lane has its own.
  CHECK(contains(run(emu::checkInit, stack + "setp.ne.u32 %p1, %r0, 9;\n@%p1 st.local.u32 [%r4], 1;\nld.local.u32 %r5, [%r4];"), "thread (9,0,0)"));
}

TEST(non_coherent) {
  CHECK(contains(run(emu::checkNc, "st.global.u32 [%x2], 1;\nld.global.nc.u32 %r4, [%x2];"), "non-coherent: ld.global.nc"));
  CHECK_EQ(run(emu::checkNc, "st.global.u32 [%x2], 1;\nld.global.u32 %r4, [%x2];"), "");
}

TEST(asynchronous) {
  const std::string copy = "setp.lt.u32 %p1, %r0, 8;\nand.b32 %r4, %r2, 31;\ncvt.u64.u32 %x3, %r4;\nadd.u64 %x4, %x0, %x3;\n@%p1 cp.async.ca.shared.global [%r3], [%x4], 4;\ncp.async.commit_group;\n";
  CHECK(contains(run(emu::checkAsync, copy + "@%p1 ld.shared.u32 %r5, [%r3];\ncp.async.wait_group 0;"), "asynchronous: shared memory"));
  CHECK_EQ(run(emu::checkAsync, copy + "cp.async.wait_group 0;\n@%p1 ld.shared.u32 %r5, [%r3];"), "");
}
