// What the checks see of bulk copies: data that is not there yet, proxies without a fence, races, memory without a value.
#include "bulk_test.h"

#include "../machine/variable.h"

#include "machine/checks.h"

using namespace cnn::test;

namespace {

class Checks {
 public:
  explicit Checks(unsigned checks) : before_(requestedChecks()) { setChecks(checks); }
  ~Checks() { setChecks(before_); }

 private:
  unsigned before_;
};

const std::string isOther = " setp.eq.u32 %p2, %x0, 40;\n";  // a thread of the second warp

std::string reportOf(BulkCase& c, unsigned checks, const std::string& body) {
  const Checks on(checks);
  const Variable seed("CNN_EMULATOR_SEED", "0");  // which of two racing accesses comes first
  const auto fault = c.tryRun(body, false);
  return fault ? fault->report : std::string("fine");
}

}  // namespace

TEST(async_check) {
  const Variable late("CNN_EMULATOR_SEED", "0");  // copies complete as late as they may
  const Checks on(checkAsync);
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const std::string load = expect(1024) + at2d(0, 0) + tensor2d;
  CHECK(contains(c.faultOf(load + " ld.shared.b32 %r0, [%x1];\n").report, "cp.async.bulk"));
  CHECK(!c.tryRun(load + wait + " ld.shared.b32 %r0, [%x1];\n", false));
  CHECK(contains(c.faultOf(load).report, "under way"));
  const std::string store = " @%p0 st.shared.b32 [%x1], 1;\n fence.proxy.async;\n @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d2], [%x1], 256;\n @%p0 cp.async.bulk.commit_group;\n";
  CHECK(contains(c.faultOf(store).report, "wait_group.read"));
  CHECK(contains(c.faultOf(store + " @%p0 st.shared.b32 [%x1], 2;\n @%p0 cp.async.bulk.wait_group.read 0;\n").report, "cp.async.bulk"));
  CHECK(!c.tryRun(store + " @%p0 cp.async.bulk.wait_group.read 0;\n @%p0 st.shared.b32 [%x1], 2;\n", false));
}

TEST(async_check_wants_a_fence_between_the_proxies) {
  const Checks on(checkAsync);
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const std::string fill = " shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n st.shared.b32 [%x4], %x0;\n", meet = " bar.sync 0;\n", fence = " fence.proxy.async.shared::cta;\n";
  const std::string copy = " @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d2], [%x1], 256;\n @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group 0;\n";
  const auto reportOf = [&](const std::string& body) {
    const auto fault = c.tryRun(body, false);
    return fault ? fault->report : std::string("fine");
  };
  CHECK_EQ(reportOf(fill + fence + meet + copy), "fine");
  CHECK_EQ(reportOf(fill + meet + " @%p0" + fence + copy), "fine");
  CHECK(contains(reportOf(fill + meet + copy), "without a fence.proxy.async"));
  CHECK(contains(reportOf(fence + fill + meet + copy), "without a fence.proxy.async"));
  CHECK(contains(reportOf(fill + " fence.proxy.async.global;\n" + meet + copy), "without a fence.proxy.async"));
  // The second warp writes behind its fence.
  CHECK(contains(reportOf(fill + fence + " setp.gt.u32 %p2, %x0, 31;\n @%p2 st.shared.b32 [%x4], 1;\n" + meet + copy), "which warp 1 has written"));
  // cp.async writes as threads do, and no earlier than its wait.
  const std::string small = " mul.wide.u32 %d7, %x0, 4;\n add.s64 %d7, %d7, %d1;\n shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n cp.async.ca.shared.global [%x4], [%d7], 4;\n cp.async.commit_group;\n";
  const std::string waitSmall = " cp.async.wait_group 0;\n";
  CHECK_EQ(reportOf(small + waitSmall + fence + meet + copy), "fine");
  CHECK(contains(reportOf(small + fence + waitSmall + meet + copy), "without a fence.proxy.async"));
  // What the proxy has written it sees.
  CHECK_EQ(reportOf(expect(1024) + at2d(0, 0) + tensor2d + wait + copy), "fine");
  CHECK_EQ(reportOf(fill + fence + meet + expect(1024) + at2d(0, 0) + tensor2d + wait + copy), "fine");
}

TEST(async_check_wants_a_fence_before_global_memory_is_copied) {
  const Checks on(checkAsync);
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const std::string store = " mul.wide.u32 %d7, %x0, 4;\n add.s64 %d7, %d7, %d1;\n st.global.b32 [%d7+512], %x0;\n", meet = " bar.sync 0;\n", fence = " fence.proxy.async;\n";
  const std::string tile = expect(1024) + at2d(0, 0) + tensor2d + wait;
  const std::string bytes = expect(256) + " @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d1], 256, [%x2];\n" + wait;
  const auto reportOf = [&](const std::string& body) {
    const auto fault = c.tryRun(body, false);
    return fault ? fault->report : std::string("fine");
  };
  CHECK(contains(reportOf(store + meet + tile), "reads global memory"));
  CHECK(contains(reportOf(fence + store + meet + tile), "without a fence.proxy.async"));
  CHECK(contains(reportOf(store + " fence.proxy.async.shared::cta;\n" + meet + tile), "without a fence.proxy.async"));
  CHECK_EQ(reportOf(store + fence + meet + tile), "fine");
  CHECK_EQ(reportOf(store + " fence.proxy.async.global;\n" + meet + tile), "fine");
  CHECK_EQ(reportOf(store + meet + " @%p0" + fence + tile), "fine");
  // Beside what is copied, and after it.
  CHECK_EQ(reportOf(store + meet + bytes), "fine");
  CHECK_EQ(reportOf(tile + store), "fine");
  // The second warp stores behind its fence.
  CHECK(contains(reportOf(store + fence + " setp.gt.u32 %p2, %x0, 31;\n @%p2 st.global.b32 [%d7], 1;\n" + meet + tile), "which warp 1 of block 0"));
  // What the proxy itself has stored over it needs no fence.
  const std::string back = " @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d1], [%x1], 1024;\n @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group 0;\n";
  CHECK_EQ(reportOf(store + meet + back + tile), "fine");
}

TEST(async_check_follows_stores_into_another_block) {
  const Checks on(checkAsync);
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  c.cluster = {2, 1, 1};
  // Each block writes the tile of the other, and copies its own out.
  const std::string remote = " mov.u32 %x5, %cluster_ctarank;\n xor.b32 %x5, %x5, 1;\n mapa.shared::cluster.u32 %x6, %x1, %x5;\n shl.b32 %x4, %x0, 2;\n add.s32 %x6, %x6, %x4;\n";
  const std::string store = remote + " st.shared::cluster.b32 [%x6], %x0;\n", meet = " barrier.cluster.arrive.aligned;\n barrier.cluster.wait.aligned;\n", fence = " fence.proxy.async;\n";
  const std::string copy = " @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d2], [%x1], 256;\n @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group 0;\n";
  const auto reportOf = [&](const std::string& body) {
    const auto fault = c.tryRun(body + meet, false);
    return fault ? fault->report : std::string("fine");
  };
  CHECK(contains(reportOf(store + meet + copy), "of the cluster has written, without a fence.proxy.async"));
  CHECK(contains(reportOf(fence + store + meet + copy), "without a fence.proxy.async"));
  CHECK_EQ(reportOf(store + fence + meet + copy), "fine");
  CHECK_EQ(reportOf(store + meet + fence + copy), "fine");
  // One block stores to global memory, the other copies from there.
  const std::string first = " mov.u32 %x7, %cluster_ctarank;\n setp.eq.u32 %p3, %x7, 0;\n mul.wide.u32 %d7, %x0, 4;\n add.s64 %d7, %d7, %d1;\n @%p3 st.global.b32 [%d7], %x0;\n";
  const std::string tile = " @%p3 ret;\n" + expect(1024) + at2d(0, 0) + tensor2d + wait;
  CHECK(contains(c.faultOf(first + meet + tile).report, "of block 0 (of the grid, counted) has written, without a fence.proxy.async"));
  CHECK(!c.tryRun(first + " @%p3" + fence + meet + tile, false));
  CHECK(!c.tryRun(first + meet + fence + tile, false));
}

TEST(race_check_follows_copies_in) {
  BulkCase c;
  const std::string read = " @%p2 ld.shared.b32 %r0, [%x1+64];\n", store = " @%p2 st.global.b32 [%d1+64], 1;\n";
  // What others have read or written before, and what they read after.
  CHECK_EQ(reportOf(c, checkRace, isOther + read + allMeet + bytesIn() + wait + read), "fine");
  CHECK(contains(reportOf(c, checkRace, isOther + read + bytesIn() + wait), "race: the write of shared memory by cp.async.bulk is not ordered with a read"));
  CHECK(contains(reportOf(c, checkRace, fillTile + bytesIn() + wait), "is not ordered with a write"));
  const std::string onlyFirst = "@!%p0 bra ON;\n" + wait + "ON:\n";
  CHECK(contains(reportOf(c, checkRace, isOther + bytesIn() + onlyFirst + read), "race: "));
  CHECK_EQ(reportOf(c, checkRace, isOther + bytesIn() + onlyFirst + allMeet + read), "fine");
  // Global memory is read as by a load.
  CHECK(contains(reportOf(c, checkRace, isOther + store + bytesIn() + wait), "race: the read of global memory by cp.async.bulk"));
  CHECK_EQ(reportOf(c, checkRace, isOther + store + allMeet + bytesIn() + wait), "fine");
  CHECK_EQ(reportOf(c, checkRace, isOther + bytesIn() + wait + store), "fine");
}

TEST(race_check_follows_copies_out) {
  BulkCase c;
  const std::string load = " @%p2 ld.global.b32 %r0, [%d2+64];\n";
  CHECK_EQ(reportOf(c, checkRace, isOther + fillTile + allMeet + bytesOut("") + allMeet + load), "fine");
  CHECK(contains(reportOf(c, checkRace, isOther + fillTile + bytesOut("") + allMeet), "race: the read of shared memory by cp.async.bulk is not ordered with a write"));
  CHECK(contains(reportOf(c, checkRace, isOther + fillTile + allMeet + load + bytesOut("")), "race: "));
  CHECK(contains(reportOf(c, checkRace, isOther + fillTile + allMeet + bytesOut("") + load), "race: "));
  CHECK(contains(reportOf(c, checkRace, isOther + fillTile + allMeet + bytesOut(".read") + " @%p2 st.shared.b32 [%x1], 1;\n"), "race: "));
  CHECK_EQ(reportOf(c, checkRace, isOther + fillTile + allMeet + bytesOut(".read") + allMeet + " @%p2 st.shared.b32 [%x1], 1;\n"), "fine");
}

TEST(init_and_nc_checks_follow_copies) {
  BulkCase c;
  const std::string half = " setp.lt.u32 %p2, %x0, 32;\n shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n @%p2 st.shared.b32 [%x4], %x0;\n";
  CHECK_EQ(reportOf(c, checkInit, fillTile + allMeet + bytesOut("")), "fine");
  CHECK(contains(reportOf(c, checkInit, half + allMeet + bytesOut("")), "uninitialised: cp.async.bulk reads shared memory at 0x80"));
  const std::string load = " @%p0 ld.global.nc.b32 %r0, [%d2+64];\n", elsewhere = " @%p0 ld.global.nc.b32 %r0, [%d2+256];\n";
  CHECK_EQ(reportOf(c, checkNc, fillTile + allMeet + bytesOut("") + elsewhere), "fine");
  CHECK(contains(reportOf(c, checkNc, fillTile + allMeet + bytesOut("") + load), "non-coherent: ld.global.nc"));
  CHECK(contains(reportOf(c, checkNc, load + fillTile + allMeet + bytesOut("")), "non-coherent: write"));
}
