// Zstandard, by the library of the system: nvcc 13 compresses fat binaries with it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace cnn::emu::driver {

bool isZstd(std::span<const std::byte> bytes);

// One frame that becomes `size` bytes. Fails with CUDA_ERROR_INVALID_IMAGE if it is torn, with CUDA_ERROR_NO_BINARY_FOR_GPU if
// libzstd.so.1 is not on this machine.
std::string decompressZstd(std::span<const std::byte> from, std::size_t size);

}  // namespace cnn::emu::driver
