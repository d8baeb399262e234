// Fat binaries: what nvcc makes of a .cu for several GPUs, PTX and machine code side by side.
#pragma once

#include <cstddef>
#include <string>

namespace cnn::emu::driver {

// Whether an image begins as a fat binary, or as the wrapper that nvcc puts around one in a program.
bool isFatBinary(const void* image);

// The PTX of a fat binary for the newest target that the device (compute capability 10 * major + minor) still runs. Fails with
// CUDA_ERROR_NO_BINARY_FOR_GPU if it holds none and says what it holds, with CUDA_ERROR_INVALID_IMAGE if it is torn or longer
// than the `available` bytes (an image in memory comes without a length).
std::string ptxOfFatBinary(const void* image, std::size_t available, int sm);

}  // namespace cnn::emu::driver
