// Nodes of graphs from their parameters: checked, and turned into work.
#pragma once

#include "driver/graph.h"

namespace cnn::emu::driver {

// A node that is given new parameters keeps its attributes: they have calls of their own. `before` is what it did so far.
KernelWork kernelNode(Call& call, const CUDA_KERNEL_NODE_PARAMS_v1* parameters, const Work* before = nullptr);
// The second version may name a CUkernel instead of a function.
KernelWork kernelNode(Call& call, const CUDA_KERNEL_NODE_PARAMS_v2* parameters, const Work* before = nullptr);
CopyWork copyNode(Call& call, const CUDA_MEMCPY3D* parameters);
FillWork fillNode(Call& call, const CUDA_MEMSET_NODE_PARAMS* parameters);
HostWork hostNode(Call& call, const CUDA_HOST_NODE_PARAMS* parameters);
// Copies the graph.
ChildWork childNode(Call& call, CUgraph graph);
// Memory from the pool of graphs; writes its address to the parameters.
AllocateWork allocationNode(Call& call, const std::shared_ptr<Graph>& graph, CUDA_MEM_ALLOC_NODE_PARAMS* parameters);
AllocateWork allocationNode(Call& call, const std::shared_ptr<Graph>& graph, std::size_t bytes);
FreeWork freeNode(Call& call, const std::shared_ptr<Graph>& graph, CUdeviceptr address);

std::vector<Node*> dependencyNodes(Call& call, const Graph& graph, const CUgraphNode* handles, std::size_t count);

// Checks the dependencies, then makes the work, so that nothing is added when either is wrong.
template <class MakeWork>
CUgraphNode addCheckedNode(Call& call, CUgraph handle, const CUgraphNode* dependencies, std::size_t count, MakeWork makeWork) {
  const std::shared_ptr<Graph> graph = call.driver.graphs.get(handle);
  const std::vector<Node*> earlier = dependencyNodes(call, *graph, dependencies, count);
  return addNode(call.driver, *graph, makeWork(graph), earlier)->handle;
}

template <class Wanted>
Wanted& workOf(Call& call, CUgraphNode handle) {
  Wanted* work = std::get_if<Wanted>(&call.driver.nodes.get(handle)->work);
  requireValue(work != nullptr, "the node is of another type");
  return *work;
}

}  // namespace cnn::emu::driver
