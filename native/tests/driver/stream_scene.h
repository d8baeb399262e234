// Programs with memory in stream order: each comes with and without the order that makes it right.
#pragma once

#include "emulated.h"

#include <string_view>

namespace cnn::test {

inline constexpr unsigned words = 64;

// Streams a, b and c that nothing orders, d and e that the legacy stream orders, and one block of memory.
struct Scene {
  Scene() {
    REQUIRE_CUDA(cuda().cuCtxCreate_v2(&context, 0, 0));
    for (CUstream* stream : {&a, &b, &c}) REQUIRE_CUDA(cuda().cuStreamCreate(stream, CU_STREAM_NON_BLOCKING));
    for (CUstream* stream : {&d, &e}) REQUIRE_CUDA(cuda().cuStreamCreate(stream, CU_STREAM_DEFAULT));
    for (CUevent* event : {&first, &second}) REQUIRE_CUDA(cuda().cuEventCreate(event, CU_EVENT_DISABLE_TIMING));
    REQUIRE_CUDA(cuda().cuModuleLoadData(&module, kernels));
    REQUIRE_CUDA(cuda().cuModuleGetFunction(&outside, module, "outside"));
  }
  ~Scene() { cuda().cuCtxDestroy_v2(context); }

  // A program with a fault may learn of it by any call.
  void ok(CUresult status) {
    if (status != CUDA_SUCCESS && failed == CUDA_SUCCESS) failed = status;
  }

  void allocate(CUstream stream) { ok(cuda().cuMemAllocAsync(&memory, words * 4, stream)); }
  void free(CUstream stream) { ok(cuda().cuMemFreeAsync(memory, stream)); }
  void use(CUstream stream) { store(memory, stream); }
  void store(CUdeviceptr to, CUstream stream) {
    void* arguments[] = {&to};
    ok(cuda().cuLaunchKernel(outside, 1, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr));
  }
  void record(CUevent event, CUstream stream) { ok(cuda().cuEventRecord(event, stream)); }
  void wait(CUstream stream, CUevent event) { ok(cuda().cuStreamWaitEvent(stream, event, 0)); }
  void order(CUstream earlier, CUstream later) {
    record(first, earlier);
    wait(later, first);
  }
  void synchronise(CUstream stream) { ok(cuda().cuStreamSynchronize(stream)); }

  void beginCapture(CUstream stream) {
    ok(cuda().get<CUresult(CUstream, CUstreamCaptureMode)>("cuStreamBeginCapture_v2")(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
  }
  CUgraphExec endCapture(CUstream stream) {
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    ok(cuda().get<CUresult(CUstream, CUgraph*)>("cuStreamEndCapture")(stream, &graph));
    ok(cuda().get<CUresult(CUgraphExec*, CUgraph, unsigned long long)>("cuGraphInstantiateWithFlags")(&exec, graph, 0));
    return exec;
  }
  void launch(CUgraphExec exec, CUstream stream) { ok(cuda().get<CUresult(CUgraphExec, CUstream)>("cuGraphLaunch")(exec, stream)); }

  CUcontext context = nullptr;
  CUmodule module = nullptr;
  CUfunction outside = nullptr;
  CUstream a = nullptr, b = nullptr, c = nullptr, d = nullptr, e = nullptr;
  CUevent first = nullptr, second = nullptr;
  CUdeviceptr memory = 0;
  CUresult failed = CUDA_SUCCESS;
};

using Program = void (*)(Scene& scene, bool ordered);

// What the report of the disordered program must say.
inline void checkBoth(Program program, std::string_view who, std::string_view relation) {
  {
    Scene right;
    program(right, true);
    right.ok(cuda().cuCtxSynchronize());
    CHECK_CUDA(right.failed);
  }
  Scene wrong;
  program(wrong, false);
  wrong.ok(cuda().cuCtxSynchronize());
  CHECK_EQ(wrong.failed, CUDA_ERROR_ILLEGAL_ADDRESS);
  CHECK_EQ(cuda().cuCtxSynchronize(), CUDA_ERROR_ILLEGAL_ADDRESS);
  const std::string report = lastReport();
  CHECK(report.find("nothing orders " + std::string(who)) != std::string::npos);
  CHECK(report.find(relation) != std::string::npos);
  CHECK(report.find("256-byte allocation") != std::string::npos);
}

// Late, at random, at once; with several seeds.
inline void inEveryOrder(const char* test, void (*body)()) {
  for (const char* streams : {"late", "random", "eager"})
    for (const char* seed : {"1", "2", "3"})
      if (isolated(test, {{"CNN_EMULATOR_STREAMS", streams}, {"CNN_EMULATOR_SEED", seed}, {"CNN_EMULATOR_QUIET", "1"}})) return body();
}

inline constexpr std::string_view theKernel = "kernel `outside`", behind = "behind its allocation on", before = "before its free on";

}  // namespace cnn::test
