// Nodes that allocate and free, and the memory that graphs hold.
#include "emulated.h"

using namespace cnn::test;

namespace {

using AddAllocation = CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, CUDA_MEM_ALLOC_NODE_PARAMS*);
using AddFree = CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, CUdeviceptr);
using AddFill = CUresult(CUgraphNode*, CUgraph, const CUgraphNode*, std::size_t, const CUDA_MEMSET_NODE_PARAMS*, CUcontext);

struct GraphOf {
  GraphOf() { REQUIRE_CUDA((cuda().get<CUresult(CUgraph*, unsigned)>("cuGraphCreate")(&handle, 0))); }
  ~GraphOf() { cuda().get<CUresult(CUgraph)>("cuGraphDestroy")(handle); }

  CUresult instantiate(CUgraphExec* exec, unsigned long long flags = 0) const {
    return cuda().get<CUresult(CUgraphExec*, CUgraph, unsigned long long)>("cuGraphInstantiateWithFlags")(exec, handle, flags);
  }
  CUgraphNode allocate(std::size_t bytes, CUdeviceptr* address) const {
    CUDA_MEM_ALLOC_NODE_PARAMS p = allocation(bytes);
    CUgraphNode node = nullptr;
    REQUIRE_CUDA(cuda().get<AddAllocation>("cuGraphAddMemAllocNode")(&node, handle, nullptr, 0, &p));
    *address = p.dptr;
    return node;
  }
  CUgraphNode fill(CUgraphNode after, CUdeviceptr address, unsigned value) const {
    CUDA_MEMSET_NODE_PARAMS p{address, 0, value, 4, 100, 1};
    CUgraphNode node = nullptr;
    REQUIRE_CUDA(cuda().get<AddFill>("cuGraphAddMemsetNode")(&node, handle, &after, after ? 1 : 0, &p, nullptr));
    return node;
  }
  CUresult free(CUgraphNode after, CUdeviceptr address, CUgraphNode* node) const {
    return cuda().get<AddFree>("cuGraphAddMemFreeNode")(node, handle, &after, after ? 1 : 0, address);
  }
  static CUDA_MEM_ALLOC_NODE_PARAMS allocation(std::size_t bytes) {
    CUDA_MEM_ALLOC_NODE_PARAMS p{};
    p.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    p.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    p.bytesize = bytes;
    return p;
  }
  CUgraph handle = nullptr;
};

CUresult launch(CUgraphExec exec, CUstream stream = nullptr) { return cuda().get<CUresult(CUgraphExec, CUstream)>("cuGraphLaunch")(exec, stream); }
CUresult destroy(CUgraphExec exec) { return cuda().get<CUresult(CUgraphExec)>("cuGraphExecDestroy")(exec); }

cuuint64_t held(CUgraphMem_attribute which) {
  cuuint64_t bytes = ~0ull;
  CHECK_CUDA((cuda().get<CUresult(CUdevice, CUgraphMem_attribute, void*)>("cuDeviceGetGraphMemAttribute")(0, which, &bytes)));
  return bytes;
}

}  // namespace

TEST(memory_lives_between_its_nodes_in_every_launch) {
  ContextScope context;
  GraphOf graph;
  CUdeviceptr address = 0;
  const CUgraphNode allocate = graph.allocate(400, &address);
  CUgraphNode free;
  CHECK_CUDA(graph.free(graph.fill(allocate, address, 7), address, &free));
  CUDA_MEM_ALLOC_NODE_PARAMS asked{};
  CUdeviceptr freed = 0;
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUDA_MEM_ALLOC_NODE_PARAMS*)>("cuGraphMemAllocNodeGetParams")(allocate, &asked)));
  CHECK_EQ(asked.bytesize, 400);
  CHECK_EQ(asked.dptr, address);
  CHECK_CUDA((cuda().get<CUresult(CUgraphNode, CUdeviceptr*)>("cuGraphMemFreeNodeGetParams")(free, &freed)));
  CHECK_EQ(freed, address);
  CUgraphExec exec, second;
  REQUIRE_CUDA(graph.instantiate(&exec));
  CHECK_EQ(graph.instantiate(&second), CUDA_ERROR_INVALID_VALUE);  // one at a time
  for (int i = 0; i < 3; ++i) CHECK_CUDA(launch(exec));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK_CUDA(destroy(exec));
  CHECK_CUDA(graph.instantiate(&exec));
  CHECK_CUDA(destroy(exec));
  auto* removeEdges = cuda().get<CUresult(CUgraph, const CUgraphNode*, const CUgraphNode*, std::size_t)>("cuGraphRemoveDependencies");
  CHECK_EQ(removeEdges(graph.handle, &allocate, &free, 1), CUDA_ERROR_NOT_SUPPORTED);
  CHECK_EQ(cuda().get<CUresult(CUgraphNode)>("cuGraphDestroyNode")(free), CUDA_ERROR_NOT_SUPPORTED);
}

TEST(what_a_graph_allocates_another_one_or_a_stream_frees) {
  ContextScope context;
  GraphOf maker, taker;
  CUdeviceptr address = 0;
  const CUgraphNode allocate = maker.allocate(400, &address);
  maker.fill(allocate, address, 7);
  CUgraphNode node;
  CHECK_CUDA(taker.free(nullptr, address, &node));
  CHECK_EQ(taker.free(nullptr, address, &node), CUDA_ERROR_INVALID_VALUE);  // twice
  CHECK_EQ(maker.free(nullptr, address, &node), CUDA_ERROR_INVALID_VALUE);  // both in its own graph and in another
  CUgraphExec make, take;
  REQUIRE_CUDA(maker.instantiate(&make));
  REQUIRE_CUDA(taker.instantiate(&take));
  CHECK_EQ(launch(take), CUDA_ERROR_INVALID_VALUE);  // nothing is allocated
  for (int i = 0; i < 2; ++i) {
    CHECK_CUDA(launch(make));
    CHECK_EQ(launch(make), CUDA_ERROR_INVALID_VALUE);  // not freed yet
    std::vector<unsigned> values(100);
    CHECK_CUDA(cuda().cuMemcpyDtoH_v2(values.data(), address, 400));
    CHECK_EQ(values[99], 7);
    CHECK_CUDA(launch(take));
    CHECK_EQ(launch(take), CUDA_ERROR_INVALID_VALUE);
    CHECK_CUDA(launch(make));
    CHECK_CUDA(cuda().cuMemFreeAsync(address, nullptr));  // the next launch need not wait for it
  }
  CHECK_CUDA(launch(make));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK_CUDA(cuda().cuMemFree_v2(address));
  CHECK_CUDA(destroy(take));
  CHECK_CUDA(destroy(make));
  CHECK_CUDA(maker.instantiate(&make, CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH));
  for (int i = 0; i < 3; ++i) CHECK_CUDA(launch(make));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK_CUDA(cuda().cuMemFree_v2(address));
  CHECK_CUDA(destroy(make));
}

TEST(nodes_that_allocate_check_their_arguments) {
  ContextScope context;
  GraphOf graph;
  CUgraphNode node;
  auto* add = cuda().get<AddAllocation>("cuGraphAddMemAllocNode");
  CUDA_MEM_ALLOC_NODE_PARAMS p = GraphOf::allocation(0);
  CHECK_EQ(add(&node, graph.handle, nullptr, 0, &p), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(add(&node, graph.handle, nullptr, 0, nullptr), CUDA_ERROR_INVALID_VALUE);
  p = GraphOf::allocation(16);
  CHECK_EQ(add(&node, graph.handle, nullptr, 1, &p), CUDA_ERROR_INVALID_VALUE);
  p.poolProps.location.id = 1;
  CHECK_EQ(add(&node, graph.handle, nullptr, 0, &p), CUDA_ERROR_INVALID_DEVICE);
  p = GraphOf::allocation(16);
  p.poolProps.handleTypes = 1;
  CHECK_EQ(add(&node, graph.handle, nullptr, 0, &p), CUDA_ERROR_NOT_SUPPORTED);
  p = GraphOf::allocation(16);
  p.accessDescCount = 1;
  CHECK_EQ(add(&node, graph.handle, nullptr, 0, &p), CUDA_ERROR_INVALID_VALUE);
  const CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, 0}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  p.accessDescs = &access;
  CHECK_CUDA(add(&node, graph.handle, nullptr, 0, &p));
  Buffer plain(4);
  CHECK_EQ(graph.free(nullptr, plain.address, &node), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(graph.free(nullptr, p.dptr + 4, &node), CUDA_ERROR_INVALID_VALUE);
}

TEST(the_memory_of_graphs_is_counted_and_trimmed) {
  ContextScope context;
  CHECK_CUDA(cuda().get<CUresult(CUdevice)>("cuDeviceGraphMemTrim")(0));
  const cuuint64_t used = held(CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT);
  auto* set = cuda().get<CUresult(CUdevice, CUgraphMem_attribute, void*)>("cuDeviceSetGraphMemAttribute");
  cuuint64_t value = 0;
  CHECK_CUDA(set(0, CU_GRAPH_MEM_ATTR_USED_MEM_HIGH, &value));
  {
    GraphOf graph;
    CUdeviceptr address;
    graph.allocate(3 << 20, &address);
    CHECK_EQ(held(CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT), used + (3 << 20));
    CHECK(held(CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT) >= used + (3 << 20));
  }
  CHECK_EQ(held(CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT), used);
  CHECK_EQ(held(CU_GRAPH_MEM_ATTR_USED_MEM_HIGH), used + (3 << 20));
  CHECK(held(CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT) >= used + (3 << 20));
  CHECK_CUDA(cuda().get<CUresult(CUdevice)>("cuDeviceGraphMemTrim")(0));
  CHECK(held(CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT) < used + (3 << 20));
  CHECK_EQ(set(0, CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT, &value), CUDA_ERROR_INVALID_VALUE);
  value = 1;
  CHECK_EQ(set(0, CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH, &value), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(set(1, CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH, &value), CUDA_ERROR_INVALID_DEVICE);
}
