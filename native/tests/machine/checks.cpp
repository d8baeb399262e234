// The optional checks: each finds its seeded bug and leaves the clean twin alone.
#include "kernel.h"

#include "machine/checks.h"

using namespace cnn::test;
namespace emu = cnn::emu;

namespace {

struct WithChecks {
  explicit WithChecks(unsigned checks) : before(emu::requestedChecks()) { emu::setChecks(checks); }
  ~WithChecks() { emu::setChecks(before); }
  unsigned before;
};

// The fault's report, or empty. The array has 64 words; the first 32 have a value.
std::string run(unsigned checks, const std::string& body, unsigned blocks = 1) {
  const WithChecks scope(checks);
  Device device;
  Program program(device, moduleText(".visible .entry k(.param .u64 data)\n{\n.reg .pred %p<4>;\n.reg .b32 %r<9>;\n.reg .b64 %x<6>;\n.shared .align 16 .b8 tile[256];\nld.param.u64 %x0, [data];\n"
                                     "mov.u32 %r0, %tid.x;\nmul.wide.u32 %x1, %r0, 4;\nadd.u64 %x2, %x0, %x1;\nmov.u32 %r1, tile;\nshl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\n" + body + "\nret;\n}"));
  const auto data = device.memory.allocate(256, 256, "data");
  const std::vector<std::uint32_t> values(32, 7);
  REQUIRE(!device.memory.copyIn(data, values.data(), 128));
  const auto fault = program.tryRun("k", {blocks}, {64}, 0, data);
  if (fault) CHECK_EQ(fault->code, 719);
  return fault ? fault->report : "";
}

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

TEST(uninitialised) {
  CHECK(contains(run(emu::checkInit, "ld.global.u32 %r4, [%x2];"), "uninitialised: load of 4 bytes of global memory"));
  CHECK_EQ(run(emu::checkInit, "st.global.u32 [%x2], 1;\nld.global.u32 %r4, [%x2];"), "");
  CHECK(contains(run(emu::checkInit, "ld.shared.u32 %r4, [%r3];"), "uninitialised: load of 4 bytes of shared memory"));
  CHECK_EQ(run(emu::checkInit, "st.shared.u32 [%r3], 1;\nld.shared.u32 %r4, [%r3];"), "");
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
