// What the instruction set leaves open, made to differ: with CNN_EMULATOR_JITTER=N (not 0) approximate functions in f32
// are off by up to their documented error, and matrix instructions add in another order, truncating where N is odd. The
// same N gives the same bits. A test whose tolerance only fits the emulator's own roundings fails under it.
#pragma once

#include <cstdint>

namespace cnn::emu {

// The number asked for by the environment, or by setJitter; 0: none. Read when a kernel is decoded.
std::uint32_t requestedJitter();
void setJitter(std::uint32_t jitter);

}  // namespace cnn::emu
