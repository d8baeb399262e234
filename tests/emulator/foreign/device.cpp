#include "device.h"

#include "check.h"
#include "fat_library.h"
#include "kernel_names.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <stdexcept>

namespace cnn::foreign {
namespace {

std::string variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

}  // namespace

Device& Device::instance() {
  const std::string library = variable("CNN_FOREIGN_LIBRARY", "");
  if (library.empty()) SKIP("CNN_FOREIGN_LIBRARY names no library (tools/foreign-kernels.sh fetches one)");
  static Device device(library, variable("CNN_FOREIGN_DRIVER", CNN_EMULATED_CUDA));
  return device;
}

Device::Device(const std::string& library, const std::string& driver) : cuda_(driver) {
  require(cuda_.cuInit(0), "cuInit");
  require(cuda_.cuDevicePrimaryCtxRetain(&context_, 0), "cuDevicePrimaryCtxRetain");
  require(cuda_.cuCtxSetCurrent(context_), "cuCtxSetCurrent");
  const FatLibrary file(library);
  for (const std::span<const char> binary : file.binaries()) load(binary);
}

void Device::load(std::span<const char> binary) {
  CUmodule module;
  if (const CUresult status = cuda_.cuModuleLoadData(&module, binary.data())) {
    refused_.push_back("fat binary " + std::to_string(loaded_ + refused_.size()) + ": status " + std::to_string(int(status)));
    return;
  }
  ++loaded_;
  unsigned count = 0;
  require(cuda_.get<CUresult(unsigned*, CUmodule)>("cuModuleGetFunctionCount")(&count, module), "cuModuleGetFunctionCount");
  std::vector<CUfunction> functions(count);
  if (count != 0) require(cuda_.get<CUresult(CUfunction*, unsigned, CUmodule)>("cuModuleEnumerateFunctions")(functions.data(), count, module), "cuModuleEnumerateFunctions");
  bool wanted = false;
  for (const CUfunction function : functions) {
    const char* name = nullptr;
    require(cuda_.get<CUresult(const char**, CUfunction)>("cuFuncGetName")(&name, function), "cuFuncGetName");
    if (std::ranges::find(kernelNames, name) == std::end(kernelNames)) continue;
    kernels_.try_emplace(name, function);
    wanted = true;
  }
  if (!wanted) require(cuda_.cuModuleUnload(module), "cuModuleUnload");
}

CUfunction Device::kernel(const std::string& name) const {
  const auto found = kernels_.find(name);
  if (found == kernels_.end()) throw std::runtime_error("the library has no kernel " + name);
  return found->second;
}

int Device::maxThreads(CUfunction function) const {
  int threads = 0;
  require(cuda_.cuFuncGetAttribute(&threads, CUfunction_attribute(0), function), "cuFuncGetAttribute");
  return threads;
}

void Device::runWith(const std::string& name, const Launch& l, void** arguments) {
  const auto [gx, gy, gz] = l.grid;
  const auto [bx, by, bz] = l.block;
  const CUfunction function = kernel(name);
  require(l.cooperative ? cuda_.cuLaunchCooperativeKernel(function, gx, gy, gz, bx, by, bz, l.shared, nullptr, arguments)
                        : cuda_.cuLaunchKernel(function, gx, gy, gz, bx, by, bz, l.shared, nullptr, arguments, nullptr), name);
  require(cuda_.cuCtxSynchronize(), name);
}

CUdeviceptr Device::allocate(std::size_t bytes) {
  CUdeviceptr address;
  require(cuda_.cuMemAlloc_v2(&address, bytes), "cuMemAlloc");
  return address;
}

void Device::free(CUdeviceptr address) { cuda_.cuMemFree_v2(address); }
void Device::toDevice(CUdeviceptr to, const void* from, std::size_t bytes) { require(cuda_.cuMemcpyHtoD_v2(to, from, bytes), "cuMemcpyHtoD"); }
void Device::toHost(void* to, CUdeviceptr from, std::size_t bytes) { require(cuda_.cuMemcpyDtoH_v2(to, from, bytes), "cuMemcpyDtoH"); }

void Device::require(CUresult status, std::string_view call) const {
  if (status == CUDA_SUCCESS) return;
  const char* name = nullptr;
  cuda_.cuGetErrorName(status, &name);
  throw std::runtime_error(std::string(call) + ": " + (name ? name : std::to_string(int(status))));
}

}  // namespace cnn::foreign
