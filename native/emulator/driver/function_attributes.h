// What a kernel needs and is allowed, and how many blocks of it fit a multiprocessor.
#pragma once

#include "driver/failure.h"
#include "machine/module.h"

namespace cnn::emu::driver {

int functionAttribute(const Function& function, CUfunction_attribute which, const DeviceModel& model);
void setFunctionAttribute(Function& function, CUfunction_attribute which, int value, const DeviceModel& model);
void parameterInfo(const Function& function, std::size_t index, std::size_t* offset, std::size_t* size);

// The most threads per block that the registers of the kernel allow, and its own .maxntid.
int maxThreadsPerBlock(const Function& function, const DeviceModel& model);
std::size_t maxDynamicShared(const Function& function, const DeviceModel& model);
int residentBlocks(const Function& function, const DeviceModel& model, int threads, std::size_t dynamicShared);

}  // namespace cnn::emu::driver
