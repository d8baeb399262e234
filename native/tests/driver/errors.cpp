// Faults stick to the context; injected failures come when asked for.
#include "emulated.h"

#include <functional>
#include <thread>

using namespace cnn::test;

TEST(a_fault_sticks_to_its_context) {
  if (!isolated("errors.a_fault_sticks_to_its_context", {{"CNN_EMULATOR_QUIET", "1"}})) return;
  CUcontext bad, good;
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&good, 0, 0));
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&bad, 0, 0));
  {
    Kernels kernels;
    Buffer data(100, 1);
    CHECK_CUDA(kernels.launchOutside(data.address + 400));  // launches are asynchronous: the fault comes later
    CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
    CUdeviceptr p;
    CUstream stream;
    CHECK_EQ(cuda().cuMemAlloc_v2(&p, 4), CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK_EQ(cuda().cuStreamCreate(&stream, 0), CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK_EQ(kernels.launchAdd(data.address, 100, 1), CUDA_ERROR_ILLEGAL_ADDRESS);
    CHECK(lastReport().find("outside") != std::string::npos);
  }
  CHECK_CUDA(cuda().cuCtxDestroy_v2(bad));
  CHECK_CUDA(cuda().cuCtxSetCurrent(good));
  Kernels kernels;
  Buffer data(100, 1);
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 1));
  CHECK(data.all(2));
}

TEST(misaligned_access_is_716) {
  if (!isolated("errors.misaligned_access_is_716", {{"CNN_EMULATOR_QUIET", "1"}})) return;
  CUcontext context;
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&context, 0, 0));
  Kernels kernels;
  Buffer data(100, 1);
  CHECK_CUDA(kernels.launchOutside(data.address + 2));
  CHECK_EQ(cuda().cuCtxSynchronize(), CUresult(716));
}

TEST(a_reset_primary_context_is_healthy_again) {
  if (!isolated("errors.a_reset_primary_context_is_healthy_again", {{"CNN_EMULATOR_QUIET", "1"}})) return;
  CUcontext context;
  REQUIRE_CUDA(cuda().cuDevicePrimaryCtxRetain(&context, 0));
  REQUIRE_CUDA(cuda().cuCtxSetCurrent(context));
  {
    Kernels kernels;
    CHECK_CUDA(kernels.launchOutside(16));
    CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  }
  CHECK_CUDA(cuda().cuDevicePrimaryCtxReset_v2(0));
  CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  REQUIRE_CUDA(cuda().cuDevicePrimaryCtxRetain(&context, 0));
  Kernels kernels;
  Buffer data(100, 1);
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 1));
  CHECK(data.all(2));
}

namespace {

void failCall(std::uint64_t call, CUresult code) { cuda().get<void(std::uint64_t, int)>("cnnEmulatorFailCall")(call, code); }
std::uint64_t callCount() { return cuda().get<std::uint64_t()>("cnnEmulatorCallCount")(); }

// A small program that checks each call and cleans up after itself, as a good program does.
CUresult careful(CUcontext context) {
  CUresult status = cuda().cuCtxSetCurrent(context);
  if (status) return status;
  CUmodule module = nullptr;
  CUdeviceptr p = 0;
  CUstream stream = nullptr;
  const auto work = [&]() -> CUresult {
    if (const CUresult s = cuda().cuModuleLoadData(&module, kernels)) return s;
    CUfunction add;
    if (const CUresult s = cuda().cuModuleGetFunction(&add, module, "add")) return s;
    if (const CUresult s = cuda().cuMemAlloc_v2(&p, 400)) return s;
    if (const CUresult s = cuda().cuStreamCreate(&stream, 0)) return s;
    unsigned n = 100, value = 1, back[100];
    void* arguments[] = {&p, &n, &value};
    if (const CUresult s = cuda().cuMemsetD32Async(p, 1, 100, stream)) return s;
    if (const CUresult s = cuda().cuLaunchKernel(add, 1, 1, 1, 128, 1, 1, 0, stream, arguments, nullptr)) return s;
    if (const CUresult s = cuda().cuMemcpyDtoHAsync_v2(back, p, 400, stream)) return s;
    if (const CUresult s = cuda().cuStreamSynchronize(stream)) return s;
    for (const unsigned got : back) CHECK_EQ(got, 2);
    return CUDA_SUCCESS;
  };
  status = work();
  // Releasing is tried twice: an injected failure hits one call only.
  const auto twice = [](const std::function<CUresult()>& release) { if (release()) CHECK_CUDA(release()); };
  if (stream) twice([&] { return cuda().cuStreamDestroy_v2(stream); });
  if (p) twice([&] { return cuda().cuMemFree_v2(p); });
  if (module) twice([&] { return cuda().cuModuleUnload(module); });
  return status;
}

}  // namespace

TEST(a_call_of_one_function_can_fail) {
  const auto failFunction = cuda().get<std::uint64_t(const char*, std::uint64_t, int)>("cnnEmulatorFailFunction");
  ContextScope context;
  failFunction("cuMemAlloc_v2", 2, CUDA_ERROR_UNKNOWN);
  CUdeviceptr a = 0, b = 0;
  CHECK_CUDA(cuda().cuMemAlloc_v2(&a, 4));
  CHECK_EQ(cuda().cuMemAlloc_v2(&b, 4), CUDA_ERROR_UNKNOWN);
  CHECK_CUDA(cuda().cuMemAlloc_v2(&b, 4));
  CHECK_EQ(failFunction("cuDriverGetVersion", 1, CUDA_ERROR_UNKNOWN), 0);
  int version = 0;
  CHECK_EQ(cuda().cuDriverGetVersion(&version), CUDA_ERROR_UNKNOWN);
  CHECK_CUDA(cuda().cuDriverGetVersion(&version));
  failFunction("cuMemFree_v2", 3, CUDA_ERROR_UNKNOWN);
  CHECK_CUDA(cuda().cuMemFree_v2(a));
  CHECK_CUDA(cuda().cuMemFree_v2(b));
  CHECK_EQ(failFunction(nullptr, 0, CUDA_SUCCESS), 1);
}

TEST(every_call_can_fail_in_turn) {
  ContextScope context;
  std::uint64_t before = callCount();
  CHECK_CUDA(careful(context.handle));
  const std::uint64_t calls = callCount() - before;
  CHECK(calls >= 12);
  int failures = 0;
  for (std::uint64_t call = 1; call <= calls; ++call) {
    failCall(call, CUDA_ERROR_OUT_OF_MEMORY);
    failures += careful(context.handle) == CUDA_ERROR_OUT_OF_MEMORY;
    failCall(0, CUDA_SUCCESS);
    CHECK_EQ(liveObjects().allocations, 0);
    CHECK_EQ(liveObjects().modules, 0);
  }
  CHECK_EQ(failures, int(calls) - 3);  // all but the three releases end the work
}

TEST(the_environment_can_inject_a_failure) {
  if (!isolated("errors.the_environment_can_inject_a_failure", {{"CNN_EMULATOR_FAIL", "2:2"}})) return;
  int count;
  CHECK_CUDA(cuda().cuDeviceGetCount(&count));
  CHECK_EQ(cuda().cuDeviceGetCount(&count), CUDA_ERROR_OUT_OF_MEMORY);
  CHECK(lastMessage().find("injected") != std::string::npos);
  CHECK_CUDA(cuda().cuDeviceGetCount(&count));
}

// Sixteen threads with their own streams, memory, modules and events, in one context.
TEST(sixteen_threads_at_once) {
  ContextScope context;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 16; ++t)
    threads.emplace_back([&, t] {
      CHECK_CUDA(cuda().cuCtxSetCurrent(context.handle));
      for (unsigned round = 0; round < 5; ++round) {
        CUmodule module;
        CUfunction add;
        CUstream stream;
        CUevent event;
        CUdeviceptr p;
        unsigned n = 64, back[64];
        if (cuda().cuModuleLoadData(&module, kernels) || cuda().cuModuleGetFunction(&add, module, "add")
            || cuda().cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING) || cuda().cuEventCreate(&event, 0)
            || cuda().cuMemAllocAsync(&p, 256, stream))
          return FAIL("a thread could not set up");
        CHECK_CUDA(cuda().cuMemsetD32Async(p, t, n, stream));
        for (unsigned i = 0; i < 10; ++i) {
          void* arguments[] = {&p, &n, &i};
          CHECK_CUDA(cuda().cuLaunchKernel(add, 1, 1, 1, 64, 1, 1, 0, stream, arguments, nullptr));
        }
        CHECK_CUDA(cuda().cuEventRecord(event, stream));
        CHECK_CUDA(cuda().cuMemcpyDtoHAsync_v2(back, p, 256, stream));
        for (const unsigned got : back) CHECK_EQ(got, t + 45);
        CHECK_CUDA(cuda().cuEventSynchronize(event));
        CHECK_CUDA(cuda().cuMemFreeAsync(p, stream));
        CHECK_CUDA(cuda().cuStreamSynchronize(stream));
        CHECK_CUDA(cuda().cuEventDestroy_v2(event));
        CHECK_CUDA(cuda().cuStreamDestroy_v2(stream));
        CHECK_CUDA(cuda().cuModuleUnload(module));
      }
    });
  for (std::thread& thread : threads) thread.join();
}
