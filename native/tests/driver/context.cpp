#include "emulated.h"

#include <thread>

using namespace cnn::test;

TEST(the_device_cannot_be_mistaken_for_a_gpu) {
  char name[100];
  CHECK_CUDA(cuda().cuDeviceGetName(name, sizeof name, 0));
  const std::string text(name);
  CHECK(text.find("mulat") != std::string::npos);
  CHECK(text.find("NVIDIA") == std::string::npos);
  char few[5];
  CHECK_CUDA(cuda().cuDeviceGetName(few, sizeof few, 0));
  CHECK_EQ(std::string(few), text.substr(0, 4));
  CHECK_EQ(cuda().cuDeviceGetName(name, sizeof name, 1), CUDA_ERROR_INVALID_DEVICE);
}

namespace {

int attribute(int which) {
  int value = -1;
  CHECK_CUDA(cuda().cuDeviceGetAttribute(&value, which, 0));
  return value;
}

}  // namespace

TEST(the_default_device_is_hopper) {
  CHECK_EQ(attribute(75), 9);
  CHECK_EQ(attribute(76), 0);
  CHECK_EQ(attribute(10), 32);
  CHECK_EQ(attribute(1), 1024);
  CHECK_EQ(attribute(97), 232448);
  CHECK_EQ(attribute(120), 1);
  CHECK_EQ(attribute(127), 1);
  int value;
  CHECK_EQ(cuda().cuDeviceGetAttribute(&value, 0, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuDeviceGetAttribute(&value, 148, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST(the_device_can_be_ampere) {
  if (!isolated("context.the_device_can_be_ampere", {{"CNN_EMULATOR_DEVICE", "sm_80"}, {"CNN_EMULATOR_MEMORY", "50000000"}})) return;
  CHECK_EQ(attribute(75), 8);
  CHECK_EQ(attribute(76), 0);
  CHECK_EQ(attribute(97), 166912);
  CHECK_EQ(attribute(127), 0);
  std::size_t bytes = 0;
  CHECK_CUDA(cuda().cuDeviceTotalMem_v2(&bytes, 0));
  CHECK_EQ(bytes, 50000000);
}

TEST(contexts_form_a_stack_per_thread) {
  CUcontext a, b, current;
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&a, 0, 0));
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&b, 0, 0));
  CHECK_CUDA(cuda().cuCtxGetCurrent(&current));
  CHECK_EQ(current, b);
  CHECK_CUDA(cuda().cuCtxPopCurrent_v2(&current));
  CHECK_EQ(current, b);
  CHECK_CUDA(cuda().cuCtxGetCurrent(&current));
  CHECK_EQ(current, a);
  std::thread([&] {
    CUcontext other = a;
    CHECK_CUDA(cuda().cuCtxGetCurrent(&other));
    CHECK(other == nullptr);
    CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
    CHECK_CUDA(cuda().cuCtxSetCurrent(b));
    CHECK_CUDA(cuda().cuCtxSynchronize());
  }).join();
  CHECK_CUDA(cuda().cuCtxSetCurrent(b));
  CHECK_CUDA(cuda().cuCtxDestroy_v2(a));
  CHECK_CUDA(cuda().cuCtxDestroy_v2(b));
  CHECK_EQ(cuda().cuCtxDestroy_v2(b), CUDA_ERROR_INVALID_CONTEXT);
  CHECK_EQ(cuda().cuCtxPopCurrent_v2(&current), CUDA_ERROR_INVALID_CONTEXT);
}

TEST(a_destroyed_context_is_said_to_be_destroyed) {
  CUcontext context;
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&context, 0, 0));
  std::thread([&] {
    CHECK_CUDA(cuda().cuCtxPushCurrent_v2(context));
    CHECK_CUDA(cuda().cuCtxDestroy_v2(context));
  }).join();
  CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
  CHECK_CUDA(cuda().cuCtxPopCurrent_v2(nullptr));
}

TEST(the_primary_context_is_counted_and_keeps_its_handle) {
  CUcontext first, second;
  unsigned flags;
  int active;
  CHECK_CUDA(cuda().cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK_EQ(active, 0);
  CHECK_EQ(cuda().cuDevicePrimaryCtxRelease_v2(0), CUDA_ERROR_INVALID_CONTEXT);
  CHECK_CUDA(cuda().cuDevicePrimaryCtxRetain(&first, 0));
  CHECK_CUDA(cuda().cuDevicePrimaryCtxRetain(&second, 0));
  CHECK_EQ(first, second);
  CHECK_EQ(cuda().cuCtxDestroy_v2(first), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(cuda().cuDevicePrimaryCtxRelease_v2(0));
  CHECK_CUDA(cuda().cuDevicePrimaryCtxGetState(0, &flags, &active));
  CHECK_EQ(active, 1);
  CHECK_CUDA(cuda().cuDevicePrimaryCtxRelease_v2(0));
  CHECK_EQ(cuda().cuCtxSetCurrent(first), CUDA_ERROR_INVALID_CONTEXT);
  CHECK_CUDA(cuda().cuDevicePrimaryCtxRetain(&second, 0));
  CHECK_EQ(first, second);
  CHECK_CUDA(cuda().cuCtxSetCurrent(second));
  CUdeviceptr left = 0;
  CHECK_CUDA(cuda().cuMemAlloc_v2(&left, 1000));
  CHECK_CUDA(cuda().cuCtxSetCurrent(nullptr));
  CHECK_CUDA(cuda().cuDevicePrimaryCtxRelease_v2(0));
  CHECK_EQ(liveObjects().allocations, 0);
}

TEST(a_context_takes_everything_with_it) {
  const cnnEmulatorObjects before = liveObjects();
  CUcontext context;
  REQUIRE_CUDA(cuda().cuCtxCreate_v2(&context, 0, 0));
  CUdeviceptr memory;
  CUstream stream;
  CUevent event;
  void* host;
  CHECK_CUDA(cuda().cuMemAlloc_v2(&memory, 100));
  CHECK_CUDA(cuda().cuMemAllocAsync(&memory, 100, nullptr));
  CHECK_CUDA(cuda().cuMemHostAlloc(&host, 100, 0));
  CHECK_CUDA(cuda().cuStreamCreate(&stream, 0));
  CHECK_CUDA(cuda().cuEventCreate(&event, 0));
  CHECK_CUDA(cuda().cuCtxDestroy_v2(context));
  const cnnEmulatorObjects after = liveObjects();
  CHECK_EQ(std::memcmp(&before, &after, sizeof after), 0);
  CHECK_EQ(cuda().cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  CHECK_EQ(cuda().cuEventSynchronize(event), CUDA_ERROR_INVALID_HANDLE);
}
