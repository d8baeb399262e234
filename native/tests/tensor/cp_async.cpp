// cp.async: sizes, zero fill, groups, completion on mbarriers, and what a missing wait shows.
#include "tensor_test.h"

#include "machine/checks.h"

using namespace cnn::test;

namespace {

constexpr std::uint32_t poisoned = 0xffffffff;

// One warp; lane l copies to tile + 16 l from source + 16 l, then reads its 16 bytes back.
std::string kernel(const std::string& body) {
  return ".visible .entry k(.param .u64 source, .param .u64 target)\n{\n .shared .align 16 .b8 tile[1024];\n .shared .align 8 .b64 bar[2];\n"
         " .reg .pred %p<6>;\n .reg .b32 %r<8>;\n .reg .b32 %x<12>;\n .reg .b64 %d<8>;\n"
         " ld.param.u64 %d1, [source];\n ld.param.u64 %d2, [target];\n mov.u32 %x0, %tid.x;\n mov.u32 %x1, tile;\n"
         " shl.b32 %x2, %x0, 4;\n add.s32 %x3, %x1, %x2;\n mul.wide.u32 %d3, %x2, 1;\n add.s64 %d4, %d1, %d3;\n add.s64 %d5, %d2, %d3;\n"
         " mov.u32 %x4, bar;\n setp.eq.u32 %p0, %x0, 0;\n"
         + body +
         " ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%x3];\n st.global.v4.b32 [%d5], {%r0, %r1, %r2, %r3};\n ret;\n}\n";
}

class Case {
 public:
  Case() {
    Random random(3);
    for (auto& value : source) value = random.bits() & 0x7fffffff;
    in = device.upload(source);
    out = device.zeros<std::uint32_t>(128);
  }
  std::vector<std::uint32_t> run(const std::string& body) {
    Program program(device, moduleText(kernel(body)));
    program.run("k", {1}, {32}, 0, in, out);
    return device.download<std::uint32_t>(out, 128);
  }
  cnn::emu::Fault faultOf(const std::string& body) {
    Program program(device, moduleText(kernel(body)));
    const auto fault = program.tryRun("k", {1}, {32}, 0, in, out);
    REQUIRE(fault.has_value());
    return *fault;
  }
  Device device;
  std::vector<std::uint32_t> source = std::vector<std::uint32_t>(128);
  std::uint64_t in = 0, out = 0;
};

// Sets the checks for one scope.
class Checks {
 public:
  explicit Checks(unsigned checks) : before_(cnn::emu::requestedChecks()) { cnn::emu::setChecks(checks); }
  ~Checks() { cnn::emu::setChecks(before_); }

 private:
  unsigned before_;
};

const std::string commitAndWait = " cp.async.commit_group;\n cp.async.wait_group 0;\n";

}  // namespace

TEST(sizes_and_caching) {
  Case c;
  for (const int size : {4, 8, 16}) {
    const auto got = c.run(" cp.async.ca.shared.global [%x3], [%d4], " + std::to_string(size) + ";\n"
                           " st.shared.b32 [%x3+12], 77;\n"  // not part of the small copies
                           + commitAndWait);
    for (std::size_t n = 0; n < 128; ++n)
      if (int(n % 4) * 4 < size) CHECK_EQ(got[n], c.source[n]);
      else if (n % 4 == 3) CHECK_EQ(got[n], 77u);
  }
  CHECK(c.run(" cp.async.cg.shared.global [%x3], [%d4], 16;\n" + commitAndWait) == c.source);
  CHECK(c.run(" cp.async.cg.shared::cta.global.L2::128B [%x3], [%d4], 16, 16;\n cp.async.wait_all;\n") == c.source);
}

TEST(source_size_fills_with_zeros) {
  Case c;
  for (const int size : {0, 1, 5, 8, 15, 16}) {
    const auto got = c.run(" mov.u32 %x5, " + std::to_string(size) + ";\n cp.async.ca.shared.global [%x3], [%d4], 16, %x5;\n" + commitAndWait);
    for (std::size_t lane = 0; lane < 32; ++lane) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(&got[4 * lane]);
      const auto* from = reinterpret_cast<const std::uint8_t*>(&c.source[4 * lane]);
      for (int b = 0; b < 16; ++b) CHECK_EQ(bytes[b], b < size ? from[b] : 0);
    }
  }
  // With a source size of zero the source address is not looked at.
  const auto zero = c.run(" mov.u64 %d4, 16;\n cp.async.cg.shared.global [%x3], [%d4], 16, 0;\n" + commitAndWait);
  for (const std::uint32_t value : zero) CHECK_EQ(value, 0u);
  // A true predicate ignores the source.
  const auto ignored = c.run(" setp.lt.u32 %p1, %x0, 10;\n cp.async.cg.shared.global [%x3], [%d4], 16, %p1;\n" + commitAndWait);
  for (std::size_t n = 0; n < 128; ++n) CHECK_EQ(ignored[n], n / 4 < 10 ? 0 : c.source[n]);
}

TEST(nothing_arrives_before_the_wait) {
  Case c;
  const std::string copy = " cp.async.cg.shared.global [%x3], [%d4], 16;\n";
  for (const std::uint32_t value : c.run(copy)) CHECK_EQ(value, poisoned);
  for (const std::uint32_t value : c.run(copy + " cp.async.commit_group;\n cp.async.wait_group 1;\n")) CHECK_EQ(value, poisoned);
  // wait_group does not cover what has not been committed; wait_all does.
  for (const std::uint32_t value : c.run(" cp.async.commit_group;\n" + copy + " cp.async.wait_group 0;\n")) CHECK_EQ(value, poisoned);
  CHECK(c.run(copy + " cp.async.wait_all;\n") == c.source);
  // Two groups, one may be pending: the older one is there.
  CHECK(c.run(copy + " cp.async.commit_group;\n cp.async.ca.shared.global [%x1], [%d1], 4;\n cp.async.commit_group;\n cp.async.wait_group 1;\n"
                     " cp.async.wait_group 0;\n") == c.source);
}

TEST(groups_belong_to_threads) {
  Case c;
  // Only the lower half commits and waits.
  const auto got = c.run(" cp.async.cg.shared.global [%x3], [%d4], 16;\n setp.lt.u32 %p1, %x0, 16;\n"
                         " @%p1 cp.async.commit_group;\n cp.async.wait_group 0;\n");
  for (std::size_t n = 0; n < 128; ++n) CHECK_EQ(got[n], n < 64 ? c.source[n] : poisoned);
}

TEST(arrival_on_an_mbarrier) {
  Case c;
  const std::string init = " @%p0 mbarrier.init.shared.b64 [%x4], 32;\n bar.sync 0;\n";
  const std::string wait = "WAIT:\n mbarrier.try_wait.parity.shared.b64 %p2, [%x4], 0;\n @!%p2 bra WAIT;\n";
  CHECK(c.run(init + " cp.async.cg.shared.global [%x3], [%d4], 16;\n cp.async.mbarrier.arrive.noinc.shared.b64 [%x4];\n" + wait) == c.source);
  // Without .noinc the arrival of the copies comes on top of the 32 of the threads.
  CHECK(c.run(init + " cp.async.cg.shared.global [%x3], [%d4], 16;\n cp.async.mbarrier.arrive.shared::cta.b64 [%x4];\n"
                     " mbarrier.arrive.shared.b64 %d6, [%x4];\n" + wait) == c.source);
}

TEST(faults) {
  Case c;
  CHECK_EQ(c.faultOf(" add.s64 %d4, %d4, 8;\n cp.async.cg.shared.global [%x3], [%d4], 16;\n").code, 716);
  CHECK_EQ(c.faultOf(" cp.async.cg.shared.global [%x3+8], [%d4], 16;\n").code, 716);
  CHECK_EQ(c.faultOf(" cp.async.cg.shared.global [%x3], [%d4+16], 16;\n").code, 700);
  CHECK_EQ(c.faultOf(" cp.async.cg.shared.global [%x3+1024], [%d4], 16;\n").code, 700);
  CHECK(contains(c.faultOf(" cp.async.ca.shared.global [%x3], [%d4], 8, 9;\n").report, "larger than the copy size"));
  CHECK(contains(loadError(moduleText(kernel(" cp.async.cg.shared.global [%x3], [%d4], 8;\n"))), "16 bytes"));
  CHECK(contains(loadError(moduleText(kernel(" cp.async.ca.shared.global [%x3], [%d4], 12;\n"))), "4, 8 or 16"));
}

TEST(async_check_names_the_missing_wait) {
  const Checks on(cnn::emu::checkAsync);
  Case c;
  const auto fault = c.faultOf(" cp.async.cg.shared.global [%x3], [%d4], 16;\n cp.async.commit_group;\n cp.async.wait_group 1;\n");
  CHECK(contains(fault.report, "cp.async"));
  CHECK(c.run(" cp.async.cg.shared.global [%x3], [%d4], 16;\n" + commitAndWait) == c.source);
}

TEST(init_check_looks_at_what_is_read) {
  const Checks on(cnn::emu::checkInit);
  Case c;
  c.in = c.device.memory.allocate(512, 256, "fresh");
  const std::string half = " st.global.v2.b32 [%d4], {%x0, %x0};\n cp.async.cg.shared.global [%x3], [%d4], 16";
  CHECK(contains(c.faultOf(half + ";\n" + commitAndWait).report, "uninitialised: load of 16 bytes of global memory"));
  // Bytes beyond the source's size are zeros and not read; lanes may differ in it.
  const auto got = c.run(" shr.b32 %x5, %x0, 1;\n and.b32 %x5, %x5, 8;\n" + half + ", %x5;\n" + commitAndWait);
  for (std::uint32_t lane = 0; lane < 32; ++lane) CHECK_EQ(got[lane * 4 + 1], (lane >> 1 & 8) ? lane : 0);
}
