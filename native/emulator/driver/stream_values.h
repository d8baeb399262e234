// Waits for and writes of values in memory, in stream order.
#pragma once

#include "driver/driver.h"

namespace cnn::emu::driver {

// Whether memory holds what is waited for; true also when the memory is gone, so that the operation runs into its fault.
bool isThere(const Memory& memory, const WaitValueWork& work);
std::optional<Fault> writeValue(Driver& driver, const Operation& operation, const WriteValueWork& work);

}  // namespace cnn::emu::driver
