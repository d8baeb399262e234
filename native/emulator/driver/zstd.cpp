#include "driver/zstd.h"

#include "driver/failure.h"

#include <cstdint>
#include <cstring>
#include <dlfcn.h>

namespace cnn::emu::driver {
namespace {

// Opened when it is first needed, so that the emulator runs without it.
struct Library {
  std::size_t (*decompress)(void*, std::size_t, const void*, std::size_t) = nullptr;
  unsigned (*isError)(std::size_t) = nullptr;

  Library() {
    void* library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!library) return;
    decompress = reinterpret_cast<decltype(decompress)>(dlsym(library, "ZSTD_decompress"));
    isError = reinterpret_cast<decltype(isError)>(dlsym(library, "ZSTD_isError"));
  }
};

}  // namespace

bool isZstd(std::span<const std::byte> bytes) {
  constexpr std::uint32_t magic = 0xfd2fb528;
  std::uint32_t begin;
  if (bytes.size() < sizeof begin) return false;
  std::memcpy(&begin, bytes.data(), sizeof begin);
  return begin == magic;
}

std::string decompressZstd(std::span<const std::byte> from, std::size_t size) {
  static const Library library;
  if (!library.decompress || !library.isError)
    fail(CUDA_ERROR_NO_BINARY_FOR_GPU, "the PTX of the fat binary is compressed with zstd, and there is no libzstd.so.1; install it, or give nvcc --no-compress");
  std::string text(size, '\0');
  const std::size_t done = library.decompress(text.data(), size, from.data(), from.size());
  if (library.isError(done) || done != size) fail(CUDA_ERROR_INVALID_IMAGE, "the fat binary is torn: its compressed text");
  return text;
}

}  // namespace cnn::emu::driver
