// cuMemset*
#include "driver/capture.h"
#include "driver/copy.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

CUresult set(const char* name, CUdeviceptr address, std::size_t pitch, unsigned value, unsigned elementSize, std::size_t width, std::size_t height) {
  return call(name, [&](Call& c) {
    c.context();
    fillSync(c, fill(c, address, pitch, value, elementSize, width, height));
  });
}

CUresult setAsync(const char* name, CUdeviceptr address, std::size_t pitch, unsigned value, unsigned elementSize, std::size_t width,
                  std::size_t height, CUstream handle) {
  return call(name, [&](Call& c) {
    const auto stream = c.stream(handle);
    FillWork work = fill(c, address, pitch, value, elementSize, width, height);
    if (work.width && work.height) submit(c, *stream, std::move(work));
  });
}

}  // namespace

CNN_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, std::size_t count) {
  return set("cuMemsetD8_v2", to, 0, value, 1, count, 1);
}
CNN_EXPORT CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, std::size_t count) {
  return set("cuMemsetD16_v2", to, 0, value, 2, count, 1);
}
CNN_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, std::size_t count) {
  return set("cuMemsetD32_v2", to, 0, value, 4, count, 1);
}
CNN_EXPORT CUresult cuMemsetD2D8_v2(CUdeviceptr to, std::size_t pitch, unsigned char value, std::size_t width, std::size_t height) {
  return set("cuMemsetD2D8_v2", to, pitch, value, 1, width, height);
}
CNN_EXPORT CUresult cuMemsetD2D16_v2(CUdeviceptr to, std::size_t pitch, unsigned short value, std::size_t width, std::size_t height) {
  return set("cuMemsetD2D16_v2", to, pitch, value, 2, width, height);
}
CNN_EXPORT CUresult cuMemsetD2D32_v2(CUdeviceptr to, std::size_t pitch, unsigned value, std::size_t width, std::size_t height) {
  return set("cuMemsetD2D32_v2", to, pitch, value, 4, width, height);
}
CNN_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t count, CUstream stream) {
  return setAsync("cuMemsetD8Async", to, 0, value, 1, count, 1, stream);
}
CNN_EXPORT CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, std::size_t count, CUstream stream) {
  return setAsync("cuMemsetD16Async", to, 0, value, 2, count, 1, stream);
}
CNN_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, std::size_t count, CUstream stream) {
  return setAsync("cuMemsetD32Async", to, 0, value, 4, count, 1, stream);
}
CNN_EXPORT CUresult cuMemsetD2D8Async(CUdeviceptr to, std::size_t pitch, unsigned char value, std::size_t width, std::size_t height, CUstream stream) {
  return setAsync("cuMemsetD2D8Async", to, pitch, value, 1, width, height, stream);
}
CNN_EXPORT CUresult cuMemsetD2D16Async(CUdeviceptr to, std::size_t pitch, unsigned short value, std::size_t width, std::size_t height, CUstream stream) {
  return setAsync("cuMemsetD2D16Async", to, pitch, value, 2, width, height, stream);
}
CNN_EXPORT CUresult cuMemsetD2D32Async(CUdeviceptr to, std::size_t pitch, unsigned value, std::size_t width, std::size_t height, CUstream stream) {
  return setAsync("cuMemsetD2D32Async", to, pitch, value, 4, width, height, stream);
}
