// What must fail: each fault once, with its status, beside a twin that must not.
#include "kernel.h"

using namespace cnn::test;
using cnn::emu::Dim3;

namespace {

struct Outcome {
  int code = 0;
  std::string report;
};

Outcome run(const std::string& body, unsigned threads = 32, unsigned words = 32) {
  Device device;
  Program program(device, moduleText(".visible .entry k(.param .u64 data)\n{\n.reg .pred %p<9>;\n.reg .b32 %r<20>;\n.reg .b64 %x<9>;\n.shared .align 16 .b8 tile[256];\n"
                                     "ld.param.u64 %x0, [data];\nmov.u32 %r0, %tid.x;\nmul.wide.u32 %x1, %r0, 4;\nadd.u64 %x2, %x0, %x1;\n" + body + "\nret;\n}"));
  const auto data = device.zeros<std::uint32_t>(words);
  const auto fault = program.tryRun("k", {1}, {threads}, 0, data);
  return fault ? Outcome{fault->code, fault->report} : Outcome{};
}

}  // namespace

TEST(global_bounds) {
  CHECK_EQ(run("st.global.u32 [%x2], 1;").code, 0);
  const Outcome outside = run("st.global.u32 [%x2], 1;", 33);
  CHECK_EQ(outside.code, 700);
  CHECK(contains(outside.report, "thread (32,0,0)"));
  CHECK(contains(outside.report, "0 bytes past the end of the 128-byte allocation"));
  CHECK(contains(outside.report, "`st.global.u32`"));
  CHECK_EQ(run("ld.global.u32 %r1, [%x2+-4];").code, 700);
  CHECK_EQ(run("mov.u64 %x3, 64;\nld.u32 %r1, [%x3];").code, 700);
}

TEST(alignment) {
  CHECK_EQ(run("ld.global.u32 %r1, [%x0+4];").code, 0);
  CHECK_EQ(run("ld.global.u32 %r1, [%x0+2];").code, 716);
  CHECK_EQ(run("ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%x0+8];").code, 716);
}

TEST(shared_bounds) {
  CHECK_EQ(run("mov.u32 %r1, tile;\nst.shared.u32 [%r1+252], 1;").code, 0);
  CHECK_EQ(run("mov.u32 %r1, tile;\nst.shared.u32 [%r1+256], 1;").code, 700);
}

// Rows that begin below the last address and go on from zero lie outside, wherever they end.
TEST(addresses_that_wrap) {
  for (const char* first : {"-4", "-64", "-124", "-128"}) {
    const std::string at = std::string("mov.u32 %r9, tile;\nadd.u64 %x3, %x1, ") + first + ";\n";
    CHECK_EQ(run(at + "ld.shared.u32 %r1, [%x3];").code, 700);
    CHECK_EQ(run(at + "st.shared.u32 [%x3], 1;").code, 700);
    CHECK_EQ(run(at + "setp.gt.u32 %p1, %r0, 0;\n@%p1 ld.shared.u32 %r1, [%x3];").code, std::string(first) == "-4" ? 0 : 700);
    CHECK_EQ(run(at + "add.u64 %x3, %x3, %x0;\nld.global.u32 %r1, [%x3];").code, 700);
  }
  // The second group of eight lanes alone.
  const std::string group = "mov.u32 %r9, tile;\nand.b32 %r1, %r0, 7;\nmul.wide.u32 %x3, %r1, 4;\nand.b32 %r2, %r0, 8;\nsetp.ne.u32 %p1, %r2, 0;\n@%p1 add.u64 %x3, %x3, -16;\n";
  CHECK_EQ(run(group + "ld.shared.u32 %r3, [%x3];").code, 700);
  CHECK_EQ(run(group + "@%p1 add.u64 %x3, %x3, 16;\nld.shared.u32 %r3, [%x3];").code, 0);
}

TEST(use_after_free) {
  Device device;
  Program program(device, moduleText(".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r;\n.reg .b64 %x;\nld.param.u64 %x, [p];\nld.global.u32 %r, [%x];\nret;\n}"));
  const auto data = device.zeros<std::uint32_t>(4);
  CHECK(!program.tryRun("k", {1}, {1}, 0, data));
  CHECK(!device.memory.free(data));
  const auto fault = program.tryRun("k", {1}, {1}, 0, data);
  REQUIRE(fault.has_value());
  CHECK_EQ(fault->code, 700);
  CHECK(contains(fault->report, "which has been freed"));
  CHECK(device.memory.free(data).has_value());
}

TEST(barriers_and_collectives) {
  CHECK_EQ(run("bar.sync 0;").code, 0);
  CHECK_EQ(run("setp.lt.u32 %p1, %r0, 16;\n@%p1 bar.sync 0;").code, 719);
  CHECK_EQ(run("setp.lt.u32 %p1, %r0, 16;\n@!%p1 bra OUT;\nbar.sync 0;\nOUT:\nbar.sync 1;").code, 702);
  CHECK_EQ(run("shfl.sync.idx.b32 %r1, %r0, 0, 31, 0xffff;").code, 715);
  CHECK_EQ(run("setp.lt.u32 %p1, %r0, 16;\n@%p1 shfl.sync.idx.b32 %r1, %r0, 0, 31, 0xffff;").code, 0);
  CHECK_EQ(run("bar.sync 1, 64;").code, 702);
  CHECK_EQ(run("mov.u32 %r1, 33;\nbar.sync 1, %r1;").code, 719);
}

TEST(trap_names_the_thread) {
  const Outcome outcome = run("setp.eq.u32 %p1, %r0, 5;\n@%p1 trap;");
  CHECK_EQ(outcome.code, 719);
  CHECK(contains(outcome.report, "thread (5,0,0)"));
  CHECK(contains(outcome.report, "kernel `k`, block (0,0,0)"));
}

TEST(launch_limits) {
  Device device;
  Program program(device, moduleText(".visible .entry k() .maxntid 64, 1, 1 {\nret;\n}\n.visible .entry big() {\n.reg .b32 %r;\n.shared .b8 a[49000];\nmov.u32 %r, a;\nret;\n}"));
  CHECK(!program.tryRun("k", {1}, {64}, 0));
  CHECK_EQ(program.tryRun("k", {1}, {65}, 0)->code, 1);
  CHECK_EQ(program.tryRun("k", {0}, {1}, 0)->code, 1);
  CHECK_EQ(program.tryRun("k", {1}, {1}, 49 * 1024)->code, 1);
  program.module().find("k")->maxDynamicShared = 100 * 1024;
  CHECK(!program.tryRun("k", {1}, {1}, 49 * 1024));
  CHECK_EQ(program.tryRun("big", {1, 70000}, {1}, 0)->code, 1);
}

TEST(load_errors) {
  const auto body = [](const char* line) { return moduleText(std::string(".visible .entry k()\n{\n.reg .b32 %r<4>;\n.reg .f32 %f<4>;\n.reg .pred %p;\n") + line + "\nret;\n}"); };
  CHECK(contains(loadError(body("frobnicate.u32 %r1, %r2;")), "line 9: error: `frobnicate.u32` is not a known instruction"));
  CHECK(contains(loadError(body("add.wrong.u32 %r1, %r2, %r3;")), "modifier `.wrong` does not fit"));
  CHECK(contains(loadError(body("add.u32 %r1, %r2, %f3;")), "operand 3 is register `%f3`"));
  CHECK(contains(loadError(body("add.f32 %f1, %f2, 1;")), "must be a floating-point constant"));
  CHECK(contains(loadError(body("add.u32 %r1, %r2;")), "takes operands"));
  CHECK(contains(loadError(body("add.u32 %r1, %r2, %r9;")), "%r9"));
  CHECK(contains(loadError(body("bra NOWHERE;")), "NOWHERE"));
  CHECK(contains(loadError(moduleText(".visible .entry k()\n{\n.reg .b32 %r<3>;\nredux.sync.add.u32 %r1, %r2, -1;\nret;\n}", "6.5", "sm_75")), "needs PTX version 7.0"));
  CHECK(contains(loadError(moduleText(".visible .entry k()\n{\n.reg .b32 %r<3>;\nredux.sync.add.u32 %r1, %r2, -1;\nret;\n}", "7.0", "sm_75")), "needs .target sm_80"));
  CHECK(contains(loadError(moduleText("", "8.6", "sm_100")), "does not run on sm_90"));
  CHECK(contains(loadError(moduleText("", "9.5"), 222), "newer"));
  Device device;
  const Program newest(device, moduleText("", "9.0"));
  CHECK(contains(loadError("hello"), "must begin with .version"));
}

TEST(memory_begins_as_garbage) {
  // A sum that relies on zeros in shared or local memory is no number.
  const char* const text = ".visible .entry k(.param .u64 out)\n{\n.reg .f32 %f<4>;\n.reg .b32 %r<2>;\n.reg .b64 %x<2>;\n.shared .b32 tile[1];\n.local .b32 stack[1];\n"
                           "ld.param.u64 %x0, [out];\nmov.u32 %r0, tile;\nmov.u32 %r1, stack;\nld.shared.f32 %f0, [%r0];\nld.local.f32 %f1, [%r1];\nst.global.f32 [%x0], %f0;\nst.global.f32 [%x0+4], %f1;\nret;\n}";
  Device device;
  Program program(device, moduleText(text));
  const auto out = device.zeros<float>(2);
  program.run("k", {1}, {1}, 0, out);
  for (const float value : device.download<float>(out, 2)) CHECK(value != value);
}

TEST(state_spaces_are_kept_apart) {
  const std::string table = ".const .u32 table[2] = {3, 5};\n", head = ".visible .entry k(.param .u64 data)\n{\n.reg .b32 %r<4>;\n.reg .b64 %x<4>;\n.shared .b32 tile[2];\nld.param.u64 %x0, [data];\n";
  const auto code = [&](const std::string& body) {
    Device device;
    Program program(device, moduleText(table + head + body + "\nret;\n}"));
    const auto fault = program.tryRun("k", {1}, {32}, 0, device.zeros<std::uint32_t>(2));
    return fault ? fault->code : 0;
  };
  CHECK_EQ(code("ld.const.u32 %r0, [table+4];"), 0);
  CHECK_EQ(code("mov.u64 %x1, table;\nld.const.u32 %r0, [%x1+4];"), 0);
  CHECK_EQ(code("ld.const.u32 %r0, [%x0];"), 700);
  for (const char* wrong : {"ld.global.u32 %r0, [table];", "ld.const.u32 %r0, [tile];", "ld.shared.u32 %r0, [table];", "st.global.u32 [tile], %r0;"})
    CHECK(contains(loadError(moduleText(table + head + wrong + "\nret;\n}")), "names a variable of another state space"));
}
