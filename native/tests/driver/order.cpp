// Random programs over several streams, correctly ordered by events, must give what a serial run gives, whatever order
// the driver picks; eagerly, and as a captured graph that is replayed.
#include "emulated.h"

#include <memory>
#include <random>

using namespace cnn::test;

namespace {

constexpr int streamCount = 4, bufferCount = 5, operationCount = 60;

struct Operation {
  enum class Kind { add, scale, copy } kind;
  int stream, target, source;
  unsigned value;
};

std::vector<Operation> randomProgram(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Operation> program;
  for (int i = 0; i < operationCount; ++i)
    program.push_back({Operation::Kind(random() % 3), int(random() % streamCount), int(random() % bufferCount), int(random() % bufferCount),
                       unsigned(random() % 9 + 2)});
  return program;
}

void runSerially(const std::vector<Operation>& program, std::vector<unsigned>& values) {
  for (const Operation& op : program) switch (op.kind) {
    case Operation::Kind::add: values[op.target] += op.value; break;
    case Operation::Kind::scale: values[op.target] *= op.value; break;
    case Operation::Kind::copy: values[op.target] = values[op.source]; break;
  }
}

// Streams, buffers, and one event per operation.
struct World {
  World() : buffers(bufferCount) {
    for (int i = 0; i < bufferCount; ++i) buffers[i] = std::make_unique<Buffer>(1, unsigned(i + 1));
    for (CUstream& stream : streams) REQUIRE_CUDA(cuda().cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    for (CUevent& event : events) REQUIRE_CUDA(cuda().cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
  }
  ~World() {
    for (CUevent event : events) cuda().cuEventDestroy_v2(event);
    for (CUstream stream : streams) cuda().cuStreamDestroy_v2(stream);
  }

  // An operation waits for every earlier one that wrote what it uses or used what it writes.
  void submit(const std::vector<Operation>& program) {
    for (std::size_t i = 0; i < program.size(); ++i) {
      const Operation& op = program[i];
      CUstream stream = streams[op.stream];
      for (std::size_t j = 0; j < i; ++j)
        if (conflict(program[j], op) && program[j].stream != op.stream) CHECK_CUDA(cuda().cuStreamWaitEvent(stream, events[j], 0));
      switch (op.kind) {
        case Operation::Kind::add: CHECK_CUDA(kernels.launchAdd(buffers[op.target]->address, 1, op.value, stream)); break;
        case Operation::Kind::scale: CHECK_CUDA(kernels.launchScale(buffers[op.target]->address, 1, op.value, stream)); break;
        case Operation::Kind::copy:
          CHECK_CUDA(cuda().cuMemcpyDtoDAsync_v2(buffers[op.target]->address, buffers[op.source]->address, 4, stream));
      }
      CHECK_CUDA(cuda().cuEventRecord(events[i], stream));
    }
  }

  static bool conflict(const Operation& a, const Operation& b) {
    const auto uses = [](const Operation& op, int buffer) {
      return op.target == buffer || (op.kind == Operation::Kind::copy && op.source == buffer);
    };
    return uses(b, a.target) || uses(a, b.target);
  }

  std::vector<unsigned> values() const {
    std::vector<unsigned> result;
    for (const auto& buffer : buffers) result.push_back(buffer->read()[0]);
    return result;
  }

  Kernels kernels;
  std::vector<std::unique_ptr<Buffer>> buffers;
  CUstream streams[streamCount];
  CUevent events[operationCount];
};

std::vector<unsigned> start() {
  std::vector<unsigned> values(bufferCount);
  for (int i = 0; i < bufferCount; ++i) values[i] = unsigned(i + 1);
  return values;
}

void checkPrograms() {
  ContextScope context;
  for (unsigned seed = 0; seed < 15; ++seed) {
    World world;
    const auto program = randomProgram(seed);
    world.submit(program);
    CHECK_CUDA(cuda().cuCtxSynchronize());
    std::vector<unsigned> expected = start();
    runSerially(program, expected);
    CHECK(world.values() == expected);
  }
}

}  // namespace

TEST(late) { checkPrograms(); }

TEST(random) {
  if (isolated("order.random", {{"CNN_EMULATOR_STREAMS", "random"}, {"CNN_EMULATOR_SEED", "12345"}})) checkPrograms();
}

TEST(eager) {
  if (isolated("order.eager", {{"CNN_EMULATOR_STREAMS", "eager"}})) checkPrograms();
}

TEST(captured_and_replayed) {
  ContextScope context;
  for (unsigned seed = 100; seed < 110; ++seed) {
    World world;
    const auto program = randomProgram(seed);
    CUevent fork, join;
    CUgraph graph;
    CUgraphExec exec;
    REQUIRE_CUDA(cuda().cuEventCreate(&fork, 0));
    REQUIRE_CUDA(cuda().cuEventCreate(&join, 0));
    CHECK_CUDA((cuda().get<CUresult(CUstream, CUstreamCaptureMode)>("cuStreamBeginCapture_v2")(world.streams[0], CU_STREAM_CAPTURE_MODE_GLOBAL)));
    CHECK_CUDA(cuda().cuEventRecord(fork, world.streams[0]));
    for (int i = 1; i < streamCount; ++i) CHECK_CUDA(cuda().cuStreamWaitEvent(world.streams[i], fork, 0));
    world.submit(program);
    for (int i = 1; i < streamCount; ++i) {
      CHECK_CUDA(cuda().cuEventRecord(join, world.streams[i]));
      CHECK_CUDA(cuda().cuStreamWaitEvent(world.streams[0], join, 0));
    }
    CHECK_CUDA((cuda().get<CUresult(CUstream, CUgraph*)>("cuStreamEndCapture")(world.streams[0], &graph)));
    REQUIRE_CUDA((cuda().get<CUresult(CUgraphExec*, CUgraph, unsigned long long)>("cuGraphInstantiateWithFlags")(&exec, graph, 0)));
    std::vector<unsigned> expected = start();
    for (int replay = 0; replay < 3; ++replay) {
      CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUstream)>("cuGraphLaunch")(exec, world.streams[replay])));
      runSerially(program, expected);
    }
    CHECK_CUDA(cuda().cuCtxSynchronize());
    CHECK(world.values() == expected);
    CHECK_CUDA((cuda().get<CUresult(CUgraphExec)>("cuGraphExecDestroy")(exec)));
    CHECK_CUDA((cuda().get<CUresult(CUgraph)>("cuGraphDestroy")(graph)));
    CHECK_CUDA(cuda().cuEventDestroy_v2(fork));
    CHECK_CUDA(cuda().cuEventDestroy_v2(join));
  }
}
