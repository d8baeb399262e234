// Nodes of every type by one structure: cuGraphAddNode, cuGraphNodeSetParams, cuGraphExecNodeSetParams; events and children of nodes.
#include "emulated.h"

using namespace cnn::test;

namespace {

struct World {
  World() {
    REQUIRE_CUDA((cuda().get<CUresult(CUgraph*, unsigned)>("cuGraphCreate")(&graph, 0)));
    REQUIRE_CUDA(cuda().cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  }
  ~World() {
    cuda().get<CUresult(CUgraph)>("cuGraphDestroy")(graph);
    cuda().cuStreamDestroy_v2(stream);
  }

  CUresult add(CUgraphNodeParams p, CUgraphNode after, CUgraphNode* node) const {
    return cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, const CUgraphEdgeData*, std::size_t, CUgraphNodeParams*)>(
        "cuGraphAddNode_v2")(node, graph, &after, nullptr, after ? 1 : 0, &p);
  }
  CUgraphNode added(CUgraphNodeParams p, CUgraphNode after = nullptr) const {
    CUgraphNode node = nullptr;
    CHECK_CUDA(add(p, after, &node));
    return node;
  }
  CUgraphExec instantiate() const {
    CUgraphExec exec = nullptr;
    REQUIRE_CUDA((cuda().get<CUresult(CUgraphExec*, CUgraph, unsigned long long)>("cuGraphInstantiateWithFlags")(&exec, graph, 0)));
    return exec;
  }
  void run(CUgraphExec exec) const {
    CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUstream)>("cuGraphLaunch")(exec, stream)));
    CHECK_CUDA(cuda().cuStreamSynchronize(stream));
  }

  CUgraph graph = nullptr;
  CUstream stream = nullptr;
};

CUresult setParams(CUgraphNode node, CUgraphNodeParams p) { return cuda().get<CUresult(CUgraphNode, CUgraphNodeParams*)>("cuGraphNodeSetParams")(node, &p); }
CUresult setParams(CUgraphExec exec, CUgraphNode node, CUgraphNodeParams p) {
  return cuda().get<CUresult(CUgraphExec, CUgraphNode, CUgraphNodeParams*)>("cuGraphExecNodeSetParams")(exec, node, &p);
}
CUresult destroy(CUgraphExec exec) { return cuda().get<CUresult(CUgraphExec)>("cuGraphExecDestroy")(exec); }

CUgraphNodeParams nodeOf(CUgraphNodeType type) {
  CUgraphNodeParams p{};
  p.type = type;
  return p;
}

CUgraphNodeParams fillOf(const Buffer& buffer, unsigned value) {
  CUgraphNodeParams p = nodeOf(CU_GRAPH_NODE_TYPE_MEMSET);
  p.memset.fill = {buffer.address, 0, value, 4, buffer.n, 1};
  return p;
}

CUgraphNodeParams copyOf(const Buffer& to, const Buffer& from) {
  CUgraphNodeParams p = nodeOf(CU_GRAPH_NODE_TYPE_MEMCPY);
  CUDA_MEMCPY3D& copy = p.memcpy.copyParams;
  copy.srcMemoryType = copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = from.address;
  copy.dstDevice = to.address;
  copy.WidthInBytes = to.n * 4;
  copy.Height = copy.Depth = 1;
  return p;
}

// Arguments of `add`; they live as long as the object.
struct Addition {
  Addition(const Kernels& kernels, const Buffer& buffer, unsigned summand) : address(buffer.address), n(buffer.n), value(summand) {
    p.kernel.func = kernels.add;
    p.kernel.gridDimX = p.kernel.gridDimY = p.kernel.gridDimZ = p.kernel.blockDimY = p.kernel.blockDimZ = 1;
    p.kernel.blockDimX = 128;
    p.kernel.kernelParams = arguments;
  }
  CUdeviceptr address;
  unsigned n, value;
  void* arguments[3] = {&address, &n, &value};
  CUgraphNodeParams p = nodeOf(CU_GRAPH_NODE_TYPE_KERNEL);
};

}  // namespace

TEST(every_type_is_added_and_changed) {
  ContextScope context;
  Kernels kernels;
  World world;
  Buffer data(100), copy(100), other(100);
  static int calls;
  calls = 0;
  CUgraphNodeParams host = nodeOf(CU_GRAPH_NODE_TYPE_HOST);
  host.host = {[](void* step) { calls += *static_cast<int*>(step); }, nullptr};
  int one = 1, ten = 10;
  host.host.userData = &one;
  const Addition addTwo(kernels, data, 2), addFive(kernels, data, 5);
  const CUgraphNode fill = world.added(fillOf(data, 3)), add = world.added(addTwo.p, fill), move = world.added(copyOf(copy, data), add);
  const CUgraphNode empty = world.added(nodeOf(CU_GRAPH_NODE_TYPE_EMPTY), move), call = world.added(host, empty);
  CUgraphExec exec = world.instantiate();
  world.run(exec);
  CHECK(copy.all(5));
  CHECK_EQ(calls, 1);

  // Of the executable graph, then of the graph.
  CHECK_CUDA(setParams(exec, fill, fillOf(data, 4)));
  CHECK_CUDA(setParams(exec, add, addFive.p));
  CHECK_CUDA(setParams(exec, move, copyOf(other, data)));
  host.host.userData = &ten;
  CHECK_CUDA(setParams(exec, call, host));
  world.run(exec);
  CHECK(other.all(9));
  CHECK(copy.all(5));
  CHECK_EQ(calls, 11);
  CHECK_CUDA(destroy(exec));
  CHECK_CUDA(setParams(fill, fillOf(data, 10)));
  exec = world.instantiate();
  world.run(exec);
  CHECK(copy.all(12));
  CHECK_CUDA(destroy(exec));
}

TEST(parameters_must_fit_the_type) {
  ContextScope context;
  Kernels kernels;
  World world;
  Buffer data(100);
  CUgraphNode node;
  CUgraphNodeParams p = fillOf(data, 1);
  p.reserved0[1] = 1;
  CHECK_EQ(world.add(p, nullptr, &node), CUDA_ERROR_INVALID_VALUE);
  p = fillOf(data, 1);
  p.reserved1[20] = 1;  // behind the parameters of a memset
  CHECK_EQ(world.add(p, nullptr, &node), CUDA_ERROR_INVALID_VALUE);
  p = fillOf(data, 1);
  p.reserved2 = 1;
  CHECK_EQ(world.add(p, nullptr, &node), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(world.add(nodeOf(CUgraphNodeType(8)), nullptr, &node), CUDA_ERROR_NOT_SUPPORTED);  // an external semaphore
  auto* add = cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, CUgraphNodeParams*)>("cuGraphAddNode");
  CHECK_EQ(add(&node, world.graph, nullptr, 0, nullptr), CUDA_ERROR_INVALID_VALUE);

  const CUgraphNode fill = world.added(fillOf(data, 1));
  CHECK_EQ(setParams(fill, nodeOf(CU_GRAPH_NODE_TYPE_EMPTY)), CUDA_ERROR_INVALID_VALUE);
  CUgraphNodeParams allocation = nodeOf(CU_GRAPH_NODE_TYPE_MEM_ALLOC);
  allocation.alloc.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  allocation.alloc.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  allocation.alloc.bytesize = 16;
  REQUIRE_CUDA(add(&node, world.graph, nullptr, 0, &allocation));
  CHECK(allocation.alloc.dptr != 0);  // comes out
  CUgraphNodeParams again = allocation;
  CHECK_EQ(setParams(node, again), CUDA_ERROR_NOT_SUPPORTED);
  CUgraphNodeParams free = nodeOf(CU_GRAPH_NODE_TYPE_MEM_FREE);
  free.free = allocation.alloc.dptr;
  CHECK_CUDA(world.add(free, node, &node));
}

TEST(a_child_graph_is_replaced_by_one_of_the_same_shape) {
  ContextScope context;
  World world, child, like, unlike;
  Buffer data(100), copy(100);
  child.added(copyOf(copy, data), child.added(fillOf(data, 1)));
  like.added(copyOf(copy, data), like.added(fillOf(data, 2)));
  unlike.added(fillOf(data, 3), unlike.added(fillOf(data, 3)));
  CUgraphNodeParams p = nodeOf(CU_GRAPH_NODE_TYPE_GRAPH);
  p.graph = child.graph;
  const CUgraphNode first = world.added(fillOf(copy, 9)), node = world.added(p, first);
  world.added(nodeOf(CU_GRAPH_NODE_TYPE_EMPTY), node);
  const CUgraphExec exec = world.instantiate();
  world.run(exec);
  CHECK(copy.all(1));
  auto* set = cuda().get<CUresult(CUgraphExec, CUgraphNode, CUgraph)>("cuGraphExecChildGraphNodeSetParams");
  CHECK_CUDA(set(exec, node, like.graph));
  world.run(exec);
  CHECK(copy.all(2));
  CHECK_EQ(set(exec, node, unlike.graph), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(set(exec, first, like.graph), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(setParams(exec, node, p));
  world.run(exec);
  CHECK(copy.all(1));
  CHECK_CUDA(destroy(exec));
}

TEST(events_of_nodes_change) {
  ContextScope context;
  World world;
  CUevent first, second;
  REQUIRE_CUDA(cuda().cuEventCreate(&first, 0));
  REQUIRE_CUDA(cuda().cuEventCreate(&second, 0));
  CUgraphNodeParams record = nodeOf(CU_GRAPH_NODE_TYPE_EVENT_RECORD), wait = nodeOf(CU_GRAPH_NODE_TYPE_WAIT_EVENT);
  record.event = wait.event = first;
  const CUgraphNode recorder = world.added(record), waiter = world.added(wait, recorder);
  CUevent found = nullptr;
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUevent)>("cuGraphEventWaitNodeSetEvent")(waiter, second)));
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUevent*)>("cuGraphEventWaitNodeGetEvent")(waiter, &found)));
  CHECK(found == second);
  CHECK_EQ((cuda().get<CUresult(CUgraphNode, CUevent)>("cuGraphEventRecordNodeSetEvent")(waiter, second)), CUDA_ERROR_INVALID_VALUE);
  const CUgraphExec exec = world.instantiate();
  CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUgraphNode, CUevent)>("cuGraphExecEventRecordNodeSetEvent")(exec, recorder, second)));
  CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUgraphNode, CUevent)>("cuGraphExecEventWaitNodeSetEvent")(exec, waiter, first)));
  world.run(exec);
  float time = 0;
  CHECK_CUDA(cuda().cuEventRecord(first, world.stream));
  CHECK_CUDA(cuda().cuStreamSynchronize(world.stream));
  CHECK_CUDA((cuda().get<CUresult(float*, CUevent, CUevent)>("cuEventElapsedTime")(&time, second, first)));  // the graph has recorded it
  CHECK(time > 0);
  CHECK_CUDA(destroy(exec));
  CHECK_CUDA(cuda().cuEventDestroy_v2(first));
  CHECK_CUDA(cuda().cuEventDestroy_v2(second));
}
