// Runs one kernel to its end on a pool of threads.
#pragma once

#include "machine/device_model.h"
#include "machine/fault.h"
#include "machine/memory_view.h"
#include "machine/module.h"

#include <cstddef>
#include <optional>
#include <span>

namespace cnn::emu {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  std::uint64_t count() const { return std::uint64_t(x) * y * z; }
};

struct LaunchRequest {
  const Function* function;
  Dim3 grid, block, cluster{1, 1, 1};
  unsigned dynamicShared = 0;
  bool cooperative = false;
  std::span<const std::byte> parameters;  // Function::parameterBytes bytes, laid out as Function::parameters says
  Admission* admission = nullptr;         // null: all that is allocated may be touched
};

// Checks the request against the device and the kernel (statusInvalidValue, statusLaunchOutOfResources, ...: such a
// fault is not sticky, code < 700 or 701/720), then executes.
std::optional<Fault> launch(const LaunchRequest& request, Memory& memory, const DeviceModel& device);

// Threads used by a launch: CNN_EMULATOR_THREADS, else the cores of this machine.
int launchThreads();

}  // namespace cnn::emu
