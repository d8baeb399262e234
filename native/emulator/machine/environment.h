// Variables CNN_EMULATOR_*: numbers, with an end of the process for what is no number.
#pragma once

#include <cstdint>

namespace cnn::emu {

std::uint64_t environmentNumber(const char* name, std::uint64_t otherwise);

}  // namespace cnn::emu
