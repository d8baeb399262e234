#include "driver/graph_nodes.h"

#include "driver/copy.h"
#include "driver/kernel_launch.h"
#include "driver/pool.h"

#include <algorithm>

namespace cnn::emu::driver {

std::vector<Node*> dependencyNodes(Call& call, const Graph& graph, const CUgraphNode* handles, std::size_t count) {
  requireValue(count == 0 || handles != nullptr, "dependencies without their array");
  std::vector<Node*> found;
  for (std::size_t i = 0; i < count; ++i) {
    Node* node = call.driver.nodes.get(handles[i]).get();
    requireValue(node->graph == &graph, "a dependency is a node of another graph");
    requireValue(std::ranges::find(found, node) == found.end(), "a dependency is given twice");
    found.push_back(node);
  }
  return found;
}

KernelWork kernelNode(Call& call, const CUDA_KERNEL_NODE_PARAMS_v1* p, const Work* before) {
  requirePointers(p);
  LaunchShape shape = launchShape(*p);
  if (const auto* kernel = before ? std::get_if<KernelWork>(before) : nullptr) {
    const LaunchShape kept = launchShape(*kernel);
    shape.cluster = kept.cluster;
    shape.clusterGiven = kept.clusterGiven;
    shape.cooperative = kept.cooperative;
  }
  return kernelWork(call, p->func, shape, p->kernelParams, p->extra);
}

KernelWork kernelNode(Call& call, const CUDA_KERNEL_NODE_PARAMS_v2* p, const Work* before) {
  requirePointers(p);
  CUDA_KERNEL_NODE_PARAMS_v1 plain = *p;
  if (!plain.func) plain.func = reinterpret_cast<CUfunction>(p->kern);
  return kernelNode(call, &plain, before);
}

CopyWork copyNode(Call& call, const CUDA_MEMCPY3D* p) {
  requirePointers(p);
  return stridedCopy(call, *p);
}

FillWork fillNode(Call& call, const CUDA_MEMSET_NODE_PARAMS* p) {
  requirePointers(p);
  requireValue(p->width > 0 && p->height > 0, "an empty fill");
  return fill(call, p->dst, p->pitch, p->value, p->elementSize, p->width, p->height);
}

HostWork hostNode(Call&, const CUDA_HOST_NODE_PARAMS* p) {
  requirePointers(p);
  requirePointers(p->fn);
  return HostWork{p->fn, p->userData};
}

ChildWork childNode(Call& call, CUgraph graph) {
  const auto copy = cloneGraph(call.driver, *call.driver.graphs.get(graph));
  copy->child = true;
  call.driver.graphs.add(copy);
  return ChildWork{copy};
}

AllocateWork allocationNode(Call& call, const std::shared_ptr<Graph>& graph, std::size_t bytes) {
  Driver& driver = call.driver;
  requireValue(bytes > 0, "0 bytes asked for");
  auto memory = std::make_shared<GraphAllocation>(driver.graphPool, bytes);
  memory->address = takeFromPool(driver, *driver.graphPool, bytes, *call.context().legacy, call.lock);
  memory->owner = graph;
  driver.orderedMemory.reserve(memory->address, bytes);
  driver.graphMemory[memory->address] = memory;
  return AllocateWork{std::move(memory)};
}

AllocateWork allocationNode(Call& call, const std::shared_ptr<Graph>& graph, CUDA_MEM_ALLOC_NODE_PARAMS* p) {
  requirePointers(p);
  checkPoolProperties(call, p->poolProps);
  requireValue(p->accessDescCount == 0 || p->accessDescs, "access descriptions without their array");
  requireValue(p->accessDescCount <= 1, "more access descriptions than devices");
  for (std::size_t i = 0; i < p->accessDescCount; ++i) checkAccess(call, p->accessDescs[i]);
  AllocateWork work = allocationNode(call, graph, p->bytesize);
  p->dptr = work.memory->address;
  return work;
}

// Freed by its own graph, or by others: never by both, and once in each.
FreeWork freeNode(Call& call, const std::shared_ptr<Graph>& graph, CUdeviceptr address) {
  const auto known = call.driver.graphMemory.find(address);
  requireValue(known != call.driver.graphMemory.end(), "not the address of memory that a node of a graph allocates");
  std::shared_ptr<GraphAllocation> memory = known->second.lock();
  if (const auto other = memory->freedIn.lock()) {
    const auto owner = memory->owner.lock();
    requireValue(other != graph, "the graph frees the memory already");
    requireValue(other != owner && graph != owner, "the memory is freed in the graph that allocates it and in another one");
  }
  memory->freedIn = graph;
  return FreeWork{address, std::move(memory)};
}

}  // namespace cnn::emu::driver
