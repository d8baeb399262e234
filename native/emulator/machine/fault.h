// Why a launch or a memory operation failed: the status a GPU would give, and a report for a person.
#pragma once

#include <optional>
#include <string>

namespace cnn::emu {

// The CUresult values that execution can raise.
enum Status : int {
  statusInvalidValue = 1,
  statusOutOfMemory = 2,
  statusInvalidImage = 200,
  statusInvalidPtx = 218,
  statusUnsupportedPtxVersion = 222,
  statusIllegalAddress = 700,
  statusLaunchOutOfResources = 701,
  statusLaunchTimeout = 702,
  statusAssert = 710,
  statusHardwareStackError = 714,
  statusIllegalInstruction = 715,
  statusMisalignedAddress = 716,
  statusInvalidAddressSpace = 717,
  statusInvalidPc = 718,
  statusLaunchFailed = 719,
  statusCooperativeLaunchTooLarge = 720,
};

struct Fault {
  int code;            // a CUresult
  std::string report;  // names kernel, block, thread, PTX line and, with line info, the .cu line
};

}  // namespace cnn::emu
