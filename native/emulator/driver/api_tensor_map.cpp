// cuTensorMap*: the constraints are checked where the maps are used, in machine/tensor_map
#include "driver/call.h"
#include "machine/tensor_map.h"

#include <cstring>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

void requireTensorMaps(Call& c, const CUtensorMap* map) {
  requirePointers(map);
  requireValue(reinterpret_cast<std::uint64_t>(map) % 64 == 0, "the tensor map must be aligned to 64 bytes");
  c.context();
  require(c.driver.model().sm() >= 90, CUDA_ERROR_NOT_SUPPORTED, "tensor maps need compute capability 9.0");
}

void store(CUtensorMap* to, const TensorMapResult& result) {
  if (const auto* wrong = std::get_if<std::string>(&result)) fail(CUDA_ERROR_INVALID_VALUE, *wrong);
  std::memcpy(to, &std::get<TensorMap>(result), sizeof *to);
}

}  // namespace

CNN_EXPORT CUresult cuTensorMapEncodeTiled(CUtensorMap* map, int type, cuuint32_t rank, void* address, const cuuint64_t* dims,
                                           const cuuint64_t* strides, const cuuint32_t* box, const cuuint32_t* steps, int interleave,
                                           int swizzle, int l2Promotion, int fill) {
  return call("cuTensorMapEncodeTiled", [&](Call& c) {
    requireTensorMaps(c, map);
    const TensorMapCommon common{type, rank, reinterpret_cast<std::uint64_t>(address), dims, strides, steps, interleave, swizzle, l2Promotion, fill};
    store(map, encodeTiled(common, box));
  });
}

CNN_EXPORT CUresult cuTensorMapEncodeIm2col(CUtensorMap* map, int type, cuuint32_t rank, void* address, const cuuint64_t* dims,
                                            const cuuint64_t* strides, const int* lower, const int* upper, cuuint32_t channels,
                                            cuuint32_t pixels, const cuuint32_t* steps, int interleave, int swizzle, int l2Promotion, int fill) {
  return call("cuTensorMapEncodeIm2col", [&](Call& c) {
    requireTensorMaps(c, map);
    const TensorMapCommon common{type, rank, reinterpret_cast<std::uint64_t>(address), dims, strides, steps, interleave, swizzle, l2Promotion, fill};
    store(map, encodeIm2col(common, lower, upper, channels, pixels));
  });
}

CNN_EXPORT CUresult cuTensorMapEncodeIm2colWide(CUtensorMap* map, int, cuuint32_t, void*, const cuuint64_t*, const cuuint64_t*, int, int,
                                                cuuint32_t, cuuint32_t, const cuuint32_t*, int, int, int, int, int) {
  return call("cuTensorMapEncodeIm2colWide", [&](Call& c) {
    requireTensorMaps(c, map);
    fail(CUDA_ERROR_NOT_SUPPORTED, "wide im2col maps need compute capability 10.0");
  });
}

CNN_EXPORT CUresult cuTensorMapReplaceAddress(CUtensorMap* map, void* address) {
  return call("cuTensorMapReplaceAddress", [&](Call& c) {
    requireTensorMaps(c, map);
    const auto existing = readTensorMap(reinterpret_cast<const std::byte*>(map));
    requireValue(existing.has_value(), "the bytes are no tensor map");
    store(map, replaceAddress(*existing, reinterpret_cast<std::uint64_t>(address)));
  });
}
