// The real kernels: each case has inputs, a launch and a check against a plain C++ reference.
#pragma once

#include "machine/kernel.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cnn::test {

class KernelCase {
 public:
  virtual ~KernelCase() = default;
  virtual std::optional<emu::Fault> launch() = 0;
  // Reports through CHECK and FAIL.
  virtual void verify() = 0;
};

// How to make a case. The sizes of the speed table are `large`; tests use smaller ones with tails where the kernel has them.
struct KernelFactory {
  std::string name, size;        // "sgemm", "512 x 512 x 512"
  double operations;             // multiply-adds counted as two; 0 where bytes decide
  std::function<std::unique_ptr<KernelCase>()> make;
};

std::vector<KernelFactory> testCases();
std::vector<KernelFactory> speedCases();

}  // namespace cnn::test
