// Clusters: barriers, distributed shared memory, remote arrivals; and the small instructions of Hopper kernels.
#include "tensor_test.h"

using namespace cnn::test;

namespace {

// %x0 thread, %x1 `data` (64 words), %x2 mbarrier, %x3 rank, %x4 size of the cluster, %x5 next rank; stores %x9 per thread
// to out[block * 64 + thread].
std::string kernel(const std::string& body) {
  return ".visible .entry k(.param .u64 out)\n{\n .shared .align 16 .b32 data[64];\n .shared .align 8 .b64 bar[1];\n"
         " .reg .pred %p<8>;\n .reg .b32 %x<20>;\n .reg .b64 %d<12>;\n"
         " ld.param.u64 %d1, [out];\n mov.u32 %x0, %tid.x;\n mov.u32 %x1, data;\n mov.u32 %x2, bar;\n mov.u32 %x3, %cluster_ctarank;\n"
         " mov.u32 %x4, %cluster_nctarank;\n add.s32 %x5, %x3, 1;\n setp.eq.u32 %p1, %x5, %x4;\n selp.b32 %x5, 0, %x5, %p1;\n"
         " setp.eq.u32 %p0, %x0, 0;\n mov.u32 %x9, 0;\n shl.b32 %x6, %x0, 2;\n add.s32 %x7, %x6, %x1;\n"
         + body +
         " mov.u32 %x10, %ctaid.x;\n shl.b32 %x10, %x10, 6;\n add.s32 %x10, %x10, %x0;\n mul.wide.u32 %d3, %x10, 4;\n add.s64 %d3, %d1, %d3;\n"
         " st.global.b32 [%d3], %x9;\n ret;\n}\n";
}

const std::string barrier = " barrier.cluster.arrive.release.aligned;\n barrier.cluster.wait.acquire.aligned;\n";

struct Case {
  Device device;
  std::uint64_t out = device.zeros<std::uint32_t>(64 * 16);

  std::optional<cnn::emu::Fault> tryRun(const std::string& body, unsigned size, unsigned blocks) {
    Program program(device, moduleText(kernel(body)));
    program.cluster = {size, 1, 1};
    return program.tryRun("k", {blocks}, {64}, 0, out);
  }
  std::vector<std::uint32_t> run(const std::string& body, unsigned size, unsigned blocks) {
    if (const auto fault = tryRun(body, size, blocks)) FAIL(fault->report);
    return device.download<std::uint32_t>(out, std::size_t(64 * blocks));
  }
};

}  // namespace

TEST(neighbours_read_each_other) {
  // Each block writes 100 * block + thread, then reads the next block's word, by .shared::cluster and generic addresses.
  const std::string write = " mov.u32 %x11, %ctaid.x;\n mad.lo.u32 %x11, %x11, 100, %x0;\n st.shared.b32 [%x7], %x11;\n" + barrier;
  const std::string direct = " mapa.shared::cluster.u32 %x12, %x7, %x5;\n ld.shared::cluster.b32 %x9, [%x12];\n" + barrier;
  const std::string generic = " mul.wide.u32 %d4, %x7, 1;\n cvta.shared.u64 %d4, %d4;\n mapa.u64 %d5, %d4, %x5;\n ld.b32 %x9, [%d5];\n" + barrier;
  for (const std::string& read : {direct, generic})
    for (const unsigned size : {1u, 2u, 4u, 8u}) {
      Case c;
      const auto got = c.run(write + read, size, 8);
      for (unsigned block = 0; block < 8; ++block)
        for (unsigned t = 0; t < 64; ++t) {
          const unsigned next = block / size * size + (block + 1) % size;
          CHECK_EQ(got[block * 64 + t], next * 100 + t);
        }
    }
}

TEST(neighbours_write_each_other) {
  Case c;
  const auto got = c.run(" mapa.shared::cluster.u32 %x12, %x7, %x5;\n mov.u32 %x11, %ctaid.x;\n mad.lo.u32 %x11, %x11, 100, %x0;\n" + barrier
                         + " st.shared::cluster.b32 [%x12], %x11;\n" + barrier + " ld.shared.b32 %x9, [%x7];\n", 2, 4);
  for (unsigned block = 0; block < 4; ++block)
    for (unsigned t = 0; t < 64; ++t) CHECK_EQ(got[block * 64 + t], (block ^ 1) * 100 + t);
}

TEST(rank_of_an_address) {
  Case c;
  const auto got = c.run(" mapa.shared::cluster.u32 %x12, %x7, %x5;\n getctarank.shared::cluster.u32 %x13, %x12;\n getctarank.shared::cluster.u32 %x14, %x7;\n"
                         " shl.b32 %x13, %x13, 8;\n or.b32 %x9, %x13, %x14;\n", 4, 4);
  for (unsigned block = 0; block < 4; ++block) CHECK_EQ(got[block * 64 + 5], (block + 1) % 4 << 8 | block);
}

TEST(remote_arrival) {
  // Every thread of the cluster arrives on the barrier of the next block.
  Case c;
  const auto got = c.run(" @%p0 mbarrier.init.shared.b64 [%x2], 64;\n @%p0 fence.mbarrier_init.release.cluster;\n st.shared.b32 [%x7], 0;\n" + barrier +
                         " mapa.shared::cluster.u32 %x12, %x2, %x5;\n mapa.shared::cluster.u32 %x13, %x7, %x5;\n add.s32 %x14, %x0, 1000;\n"
                         " st.shared::cluster.b32 [%x13], %x14;\n mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%x12];\n"
                         "W:\n mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, [%x2], 0;\n @!%p2 bra W;\n ld.shared.b32 %x9, [%x7];\n" + barrier, 4, 8);
  for (unsigned block = 0; block < 8; ++block)
    for (unsigned t = 0; t < 64; ++t) CHECK_EQ(got[block * 64 + t], t + 1000);
}

TEST(barrier_counts_threads_that_have_left) {
  Case c;
  // Warp 1 of block 1 leaves at once.
  const auto got = c.run(" mov.u32 %x11, %ctaid.x;\n setp.eq.u32 %p2, %x11, 1;\n setp.ge.u32 %p3, %x0, 32;\n and.pred %p2, %p2, %p3;\n @%p2 exit;\n" + barrier + barrier + " mov.u32 %x9, 7;\n", 2, 2);
  CHECK_EQ(got[0], 7u);
  CHECK_EQ(got[64], 7u);
  CHECK_EQ(got[64 + 40], 0u);
}

TEST(barrier_misuse) {
  Case c;
  CHECK(contains(c.tryRun(" barrier.cluster.wait;\n", 2, 2).value().report, "without an arrive"));
  CHECK(contains(c.tryRun(" barrier.cluster.arrive;\n barrier.cluster.arrive;\n", 2, 2).value().report, "twice"));
  // One block waits twice, the other once.
  const auto hang = c.tryRun(barrier + " setp.eq.u32 %p3, %x3, 0;\n @!%p3 bra DONE;\nL:\n mbarrier.init.shared.b64 [%x2], 1;\nW:\n mbarrier.try_wait.parity.shared.b64 %p4, [%x2], 0;\n @!%p4 bra W;\nDONE:\n", 2, 2);
  CHECK_EQ(hang.value().code, 702);
}

TEST(addresses_outside_fault) {
  Case c;
  CHECK(contains(c.tryRun(" mapa.shared::cluster.u32 %x12, %x7, %x4;\n", 2, 2).value().report, "rank 2"));
  CHECK_EQ(c.tryRun(" mapa.shared::cluster.u32 %x12, %x7, %x5;\n ld.shared::cluster.b32 %x9, [%x12+4096];\n", 2, 2).value().code, 700);
  CHECK_EQ(c.tryRun(" ld.shared::cluster.b32 %x9, [%x7+83886080];\n", 2, 2).value().code, 700);   // rank 4
}

TEST(elect_names_one_lane) {
  Case c;
  const auto got = c.run(" elect.sync %x11|%p2, 0xffffffff;\n selp.b32 %x9, 100, 0, %p2;\n add.s32 %x9, %x9, %x11;\n"
                         " setp.ge.u32 %p3, %x0, 40;\n @!%p3 bra DONE;\n elect.sync _|%p4, 0xffffff00;\n @%p4 mov.u32 %x9, 5;\nDONE:\n", 1, 1);
  for (unsigned t = 0; t < 64; ++t) CHECK_EQ(got[t], t == 40 ? 5u : t % 32 == 0 ? 100u : 0u);
  const auto skipped = c.tryRun(" and.b32 %x11, %x0, 16;\n setp.eq.u32 %p3, %x11, 0;\n @%p3 elect.sync _|%p4, 0xffffffff;\n", 1, 1);
  CHECK_EQ(skipped.value().code, 715);
}

TEST(small_instructions_load_and_run) {
  Case c;
  const auto got = c.run(" fence.proxy.async;\n fence.proxy.async.global;\n"
                         " fence.proxy.async.shared::cta;\n fence.proxy.alias;\n fence.mbarrier_init.release.cluster;\n"
                         " griddepcontrol.wait;\n griddepcontrol.launch_dependents;\n mov.u32 %x9, 3;\n", 1, 1);
  CHECK_EQ(got[63], 3u);
  CHECK(contains(loadError(moduleText(kernel(" setmaxnreg.inc.sync.aligned.u32 20;\n"))), "multiple of 8"));
  CHECK(contains(loadError(moduleText(kernel(" setmaxnreg.inc.sync.aligned.u32 240;\n"), "8.3", "sm_90")), "sm_90a"));
  CHECK(contains(loadError(moduleText(kernel(" barrier.cluster.arrive;\n"), "8.3", "sm_80")), "sm_90"));
}

TEST(shared_memory_of_another_block) {
  const std::string map = " mapa.shared::cluster.u32 %x12, %x7, %x5;\n st.shared.b32 [%x7], 1;\n" + barrier;
  Case c;
  CHECK(!c.tryRun(map + " ld.shared::cluster.b32 %x9, [%x12];\n" + barrier, 2, 2));
  const auto own = c.tryRun(map + " ld.shared::cta.b32 %x9, [%x12];\n" + barrier, 2, 2);
  CHECK_EQ(own.value().code, 700);
  CHECK(contains(own->report, ".shared::cluster"));
  // The second block ends, the first one comes later.
  const auto late = c.tryRun(map + " setp.ne.u32 %p3, %x3, 0;\n @%p3 ret;\n mov.u32 %x13, 0;\nT:\n add.s32 %x13, %x13, 1;\n setp.lt.u32 %p4, %x13, 1000000;\n @%p4 bra T;\n"
                             " ld.shared::cluster.b32 %x9, [%x12];\n", 2, 2);
  CHECK_EQ(late.value().code, 700);
  CHECK(contains(late->report, "which has ended"));
}

namespace {

// Three warpgroups: the first gives registers back, the others take them.
std::optional<cnn::emu::Fault> runWarpgroups(const std::string& first, const std::string& others, const std::string& directives = " .maxnreg 168") {
  Device device;
  Program program(device, moduleText(".visible .entry k()" + directives + "\n{\n .reg .pred %p;\n .reg .b32 %x;\n mov.u32 %x, %tid.x;\n setp.lt.u32 %p, %x, 128;\n @!%p bra OTHERS;\n" +
                                     first + " ret;\nOTHERS:\n" + others + " ret;\n}\n"));
  return program.tryRun("k", {1}, {384}, 0);
}

}  // namespace

TEST(registers_are_taken_from_those_given_back) {
  const auto dec = [](int n) { return " setmaxnreg.dec.sync.aligned.u32 " + std::to_string(n) + ";\n"; };
  const auto inc = [](int n) { return " setmaxnreg.inc.sync.aligned.u32 " + std::to_string(n) + ";\n"; };
  CHECK(!runWarpgroups(dec(40), inc(232)));
  CHECK(!runWarpgroups(dec(40), inc(232), " .maxntid 384, 1, 1"));
  // 3 x 168 registers: 40 + 2 x 232 are as many, 40 + 2 x 240 are more.
  const auto many = runWarpgroups(dec(40), inc(240));
  CHECK_EQ(many.value().code, 702);
  CHECK(contains(many->report, "setmaxnreg.inc"));
  CHECK_EQ(runWarpgroups("", inc(232)).value().code, 702);
  CHECK(contains(runWarpgroups(dec(176), inc(176)).value().report, "is no decrease"));
  CHECK(contains(runWarpgroups(dec(40), inc(160)).value().report, "is no increase"));
  // Three of the four warps; another count in the fourth.
  const std::string last = " setp.ge.u32 %p, %x, 96;\n";
  CHECK(contains(runWarpgroups(last + " @%p ret;\n" + dec(40), "").value().report, "has ended without"));
  CHECK(contains(runWarpgroups(last + " @%p bra L;\n" + dec(40) + " ret;\nL:\n" + dec(48), "").value().report, "another warp of the warpgroup executes"));
}
