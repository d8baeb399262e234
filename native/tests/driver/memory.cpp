#include "emulated.h"

#include <numeric>

using namespace cnn::test;

TEST(allocation_is_aligned_accounted_and_checked) {
  ContextScope context;
  std::size_t before, after, total;
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&before, &total));
  CHECK_EQ(before, total);
  CUdeviceptr p = 0;
  REQUIRE_CUDA(cuda().cuMemAlloc_v2(&p, 1000000));
  CHECK_EQ(p % 256, 0);
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&after, &total));
  CHECK(before - after >= 1000000);
  CHECK_EQ(cuda().cuMemFree_v2(p + 256), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(cuda().cuMemFree_v2(p));
  CHECK_EQ(cuda().cuMemFree_v2(p), CUDA_ERROR_INVALID_VALUE);
  CHECK(lastMessage().find("cuMemFree") != std::string::npos);
  CHECK_CUDA(cuda().cuMemFree_v2(0));
  CHECK_EQ(cuda().cuMemAlloc_v2(&p, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemAlloc_v2(nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemAlloc_v2(&p, SIZE_MAX), CUDA_ERROR_OUT_OF_MEMORY);
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&after, &total));
  CHECK_EQ(before, after);
}

TEST(memory_can_be_bounded) {
  if (!isolated("memory.memory_can_be_bounded", {{"CNN_EMULATOR_MEMORY", "1048576"}})) return;
  ContextScope context;
  CUdeviceptr a, b;
  CHECK_EQ(cuda().cuMemAlloc_v2(&a, 1048577), CUDA_ERROR_OUT_OF_MEMORY);
  REQUIRE_CUDA(cuda().cuMemAlloc_v2(&a, 700000));
  CHECK_EQ(cuda().cuMemAlloc_v2(&b, 700000), CUDA_ERROR_OUT_OF_MEMORY);
  CHECK_CUDA(cuda().cuMemFree_v2(a));
  REQUIRE_CUDA(cuda().cuMemAlloc_v2(&b, 700000));
  CHECK_CUDA(cuda().cuMemFree_v2(b));
  // A thousand stream-ordered allocations in turn fit, because queued frees run when memory is short.
  for (int i = 0; i < 1000; ++i) {
    REQUIRE_CUDA(cuda().cuMemAllocAsync(&a, 700000, nullptr));
    REQUIRE_CUDA(cuda().cuMemFreeAsync(a, nullptr));
  }
}

TEST(fresh_memory_is_not_zero) {
  ContextScope context;
  CUdeviceptr p;
  REQUIRE_CUDA(cuda().cuMemAlloc_v2(&p, 4));
  float value = 0;
  CHECK_CUDA(cuda().cuMemcpyDtoH_v2(&value, p, 4));
  CHECK(value != value);
  CHECK_CUDA(cuda().cuMemFree_v2(p));
}

TEST(copies_in_every_direction) {
  ContextScope context;
  std::vector<unsigned> source(1000), back(1000);
  std::iota(source.begin(), source.end(), 7);
  Buffer a(1000), b(1000);
  CHECK_CUDA(cuda().cuMemcpyHtoD_v2(a.address, source.data(), 4000));
  CHECK_CUDA(cuda().cuMemcpyDtoD_v2(b.address, a.address, 4000));
  CHECK_CUDA(cuda().cuMemcpyDtoH_v2(back.data(), b.address, 4000));
  CHECK(back == source);
  std::vector<unsigned> again(1000);
  CHECK_CUDA(cuda().cuMemcpy(reinterpret_cast<CUdeviceptr>(again.data()), b.address, 4000));
  CHECK(again == source);
  CHECK_CUDA(cuda().cuMemcpyHtoD_v2(a.address, nullptr, 0));
}

TEST(copies_beyond_the_end_are_refused) {
  ContextScope context;
  Buffer a(100);
  std::vector<unsigned> host(200);
  CHECK_EQ(cuda().cuMemcpyHtoD_v2(a.address, host.data(), 404), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemcpyDtoH_v2(host.data(), a.address + 4, 400), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemcpyHtoD_v2(12345, host.data(), 4), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemcpyHtoD_v2(a.address, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemcpyHtoD_v2(a.address, host.data(), SIZE_MAX), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemsetD32_v2(a.address, 0, 101), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemsetD32_v2(a.address + 2, 0, 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuMemsetD32_v2(a.address, 0, SIZE_MAX / 2), CUDA_ERROR_INVALID_VALUE);
  CHECK(a.all(0));
}

TEST(fills_of_all_widths) {
  ContextScope context;
  Buffer a(8, 0);
  CHECK_CUDA(cuda().cuMemsetD8_v2(a.address + 1, 0x11, 3));
  CHECK_CUDA(cuda().cuMemsetD16_v2(a.address + 6, 0x2222, 3));
  CHECK_CUDA(cuda().cuMemsetD32_v2(a.address + 16, 0x33333333, 2));
  const std::vector<unsigned> expected = {0x11111100, 0x22220000, 0x22222222, 0, 0x33333333, 0x33333333, 0, 0};
  CHECK(a.read() == expected);
}

TEST(a_rectangle_moves_alone) {
  ContextScope context;
  Buffer device(8 * 8, 0);
  std::vector<unsigned> host(5 * 5);
  std::iota(host.begin(), host.end(), 1);
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_HOST;
  copy.srcHost = host.data();
  copy.srcPitch = 20;
  copy.srcXInBytes = 4;
  copy.srcY = 1;
  copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.dstDevice = device.address;
  copy.dstPitch = 32;
  copy.dstXInBytes = 8;
  copy.dstY = 3;
  copy.WidthInBytes = 12;
  copy.Height = 4;
  CHECK_CUDA(cuda().cuMemcpy2D_v2(&copy));
  const std::vector<unsigned> got = device.read();
  for (unsigned y = 0; y < 8; ++y)
    for (unsigned x = 0; x < 8; ++x) {
      const bool inside = x >= 2 && x < 5 && y >= 3 && y < 7;
      CHECK_EQ(got[y * 8 + x], inside ? host[(y - 2) * 5 + x - 1] : 0);
    }
  copy.Height = 6;
  CHECK_EQ(cuda().cuMemcpy2D_v2(&copy), CUDA_ERROR_INVALID_VALUE);
  copy.Height = 1;
  copy.srcPitch = 8;
  CHECK_EQ(cuda().cuMemcpy2D_v2(&copy), CUDA_ERROR_INVALID_VALUE);
  copy.srcMemoryType = CU_MEMORYTYPE_ARRAY;
  CHECK_EQ(cuda().cuMemcpy2D_v2(&copy), CUDA_ERROR_NOT_SUPPORTED);
}

TEST(pinned_memory_is_seen_by_kernels_and_attributes) {
  ContextScope context;
  Kernels kernels;
  void* host = nullptr;
  REQUIRE_CUDA(cuda().cuMemHostAlloc(&host, 400, 0));
  auto* values = static_cast<unsigned*>(host);
  std::iota(values, values + 100, 0);
  CHECK_CUDA(kernels.launchAdd(reinterpret_cast<CUdeviceptr>(host), 100, 5));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  for (unsigned i = 0; i < 100; ++i) CHECK_EQ(values[i], i + 5);
  auto* attribute = cuda().get<CUresult(void*, CUpointer_attribute, CUdeviceptr)>("cuPointerGetAttribute");
  unsigned type = 0;
  CHECK_CUDA(attribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(host)));
  CHECK_EQ(type, unsigned(CU_MEMORYTYPE_HOST));
  Buffer device(10);
  CHECK_CUDA(attribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, device.address + 12));
  CHECK_EQ(type, unsigned(CU_MEMORYTYPE_DEVICE));
  CUdeviceptr start = 0;
  CHECK_CUDA(attribute(&start, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, device.address + 12));
  CHECK_EQ(start, device.address);
  int unknown;
  CHECK_EQ(attribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(&unknown)), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(cuda().cuMemFreeHost(host));
  CHECK_EQ(cuda().cuMemFreeHost(host), CUDA_ERROR_INVALID_VALUE);
}

TEST(registered_memory_is_pinned_until_it_is_unregistered) {
  ContextScope context;
  auto* registerHost = cuda().get<CUresult(void*, std::size_t, unsigned)>("cuMemHostRegister_v2");
  auto* unregisterHost = cuda().get<CUresult(void*)>("cuMemHostUnregister");
  std::vector<unsigned> host(1000, 1);
  CHECK_EQ(unregisterHost(host.data()), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  CHECK_CUDA(registerHost(host.data(), 4000, 0));
  CHECK_EQ(registerHost(host.data() + 100, 40, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  Kernels kernels;
  CHECK_CUDA(kernels.launchAdd(reinterpret_cast<CUdeviceptr>(host.data()), 1000, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK(host == std::vector<unsigned>(1000, 2));
  CHECK_CUDA(unregisterHost(host.data()));
}
