// What the driver tests share: the library under test, a context, small kernels, and child processes for what the
// environment decides.
#pragma once

#include "check.h"
#include "cuda_library.h"
#include "driver/cnn_emulator.h"

#include <cstring>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace cnn::test {

// Loaded and initialised once per process.
CudaLibrary& cuda();

#define CHECK_CUDA(expression) CHECK_EQ((expression), CUDA_SUCCESS)
#define REQUIRE_CUDA(expression) REQUIRE_EQ((expression), CUDA_SUCCESS)

// A fresh context, current to this thread until the end of the scope. Checks that the test leaves no object behind.
class ContextScope {
 public:
  ContextScope();
  ~ContextScope();
  CUcontext handle = nullptr;

 private:
  cnnEmulatorObjects before_;
};

cnnEmulatorObjects liveObjects();
std::string lastMessage();
std::string lastReport();

// Kernels over unsigned integers, one thread per element:
//   add(p, n, value): p[i] += value          scale(p, n, factor): p[i] *= factor
//   copy(to, from, n): to[i] = from[i]       outside(p): writes 4 bytes to p without a check
extern const char* const kernels;

class Kernels {
 public:
  Kernels();
  ~Kernels();
  CUmodule module = nullptr;
  CUfunction add = nullptr, scale = nullptr, copy = nullptr, outside = nullptr;

  CUresult launchAdd(CUdeviceptr p, unsigned n, unsigned value, CUstream stream = nullptr) const;
  CUresult launchScale(CUdeviceptr p, unsigned n, unsigned factor, CUstream stream = nullptr) const;
  CUresult launchCopy(CUdeviceptr to, CUdeviceptr from, unsigned n, CUstream stream = nullptr) const;
  CUresult launchOutside(CUdeviceptr p, CUstream stream = nullptr) const;
};

// Device memory for n unsigned integers, all `value`.
class Buffer {
 public:
  explicit Buffer(unsigned n, unsigned value = 0);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  // Through the legacy stream.
  std::vector<unsigned> read() const;
  bool all(unsigned value) const;
  CUdeviceptr address = 0;
  const unsigned n;
};

// Runs the rest of the test in a child process with these variables: `if (!isolated(...)) return;`.
bool isolated(const char* test, std::initializer_list<std::pair<const char*, const char*>> variables);

}  // namespace cnn::test
