// Memory that is allocated and freed in stream order: a program with an order left out is reported whatever runs first, and its twin
// with the order never is.
#include "emulated.h"

#include <atomic>
#include <bitset>
#include <chrono>
#include <random>
#include <string_view>
#include <thread>

using namespace cnn::test;

namespace {

constexpr unsigned count = 64;

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

  void allocate(CUstream stream) { ok(cuda().cuMemAllocAsync(&memory, count * 4, stream)); }
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
void check(Program program, std::string_view who, std::string_view relation) {
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
void inEveryOrder(const char* test, void (*body)()) {
  for (const char* streams : {"late", "random", "eager"})
    for (const char* seed : {"1", "2", "3"})
      if (isolated(test, {{"CNN_EMULATOR_STREAMS", streams}, {"CNN_EMULATOR_SEED", seed}, {"CNN_EMULATOR_QUIET", "1"}})) return body();
}

// What is done before what, by sets of operations: the documentation's rules, word for word.
class Oracle {
 public:
  using Set = std::bitset<64>;
  static constexpr int streams = 6, legacy = 0, firstNonBlocking = 3;

  // An operation of the stream; returns what is done before it.
  Set enter(int stream) {
    Set before = ends_[stream] | host_;
    if (stream == legacy) before |= ends_[1] | ends_[2];
    else if (stream < firstNonBlocking) before |= ends_[legacy];
    ends_[stream] = before;
    ends_[stream].set(operations_++);
    return before;
  }
  void record(int event, int stream) {
    enter(stream);
    events_[event] = ends_[stream];
  }
  void wait(int stream, int event) {
    if (events_[event].none()) return;  // never recorded
    ends_[stream] |= events_[event];
    enter(stream);
  }
  void synchronise(int stream) { host_ |= stream == legacy ? ends_[0] | ends_[1] | ends_[2] : ends_[stream]; }
  std::size_t latest() const { return operations_ - 1; }

 private:
  Set ends_[streams], events_[2], host_;
  std::size_t operations_ = 0;
};

// One allocation, uses and a free with random orders between, by the driver and by the oracle. Returns whether all is in order.
bool randomProgram(Scene& s, std::mt19937& random) {
  const CUstream streams[Oracle::streams] = {nullptr, s.d, s.e, s.a, s.b, s.c};
  const CUevent events[] = {s.first, s.second};
  Oracle oracle;
  Oracle::Set uses;
  const auto pick = [&](unsigned n) { return int(random() % n); };
  const int home = pick(Oracle::streams);
  s.allocate(streams[home]);
  oracle.enter(home);
  bool ordered = true;
  for (int step = pick(24); step > 0; --step) {
    const int stream = pick(3) ? home : pick(Oracle::streams), other = pick(Oracle::streams), event = pick(2);
    switch (pick(4)) {
      case 0:
        s.use(streams[stream]);
        ordered &= oracle.enter(stream).test(0);
        uses.set(oracle.latest());
        break;
      case 1:
        s.record(events[event], streams[stream]);
        oracle.record(event, stream);
        break;
      case 2:
        s.wait(streams[other], events[event]);
        oracle.wait(other, event);
        break;
      default:
        s.synchronise(streams[other]);
        oracle.synchronise(other);
    }
  }
  const int last = pick(2) ? home : pick(Oracle::streams);
  s.free(streams[last]);
  const Oracle::Set before = oracle.enter(last);
  return ordered && before.test(0) && (uses & ~before).none();
}

constexpr std::string_view kernel = "kernel `outside`", behind = "behind its allocation on", before = "before its free on";

}  // namespace

TEST(another_stream_is_ordered_behind_the_allocation) {
  inEveryOrder("stream_memory.another_stream_is_ordered_behind_the_allocation", [] {
    // By an event.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.use(s.b);
      s.use(s.a);
    }, kernel, behind);
    // Over a third stream.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.c);
      s.use(ordered ? s.c : s.a);
      s.record(s.second, s.c);
      s.wait(s.b, s.second);
      s.use(s.b);
    }, kernel, behind);
    // An event that was recorded before the allocation does not do.
    check([](Scene& s, bool ordered) {
      if (!ordered) s.record(s.first, s.a);
      s.allocate(s.a);
      if (ordered) s.record(s.first, s.a);
      s.wait(s.b, s.first);
      s.use(s.b);
    }, kernel, behind);
    // By the host.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.use(s.a);
      s.synchronise(ordered ? s.a : s.c);
      s.use(s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.ok(cuda().cuCtxSynchronize());
      s.use(s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.record(s.first, s.a);
      if (ordered) s.ok(cuda().cuEventSynchronize(s.first));
      s.use(s.b);
    }, kernel, behind);
    // An event that is over orders as one that is not; the host has not asked.
    check([](Scene& s, bool ordered) {
      s.record(s.second, s.c);
      s.allocate(s.a);
      s.record(s.first, s.a);
      s.wait(s.b, ordered ? s.first : s.second);
      s.synchronise(s.b);
      s.wait(s.c, s.first);
      s.use(s.c);
      s.use(s.b);
    }, kernel, behind);
    // By the legacy stream.
    check([](Scene& s, bool ordered) {
      s.allocate(ordered ? s.d : s.a);
      s.use(nullptr);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      s.allocate(nullptr);
      s.use(ordered ? s.e : s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      s.allocate(s.d);
      if (ordered) s.ok(cuda().cuMemsetD32Async(s.memory, 1, count, nullptr));
      s.use(s.e);
    }, kernel, behind);
    // Streams that go away.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.ok(cuda().cuStreamDestroy_v2(s.a));
      if (ordered) s.ok(cuda().cuCtxSynchronize());
      s.use(s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      s.allocate(ordered ? s.d : s.a);
      s.ok(cuda().cuStreamDestroy_v2(ordered ? s.d : s.a));
      s.use(nullptr);
    }, kernel, behind);
  });
}

TEST(copies_and_memsets_are_ordered_as_kernels_are) {
  inEveryOrder("stream_memory.copies_and_memsets_are_ordered_as_kernels_are", [] {
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.ok(cuda().cuMemsetD32Async(s.memory, 1, count, s.b));
    }, "a memset of 256 bytes", behind);
    check([](Scene& s, bool ordered) {
      const std::vector<unsigned> values(count, 3);
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.ok(cuda().cuMemcpyHtoDAsync_v2(s.memory, values.data(), count * 4, s.b));
    }, "a copy of 256 bytes", behind);
    check([](Scene& s, bool ordered) {
      std::vector<unsigned> values(count);
      s.allocate(s.a);
      s.ok(cuda().cuMemsetD32Async(s.memory, 1, count, s.a));
      if (ordered) s.synchronise(s.a);
      s.ok(cuda().cuMemcpyDtoH_v2(values.data(), s.memory, count * 4));  // the legacy stream does not know a
    }, "a copy of 256 bytes", behind);
  });
}

TEST(another_stream_is_ordered_before_the_free) {
  inEveryOrder("stream_memory.another_stream_is_ordered_before_the_free", [] {
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, kernel, before);
    // It has run, by luck: nobody has waited.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      s.record(s.second, s.b);
      s.wait(s.c, s.second);
      s.synchronise(ordered ? s.b : s.a);
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      s.free(s.a);
    }, kernel, before);
    // The free is given out first, and does not run.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      if (ordered) s.use(s.b), s.order(s.b, s.a);
      s.free(s.a);
      if (!ordered) s.use(s.b);
      s.synchronise(s.b);
    }, kernel, before);
    // The free itself is behind the allocation.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.order(s.a, s.b);
      s.free(s.b);
    }, "its free on", behind);
    // Memory of cuMemAlloc may be freed in stream order as well.
    check([](Scene& s, bool ordered) {
      s.ok(cuda().cuMemAlloc_v2(&s.memory, count * 4));
      s.use(s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, kernel, before);
    // cuMemFree waits for nothing if the memory is from a pool.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.synchronise(s.a);
      s.use(s.a);
      if (ordered) s.synchronise(s.a);
      s.ok(cuda().cuMemFree_v2(s.memory));
    }, kernel, "before cuMemFree");
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      if (ordered) s.synchronise(s.a);
      s.ok(cuda().cuMemFree_v2(s.memory));
    }, "cuMemFree", behind);
  });
}

TEST(the_host_learns_from_queries_host_functions_and_pinned_memory) {
  inEveryOrder("stream_memory.the_host_learns_from_queries_host_functions_and_pinned_memory", [] {
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.use(s.a);
      while (ordered && cuda().cuStreamQuery(s.a) == CUDA_ERROR_NOT_READY) {}
      s.use(s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.record(s.first, s.a);
      while (ordered && cuda().cuEventQuery(s.first) == CUDA_ERROR_NOT_READY) {}
      s.use(s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      std::atomic<bool> reached{false};
      s.allocate(s.a);
      if (ordered) s.ok(cuda().cuLaunchHostFunc(s.a, [](void* flag) { static_cast<std::atomic<bool>*>(flag)->store(true); }, &reached));
      while (ordered && !reached) std::this_thread::yield();
      s.use(s.b);
    }, kernel, behind);
    check([](Scene& s, bool ordered) {
      void* host = nullptr;
      s.ok(cuda().cuMemHostAlloc(&host, 4, 0));
      auto* flag = static_cast<unsigned*>(host);
      *flag = 0;
      s.allocate(s.a);
      if (ordered) s.store(reinterpret_cast<CUdeviceptr>(host), s.a);
      while (ordered && std::atomic_ref(*flag).load() != 7) std::this_thread::yield();
      s.use(s.b);
    }, kernel, behind);
  });
}

TEST(graphs_come_behind_what_their_launch_comes_behind) {
  inEveryOrder("stream_memory.graphs_come_behind_what_their_launch_comes_behind", [] {
    // Allocated before the capture.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.beginCapture(s.a);
      s.use(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      if (ordered) s.order(s.a, s.b);
      for (int launch = 0; launch < 3; ++launch) s.launch(exec, s.b);
    }, "kernel `outside` in a graph on", behind);
    // Launches of one executable graph come one after the other.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.beginCapture(s.a);
      s.use(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      if (ordered) s.launch(exec, s.a);
      s.launch(exec, s.b);
    }, "kernel `outside` in a graph on", behind);
    // What a graph has used comes before the free.
    check([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.beginCapture(s.b);
      s.use(s.b);
      const CUgraphExec exec = s.endCapture(s.b);
      s.launch(exec, s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, "kernel `outside` in a graph on", before);
    // An event that the graph records in its midst, and another graph between.
    check([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      s.ok(cuda().get<CUresult(CUevent, CUstream, unsigned)>("cuEventRecordWithFlags")(s.second, s.a, 1));
      const CUgraphExec exec = s.endCapture(s.a);
      s.beginCapture(s.b);
      const CUgraphExec empty = s.endCapture(s.b);
      s.launch(exec, s.a);
      if (ordered) s.wait(s.b, s.second);
      s.launch(empty, s.b);
      s.use(s.b);
    }, kernel, "behind");
  });
}

TEST(nodes_of_a_graph_are_ordered_by_its_edges) {
  inEveryOrder("stream_memory.nodes_of_a_graph_are_ordered_by_its_edges", [] {
    check([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.order(s.a, s.b);
      s.allocate(s.a);
      s.record(s.second, s.a);
      if (ordered) s.wait(s.b, s.second);
      s.use(s.b);
      s.order(s.b, s.a);
      s.free(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      for (int launch = 0; launch < 3; ++launch) s.launch(exec, s.a);
    }, "kernel `outside` in a graph on", "behind");
    check([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      s.record(s.second, s.b);
      if (ordered) s.wait(s.a, s.second);
      s.free(s.a);
      if (!ordered) s.wait(s.a, s.second);
      const CUgraphExec exec = s.endCapture(s.a);
      for (int launch = 0; launch < 3; ++launch) s.launch(exec, s.a);
    }, "kernel `outside` in a graph on", "before its free in a graph on");
  });
}

TEST(memory_of_a_graph_outlives_the_launch_until_it_is_freed) {
  inEveryOrder("stream_memory.memory_of_a_graph_outlives_the_launch_until_it_is_freed", [] {
    check([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      for (int launch = 0; launch < 3; ++launch) {
        s.launch(exec, s.a);
        if (ordered) s.order(s.a, s.b);
        s.use(s.b);
        s.order(s.b, s.a);
        s.free(s.a);
      }
    }, kernel, "behind");
    check([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      s.launch(exec, s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, kernel, before);
  });
}

TEST(random_programs_are_judged_as_the_oracle_does) {
  inEveryOrder("stream_memory.random_programs_are_judged_as_the_oracle_does", [] {
    int right = 0, wrong = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
      std::mt19937 random(seed);
      Scene scene;
      const bool ordered = randomProgram(scene, random);
      scene.ok(cuda().cuCtxSynchronize());
      CHECK_EQ(scene.failed, ordered ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS);
      ++(ordered ? right : wrong);
    }
    CHECK(right >= 20 && wrong >= 20);
  });
}
