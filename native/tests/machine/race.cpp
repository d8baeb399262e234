// The race check and the memory model: atomics and strong accesses against plain ones, fences, scopes, clusters.
#include "checked_kernel.h"

using namespace cnn::test;
namespace emu = cnn::emu;

namespace {

std::string run(const std::string& body, unsigned blocks = 1, unsigned cluster = 1) { return runChecked(emu::checkRace, body, blocks, cluster); }

#define RACES(...) CHECK(contains(run(__VA_ARGS__), "race: this"))
#define CLEAN(...) CHECK_EQ(run(__VA_ARGS__), "")

const std::string meet = "bar.sync 0;\n";

}  // namespace

TEST(a_histogram_meets_between_its_steps) {
  const std::string zero = "st.shared.u32 [%r3], 0;\n", count = "and.b32 %r4, %r0, 60;\nadd.u32 %r4, %r4, %r1;\natom.shared.add.u32 %r5, [%r4], 1;\n";
  const std::string read = "ld.shared.u32 %r6, [%r3];\n";
  CLEAN(zero + meet + count + meet + read);
  RACES(zero + count + meet + read);
  RACES(zero + meet + count + read);
  RACES(zero + meet + count + meet + read + zero + count);
  CHECK(contains(run(zero + count), "race: this atomic access of shared memory is not ordered with a write"));
  CHECK(contains(run(zero + meet + count + read), "race: this read of shared memory is not ordered with an atomic or strong write"));
}

TEST(atomics_in_global_memory_against_plain_accesses) {
  const std::string add = "red.global.add.u32 [%x0], 1;\n", first = "mov.u32 %r4, %ctaid.x;\nsetp.eq.u32 %p1, %r4, 0;\n";
  CLEAN(add, 4);
  RACES("st.global.u32 [%x0], 0;\n" + add);
  RACES(add + meet + "ld.global.u32 %r5, [%x0];\n", 4);
  RACES(first + "@%p1 red.global.add.u32 [%x0], 1;\n@!%p1 ld.global.u32 %r5, [%x0];\n", 2);
  CLEAN(first + "@%p1 red.global.add.u32 [%x0], 1;\n@!%p1 ld.relaxed.gpu.global.u32 %r5, [%x0];\n", 2);
}

TEST(strong_accesses_against_plain_ones) {
  const std::string warp = "setp.lt.u32 %p1, %r0, 32;\n";
  RACES(warp + "@%p1 st.volatile.shared.u32 [%r1], 1;\n@!%p1 ld.shared.u32 %r4, [%r1];\n");
  RACES(warp + "@%p1 st.shared.u32 [%r1], 1;\n@!%p1 ld.volatile.shared.u32 %r4, [%r1];\n");
  CLEAN(warp + "@%p1 st.volatile.shared.u32 [%r1], 1;\n@!%p1 ld.volatile.shared.u32 %r4, [%r1];\n");
  // What is read plainly is overwritten strongly.
  RACES("ld.global.u32 %r4, [%x0];\nsetp.eq.u32 %p1, %r0, 40;\n@%p1 st.relaxed.gpu.global.u32 [%x0], 1;\n");
}

TEST(the_racing_lane_is_named) {
  // Lane 5 of the second warp reads what the first warp has written.
  const std::string report = run("setp.lt.u32 %p1, %r0, 32;\nsetp.eq.u32 %p2, %r0, 32;\nsetp.eq.u32 %p3, %r0, 37;\n@%p1 st.shared.u32 [%r3], 1;\n"
                                 "@%p3 sub.u32 %r3, %r3, 128;\nor.pred %p2, %p2, %p3;\n@%p2 ld.shared.u32 %r4, [%r3];\n");
  CHECK(contains(report, "thread (37,0,0)"));
}

TEST(a_flag_needs_a_fence_on_both_sides) {
  // Block 0 writes a word and raises a flag, block 1 waits for it and reads.
  const auto pass = [](const std::string& raise, const std::string& wait) {
    return "mov.u32 %r4, %ctaid.x;\nsetp.eq.u32 %p1, %r4, 0;\nsetp.ne.u32 %p2, %r0, 0;\n@%p2 ret;\n@!%p1 bra READER;\nst.global.u32 [%x0+4], 9;\n" + raise +
           "ret;\nREADER:\nSPIN:\n" + wait + "ld.global.u32 %r6, [%x0+4];\n";
  };
  const auto loop = [](const std::string& load) { return load + "setp.ne.u32 %p3, %r5, 1;\n@%p3 bra SPIN;\n"; };
  const std::string volatileStore = "st.volatile.global.u32 [%x0], 1;\n", volatileLoad = loop("ld.volatile.global.u32 %r5, [%x0];\n");
  const std::string relaxed = "st.relaxed.gpu.global.u32 [%x0], 1;\n", release = "st.release.gpu.global.u32 [%x0], 1;\n";
  const std::string acquire = loop("ld.acquire.gpu.global.u32 %r5, [%x0];\n"), atomic = loop("atom.global.cas.b32 %r5, [%x0], 2, 3;\n");
  for (int repeat = 0; repeat < 20; ++repeat) CLEAN(pass("membar.gl;\n" + volatileStore, volatileLoad + "membar.gl;\n"), 2);
  CLEAN(pass(release, acquire), 2);
  CLEAN(pass("fence.acq_rel.gpu;\n" + relaxed, acquire), 2);
  CLEAN(pass(release, volatileLoad + "fence.acq_rel.gpu;\n"), 2);
  CLEAN(pass("membar.sys;\nred.global.add.u32 [%x0], -6;\n", atomic + "membar.sys;\n"), 2);
  CLEAN(pass("red.release.gpu.global.add.u32 [%x0], -6;\n", loop("atom.acquire.gpu.global.cas.b32 %r5, [%x0], 2, 3;\n")), 2);
  RACES(pass(volatileStore, volatileLoad + "membar.gl;\n"), 2);
  RACES(pass("membar.gl;\n" + volatileStore, volatileLoad), 2);
  RACES(pass(relaxed, acquire), 2);
  RACES(pass(release, loop("ld.relaxed.gpu.global.u32 %r5, [%x0];\n")), 2);
  RACES(pass(relaxed + "membar.gl;\n", acquire), 2);
  RACES(pass(release, ""), 2);
  RACES(pass(release + "st.global.u32 [%x0+4], 8;\n", acquire), 2);
  RACES(pass("red.global.add.u32 [%x0], -6;\n", atomic), 2);
  // Too narrow a scope on either side; a cluster is wide enough for its blocks.
  RACES(pass("membar.cta;\n" + volatileStore, volatileLoad + "membar.gl;\n"), 2);
  RACES(pass("membar.gl;\n" + volatileStore, volatileLoad + "membar.cta;\n"), 2);
  RACES(pass("st.release.cta.global.u32 [%x0], 1;\n", acquire), 2);
  RACES(pass(release, loop("ld.acquire.cta.global.u32 %r5, [%x0];\n")), 2);
  const std::string near = pass("st.release.cluster.global.u32 [%x0], 1;\n", loop("ld.acquire.cluster.global.u32 %r5, [%x0];\n"));
  CLEAN(near, 2, 2);
  RACES(near, 2);
}

TEST(warps_of_a_block_need_a_fence_too) {
  const auto pass = [](const std::string& raise, const std::string& lower) {
    return "setp.lt.u32 %p1, %r0, 32;\nand.b32 %r4, %r0, 31;\nsetp.ne.u32 %p2, %r4, 0;\n@!%p1 bra READER;\n@%p2 ret;\nst.shared.u32 [%r1], 9;\n" + raise +
           "ret;\nREADER:\n@%p2 ret;\nSPIN:\nld.volatile.global.u32 %r5, [%x0];\nsetp.ne.u32 %p3, %r5, 1;\n@%p3 bra SPIN;\n" + lower + "ld.shared.u32 %r6, [%r1];\n";
  };
  const std::string flag = "st.volatile.global.u32 [%x0], 1;\n", fence = "membar.cta;\n";
  CLEAN(pass(fence + flag, fence));
  RACES(pass(flag, fence));
  RACES(pass(fence + flag, ""));
}

TEST(the_last_block_needs_fences) {
  // Every block writes a word; the one that counts last reads them all.
  const auto reduction = [](const std::string& before, const std::string& after) {
    return "mov.u32 %r4, %ctaid.x;\nmul.wide.u32 %x1, %r4, 4;\nadd.u64 %x2, %x0, %x1;\nsetp.ne.u32 %p1, %r0, 0;\n@!%p1 st.global.u32 [%x2+16], %r4;\n" + before +
           "setp.ne.u32 %p1, %r0, 0;\n@%p1 ret;\natom.global.add.u32 %r5, [%x0], 1;\nsetp.ne.u32 %p2, %r5, 10;\n@%p2 ret;\n" + after +
           "ld.global.u32 %r6, [%x0+16];\nld.global.u32 %r6, [%x0+20];\nld.global.u32 %r6, [%x0+24];\nld.global.u32 %r6, [%x0+28];\n";
  };
  const std::string fence = "membar.gl;\n";
  CLEAN(reduction(fence, fence), 4);
  CLEAN(reduction(fence + meet, fence), 4);   // the fence of whoever wrote, then a barrier
  CLEAN(reduction(meet + fence, fence), 4);
  RACES(reduction("", ""), 4);
  RACES(reduction("", fence), 4);
  RACES(reduction(fence, ""), 4);
  RACES(reduction("membar.cta;\n", fence), 4);
}

TEST(a_fence_covers_only_what_its_warp_knows) {
  // The second warp writes, the first one fences and counts: without a barrier between them the fence says nothing.
  const auto reduction = [](const std::string& between) {
    return "mov.u32 %r4, %ctaid.x;\nmul.wide.u32 %x1, %r4, 4;\nadd.u64 %x2, %x0, %x1;\nsetp.eq.u32 %p1, %r0, 40;\n@%p1 st.global.u32 [%x2+16], %r4;\n" + between +
           "setp.ne.u32 %p1, %r0, 0;\n@%p1 ret;\nmembar.gl;\natom.global.add.u32 %r5, [%x0], 1;\nmembar.gl;\nsetp.ne.u32 %p2, %r5, 8;\n@%p2 ret;\n"
           "ld.global.u32 %r6, [%x0+16];\nld.global.u32 %r6, [%x0+20];\n";
  };
  CLEAN(reduction(meet), 2);
  RACES(reduction(""), 2);
}

TEST(too_narrow_atomics_race_with_each_other) {
  RACES("atom.relaxed.cta.global.add.u32 %r4, [%x0], 1;\n", 2);
  CLEAN("atom.relaxed.cta.global.add.u32 %r4, [%x0], 1;\n");
  CLEAN("atom.relaxed.cluster.global.add.u32 %r4, [%x0], 1;\n", 2, 2);
  RACES("atom.relaxed.cluster.global.add.u32 %r4, [%x0], 1;\n", 2);
}

TEST(blocks_of_a_cluster_race_in_shared_memory) {
  const std::string remote = "mov.u32 %r4, %cluster_ctarank;\nxor.b32 %r4, %r4, 1;\nmapa.shared::cluster.u32 %r5, %r3, %r4;\n";
  const std::string store = "st.shared::cluster.u32 [%r5], %r0;\n", load = "ld.shared.u32 %r6, [%r3];\n", own = "st.shared.u32 [%r3], %r0;\n";
  const std::string arrive = "barrier.cluster.arrive", wait = "barrier.cluster.wait.acquire.aligned;\n", met = arrive + ".release.aligned;\n" + wait;
  CLEAN(remote + met + store + met + load, 4, 2);
  RACES(remote + store + load + met, 4, 2);
  RACES(remote + store + own + met, 4, 2);
  RACES(remote + store + meet + load + met, 4, 2);
  // A relaxed arrival needs a fence.
  RACES(remote + store + arrive + ".relaxed.aligned;\n" + wait + load, 4, 2);
  CLEAN(remote + store + "fence.acq_rel.cluster;\n" + arrive + ".relaxed.aligned;\n" + wait + load, 4, 2);
}

TEST(an_mbarrier_is_initialised_before_others_use_it) {
  const std::string init = "setp.eq.u32 %p1, %r0, 0;\n@%p1 mbarrier.init.shared.b64 [%r1], 64;\n", arrive = "mbarrier.arrive.shared.b64 %x3, [%r1];\n";
  CLEAN(init + meet + arrive);
  RACES(init + "setp.lt.u32 %p2, %r0, 32;\n@%p2 bar.warp.sync -1;\n" + arrive);
}
