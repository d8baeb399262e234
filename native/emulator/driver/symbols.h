// The exported functions by name and CUDA version.
#pragma once

#include "driver/abi.h"

namespace cnn::emu::driver {

// The newest version of the function that is not newer than `version`.
CUdriverProcAddressQueryResult findSymbol(const char* name, int version, void** function);

}  // namespace cnn::emu::driver
