#include "emulated.h"

using namespace cnn::test;

namespace {

struct PoolOf {
  explicit PoolOf(std::size_t maxSize = 0) {
    CUmemPoolProps properties{};
    properties.maxSize = maxSize;
    properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    REQUIRE_CUDA(cuda().get<CUresult(CUmemoryPool*, const CUmemPoolProps*)>("cuMemPoolCreate")(&handle, &properties));
  }
  ~PoolOf() { cuda().get<CUresult(CUmemoryPool)>("cuMemPoolDestroy")(handle); }

  cuuint64_t get(CUmemPool_attribute which) const {
    cuuint64_t value = ~0ull;
    CHECK_CUDA((cuda().get<CUresult(CUmemoryPool, CUmemPool_attribute, void*)>("cuMemPoolGetAttribute")(handle, which, &value)));
    return value;
  }
  CUresult set(CUmemPool_attribute which, cuuint64_t value) const {
    return cuda().get<CUresult(CUmemoryPool, CUmemPool_attribute, void*)>("cuMemPoolSetAttribute")(handle, which, &value);
  }
  CUresult tryAllocate(CUdeviceptr* address, std::size_t bytes, CUstream stream) const {
    return cuda().get<CUresult(CUdeviceptr*, std::size_t, CUmemoryPool, CUstream)>("cuMemAllocFromPoolAsync")(address, bytes, handle, stream);
  }
  CUdeviceptr allocate(std::size_t bytes, CUstream stream = nullptr) const {
    CUdeviceptr address = 0;
    CHECK_CUDA(tryAllocate(&address, bytes, stream));
    return address;
  }
  void trim(std::size_t keep) const { CHECK_CUDA((cuda().get<CUresult(CUmemoryPool, std::size_t)>("cuMemPoolTrimTo")(handle, keep))); }

  CUmemoryPool handle = nullptr;
};

constexpr std::size_t megabyte = 1 << 20;

}  // namespace

TEST(statistics_follow_use_and_reserve) {
  ContextScope context;
  PoolOf pool;
  CHECK_CUDA(pool.set(CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, ~0ull));
  const CUdeviceptr a = pool.allocate(3 * megabyte), b = pool.allocate(100);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 3 * megabyte + 512);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 4 * megabyte);
  CHECK_CUDA(cuda().cuMemFreeAsync(a, nullptr));
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 3 * megabyte + 512);  // not yet: nobody has waited
  CHECK_CUDA(cuda().cuStreamSynchronize(nullptr));
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 512);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 4 * megabyte);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_USED_MEM_HIGH), 3 * megabyte + 512);
  // The reserve serves the next allocation.
  const CUdeviceptr c = pool.allocate(megabyte);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 4 * megabyte);
  CHECK_CUDA(cuda().cuMemFreeAsync(c, nullptr));
  CHECK_CUDA(cuda().cuStreamSynchronize(nullptr));
  pool.trim(0);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 2 * megabyte);
  CHECK_CUDA(pool.set(CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0));
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_USED_MEM_HIGH), 512);
  CHECK_EQ(pool.set(CU_MEMPOOL_ATTR_USED_MEM_HIGH, 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(cuda().cuMemFree_v2(b));
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 0);
}

TEST(the_reserve_goes_at_a_wait_unless_it_is_below_the_threshold) {
  ContextScope context;
  PoolOf pool;
  std::size_t before, during, after, total;
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&before, &total));
  const CUdeviceptr a = pool.allocate(8 * megabyte);
  CHECK_CUDA(cuda().cuMemFreeAsync(a, nullptr));
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&during, &total));
  CHECK(before - during >= 8 * megabyte);
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&after, &total));
  CHECK_EQ(before, after);
  CHECK_EQ(pool.get(CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), 0);
}

TEST(use_after_free_in_stream_order_is_a_fault) {
  if (!isolated("pool.use_after_free_in_stream_order_is_a_fault", {{"CNN_EMULATOR_QUIET", "1"}})) return;
  CUcontext context;
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&context, 0, 0));
  Kernels kernels;
  CUdeviceptr memory;
  REQUIRE_CUDA(cuda().cuMemAllocAsync(&memory, 400, nullptr));
  CHECK_CUDA(cuda().cuMemsetD32Async(memory, 0, 100, nullptr));
  CHECK_CUDA(kernels.launchAdd(memory, 100, 1));
  CHECK_CUDA(cuda().cuMemFreeAsync(memory, nullptr));
  CHECK_EQ(cuda().cuMemFreeAsync(memory, nullptr), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(kernels.launchAdd(memory, 100, 1));
  CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
}

// What a pool of 4 MB gives one stream while the free of all of it is queued in another one.
TEST(a_limited_pool_reuses_what_its_attributes_let_it) {
  if (!isolated("pool.a_limited_pool_reuses_what_its_attributes_let_it", {{"CNN_EMULATOR_IDLE_MS", "600000"}, {"CNN_EMULATOR_STREAMS", "late"}})) return;
  struct Case {
    bool otherStream, event, followEvents, internalDependencies, reused;
  };
  for (const Case& c : {Case{false, false, false, false, true}, Case{true, false, true, false, false}, Case{true, true, true, false, true},
                        Case{true, true, false, false, false}, Case{true, false, false, true, true}}) {
    ContextScope context;
    PoolOf pool(4 * megabyte);
    CHECK_CUDA(pool.set(CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES, c.followEvents));
    CHECK_CUDA(pool.set(CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES, c.internalDependencies));
    CUstream first, second;
    CUevent event;
    REQUIRE_CUDA(cuda().cuStreamCreate(&first, CU_STREAM_NON_BLOCKING));
    REQUIRE_CUDA(cuda().cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
    REQUIRE_CUDA(cuda().cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    CHECK_CUDA(cuda().cuMemFreeAsync(pool.allocate(4 * megabyte, first), first));
    CHECK_CUDA(cuda().cuEventRecord(event, first));
    if (c.event) CHECK_CUDA(cuda().cuStreamWaitEvent(second, event, 0));
    CUdeviceptr again = 0;
    CHECK_EQ(pool.tryAllocate(&again, 4 * megabyte, c.otherStream ? second : first), c.reused ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY);
    CHECK_CUDA(cuda().cuCtxSynchronize());
    CHECK_CUDA(cuda().cuMemFree_v2(again));
    CHECK_CUDA(cuda().cuStreamDestroy_v2(first));
    CHECK_CUDA(cuda().cuStreamDestroy_v2(second));
    CHECK_CUDA(cuda().cuEventDestroy_v2(event));
  }
}

TEST(pools_check_their_arguments) {
  ContextScope context;
  CUmemPoolProps properties{};
  CUmemoryPool handle;
  auto* create = cuda().get<CUresult(CUmemoryPool*, const CUmemPoolProps*)>("cuMemPoolCreate");
  CHECK_EQ(create(&handle, &properties), CUDA_ERROR_INVALID_VALUE);
  properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 3};
  CHECK_EQ(create(&handle, &properties), CUDA_ERROR_INVALID_DEVICE);
  properties.location.id = 0;
  properties.maxSize = 4 * megabyte;
  REQUIRE_CUDA(create(&handle, &properties));
  CUdeviceptr address;
  auto* allocate = cuda().get<CUresult(CUdeviceptr*, std::size_t, CUmemoryPool, CUstream)>("cuMemAllocFromPoolAsync");
  CHECK_EQ(allocate(&address, 5 * megabyte, handle, nullptr), CUDA_ERROR_OUT_OF_MEMORY);
  auto* destroy = cuda().get<CUresult(CUmemoryPool)>("cuMemPoolDestroy");
  CHECK_CUDA(destroy(handle));
  CHECK_EQ(destroy(handle), CUDA_ERROR_INVALID_HANDLE);
  CHECK_CUDA((cuda().get<CUresult(CUmemoryPool*, CUdevice)>("cuDeviceGetDefaultMemPool")(&handle, 0)));
  CHECK_EQ(destroy(handle), CUDA_ERROR_NOT_PERMITTED);
}
