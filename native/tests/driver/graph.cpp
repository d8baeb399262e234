// Capture, graphs and their executable form.
#include "emulated.h"

#include <thread>

using namespace cnn::test;

namespace {

using GraphCall = CUresult(CUgraph);

CUresult begin(CUstream stream, CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL) {
  return cuda().get<CUresult(CUstream, CUstreamCaptureMode)>("cuStreamBeginCapture_v2")(stream, mode);
}
CUresult end(CUstream stream, CUgraph* graph) { return cuda().get<CUresult(CUstream, CUgraph*)>("cuStreamEndCapture")(stream, graph); }
CUresult destroy(CUgraph graph) { return cuda().get<GraphCall>("cuGraphDestroy")(graph); }
CUresult instantiate(CUgraphExec* exec, CUgraph graph) {
  return cuda().get<CUresult(CUgraphExec*, CUgraph, unsigned long long)>("cuGraphInstantiateWithFlags")(exec, graph, 0);
}
CUresult launch(CUgraphExec exec, CUstream stream) { return cuda().get<CUresult(CUgraphExec, CUstream)>("cuGraphLaunch")(exec, stream); }
CUresult destroyExec(CUgraphExec exec) { return cuda().get<CUresult(CUgraphExec)>("cuGraphExecDestroy")(exec); }

std::vector<CUgraphNode> nodesOf(CUgraph graph) {
  auto* get = cuda().get<CUresult(CUgraph, CUgraphNode*, std::size_t*)>("cuGraphGetNodes");
  std::size_t count = 0;
  CHECK_CUDA(get(graph, nullptr, &count));
  std::vector<CUgraphNode> nodes(count);
  CHECK_CUDA(get(graph, nodes.data(), &count));
  return nodes;
}

CUgraphNodeType typeOf(CUgraphNode node) {
  CUgraphNodeType type{};
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUgraphNodeType*)>("cuGraphNodeGetType")(node, &type)));
  return type;
}

struct Streams {
  Streams() {
    REQUIRE_CUDA(cuda().cuStreamCreate(&a, CU_STREAM_NON_BLOCKING));
    REQUIRE_CUDA(cuda().cuStreamCreate(&b, CU_STREAM_NON_BLOCKING));
    REQUIRE_CUDA(cuda().cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    REQUIRE_CUDA(cuda().cuEventCreate(&other, CU_EVENT_DISABLE_TIMING));
  }
  ~Streams() {
    cuda().cuStreamDestroy_v2(a);
    cuda().cuStreamDestroy_v2(b);
    cuda().cuEventDestroy_v2(event);
    cuda().cuEventDestroy_v2(other);
  }
  CUstream a = nullptr, b = nullptr;
  CUevent event = nullptr, other = nullptr;
};

}  // namespace

TEST(a_captured_step_replays_with_its_own_arguments) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer data(100, 1);
  CUgraph graph;
  CUgraphExec exec;
  CHECK_CUDA(begin(s.a));
  unsigned value = 2;
  CHECK_CUDA(kernels.launchAdd(data.address, 100, value, s.a));
  value = 100;  // the graph has copied its arguments
  CHECK_CUDA(kernels.launchScale(data.address, 100, 3, s.a));
  CHECK_CUDA(end(s.a, &graph));
  CHECK(data.all(1));  // nothing has run
  CHECK_EQ(nodesOf(graph).size(), 2);
  CHECK_CUDA(instantiate(&exec, graph));
  CHECK_CUDA(destroy(graph));  // the executable lives on
  CHECK_CUDA(launch(exec, s.a));
  CHECK_CUDA(launch(exec, s.a));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  CHECK(data.all((((1 + 2) * 3) + 2) * 3));
  CHECK_CUDA(destroyExec(exec));
  CHECK_EQ(launch(exec, s.a), CUDA_ERROR_INVALID_HANDLE);
}

TEST(events_carry_the_capture_to_other_streams) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer from(100, 1), to(100, 0);
  CUgraph graph;
  CHECK_CUDA(begin(s.a));
  CHECK_CUDA(kernels.launchAdd(from.address, 100, 6, s.a));
  CHECK_CUDA(cuda().cuEventRecord(s.event, s.a));
  CHECK_CUDA(cuda().cuStreamWaitEvent(s.b, s.event, 0));
  CHECK_CUDA(kernels.launchCopy(to.address, from.address, 100, s.b));
  CHECK_EQ(cuda().cuEventSynchronize(s.event), CUDA_ERROR_CAPTURED_EVENT);
  CHECK_EQ(end(s.a, &graph), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  CHECK(graph == nullptr);
  // Again, without the mistakes.
  CHECK_CUDA(begin(s.a));
  CHECK_CUDA(kernels.launchAdd(from.address, 100, 6, s.a));
  CHECK_CUDA(cuda().cuEventRecord(s.event, s.a));
  CHECK_CUDA(cuda().cuStreamWaitEvent(s.b, s.event, 0));
  CHECK_CUDA(kernels.launchCopy(to.address, from.address, 100, s.b));
  CHECK_CUDA(cuda().cuEventRecord(s.other, s.b));
  CHECK_CUDA(cuda().cuStreamWaitEvent(s.a, s.other, 0));
  CHECK_CUDA(end(s.a, &graph));
  CUgraphExec exec;
  CHECK_CUDA(instantiate(&exec, graph));
  CHECK_CUDA(launch(exec, s.a));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  CHECK(to.all(7));
  CHECK_CUDA(destroyExec(exec));
  CHECK_CUDA(destroy(graph));
}

TEST(calls_that_would_wait_spoil_a_capture) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer data(100, 1);
  CUgraph graph = nullptr;
  CUdeviceptr memory;
  CHECK_CUDA(begin(s.a));
  CHECK_EQ(cuda().cuStreamSynchronize(s.a), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CHECK_EQ(kernels.launchAdd(data.address, 100, 1, s.a), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  CHECK_EQ(end(s.a, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  CHECK_CUDA(begin(s.a));
  CHECK_EQ(cuda().cuMemAlloc_v2(&memory, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  CHECK_EQ(end(s.a, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  // A relaxed capture allows it.
  CHECK_CUDA(begin(s.a, CU_STREAM_CAPTURE_MODE_RELAXED));
  CHECK_CUDA(cuda().cuMemAlloc_v2(&memory, 4));
  CHECK_CUDA(cuda().cuMemFree_v2(memory));
  CHECK_CUDA(end(s.a, &graph));
  CHECK_CUDA(destroy(graph));
  CHECK_EQ(end(s.a, &graph), CUDA_ERROR_ILLEGAL_STATE);
  CHECK_EQ(begin(nullptr), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
}

TEST(other_threads_and_the_legacy_stream) {
  ContextScope context;
  Streams s;
  Kernels kernels;
  Buffer data(1, 1);
  CUgraph graph = nullptr;
  CHECK_CUDA(begin(s.a, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  std::thread([&] {
    CHECK_CUDA(cuda().cuCtxSetCurrent(context.handle));
    CUgraph stolen;
    CHECK_EQ(end(s.a, &stolen), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
    CUdeviceptr memory;
    CHECK_CUDA(cuda().cuMemAlloc_v2(&memory, 4));  // a thread-local capture of another thread does not forbid it
    CHECK_CUDA(cuda().cuMemFree_v2(memory));
  }).join();
  CHECK_CUDA(end(s.a, &graph));
  CHECK_CUDA(destroy(graph));
  CUstream blocking;
  REQUIRE_CUDA(cuda().cuStreamCreate(&blocking, CU_STREAM_DEFAULT));
  CHECK_CUDA(begin(blocking));
  CHECK_EQ(kernels.launchAdd(data.address, 1, 1, nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  CHECK_EQ(end(blocking, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  CHECK_CUDA(cuda().cuStreamDestroy_v2(blocking));
}

TEST(waiting_for_uncaptured_work_breaks_isolation) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer data(1, 1);
  CUgraph graph = nullptr;
  CHECK_CUDA(kernels.launchAdd(data.address, 1, 1, s.b));
  CHECK_CUDA(cuda().cuEventRecord(s.event, s.b));
  CHECK_CUDA(begin(s.a));
  CHECK_EQ(cuda().cuStreamWaitEvent(s.a, s.event, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
  CHECK_EQ(end(s.a, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
}

TEST(graphs_built_by_hand) {
  ContextScope context;
  Kernels kernels;
  Buffer data(100, 9), copy(100, 0);
  CUgraph graph;
  REQUIRE_CUDA((cuda().get<CUresult(CUgraph*, unsigned)>("cuGraphCreate")(&graph, 0)));
  CUgraphNode fill, add, move;
  CUDA_MEMSET_NODE_PARAMS set{data.address, 0, 5, 4, 100, 1};
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, const CUDA_MEMSET_NODE_PARAMS*, CUcontext)>(
      "cuGraphAddMemsetNode")(&fill, graph, nullptr, 0, &set, context.handle)));
  unsigned n = 100, value = 2;
  CUdeviceptr p = data.address;
  void* arguments[] = {&p, &n, &value};
  CUDA_KERNEL_NODE_PARAMS_v2 kernel{};
  kernel.func = kernels.add;
  kernel.gridDimX = kernel.gridDimY = kernel.gridDimZ = kernel.blockDimY = kernel.blockDimZ = 1;
  kernel.blockDimX = 128;
  kernel.kernelParams = arguments;
  auto* addKernel = cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, const CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphAddKernelNode_v2");
  CHECK_CUDA(addKernel(&add, graph, &fill, 1, &kernel));
  CUDA_MEMCPY3D moved{};
  moved.srcMemoryType = moved.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  moved.srcDevice = data.address;
  moved.dstDevice = copy.address;
  moved.WidthInBytes = 400;
  moved.Height = moved.Depth = 1;
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, const CUDA_MEMCPY3D*, CUcontext)>(
      "cuGraphAddMemcpyNode")(&move, graph, &add, 1, &moved, context.handle)));
  CHECK_EQ(typeOf(fill), CU_GRAPH_NODE_TYPE_MEMSET);
  CHECK_EQ(typeOf(add), CU_GRAPH_NODE_TYPE_KERNEL);
  CHECK_EQ(typeOf(move), CU_GRAPH_NODE_TYPE_MEMCPY);

  std::size_t edges = 0;
  auto* getEdges = cuda().get<CUresult(CUgraph, CUgraphNode*, CUgraphNode*, std::size_t*)>("cuGraphGetEdges");
  CHECK_CUDA(getEdges(graph, nullptr, nullptr, &edges));
  CHECK_EQ(edges, 2);
  // A cycle is refused when the graph is instantiated.
  auto* addEdges = cuda().get<CUresult(CUgraph, const CUgraphNode*, const CUgraphNode*, std::size_t)>("cuGraphAddDependencies");
  auto* removeEdges = cuda().get<CUresult(CUgraph, const CUgraphNode*, const CUgraphNode*, std::size_t)>("cuGraphRemoveDependencies");
  CUgraphExec exec;
  CHECK_CUDA(addEdges(graph, &move, &fill, 1));
  CHECK_EQ(instantiate(&exec, graph), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(removeEdges(graph, &move, &fill, 1));
  CHECK_EQ(removeEdges(graph, &move, &fill, 1), CUDA_ERROR_INVALID_VALUE);

  CHECK_CUDA(instantiate(&exec, graph));
  CHECK_CUDA(launch(exec, nullptr));
  CHECK(copy.all(7));

  // New arguments for one node of the executable; the graph keeps its own.
  value = 30;
  CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphExecKernelNodeSetParams_v2")(exec, add, &kernel)));
  CHECK_CUDA(launch(exec, nullptr));
  CHECK(copy.all(35));
  CUDA_KERNEL_NODE_PARAMS_v2 kept{};
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphKernelNodeGetParams_v2")(add, &kept)));
  CHECK_EQ(*static_cast<unsigned*>(kept.kernelParams[2]), 2);
  CHECK_EQ(kept.func, kernels.add);
  CHECK_EQ(kept.blockDimX, 128);

  // An update takes over the parameters of a graph of the same shape, and names what differs.
  auto* update = cuda().get<CUresult(CUgraphExec, CUgraph, CUgraphExecUpdateResultInfo*)>("cuGraphExecUpdate_v2");
  CUgraphExecUpdateResultInfo info;
  CHECK_CUDA(update(exec, graph, &info));
  CHECK_EQ(info.result, CU_GRAPH_EXEC_UPDATE_SUCCESS);
  CHECK_CUDA(launch(exec, nullptr));
  CHECK(copy.all(7));
  CUgraph clone;
  CHECK_CUDA((cuda().get<CUresult(CUgraph*, CUgraph)>("cuGraphClone")(&clone, graph)));
  CUgraphNode clonedMove;
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode*, CUgraphNode, CUgraph)>("cuGraphNodeFindInClone")(&clonedMove, move, clone)));
  CHECK(clonedMove != move);
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode)>("cuGraphDestroyNode")(clonedMove)));
  CHECK_EQ(nodesOf(clone).size(), 2);
  CHECK_EQ(update(exec, clone, &info), CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE);
  CHECK_EQ(info.result, CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED);

  // A disabled node does nothing.
  CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUgraphNode, unsigned)>("cuGraphNodeSetEnabled")(exec, add, 0)));
  CHECK_CUDA(launch(exec, nullptr));
  CHECK(copy.all(5));
  CHECK_CUDA(destroyExec(exec));
  CHECK_CUDA(destroy(clone));
  CHECK_CUDA(destroy(graph));
  CHECK_EQ(destroy(graph), CUDA_ERROR_INVALID_HANDLE);
  CHECK_EQ((cuda().get<CUresult(CUgraphNode)>("cuGraphDestroyNode")(add)), CUDA_ERROR_INVALID_HANDLE);
}

TEST(child_graphs_run_between_their_neighbours) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer data(10, 1);
  CUgraph child, graph;
  CHECK_CUDA(begin(s.a));
  CHECK_CUDA(kernels.launchScale(data.address, 10, 10, s.a));
  CHECK_CUDA(kernels.launchAdd(data.address, 10, 1, s.a));
  CHECK_CUDA(end(s.a, &child));
  CHECK_CUDA(begin(s.a));
  CHECK_CUDA(kernels.launchAdd(data.address, 10, 1, s.a));
  CHECK_CUDA(end(s.a, &graph));
  const CUgraphNode first = nodesOf(graph).at(0);
  CUgraphNode node, last;
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, CUgraph)>("cuGraphAddChildGraphNode")(&node, graph, &first, 1, child)));
  CHECK_CUDA(destroy(child));
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t)>("cuGraphAddEmptyNode")(&last, graph, &node, 1)));
  CUgraphExec exec;
  CHECK_CUDA(instantiate(&exec, graph));
  CHECK_CUDA(launch(exec, s.a));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  CHECK(data.all(21));
  CHECK_CUDA(destroyExec(exec));
  CHECK_CUDA(destroy(graph));
}

TEST(memory_allocated_in_a_capture_belongs_to_the_graph) {
  ContextScope context;
  Kernels kernels;
  Streams s;
  Buffer data(100, 1);
  CUgraph graph;
  CUgraphExec exec;
  CUdeviceptr scratch = 0;
  std::size_t before, free, total;
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&before, &total));
  CHECK_CUDA(begin(s.a));
  CHECK_CUDA(cuda().cuMemAllocAsync(&scratch, 400, s.a));
  CHECK_CUDA(kernels.launchCopy(scratch, data.address, 100, s.a));
  CHECK_CUDA(kernels.launchAdd(scratch, 100, 1, s.a));
  CHECK_CUDA(kernels.launchCopy(data.address, scratch, 100, s.a));
  CHECK_CUDA(cuda().cuMemFreeAsync(scratch, s.a));
  CHECK_EQ(cuda().cuMemFreeAsync(data.address, s.a), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(end(s.a, &graph));
  CHECK_CUDA(instantiate(&exec, graph));
  for (int i = 0; i < 3; ++i) CHECK_CUDA(launch(exec, s.a));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  CHECK(data.all(4));
  CHECK_CUDA(destroyExec(exec));
  CHECK_CUDA(destroy(graph));
  CHECK_CUDA(cuda().get<CUresult(CUdevice)>("cuDeviceGraphMemTrim")(0));  // graphs keep their memory in reserve until then
  CHECK_CUDA(cuda().cuMemGetInfo_v2(&free, &total));
  CHECK_EQ(free, before);
}

TEST(a_capture_ends_with_its_stream) {
  ContextScope context;
  Kernels kernels;
  Buffer data(10, 1);
  Streams s;
  CUstream origin;
  REQUIRE_CUDA(cuda().cuStreamCreate(&origin, CU_STREAM_NON_BLOCKING));
  CHECK_CUDA(begin(origin));
  CHECK_CUDA(kernels.launchAdd(data.address, 10, 1, origin));
  CHECK_CUDA(cuda().cuEventRecord(s.event, origin));
  CHECK_CUDA(cuda().cuStreamWaitEvent(s.a, s.event, 0));
  CHECK_CUDA(cuda().cuStreamDestroy_v2(origin));
  // The stream that had joined is an ordinary one again.
  CHECK_CUDA(kernels.launchAdd(data.address, 10, 5, s.a));
  CHECK_CUDA(cuda().cuStreamSynchronize(s.a));
  CHECK(data.all(6));
}

namespace {

// Writes the number of blocks of its cluster.
constexpr const char* clusterSize = R"(.version 8.0
.target sm_90
.address_size 64
.visible .entry size(.param .u64 out)
{
  .reg .pred %p;
  .reg .b32 %r;
  .reg .b64 %d;
  ld.param.u64 %d, [out];
  mov.u32 %r, %ctaid.x;
  setp.eq.u32 %p, %r, 0;
  mov.u32 %r, %cluster_nctarank;
  @%p st.global.u32 [%d], %r;
  ret;
}
)";

}  // namespace

TEST(new_parameters_leave_a_nodes_attributes) {
  ContextScope context;
  CUmodule module;
  CUfunction function;
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, clusterSize));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&function, module, "size"));
  Buffer first(1, 0), second(1, 0);
  CUdeviceptr p = first.address;
  void* arguments[] = {&p};
  CUlaunchAttribute attribute{};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {4, 1, 1};
  CUlaunchConfig config{4, 1, 1, 1, 1, 1, 0, nullptr, &attribute, 1};
  REQUIRE_CUDA(cuda().cuStreamCreate(&config.hStream, CU_STREAM_NON_BLOCKING));
  CHECK_CUDA(begin(config.hStream));
  CHECK_CUDA(cuda().cuLaunchKernelEx(&config, function, arguments, nullptr));
  CUgraph graph;
  CHECK_CUDA(end(config.hStream, &graph));
  const CUgraphNode node = nodesOf(graph).at(0);

  // The node of an executable graph, then the node itself, write elsewhere in the same cluster of four.
  CUgraphExec exec;
  CHECK_CUDA(instantiate(&exec, graph));
  CUDA_KERNEL_NODE_PARAMS_v2 kernel{};
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphKernelNodeGetParams_v2")(node, &kernel)));
  p = second.address;
  kernel.kernelParams = arguments;
  CHECK_CUDA((cuda().get<CUresult(CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphExecKernelNodeSetParams_v2")(exec, node, &kernel)));
  CHECK_CUDA(launch(exec, nullptr));
  CHECK(second.all(4));
  CHECK(first.all(0));
  auto* set = cuda().get<CUresult(CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphKernelNodeSetParams_v2");
  CHECK_CUDA(set(node, &kernel));
  auto* getAttribute = cuda().get<CUresult(CUgraphNode, CUlaunchAttributeID, CUlaunchAttributeValue*)>("cuGraphKernelNodeGetAttribute");
  auto* setAttribute = cuda().get<CUresult(CUgraphNode, CUlaunchAttributeID, const CUlaunchAttributeValue*)>("cuGraphKernelNodeSetAttribute");
  CUlaunchAttributeValue value{};
  CHECK_CUDA(getAttribute(node, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &value));
  CHECK_EQ(value.clusterDim.x, 4);
  kernel.gridDimX = 6;
  CHECK_EQ(set(node, &kernel), CUDA_ERROR_INVALID_VALUE);

  // Attributes have calls of their own, which check as a launch does.
  value.clusterDim = {3, 1, 1};
  CHECK_EQ(setAttribute(node, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &value), CUDA_ERROR_INVALID_VALUE);
  value.clusterDim = {2, 1, 1};
  CHECK_CUDA(setAttribute(node, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &value));
  CUgraphNode plain;
  kernel.gridDimX = 4;
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, const CUDA_KERNEL_NODE_PARAMS_v2*)>("cuGraphAddKernelNode_v2")(
      &plain, graph, &node, 1, &kernel)));
  CHECK_CUDA(getAttribute(plain, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &value));
  CHECK_EQ(value.clusterDim.x, 1);
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUgraphNode)>("cuGraphKernelNodeCopyAttributes")(plain, node)));
  CHECK_CUDA(getAttribute(plain, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION, &value));
  CHECK_EQ(value.clusterDim.x, 2);
  CHECK_EQ(getAttribute(plain, CU_LAUNCH_ATTRIBUTE_PRIORITY, &value), CUDA_ERROR_NOT_SUPPORTED);
  CHECK_CUDA(destroyExec(exec));
  CHECK_CUDA(instantiate(&exec, graph));
  CHECK_CUDA(launch(exec, nullptr));
  CHECK(second.all(2));
  CHECK_CUDA(destroyExec(exec));
  CHECK_CUDA(destroy(graph));
  cuda().cuStreamDestroy_v2(config.hStream);
  cuda().cuModuleUnload(module);
}
