// cuGraphAddNode and its kin: nodes of every type, by one structure
#include "driver/graph_nodes.h"

#include <algorithm>
#include <cstring>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

// Bytes of the union that the type uses.
std::size_t usedBytes(const CUgraphNodeParams& p) {
  switch (p.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: return sizeof p.kernel;
    case CU_GRAPH_NODE_TYPE_MEMCPY: return sizeof p.memcpy;
    case CU_GRAPH_NODE_TYPE_MEMSET: return sizeof p.memset;
    case CU_GRAPH_NODE_TYPE_HOST: return sizeof p.host;
    case CU_GRAPH_NODE_TYPE_GRAPH: return sizeof p.graph;
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT: case CU_GRAPH_NODE_TYPE_EVENT_RECORD: return sizeof p.event;
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC: return sizeof p.alloc;
    case CU_GRAPH_NODE_TYPE_MEM_FREE: return sizeof p.free;
    case CU_GRAPH_NODE_TYPE_EMPTY: return 0;
    default: fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator has no nodes of type " + std::to_string(p.type));
  }
}

void requireClean(const CUgraphNodeParams* p) {
  requirePointers(p);
  const auto* bytes = reinterpret_cast<const char*>(p->reserved1);
  const bool clean = std::ranges::all_of(p->reserved0, [](int word) { return word == 0; }) && p->reserved2 == 0
                     && std::all_of(bytes + usedBytes(*p), bytes + sizeof p->reserved1, [](char byte) { return byte == 0; });
  requireValue(clean, "bytes that the type of the node does not use are not 0");
}

// Nodes that may be given other parameters.
Work changeable(Call& c, const CUgraphNodeParams& p, const Work* before) {
  switch (p.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: return kernelNode(c, &p.kernel, before);
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      requireValue(p.memcpy.flags == 0 && p.memcpy.reserved == 0, "the flags of a copy must be 0");
      return copyNode(c, &p.memcpy.copyParams);
    case CU_GRAPH_NODE_TYPE_MEMSET: return fillNode(c, &p.memset.fill);
    case CU_GRAPH_NODE_TYPE_HOST: return hostNode(c, &p.host);
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT: return WaitWork{c.event(p.event)};
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD: return RecordWork{c.event(p.event)};
    case CU_GRAPH_NODE_TYPE_EMPTY: return EmptyWork{};
    default: fail(CUDA_ERROR_NOT_SUPPORTED, "the parameters of such a node do not change");
  }
}

Work fresh(Call& c, const std::shared_ptr<Graph>& graph, CUgraphNodeParams& p) {
  switch (p.type) {
    case CU_GRAPH_NODE_TYPE_GRAPH: return childNode(c, p.graph);
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC: return allocationNode(c, graph, &p.alloc);
    case CU_GRAPH_NODE_TYPE_MEM_FREE: return freeNode(c, graph, p.free);
    default: return changeable(c, p, nullptr);
  }
}

void addAny(Call& c, CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, std::size_t count, CUgraphNodeParams* p) {
  requirePointers(node);
  requireClean(p);
  *node = addCheckedNode(c, graph, dependencies, count, [&](const std::shared_ptr<Graph>& owner) { return fresh(c, owner, *p); });
}

}  // namespace

CNN_EXPORT CUresult cuGraphAddNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, std::size_t count, CUgraphNodeParams* p) {
  return call("cuGraphAddNode", [&](Call& c) { addAny(c, node, graph, dependencies, count, p); });
}

CNN_EXPORT CUresult cuGraphAddNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, const CUgraphEdgeData* edges,
                                      std::size_t count, CUgraphNodeParams* p) {
  return call("cuGraphAddNode_v2", [&](Call& c) {
    requirePlain(edges, count);
    addAny(c, node, graph, dependencies, count, p);
  });
}

// Of a child graph a node takes another one only in an executable graph.
CNN_EXPORT CUresult cuGraphNodeSetParams(CUgraphNode handle, CUgraphNodeParams* p) {
  return call("cuGraphNodeSetParams", [&](Call& c) {
    requireClean(p);
    Work& work = c.driver.nodes.get(handle)->work;
    requireValue(nodeType(work) == p->type, "the parameters are for another type of node");
    work = changeable(c, *p, &work);
  });
}

CNN_EXPORT CUresult cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode handle, CUgraphNodeParams* p) {
  return call("cuGraphExecNodeSetParams", [&](Call& c) {
    requireClean(p);
    const std::shared_ptr<GraphExec> executable = c.driver.graphExecs.get(exec);
    Work& work = executableStep(*executable, handle).work;
    if (p->type == CU_GRAPH_NODE_TYPE_GRAPH) {
      replaceChild(*executable, handle, *workOf<ChildWork>(c, handle).graph, *c.driver.graphs.get(p->graph));
      return;
    }
    requireValue(nodeType(work) == p->type, "the parameters are for another type of node");
    work = changeable(c, *p, &work);
  });
}
