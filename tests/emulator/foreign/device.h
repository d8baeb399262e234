// A driver with the kernels of a library in it. CNN_FOREIGN_LIBRARY names the library, CNN_FOREIGN_DRIVER another driver than the
// emulator.
#pragma once

#include "cuda_library.h"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::foreign {

struct Launch {
  std::array<unsigned, 3> grid{1, 1, 1}, block{1, 1, 1};
  unsigned shared = 0;
  bool cooperative = false;
};

class Device {
 public:
  // The one of this process. The first call loads every fat binary of the library and keeps those that hold one of the kernels.
  // Skips the test when no library is named.
  static Device& instance();

  unsigned loaded() const { return loaded_; }
  const std::vector<std::string>& refused() const { return refused_; }

  // By its name as nvcc mangles it. Throws when the library does not have it.
  CUfunction kernel(const std::string& name) const;
  int maxThreads(CUfunction function) const;
  // Waits for the end; throws with what the driver says.
  template <class... Arguments> void run(const std::string& name, const Launch& launch, Arguments... arguments) {
    void* pointers[] = {&arguments...};
    runWith(name, launch, pointers);
  }

  CUdeviceptr allocate(std::size_t bytes);
  void free(CUdeviceptr address);
  void toDevice(CUdeviceptr to, const void* from, std::size_t bytes);
  void toHost(void* to, CUdeviceptr from, std::size_t bytes);

 private:
  Device(const std::string& library, const std::string& driver);
  void runWith(const std::string& name, const Launch& launch, void** arguments);
  void require(CUresult status, std::string_view call) const;
  void load(std::span<const char> binary);

  test::CudaLibrary cuda_;
  CUcontext context_ = nullptr;
  std::map<std::string, CUfunction> kernels_;
  unsigned loaded_ = 0;
  std::vector<std::string> refused_;
};

// An array in device memory.
template <class T> class Array {
 public:
  explicit Array(const std::vector<T>& values) : count_(values.size()), address_(Device::instance().allocate(count_ * sizeof(T))) {
    Device::instance().toDevice(address_, values.data(), count_ * sizeof(T));
  }
  explicit Array(std::size_t count, T value = T()) : Array(std::vector<T>(count, value)) {}
  ~Array() { Device::instance().free(address_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  CUdeviceptr address() const { return address_; }
  std::vector<T> values() const {
    std::vector<T> all(count_);
    Device::instance().toHost(all.data(), address_, count_ * sizeof(T));
    return all;
  }

 private:
  std::size_t count_;
  CUdeviceptr address_;
};

}  // namespace cnn::foreign
