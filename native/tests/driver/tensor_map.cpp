// Tensor maps through the interface. What each constraint is, is tested beside the encoder.
#include "emulated.h"

using namespace cnn::test;

namespace {

struct Arguments {
  int type = 7;  // float32
  cuuint32_t rank = 2;
  CUdeviceptr address = 0;
  cuuint64_t dims[5] = {64, 32, 1, 1, 1}, strides[4] = {256, 8192, 8192, 8192};
  cuuint32_t box[5] = {32, 8, 1, 1, 1}, steps[5] = {1, 1, 1, 1, 1};
  int interleave = 0, swizzle = 3, promotion = 0, fill = 0;

  CUresult encode(CUtensorMap* map) const {
    using Encode = CUresult(CUtensorMap*, int, cuuint32_t, void*, const cuuint64_t*, const cuuint64_t*, const cuuint32_t*,
                            const cuuint32_t*, int, int, int, int);
    return cuda().get<Encode>("cuTensorMapEncodeTiled")(map, type, rank, reinterpret_cast<void*>(address), dims, strides, box, steps,
                                                        interleave, swizzle, promotion, fill);
  }
};

}  // namespace

TEST(a_map_is_made_and_each_breach_refused) {
  ContextScope context;
  Buffer data(64 * 32);
  Arguments good;
  good.address = data.address;
  CUtensorMap map;
  CHECK_CUDA(good.encode(&map));
  CHECK_EQ(good.encode(nullptr), CUDA_ERROR_INVALID_VALUE);
  alignas(64) char bytes[256];
  CHECK_EQ(good.encode(reinterpret_cast<CUtensorMap*>(bytes + 16)), CUDA_ERROR_INVALID_VALUE);
  const auto broken = [&](auto change) {
    Arguments bad = good;
    change(bad);
    return bad.encode(&map);
  };
  CHECK_EQ(broken([](Arguments& a) { a.type = 16; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.rank = 0; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.rank = 6; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.address += 8; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.dims[1] = 0; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.strides[0] = 260; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.box[0] = 257; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.box[0] = 64; }), CUDA_ERROR_INVALID_VALUE);  // 256 bytes, swizzle 128
  CHECK_EQ(broken([](Arguments& a) { a.box[0] = 3; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.steps[1] = 9; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.interleave = 1; }), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(broken([](Arguments& a) { a.type = 2; a.fill = 1; }), CUDA_ERROR_INVALID_VALUE);
  CHECK(lastMessage().find("oobFill") != std::string::npos);
}

TEST(an_im2col_map_is_made_and_each_breach_refused) {
  ContextScope context;
  Buffer data(64 * 32);
  using Encode = CUresult(CUtensorMap*, int, cuuint32_t, void*, const cuuint64_t*, const cuuint64_t*, const int*, const int*, cuuint32_t,
                          cuuint32_t, const cuuint32_t*, int, int, int, int);
  auto* encode = cuda().get<Encode>("cuTensorMapEncodeIm2col");
  const cuuint64_t dims[] = {32, 8, 4, 2}, strides[] = {128, 1024, 4096};  // N, H, W, C = 2, 4, 8, 32 of float32
  const cuuint32_t steps[] = {1, 1, 1, 1};
  const int lower[] = {-1, -1}, upper[] = {-1, -1}, far[] = {-129, 0};
  CUtensorMap map;
  const auto made = [&](cuuint32_t rank, const int* first, cuuint32_t channels, cuuint32_t pixels, int swizzle) {
    return encode(&map, 7, rank, reinterpret_cast<void*>(data.address), dims, strides, first, upper, channels, pixels, steps, 0, swizzle, 0, 0);
  };
  CHECK_CUDA(made(4, lower, 32, 16, 3));
  CHECK_EQ(made(2, lower, 32, 16, 3), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(made(4, nullptr, 32, 16, 3), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(made(4, far, 32, 16, 3), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(made(4, lower, 257, 16, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(made(4, lower, 32, 1025, 3), CUDA_ERROR_INVALID_VALUE);
  CHECK(lastMessage().find("pixelsPerColumn") != std::string::npos);
  CHECK_EQ(made(4, lower, 32, 16, 2), CUDA_ERROR_INVALID_VALUE);  // 128 bytes a pixel, swizzle 64
}

TEST(the_address_of_a_map_can_be_replaced) {
  ContextScope context;
  Buffer data(64 * 32);
  Arguments good;
  good.address = data.address;
  CUtensorMap map, moved;
  CHECK_CUDA(good.encode(&map));
  auto* replace = cuda().get<CUresult(CUtensorMap*, void*)>("cuTensorMapReplaceAddress");
  CHECK_CUDA(replace(&map, reinterpret_cast<void*>(data.address + 1024)));
  good.address += 1024;
  CHECK_CUDA(good.encode(&moved));
  CHECK_EQ(std::memcmp(&map, &moved, sizeof map), 0);
  CHECK_EQ(replace(&map, reinterpret_cast<void*>(data.address + 8)), CUDA_ERROR_INVALID_VALUE);
  map.opaque[0] ^= 1;
  CHECK_EQ(replace(&map, reinterpret_cast<void*>(data.address)), CUDA_ERROR_INVALID_VALUE);
}

TEST(ampere_has_no_tensor_maps) {
  if (!isolated("tensor_map.ampere_has_no_tensor_maps", {{"CNN_EMULATOR_DEVICE", "sm_80"}})) return;
  ContextScope context;
  Arguments good;
  good.address = 1024;
  CUtensorMap map;
  CHECK_EQ(good.encode(&map), CUDA_ERROR_NOT_SUPPORTED);
}
