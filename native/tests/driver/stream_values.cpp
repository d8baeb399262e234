// Streams that wait for values in memory and write them, and the attributes of streams.
#include "emulated.h"

#include <atomic>
#include <thread>

using namespace cnn::test;

namespace {

using Value32 = CUresult(CUstream, CUdeviceptr, cuuint32_t, unsigned);
using Value64 = CUresult(CUstream, CUdeviceptr, cuuint64_t, unsigned);

CUresult wait(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned condition) {
  return cuda().get<Value32>("cuStreamWaitValue32_v2")(stream, address, value, condition);
}
CUresult write(CUstream stream, CUdeviceptr address, cuuint32_t value) {
  return cuda().get<Value32>("cuStreamWriteValue32_v2")(stream, address, value, CU_STREAM_WRITE_VALUE_DEFAULT);
}

struct Streams {
  Streams() {
    REQUIRE_CUDA(cuda().cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
    REQUIRE_CUDA(cuda().cuStreamCreate(&b, CU_STREAM_NON_BLOCKING));
  }
  ~Streams() {
    cuda().cuStreamDestroy_v2(a);
    cuda().cuStreamDestroy_v2(b);
  }
  CUstream a = nullptr, b = nullptr;
};

}  // namespace

TEST(a_value_orders_two_streams) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer flag(1, 0), data(100, 1);
  CHECK_CUDA(wait(s.b, flag.address, 5, CU_STREAM_WAIT_VALUE_GEQ));
  CHECK_CUDA(kernels.launchScale(data.address, 100, 10, s.b));
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 1, s.a));
  CHECK_CUDA(write(s.a, flag.address, 5));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.b));
  CHECK(data.all(20));
  CHECK(flag.all(5));
}

TEST(memory_comes_and_goes_by_values_too) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer flag(1, 0);
  CUdeviceptr memory;
  REQUIRE_CUDA(cuda().cuMemAllocAsync(&memory, 400, s.a));
  CHECK_CUDA(wait(s.b, flag.address, 1, CU_STREAM_WAIT_VALUE_EQ));
  CHECK_CUDA(kernels.launchOutside(memory, s.b));
  CHECK_CUDA(write(s.b, flag.address, 2));
  CHECK_CUDA(write(s.a, flag.address, 1));
  CHECK_CUDA(wait(s.a, flag.address, 2, CU_STREAM_WAIT_VALUE_EQ));
  CHECK_CUDA(cuda().cuMemFreeAsync(memory, s.a));
  CHECK_CUDA(cuda().cuCtxSynchronize());
}

TEST(every_condition) {
  ContextScope context;
  Streams s;
  const struct { unsigned condition, found, value; bool holds; } rows[] = {
      {CU_STREAM_WAIT_VALUE_GEQ, 5, 5, true},  {CU_STREAM_WAIT_VALUE_GEQ, 4, 5, false},  {CU_STREAM_WAIT_VALUE_GEQ, 1, 0xffffffff, true},  // it wraps
      {CU_STREAM_WAIT_VALUE_EQ, 5, 5, true},   {CU_STREAM_WAIT_VALUE_EQ, 6, 5, false},   {CU_STREAM_WAIT_VALUE_AND, 6, 2, true},
      {CU_STREAM_WAIT_VALUE_AND, 6, 9, false}, {CU_STREAM_WAIT_VALUE_NOR, 0xf0, 0xf, true}, {CU_STREAM_WAIT_VALUE_NOR, 0xfffffff0, 0xf, false}};
  for (const auto& row : rows) {
    Buffer flag(1, row.found);
    CHECK_CUDA(wait(s.a, flag.address, row.value, row.condition));
    for (int i = 0; i < 3; ++i) cuda().cuStreamQuery(s.a);
    CHECK_EQ(cuda().cuStreamQuery(s.a), row.holds ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY);
    CHECK_CUDA(write(s.b, flag.address, row.condition == CU_STREAM_WAIT_VALUE_NOR ? 0 : row.value));
    CHECK_CUDA(cuda().cuCtxSynchronize());
  }
}

TEST(the_host_writes_and_reads_values) {
  ContextScope context;
  Streams s;
  void* host;
  REQUIRE_CUDA(cuda().cuMemHostAlloc(&host, 16, 0));
  auto* words = static_cast<cuuint64_t*>(host);
  words[0] = words[1] = 0;
  const auto address = reinterpret_cast<CUdeviceptr>(host);
  constexpr cuuint64_t large = 1ull << 40;
  CHECK_CUDA((cuda().get<Value64>("cuStreamWaitValue64_v2")(s.a, address, large, CU_STREAM_WAIT_VALUE_EQ)));
  CHECK_CUDA((cuda().get<Value64>("cuStreamWriteValue64_v2")(s.a, address + 8, large + 1, CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER)));
  std::thread later([&] { std::atomic_ref(words[0]).store(large); });
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  later.join();
  CHECK_EQ(words[1], large + 1);
  CHECK_CUDA(cuda().cuMemFreeHost(host));
}

TEST(batches_keep_their_order_and_are_checked_as_a_whole) {
  ContextScope context;
  Streams s;
  Buffer flag(2, 0);
  CUstreamBatchMemOpParams batch[3]{};
  batch[0] = {CU_STREAM_MEM_OP_WRITE_VALUE_32, flag.address, {3}, 0, 0, 0};
  batch[1] = {CU_STREAM_MEM_OP_BARRIER, 0, {0}, 0, 0, 0};
  batch[2] = {CU_STREAM_MEM_OP_WAIT_VALUE_32, flag.address, {3}, CU_STREAM_WAIT_VALUE_EQ, 0, 0};
  auto* run = cuda().get<CUresult(CUstream, unsigned, CUstreamBatchMemOpParams*, unsigned)>("cuStreamBatchMemOp_v2");
  CHECK_CUDA(run(s.a, 3, batch, 0));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  CHECK_EQ(flag.read()[0], 3);
  batch[0].value = 4;
  batch[2].operation = CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES;
  CHECK_EQ(run(s.a, 3, batch, 0), CUDA_ERROR_NOT_SUPPORTED);
  batch[2].operation = CUstreamBatchMemOpType(77);
  CHECK_EQ(run(s.a, 3, batch, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(run(s.a, 1, batch, 1), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(run(s.a, 257, batch, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(run(s.a, 1, nullptr, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(flag.read()[0], 3);  // nothing of them was done
  CHECK_EQ(wait(s.a, flag.address + 2, 0, CU_STREAM_WAIT_VALUE_EQ), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(wait(s.a, 4096, 0, CU_STREAM_WAIT_VALUE_EQ), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(wait(s.a, flag.address, 0, 4), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(wait(s.a, flag.address, 0, CU_STREAM_WAIT_VALUE_FLUSH), CUDA_ERROR_NOT_SUPPORTED);
}

TEST(a_capture_does_not_take_values) {
  ContextScope context;
  Streams s;
  Buffer flag(1, 0);
  CUgraph graph;
  CHECK_CUDA((cuda().get<CUresult(CUstream, CUstreamCaptureMode)>("cuStreamBeginCapture_v2")(s.a, CU_STREAM_CAPTURE_MODE_RELAXED)));
  CHECK_EQ(write(s.a, flag.address, 1), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CHECK_EQ((cuda().get<CUresult(CUstream, CUgraph*)>("cuStreamEndCapture")(s.a, &graph)), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST(attributes_of_streams_are_kept_and_copied) {
  ContextScope context;
  Streams s;
  auto* set = cuda().get<CUresult(CUstream, CUlaunchAttributeID, const CUlaunchAttributeValue*)>("cuStreamSetAttribute");
  auto* get = cuda().get<CUresult(CUstream, CUlaunchAttributeID, CUlaunchAttributeValue*)>("cuStreamGetAttribute");
  CUlaunchAttributeValue value{}, found{};
  value.accessPolicyWindow = {nullptr, 1024, 0.5f, CU_ACCESS_PROPERTY_PERSISTING, CU_ACCESS_PROPERTY_STREAMING};
  CHECK_CUDA(set(s.a, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value));
  value = {};
  value.syncPolicy = CU_SYNC_POLICY_SPIN;
  CHECK_CUDA(set(s.a, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value));
  value = {};
  value.memSyncDomainMap = {1, 3};
  CHECK_CUDA(set(s.a, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP, &value));
  value = {};
  value.memSyncDomain = 1;
  CHECK_CUDA(set(s.a, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN, &value));
  value = {};
  value.priority = -2;
  CHECK_CUDA(set(s.a, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value));

  CHECK_CUDA(get(s.b, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &found));
  CHECK_EQ(found.syncPolicy, CU_SYNC_POLICY_AUTO);
  CHECK_CUDA((cuda().get<CUresult(CUstream, CUstream)>("cuStreamCopyAttributes")(s.b, s.a)));
  CHECK_CUDA(get(s.b, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &found));
  CHECK_EQ(found.accessPolicyWindow.num_bytes, 1024);
  CHECK_EQ(found.accessPolicyWindow.hitProp, CU_ACCESS_PROPERTY_PERSISTING);
  CHECK_CUDA(get(s.b, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &found));
  CHECK_EQ(found.syncPolicy, CU_SYNC_POLICY_SPIN);
  CHECK_CUDA(get(s.b, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP, &found));
  CHECK_EQ(found.memSyncDomainMap.remote, 3);
  CHECK_CUDA(get(s.b, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN, &found));
  CHECK_EQ(found.memSyncDomain, 1);
  CHECK_CUDA(get(s.b, CU_LAUNCH_ATTRIBUTE_PRIORITY, &found));
  CHECK_EQ(found.priority, -2);

  value = {};
  value.syncPolicy = CUsynchronizationPolicy(9);
  CHECK_EQ(set(s.a, CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY, &value), CUDA_ERROR_INVALID_VALUE);
  value = {};
  value.accessPolicyWindow = {nullptr, 1024, 1.5f, CU_ACCESS_PROPERTY_NORMAL, CU_ACCESS_PROPERTY_NORMAL};
  CHECK_EQ(set(s.a, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value), CUDA_ERROR_INVALID_VALUE);
  value.accessPolicyWindow = {nullptr, 1024, 1, CU_ACCESS_PROPERTY_NORMAL, CU_ACCESS_PROPERTY_PERSISTING};
  CHECK_EQ(set(s.a, CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW, &value), CUDA_ERROR_INVALID_VALUE);
  value = {};
  value.memSyncDomainMap = {0, 4};
  CHECK_EQ(set(s.a, CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP, &value), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(get(s.a, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &found), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(set(s.a, CU_LAUNCH_ATTRIBUTE_COOPERATIVE, &value), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(get(s.a, CU_LAUNCH_ATTRIBUTE_PRIORITY, nullptr), CUDA_ERROR_INVALID_VALUE);
}
