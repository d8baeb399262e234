// Names of the interface before CUDA 3.2, when device pointers and sizes had 32 bits. The driver still exports them, and
// a program that imports `cuMemAlloc` by its bare name gets this one instead of cuMemAlloc_v2. They are refused here as
// there: no context of today's programs is one of theirs.
#include "driver/call.h"

using namespace cnn::emu::driver;

#define CNN_LEGACY(name)                                                                                             \
  CNN_EXPORT CUresult name() {                                                                                       \
    return call(#name, [](Call&) { fail(CUDA_ERROR_INVALID_CONTEXT, "a 32-bit call of CUDA 3.1; use " #name "_v2"); }); \
  }

CNN_LEGACY(cuDeviceTotalMem)
CNN_LEGACY(cuCtxCreate)
CNN_LEGACY(cuModuleGetGlobal)
CNN_LEGACY(cuMemGetInfo)
CNN_LEGACY(cuMemAlloc)
CNN_LEGACY(cuMemAllocPitch)
CNN_LEGACY(cuMemFree)
CNN_LEGACY(cuMemGetAddressRange)
CNN_LEGACY(cuMemAllocHost)
CNN_LEGACY(cuMemHostGetDevicePointer)
CNN_LEGACY(cuMemHostRegister)
CNN_LEGACY(cuMemcpyHtoD)
CNN_LEGACY(cuMemcpyDtoH)
CNN_LEGACY(cuMemcpyDtoD)
CNN_LEGACY(cuMemcpyHtoDAsync)
CNN_LEGACY(cuMemcpyDtoHAsync)
CNN_LEGACY(cuMemcpyDtoDAsync)
CNN_LEGACY(cuMemcpy2D)
CNN_LEGACY(cuMemcpy2DUnaligned)
CNN_LEGACY(cuMemcpy2DAsync)
CNN_LEGACY(cuMemcpy3D)
CNN_LEGACY(cuMemcpy3DAsync)
CNN_LEGACY(cuMemsetD8)
CNN_LEGACY(cuMemsetD16)
CNN_LEGACY(cuMemsetD32)
CNN_LEGACY(cuMemsetD2D8)
CNN_LEGACY(cuMemsetD2D16)
CNN_LEGACY(cuMemsetD2D32)
