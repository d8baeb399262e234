// The order of work: what must hold, and that what need not hold does not.
#include "emulated.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace cnn::test;

namespace {

struct Stream {
  explicit Stream(unsigned flags = CU_STREAM_NON_BLOCKING) { REQUIRE_CUDA(cuda().cuStreamCreate(&handle, flags)); }
  ~Stream() { cuda().cuStreamDestroy_v2(handle); }
  CUstream handle = nullptr;
};

struct Event {
  explicit Event(unsigned flags = 0) { REQUIRE_CUDA(cuda().cuEventCreate(&handle, flags)); }
  ~Event() { cuda().cuEventDestroy_v2(handle); }
  CUevent handle = nullptr;
};

struct Pinned {
  explicit Pinned(unsigned count) {
    void* host;
    REQUIRE_CUDA(cuda().cuMemHostAlloc(&host, count * 4, 0));
    values = static_cast<unsigned*>(host);
  }
  ~Pinned() { cuda().cuMemFreeHost(values); }
  unsigned* values;
};

}  // namespace

TEST(a_stream_keeps_its_order) {
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 1);
  Stream stream;
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 2, stream.handle));
  CHECK_CUDA(kernels.launchScale(data.address, 100, 10, stream.handle));
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 5, stream.handle));
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK(data.all(35));
}

TEST(work_waits_until_somebody_waits) {
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 1);
  Stream stream;
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 2, stream.handle));
  CHECK_EQ(liveObjects().pendingOperations, 1);
  // A copy on the legacy stream does not wait for a non-blocking stream: the missing synchronisation shows.
  CHECK(data.all(1));
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK(data.all(3));
}

TEST(blocking_streams_and_the_legacy_stream_wait_for_each_other) {
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 1);
  Stream a(CU_STREAM_DEFAULT), b(CU_STREAM_DEFAULT);
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 2, a.handle));
  CHECK_CUDA(kernels.launchScale(data.address, 100, 10, nullptr));
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 5, b.handle));
  CHECK(data.all(35));
}

TEST(an_event_orders_two_streams_and_its_absence_shows) {
  ContextScope context;
  Kernels kernels;
  for (const bool withEvent : {false, true}) {
    Buffer from(100, 1), to(100, 0);
    Stream a, b;
    Event event;
    CHECK_CUDA(kernels.launchAdd(from.address, 100, 6, a.handle));
    CHECK_CUDA(cuda().cuEventRecord(event.handle, a.handle));
    if (withEvent) CHECK_CUDA(cuda().cuStreamWaitEvent(b.handle, event.handle, 0));
    CHECK_CUDA(kernels.launchCopy(to.address, from.address, 100, b.handle));
    CHECK_CUDA(cuda().cuStreamSynchronize(b.handle));
    CHECK(to.all(withEvent ? 7 : 1));
    CHECK_CUDA(cuda().cuCtxSynchronize());
  }
}

TEST(pinned_memory_is_read_late_and_pageable_memory_at_once) {
  ContextScope context;
  Buffer data(100, 0);
  Stream stream;
  Pinned pinned(100);
  std::vector<unsigned> pageable(100, 5);
  std::fill(pinned.values, pinned.values + 100, 5);
  CHECK_CUDA(cuda().cuMemcpyHtoDAsync_v2(data.address, pinned.values, 400, stream.handle));
  std::fill(pinned.values, pinned.values + 100, 6);  // a bug: the copy is still in flight
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK(data.all(6));
  CHECK_CUDA(cuda().cuMemcpyHtoDAsync_v2(data.address, pageable.data(), 400, stream.handle));
  std::fill(pageable.begin(), pageable.end(), 6);
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK(data.all(5));
  std::vector<unsigned> back(100);
  CHECK_CUDA(cuda().cuMemcpyDtoHAsync_v2(back.data(), data.address, 400, stream.handle));
  CHECK(back == std::vector<unsigned>(100, 5));  // to pageable memory: done when the call returns
  CHECK_CUDA(cuda().cuMemcpyDtoHAsync_v2(pinned.values, data.address, 400, stream.handle));
  CHECK_EQ(pinned.values[0], 6);  // to pinned memory: not yet
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK_EQ(pinned.values[0], 5);
}

TEST(queries_make_progress) {
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 1);
  Stream stream;
  Event event;
  CHECK_CUDA(cuda().cuStreamQuery(stream.handle));
  CHECK_CUDA(cuda().cuEventQuery(event.handle));
  for (int i = 0; i < 5; ++i) CHECK_CUDA(kernels.launchAdd(data.address, 100, 1, stream.handle));
  CHECK_CUDA(cuda().cuEventRecord(event.handle, stream.handle));
  CHECK_EQ(cuda().cuStreamQuery(stream.handle), CUDA_ERROR_NOT_READY);
  int queries = 0;
  while (cuda().cuEventQuery(event.handle) == CUDA_ERROR_NOT_READY && queries < 100) ++queries;
  CHECK(queries < 100);
  CHECK_CUDA(cuda().cuStreamQuery(stream.handle));
}

TEST(event_times_cannot_be_taken_for_speed) {
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 1);
  Stream stream;
  Event begin, end, untimed(CU_EVENT_DISABLE_TIMING);
  float milliseconds = -1;
  CHECK_EQ(cuda().cuEventElapsedTime(&milliseconds, begin.handle, end.handle), CUDA_ERROR_INVALID_HANDLE);
  CHECK_CUDA(cuda().cuEventRecord(begin.handle, stream.handle));
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 1, stream.handle));
  CHECK_CUDA(cuda().cuEventRecord(end.handle, stream.handle));
  CHECK_CUDA(cuda().cuEventRecord(untimed.handle, stream.handle));
  CHECK_EQ(cuda().cuEventElapsedTime(&milliseconds, begin.handle, end.handle), CUDA_ERROR_NOT_READY);
  CHECK_CUDA(cuda().cuEventSynchronize(untimed.handle));
  CHECK_CUDA(cuda().cuEventElapsedTime(&milliseconds, begin.handle, end.handle));
  CHECK_EQ(milliseconds, 2000.0f);
  CHECK_EQ(cuda().cuEventElapsedTime(&milliseconds, begin.handle, untimed.handle), CUDA_ERROR_INVALID_HANDLE);
}

namespace {

std::atomic<int> hostResult;
std::atomic<bool> hostMayGoOn;

}  // namespace

TEST(host_functions_run_in_order_and_may_not_call_the_driver) {
  ContextScope context;
  Kernels kernels;
  Buffer data(1, 1);
  Pinned pinned(1);
  Stream stream;
  hostResult = 0;
  CHECK_CUDA(kernels.launchAdd(data.address, 1, 4, stream.handle));
  CHECK_CUDA(cuda().cuMemcpyDtoHAsync_v2(pinned.values, data.address, 4, stream.handle));
  CHECK_CUDA(cuda().cuLaunchHostFunc(stream.handle, [](void* value) {
    hostResult = int(*static_cast<unsigned*>(value)) * 1000 + int(cuda().cuCtxSynchronize());
  }, pinned.values));
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK_EQ(hostResult.load(), 5000 + CUDA_ERROR_NOT_PERMITTED);
}

TEST(a_blocked_host_function_holds_back_its_own_stream_only) {
  ContextScope context;
  Kernels kernels;
  Buffer a(1, 1), b(1, 1);
  Stream first, second;
  hostMayGoOn = false;
  CHECK_CUDA(cuda().cuLaunchHostFunc(first.handle, [](void*) { while (!hostMayGoOn) std::this_thread::yield(); }, nullptr));
  CHECK_CUDA(kernels.launchAdd(a.address, 1, 1, first.handle));
  std::thread other([&] {
    CHECK_CUDA(cuda().cuCtxSetCurrent(context.handle));
    CHECK_CUDA(cuda().cuStreamSynchronize(first.handle));
  });
  CHECK_CUDA(kernels.launchAdd(b.address, 1, 1, second.handle));
  CHECK_CUDA(cuda().cuStreamSynchronize(second.handle));
  CHECK(b.all(2));
  hostMayGoOn = true;
  other.join();
  CHECK(a.all(2));
}

TEST(work_starts_by_itself_after_a_pause) {
  ContextScope context;
  Stream stream;
  hostMayGoOn = false;
  CHECK_CUDA(cuda().cuLaunchHostFunc(stream.handle, [](void*) { hostMayGoOn = true; }, nullptr));
  const auto begin = std::chrono::steady_clock::now();
  while (!hostMayGoOn && std::chrono::steady_clock::now() - begin < std::chrono::seconds(20)) std::this_thread::yield();
  CHECK(hostMayGoOn);
}

TEST(destroyed_streams_finish_their_work) {
  ContextScope context;
  Kernels kernels;
  Buffer data(10, 1);
  CUstream stream;
  REQUIRE_CUDA(cuda().cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CHECK_CUDA(kernels.launchAdd(data.address, 10, 1, stream));
  CHECK_CUDA(cuda().cuStreamDestroy_v2(stream));
  CHECK_EQ(cuda().cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK(data.all(2));
}

TEST(long_queues_are_bounded) {
  ContextScope context;
  Kernels kernels;
  Buffer data(1, 0);
  Stream stream;
  for (int i = 0; i < 3000; ++i) CHECK_CUDA(kernels.launchAdd(data.address, 1, 1, stream.handle));
  CHECK(liveObjects().pendingOperations <= 1024);
  CHECK_CUDA(cuda().cuStreamSynchronize(stream.handle));
  CHECK(data.all(3000));
}

TEST(eager_streams_run_at_once) {
  if (!isolated("stream.eager_streams_run_at_once", {{"CNN_EMULATOR_STREAMS", "eager"}})) return;
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 1);
  Stream stream;
  CHECK_CUDA(kernels.launchAdd(data.address, 100, 2, stream.handle));
  CHECK_EQ(liveObjects().pendingOperations, 0);
  CHECK(data.all(3));
}

// Two additions and a product in three streams without order: different seeds give different results, one seed always
// the same.
namespace {

unsigned unorderedResult() {
  ContextScope context;
  Kernels kernels;
  Buffer data(1, 1);
  Stream a, b, c;
  CHECK_CUDA(kernels.launchAdd(data.address, 1, 2, a.handle));
  CHECK_CUDA(kernels.launchScale(data.address, 1, 10, b.handle));
  CHECK_CUDA(kernels.launchAdd(data.address, 1, 5, c.handle));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  return data.read()[0];
}

}  // namespace

TEST(the_order_of_unordered_work_varies) {
  std::vector<unsigned> results;
  for (int i = 0; i < 40; ++i) results.push_back(unorderedResult());
  bool same = true;
  for (const unsigned result : results) same = same && result == results[0];
  CHECK(!same);
}

// The library reads the seed when it is loaded: each is tried in a process of its own, which leaves its results in a file.
TEST(one_seed_is_one_order) {
  const std::string path = std::filesystem::temp_directory_path() / ("cnn_emulator_orders_" + std::to_string(getuid()));
  const auto results = [&](const char* seed) {  // empty in the child
    if (isolated("stream.one_seed_is_one_order", {{"CNN_EMULATOR_SEED", seed}, {"CNN_EMULATOR_STREAMS", "late"}})) {
      std::ofstream file(path);
      for (int i = 0; i < 40; ++i) file << unorderedResult() << ' ';
      CHECK(file.flush().good());
      return std::string();
    }
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::remove(path.c_str());
    return text.str();
  };
  const std::string first = results("3");
  if (first.empty()) return;
  CHECK_EQ(results("3"), first);
  CHECK(results("4") != first);
}
