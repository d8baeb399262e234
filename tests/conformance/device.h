// Runs the kernel of a case on a driver, whichever it is.
#pragma once

#include "cuda_library.h"
#include "golden.h"

namespace cnn::conformance {

class Runner {
 public:
  explicit Runner(const std::string& driverPath);
  ~Runner();
  Runner(const Runner&) = delete;
  const Device& device() const { return device_; }
  // Throws with the call, its status and the JIT log. The runner can be used again afterwards.
  Column run(const Case& test);

 private:
  void check(CUresult status, const std::string& what) const;
  CUmodule load(const std::string& ptx);
  CUtensorMap encode(const TensorMap& map, CUdeviceptr base) const;
  Column launch(const Case& test, CUmodule module);

  test::CudaLibrary cuda_;
  CUcontext context_ = nullptr;
  Device device_;
};

}  // namespace cnn::conformance
