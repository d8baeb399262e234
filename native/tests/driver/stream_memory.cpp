// Memory that is allocated and freed in stream order: a program with an order left out is reported whatever runs first, and its twin
// with the order never is.
#include "stream_scene.h"

#include <atomic>
#include <chrono>
#include <thread>

using namespace cnn::test;

TEST(another_stream_is_ordered_behind_the_allocation) {
  inEveryOrder("stream_memory.another_stream_is_ordered_behind_the_allocation", [] {
    // By an event.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.use(s.b);
      s.use(s.a);
    }, theKernel, behind);
    // Over a third stream.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.c);
      s.use(ordered ? s.c : s.a);
      s.record(s.second, s.c);
      s.wait(s.b, s.second);
      s.use(s.b);
    }, theKernel, behind);
    // An event that was recorded before the allocation does not do.
    checkBoth([](Scene& s, bool ordered) {
      if (!ordered) s.record(s.first, s.a);
      s.allocate(s.a);
      if (ordered) s.record(s.first, s.a);
      s.wait(s.b, s.first);
      s.use(s.b);
    }, theKernel, behind);
    // By the host.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.use(s.a);
      s.synchronise(ordered ? s.a : s.c);
      s.use(s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.ok(cuda().cuCtxSynchronize());
      s.use(s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.record(s.first, s.a);
      if (ordered) s.ok(cuda().cuEventSynchronize(s.first));
      s.use(s.b);
    }, theKernel, behind);
    // An event that is over orders as one that is not; the host has not asked.
    checkBoth([](Scene& s, bool ordered) {
      s.record(s.second, s.c);
      s.allocate(s.a);
      s.record(s.first, s.a);
      s.wait(s.b, ordered ? s.first : s.second);
      s.synchronise(s.b);
      s.wait(s.c, s.first);
      s.use(s.c);
      s.use(s.b);
    }, theKernel, behind);
    // By the legacy stream.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(ordered ? s.d : s.a);
      s.use(nullptr);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(nullptr);
      s.use(ordered ? s.e : s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.d);
      if (ordered) s.ok(cuda().cuMemsetD32Async(s.memory, 1, words, nullptr));
      s.use(s.e);
    }, theKernel, behind);
    // Streams that go away.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.ok(cuda().cuStreamDestroy_v2(s.a));
      if (ordered) s.ok(cuda().cuCtxSynchronize());
      s.use(s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(ordered ? s.d : s.a);
      s.ok(cuda().cuStreamDestroy_v2(ordered ? s.d : s.a));
      s.use(nullptr);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.d);
      s.ok(cuda().cuMemsetD32Async(s.memory, 1, words, s.d));
      s.ok(cuda().cuStreamDestroy_v2(s.d));
      if (ordered) s.ok(cuda().cuMemsetD32Async(s.memory, 2, words, nullptr));
      s.use(s.e);
    }, theKernel, behind);
  });
}

TEST(copies_and_memsets_are_ordered_as_kernels_are) {
  inEveryOrder("stream_memory.copies_and_memsets_are_ordered_as_kernels_are", [] {
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.ok(cuda().cuMemsetD32Async(s.memory, 1, words, s.b));
    }, "a memset of 256 bytes", behind);
    checkBoth([](Scene& s, bool ordered) {
      const std::vector<unsigned> values(words, 3);
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.ok(cuda().cuMemcpyHtoDAsync_v2(s.memory, values.data(), words * 4, s.b));
    }, "a copy of 256 bytes", behind);
    checkBoth([](Scene& s, bool ordered) {
      std::vector<unsigned> values(words);
      s.allocate(s.a);
      s.ok(cuda().cuMemsetD32Async(s.memory, 1, words, s.a));
      if (ordered) s.synchronise(s.a);
      s.ok(cuda().cuMemcpyDtoH_v2(values.data(), s.memory, words * 4));  // the legacy stream does not know a
    }, "a copy of 256 bytes", behind);
  });
}

TEST(another_stream_is_ordered_before_the_free) {
  inEveryOrder("stream_memory.another_stream_is_ordered_before_the_free", [] {
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, theKernel, before);
    // It has run, by luck: nobody has waited.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      s.record(s.second, s.b);
      s.wait(s.c, s.second);
      s.synchronise(ordered ? s.b : s.a);
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      s.free(s.a);
    }, theKernel, before);
    // The free is given out first, and does not run.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      if (ordered) s.use(s.b), s.order(s.b, s.a);
      s.free(s.a);
      if (!ordered) s.use(s.b);
      s.synchronise(s.b);
    }, theKernel, before);
    // The free itself is behind the allocation.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.free(s.b);
    }, "its free on", behind);
    // Memory of cuMemAlloc may be freed in stream order as well.
    checkBoth([](Scene& s, bool ordered) {
      s.ok(cuda().cuMemAlloc_v2(&s.memory, words * 4));
      s.use(s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, theKernel, before);
    // cuMemFree waits for nothing if the memory is from a pool.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.synchronise(s.a);
      s.use(s.a);
      if (ordered) s.synchronise(s.a);
      s.ok(cuda().cuMemFree_v2(s.memory));
    }, theKernel, "before cuMemFree");
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.synchronise(s.a);
      s.ok(cuda().cuMemFree_v2(s.memory));
    }, "cuMemFree", behind);
  });
}

TEST(the_host_learns_from_queries_host_functions_and_pinned_memory) {
  inEveryOrder("stream_memory.the_host_learns_from_queries_host_functions_and_pinned_memory", [] {
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.use(s.a);
      while (ordered && cuda().cuStreamQuery(s.a) == CUDA_ERROR_NOT_READY) {}
      s.use(s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.record(s.first, s.a);
      while (ordered && cuda().cuEventQuery(s.first) == CUDA_ERROR_NOT_READY) {}
      s.use(s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      std::atomic<bool> reached{false};
      s.allocate(s.a);
      if (ordered) s.ok(cuda().cuLaunchHostFunc(s.a, [](void* flag) { static_cast<std::atomic<bool>*>(flag)->store(true); }, &reached));
      while (ordered && !reached) std::this_thread::yield();
      s.use(s.b);
    }, theKernel, behind);
    checkBoth([](Scene& s, bool ordered) {
      void* host = nullptr;
      s.ok(cuda().cuMemHostAlloc(&host, 4, 0));
      auto* flag = static_cast<unsigned*>(host);
      *flag = 0;
      s.allocate(s.a);
      if (ordered) s.store(reinterpret_cast<CUdeviceptr>(host), s.a);
      while (ordered && std::atomic_ref(*flag).load() != 7) std::this_thread::yield();
      s.use(s.b);
    }, theKernel, behind);
  });
}
