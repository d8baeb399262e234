// A CUDA driver loaded by explicit path: the emulator, or the real one. Functions are members with their C names.
#pragma once

#include "driver/abi.h"

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace cnn::test {

// Name and parameter types of every function that tests use.
#define CNN_CUDA_FUNCTIONS(F)                                                                                        \
  F(cuInit, unsigned) F(cuDriverGetVersion, int*) F(cuGetErrorName, CUresult, const char**)                          \
  F(cuGetErrorString, CUresult, const char**) F(cuDeviceGetCount, int*) F(cuDeviceGet, CUdevice*, int)               \
  F(cuDeviceGetName, char*, int, CUdevice) F(cuDeviceGetAttribute, int*, int, CUdevice)                              \
  F(cuDeviceTotalMem_v2, std::size_t*, CUdevice) F(cuDevicePrimaryCtxRetain, CUcontext*, CUdevice)                   \
  F(cuDevicePrimaryCtxRelease_v2, CUdevice) F(cuDevicePrimaryCtxReset_v2, CUdevice)                                  \
  F(cuDevicePrimaryCtxGetState, CUdevice, unsigned*, int*) F(cuCtxCreate_v2, CUcontext*, unsigned, CUdevice)         \
  F(cuCtxDestroy_v2, CUcontext) F(cuCtxSetCurrent, CUcontext) F(cuCtxGetCurrent, CUcontext*)                         \
  F(cuCtxPushCurrent_v2, CUcontext) F(cuCtxPopCurrent_v2, CUcontext*) F(cuCtxSynchronize)                            \
  F(cuModuleLoadDataEx, CUmodule*, const void*, unsigned, CUjit_option*, void**)                                     \
  F(cuModuleLoadData, CUmodule*, const void*) F(cuModuleLoadFatBinary, CUmodule*, const void*)                         \
  F(cuModuleLoad, CUmodule*, const char*) F(cuModuleUnload, CUmodule)                                                \
  F(cuModuleGetFunction, CUfunction*, CUmodule, const char*)                                                         \
  F(cuModuleGetGlobal_v2, CUdeviceptr*, std::size_t*, CUmodule, const char*)                                         \
  F(cuFuncGetAttribute, int*, CUfunction_attribute, CUfunction)                                                      \
  F(cuFuncSetAttribute, CUfunction, CUfunction_attribute, int)                                                       \
  F(cuLaunchKernel, CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, CUstream,      \
    void**, void**)                                                                                                  \
  F(cuLaunchKernelEx, const CUlaunchConfig*, CUfunction, void**, void**)                                             \
  F(cuLaunchCooperativeKernel, CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,     \
    CUstream, void**)                                                                                                \
  F(cuLaunchHostFunc, CUstream, CUhostFn, void*) F(cuMemAlloc_v2, CUdeviceptr*, std::size_t)                         \
  F(cuMemFree_v2, CUdeviceptr) F(cuMemGetInfo_v2, std::size_t*, std::size_t*)                                        \
  F(cuMemHostAlloc, void**, std::size_t, unsigned) F(cuMemFreeHost, void*)                                           \
  F(cuMemcpyHtoD_v2, CUdeviceptr, const void*, std::size_t) F(cuMemcpyDtoH_v2, void*, CUdeviceptr, std::size_t)      \
  F(cuMemcpyDtoD_v2, CUdeviceptr, CUdeviceptr, std::size_t) F(cuMemcpy, CUdeviceptr, CUdeviceptr, std::size_t)       \
  F(cuMemcpyHtoDAsync_v2, CUdeviceptr, const void*, std::size_t, CUstream)                                           \
  F(cuMemcpyDtoHAsync_v2, void*, CUdeviceptr, std::size_t, CUstream)                                                 \
  F(cuMemcpyDtoDAsync_v2, CUdeviceptr, CUdeviceptr, std::size_t, CUstream)                                           \
  F(cuMemcpy2D_v2, const CUDA_MEMCPY2D*) F(cuMemsetD8_v2, CUdeviceptr, unsigned char, std::size_t)                   \
  F(cuMemsetD16_v2, CUdeviceptr, unsigned short, std::size_t) F(cuMemsetD32_v2, CUdeviceptr, unsigned, std::size_t)  \
  F(cuMemsetD32Async, CUdeviceptr, unsigned, std::size_t, CUstream)                                                  \
  F(cuMemsetD2D8_v2, CUdeviceptr, std::size_t, unsigned char, std::size_t, std::size_t)                              \
  F(cuMemAllocAsync, CUdeviceptr*, std::size_t, CUstream) F(cuMemFreeAsync, CUdeviceptr, CUstream)                   \
  F(cuStreamCreate, CUstream*, unsigned) F(cuStreamDestroy_v2, CUstream) F(cuStreamSynchronize, CUstream)            \
  F(cuStreamQuery, CUstream) F(cuStreamWaitEvent, CUstream, CUevent, unsigned) F(cuEventCreate, CUevent*, unsigned)  \
  F(cuEventDestroy_v2, CUevent) F(cuEventRecord, CUevent, CUstream) F(cuEventSynchronize, CUevent)                   \
  F(cuEventQuery, CUevent) F(cuEventElapsedTime, float*, CUevent, CUevent)

class CudaLibrary {
 public:
  // Throws what dlerror says. The library stays loaded.
  explicit CudaLibrary(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle_) throw std::runtime_error(dlerror());
#define CNN_CUDA_LOAD(name, ...) load(name, #name);
    CNN_CUDA_FUNCTIONS(CNN_CUDA_LOAD)
#undef CNN_CUDA_LOAD
  }

#define CNN_CUDA_MEMBER(name, ...) CUresult (*name)(__VA_ARGS__) = nullptr;
  CNN_CUDA_FUNCTIONS(CNN_CUDA_MEMBER)
#undef CNN_CUDA_MEMBER

  // For the rest: get<CUresult(CUgraph*, unsigned)>("cuGraphCreate").
  template <class Signature>
  Signature* get(const char* name) const {
    void* symbol = dlsym(handle_, name);
    if (!symbol) throw std::runtime_error(std::string("the driver does not export ") + name);
    return reinterpret_cast<Signature*>(symbol);
  }

  void* symbol(const char* name) const { return dlsym(handle_, name); }

 private:
  template <class Function>
  void load(Function*& member, const char* name) { member = get<Function>(name); }

  void* handle_;
};

}  // namespace cnn::test
