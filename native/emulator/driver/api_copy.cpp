// cuMemcpy*
#include "driver/copy.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

std::uint64_t number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

CUresult sync(const char* name, Side to, std::uint64_t destination, Side from, std::uint64_t source, std::size_t bytes) {
  return call(name, [&](Call& c) {
    c.context();
    copySync(c, linearCopy(c, to, destination, from, source, bytes));
  });
}

CUresult async(const char* name, Side to, std::uint64_t destination, Side from, std::uint64_t source, std::size_t bytes, CUstream handle) {
  return call(name, [&](Call& c) {
    const auto stream = c.stream(handle);
    copyAsync(c, *stream, linearCopy(c, to, destination, from, source, bytes));
  });
}

template <class Parameters>
CUresult strided(const char* name, const Parameters* parameters) {
  return call(name, [&](Call& c) {
    requirePointers(parameters);
    c.context();
    copySync(c, stridedCopy(c, *parameters));
  });
}

template <class Parameters>
CUresult stridedAsync(const char* name, const Parameters* parameters, CUstream handle) {
  return call(name, [&](Call& c) {
    requirePointers(parameters);
    const auto stream = c.stream(handle);
    copyAsync(c, *stream, stridedCopy(c, *parameters));
  });
}

}  // namespace

CNN_EXPORT CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return sync("cuMemcpy", Side::unified, to, Side::unified, from, bytes);
}

CNN_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t bytes) {
  return sync("cuMemcpyHtoD_v2", Side::device, to, Side::host, number(from), bytes);
}

CNN_EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t bytes) {
  return sync("cuMemcpyDtoH_v2", Side::host, number(to), Side::device, from, bytes);
}

CNN_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return sync("cuMemcpyDtoD_v2", Side::device, to, Side::device, from, bytes);
}

CNN_EXPORT CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
  return async("cuMemcpyAsync", Side::unified, to, Side::unified, from, bytes, stream);
}

CNN_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes, CUstream stream) {
  return async("cuMemcpyHtoDAsync_v2", Side::device, to, Side::host, number(from), bytes, stream);
}

CNN_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
  return async("cuMemcpyDtoHAsync_v2", Side::host, number(to), Side::device, from, bytes, stream);
}

CNN_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
  return async("cuMemcpyDtoDAsync_v2", Side::device, to, Side::device, from, bytes, stream);
}

CNN_EXPORT CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D* p) { return strided("cuMemcpy2D_v2", p); }
CNN_EXPORT CUresult cuMemcpy2DUnaligned_v2(const CUDA_MEMCPY2D* p) { return strided("cuMemcpy2DUnaligned_v2", p); }
CNN_EXPORT CUresult cuMemcpy3D_v2(const CUDA_MEMCPY3D* p) { return strided("cuMemcpy3D_v2", p); }
CNN_EXPORT CUresult cuMemcpy2DAsync_v2(const CUDA_MEMCPY2D* p, CUstream s) { return stridedAsync("cuMemcpy2DAsync_v2", p, s); }
CNN_EXPORT CUresult cuMemcpy3DAsync_v2(const CUDA_MEMCPY3D* p, CUstream s) { return stridedAsync("cuMemcpy3DAsync_v2", p, s); }
