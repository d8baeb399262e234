// mbarrier instructions: states, parities, counts, transactions, and the faults of misuse.
#include "tensor_test.h"

#include "machine/checks.h"

using namespace cnn::test;

namespace {

// A block of 64 threads with two barriers; %x0 = thread, %x1 = address of the first barrier, %d1 = out. Each test stores
// one word per thread from %x9.
std::string kernel(const std::string& body) {
  return ".visible .entry k(.param .u64 out)\n{\n .shared .align 8 .b64 bar[2];\n .shared .align 4 .b32 data[64];\n"
         " .reg .pred %p<8>;\n .reg .b32 %x<16>;\n .reg .b64 %d<12>;\n"
         " ld.param.u64 %d1, [out];\n mov.u32 %x0, %tid.x;\n mov.u32 %x1, bar;\n mov.u32 %x2, data;\n mov.u32 %x9, 0;\n"
         " setp.eq.u32 %p0, %x0, 0;\n mul.wide.u32 %d2, %x1, 1;\n cvta.shared.u64 %d2, %d2;\n"
         + body +
         " mul.wide.u32 %d3, %x0, 4;\n add.s64 %d3, %d1, %d3;\n st.global.b32 [%d3], %x9;\n ret;\n}\n";
}

std::vector<std::uint32_t> run(const std::string& body, unsigned threads = 64) {
  Device device;
  Program program(device, moduleText(kernel(body)));
  const auto out = device.zeros<std::uint32_t>(64);
  program.run("k", {1}, {threads}, 0, out);
  return device.download<std::uint32_t>(out, threads);
}

cnn::emu::Fault faultOf(const std::string& body) {
  Device device;
  Program program(device, moduleText(kernel(body)));
  const auto out = device.zeros<std::uint32_t>(64);
  const auto fault = program.tryRun("k", {1}, {64}, 0, out);
  REQUIRE(fault.has_value());
  return *fault;
}

const std::string init64 = " @%p0 mbarrier.init.shared.b64 [%x1], 64;\n bar.sync 0;\n";
const std::string writeAndArrive = " shl.b32 %x3, %x0, 2;\n add.s32 %x3, %x3, %x2;\n st.shared.b32 [%x3], %x0;\n mbarrier.arrive.shared.b64 %d4, [%x1];\n";
const std::string readPartner = " xor.b32 %x4, %x0, 63;\n shl.b32 %x4, %x4, 2;\n add.s32 %x4, %x4, %x2;\n ld.shared.b32 %x9, [%x4];\n";

}  // namespace

TEST(waits_of_every_kind) {
  const std::string waits[] = {
      "W:\n mbarrier.test_wait.shared.b64 %p1, [%x1], %d4;\n @!%p1 bra W;\n",
      "W:\n mbarrier.test_wait.parity.shared::cta.b64 %p1, [%x1], 0;\n @!%p1 bra W;\n",
      "W:\n mbarrier.try_wait.b64 %p1, [%d2], %d4;\n @!%p1 bra W;\n",
      "W:\n mbarrier.try_wait.parity.shared.b64 %p1, [%x1], 0, 1000;\n @!%p1 bra W;\n",
      "W:\n mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 %p1, [%x1], 0;\n @!%p1 bra W;\n",
  };
  for (const std::string& wait : waits) {
    const auto got = run(init64 + writeAndArrive + wait + readPartner);
    for (unsigned t = 0; t < 64; ++t) CHECK_EQ(got[t], t ^ 63);
  }
}

TEST(parity_of_a_fresh_barrier) {
  const auto got = run(init64 + " mbarrier.test_wait.parity.shared.b64 %p1, [%x1], 1;\n mbarrier.test_wait.parity.shared.b64 %p2, [%x1], 0;\n"
                                " selp.b32 %x9, 1, 0, %p1;\n @%p2 add.s32 %x9, %x9, 2;\n");
  for (const auto value : got) CHECK_EQ(value, 1u);
}

TEST(phases_alternate) {
  // Five phases; in each the threads see what the others wrote in it.
  const auto got = run(init64 + " mov.u32 %x5, 0;\nLOOP:\n"
                       " shl.b32 %x3, %x0, 2;\n add.s32 %x3, %x3, %x2;\n add.s32 %x6, %x0, %x5;\n st.shared.b32 [%x3], %x6;\n"
                       " mbarrier.arrive.shared.b64 %d4, [%x1];\nW:\n mbarrier.try_wait.shared.b64 %p1, [%x1], %d4;\n @!%p1 bra W;\n"
                       " xor.b32 %x4, %x0, 63;\n shl.b32 %x4, %x4, 2;\n add.s32 %x4, %x4, %x2;\n ld.shared.b32 %x7, [%x4];\n add.s32 %x9, %x9, %x7;\n"
                       " bar.sync 0;\n add.s32 %x5, %x5, 1;\n setp.lt.u32 %p2, %x5, 5;\n @%p2 bra LOOP;\n");
  for (unsigned t = 0; t < 64; ++t) CHECK_EQ(got[t], 5 * (t ^ 63) + 10);
}

TEST(counts_and_transactions) {
  const std::string one = " @!%p0 bra DONE;\n mbarrier.init.shared.b64 [%x1], 3;\n";
  // Two of three arrivals, then one more.
  const auto counts = run(one + " mbarrier.arrive.noComplete.shared.b64 %d4, [%x1], 2;\n mbarrier.pending_count.b64 %x5, %d4;\n"
                                " mbarrier.test_wait.shared.b64 %p1, [%x1], %d4;\n mbarrier.arrive.shared.b64 %d5, [%x1];\n"
                                " mbarrier.pending_count.b64 %x6, %d5;\n mbarrier.test_wait.shared.b64 %p2, [%x1], %d4;\n"
                                " shl.b32 %x6, %x6, 4;\n or.b32 %x9, %x5, %x6;\n @%p1 or.b32 %x9, %x9, 256;\n @%p2 or.b32 %x9, %x9, 512;\nDONE:\n");
  CHECK_EQ(counts[0], 3u | 1u << 4 | 512u);
  // The bytes hold the phase open after the last arrival.
  const auto bytes = run(one + " mbarrier.arrive.shared.b64 %d4, [%x1], 2;\n mbarrier.arrive.expect_tx.shared.b64 %d5, [%x1], 96;\n"
                               " mbarrier.expect_tx.relaxed.cta.shared.b64 [%x1], 32;\n mbarrier.complete_tx.shared.b64 [%x1], 100;\n"
                               " mbarrier.test_wait.parity.shared.b64 %p1, [%x1], 0;\n mbarrier.complete_tx.shared.b64 [%x1], 28;\n"
                               " mbarrier.test_wait.parity.shared.b64 %p2, [%x1], 0;\n @%p1 or.b32 %x9, %x9, 1;\n @%p2 or.b32 %x9, %x9, 2;\nDONE:\n");
  CHECK_EQ(bytes[0], 2u);
  // A participant that drops out is missed neither now nor later.
  const auto drops = run(one + " mbarrier.arrive.shared.b64 %d4, [%x1], 2;\n mbarrier.arrive_drop.shared.b64 %d5, [%x1];\n"
                               " mbarrier.arrive.shared.b64 %d6, [%x1], 2;\n mbarrier.test_wait.shared.b64 %p1, [%x1], %d6;\n @%p1 or.b32 %x9, %x9, 1;\nDONE:\n");
  CHECK_EQ(drops[0], 1u);
}

TEST(misuse_faults) {
  CHECK(contains(faultOf(" mbarrier.arrive.shared.b64 %d4, [%x1];\n").report, "not initialised"));
  CHECK(contains(faultOf(" mbarrier.try_wait.parity.shared.b64 %p1, [%x1], 0;\n").report, "not initialised"));
  CHECK(contains(faultOf(" mbarrier.init.shared.b64 [%x1], 0;\n").report, "[1, 2^20 - 1]"));
  CHECK(contains(faultOf(" @%p0 mbarrier.init.shared.b64 [%x1], 2;\n bar.sync 0;\n mbarrier.arrive.shared.b64 %d4, [%x1], 3;\n").report, "more arrivals"));
  CHECK(contains(faultOf(" @%p0 mbarrier.init.shared.b64 [%x1], 64;\n @%p0 mbarrier.inval.shared.b64 [%x1];\n bar.sync 0;\n mbarrier.arrive.shared.b64 %d4, [%x1];\n").report, "not initialised"));
  CHECK_EQ(faultOf(" mbarrier.init.shared.b64 [%x1+4], 1;\n").code, 716);
  CHECK_EQ(faultOf(" mbarrier.init.shared.b64 [%x1+4096], 1;\n").code, 700);
  CHECK_EQ(faultOf(" mbarrier.init.b64 [%d1], 1;\n").code, 717);
}

TEST(a_phase_that_cannot_end_is_a_deadlock) {
  const auto fault = faultOf(init64 + "W:\n mbarrier.try_wait.parity.shared.b64 %p1, [%x1], 0;\n @!%p1 bra W;\n");
  CHECK_EQ(fault.code, 702);
  CHECK(contains(fault.report, "mbarrier"));
}

TEST(warps_that_only_wait_for_each_other_go_on) {
  // Two warps hand a turn to and fro over two barriers, for longer than a deadlock takes to be found: whenever the scheduler
  // comes by, each warp waits for the other. Warp 0 ends the game by a word in shared memory.
  const std::string wait = ":\n mbarrier.try_wait.parity.shared.b64 %p1, [%x3], %x5;\n @!%p1 bra ";
  const std::string turn = " xor.b32 %x5, %x5, 1;\n add.s32 %x9, %x9, 1;\n ld.shared.b32 %x6, [%x2];\n setp.eq.u32 %p2, %x6, 0;\n";
  const auto got = run(" @%p0 mbarrier.init.shared.b64 [%x1], 32;\n @%p0 mbarrier.init.shared.b64 [%x1+8], 32;\n @%p0 st.shared.b32 [%x2], 0;\n bar.sync 0;\n"
                       " mov.u64 %d5, %globaltimer;\n mov.u32 %x5, 0;\n setp.ge.u32 %p3, %x0, 32;\n @%p3 bra SECOND;\n add.s32 %x3, %x1, 8;\n"
                       "FIRST:\n mov.u64 %d6, %globaltimer;\n sub.s64 %d6, %d6, %d5;\n setp.gt.u64 %p4, %d6, 2000000000;\n @%p4 st.shared.b32 [%x2], 1;\n"
                       " mbarrier.arrive.shared.b64 %d4, [%x1];\nW" + wait + "W;\n" + turn + " @%p2 bra FIRST;\n bra DONE;\n"
                       "SECOND:\n mov.u32 %x3, %x1;\nV" + wait + "V;\n mbarrier.arrive.shared.b64 %d4, [%x1+8];\n" + turn + " @%p2 bra SECOND;\nDONE:\n");
  CHECK(got[0] > 100);
  CHECK_EQ(got[63], got[0]);
}

TEST(race_check_sees_an_mbarrier_as_order) {
  cnn::emu::setChecks(cnn::emu::checkRace);
  const std::string wait = "W:\n mbarrier.try_wait.parity.shared.b64 %p1, [%x1], 0;\n @!%p1 bra W;\n";
  const auto got = run(init64 + writeAndArrive + wait + readPartner);
  for (unsigned t = 0; t < 64; ++t) CHECK_EQ(got[t], t ^ 63);
  // Without the wait the same read races with the write of the other warp.
  CHECK(contains(faultOf(init64 + writeAndArrive + readPartner).report, "race"));
  cnn::emu::setChecks(0);
}

TEST(forms_that_do_not_load) {
  CHECK(contains(loadError(moduleText(kernel(" mbarrier.try_wait.shared.b64 %p1, [%x1], %d4;\n"), "8.3", "sm_80")), "sm_90"));
  CHECK(contains(loadError(moduleText(kernel(" mbarrier.arrive.release.cluster.shared::cluster.b64 %d4, [%x1];\n"))), "write _"));
  CHECK(contains(loadError(moduleText(kernel(" mbarrier.arrive.acquire.cta.shared.b64 %d4, [%x1];\n"))), "acquire"));
}

TEST(async_check_keeps_other_accesses_off) {
  const auto reportOf = [](const std::string& body) {
    cnn::emu::setChecks(cnn::emu::checkAsync);
    Device device;
    Program program(device, moduleText(kernel(init64 + body)));
    const auto fault = program.tryRun("k", {1}, {64}, 0, device.zeros<std::uint32_t>(64));
    cnn::emu::setChecks(0);
    return fault ? fault->report : std::string("fine");
  };
  const std::string end = " @%p0 mbarrier.inval.shared.b64 [%x1];\n";
  CHECK_EQ(reportOf(" @%p0 st.shared.b64 [%x1+8], 0;\n"), "fine");
  CHECK(contains(reportOf(" @%p0 st.shared.b32 [%x1+4], 0;\n"), "write of 4 bytes of shared memory at 0x4, where an mbarrier lives"));
  CHECK(contains(reportOf(" @%p0 ld.shared.b64 %d4, [%x1];\n"), "read of 8 bytes"));
  CHECK(contains(reportOf(" @%p0 mbarrier.init.shared.b64 [%x1], 64;\n"), "initialised again without mbarrier.inval"));
  CHECK_EQ(reportOf(end + " @%p0 st.shared.b64 [%x1], 0;\n"), "fine");
  CHECK_EQ(reportOf(end + " @%p0 mbarrier.init.shared.b64 [%x1], 64;\n"), "fine");
}
