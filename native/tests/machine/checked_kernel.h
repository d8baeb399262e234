// A kernel that runs with checks on: two warps per block, one word of shared and of global memory for each thread.
#pragma once

#include "kernel.h"
#include "variable.h"

#include "machine/checks.h"

#include <string>
#include <vector>

namespace cnn::test {

struct WithChecks {
  explicit WithChecks(unsigned checks) : before(emu::requestedChecks()) { emu::setChecks(checks); }
  ~WithChecks() { emu::setChecks(before); }
  unsigned before;
};

// The fault's report, or empty. %r0 is the thread, %x0 global memory and %x2 the thread's word in it, of which the first 32
// have a value; %r1 shared memory and %r3 the thread's word in it.
inline std::string runChecked(unsigned checks, const std::string& body, unsigned blocks = 1, unsigned cluster = 1) {
  const WithChecks scope(checks);
  const Variable seed("CNN_EMULATOR_SEED", "0");  // which of two racing accesses comes first
  Device device;
  Program program(device, moduleText(".visible .entry k(.param .u64 data)\n{\n.reg .pred %p<4>;\n.reg .b32 %r<9>;\n.reg .b64 %x<6>;\n.shared .align 16 .b8 tile[256];\nld.param.u64 %x0, [data];\n"
                                     "mov.u32 %r0, %tid.x;\nmul.wide.u32 %x1, %r0, 4;\nadd.u64 %x2, %x0, %x1;\nmov.u32 %r1, tile;\nshl.b32 %r2, %r0, 2;\nadd.u32 %r3, %r1, %r2;\n" + body + "\nret;\n}"));
  program.cluster = {cluster, 1, 1};
  const auto data = device.memory.allocate(256, 256, "data");
  const std::vector<std::uint32_t> values(32, 7);
  REQUIRE(!device.memory.copyIn(data, values.data(), 128));
  const auto fault = program.tryRun("k", {blocks}, {64}, 0, data);
  if (fault) CHECK_EQ(fault->code, 719);
  return fault ? fault->report : "";
}

}  // namespace cnn::test
