// cuGraph*: structure
#include "driver/graph.h"

#include <algorithm>
#include <cstdio>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

// The protocol of all lists: with a null array the count comes out; otherwise up to `count` entries are written, spare
// ones with null, and the number written comes out.
void giveNodes(const std::vector<CUgraphNode>& all, CUgraphNode* out, std::size_t* count) {
  requirePointers(count);
  if (out) {
    for (std::size_t i = 0; i < *count; ++i) out[i] = i < all.size() ? all[i] : nullptr;
    *count = std::min(*count, all.size());
  } else {
    *count = all.size();
  }
}

std::vector<CUgraphNode> handles(const std::vector<Node*>& nodes) {
  std::vector<CUgraphNode> result;
  for (const Node* node : nodes) result.push_back(node->handle);
  return result;
}

void giveEdges(const Graph& graph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* data, std::size_t* count) {
  requirePointers(count);
  requireValue((from != nullptr) == (to != nullptr), "one of the two arrays is null");
  std::size_t found = 0;
  for (const auto& node : graph.nodes)
    for (const Node* earlier : node->dependencies) {
      if (from && found < *count) {
        from[found] = earlier->handle;
        to[found] = node->handle;
        if (data) data[found] = {};
      }
      ++found;
    }
  *count = from ? std::min(*count, found) : found;
}

void requireNoCapture(Call& c, const Graph* graph) {
  for (const auto& capture : c.driver.captures)
    require(capture->graph.get() != graph, CUDA_ERROR_ILLEGAL_STATE, "the graph is being captured");
}

template <class Change>
void changeEdges(Call& c, CUgraph handle, const CUgraphNode* from, const CUgraphNode* to, std::size_t count, bool mustExist, Change change) {
  const auto graph = c.driver.graphs.get(handle);
  if (count == 0) return;
  requirePointers(from, to);
  const bool touchesMemory = std::ranges::any_of(graph->nodes, [](const auto& node) {
    return std::holds_alternative<AllocateWork>(node->work) || std::holds_alternative<FreeWork>(node->work);
  });
  require(!mustExist || !touchesMemory, CUDA_ERROR_NOT_SUPPORTED, "a graph that allocates or frees keeps its edges");
  const auto check = [&](std::size_t i) {
    const auto& a = c.driver.nodes.get(from[i]);
    const auto& b = c.driver.nodes.get(to[i]);
    requireValue(a->graph == graph.get() && b->graph == graph.get() && a != b, "not two nodes of this graph");
    requireValue(connected(*a, *b) == mustExist, mustExist ? "there is no such edge" : "there is such an edge already");
  };
  for (std::size_t i = 0; i < count; ++i) check(i);
  for (std::size_t i = 0; i < count; ++i) change(*c.driver.nodes.get(from[i]), *c.driver.nodes.get(to[i]));
}

}  // namespace

CNN_EXPORT CUresult cuGraphCreate(CUgraph* graph, unsigned flags) {
  return call("cuGraphCreate", [&](Call& c) {
    requirePointers(graph);
    requireValue(flags == 0, "the flags must be 0");
    *graph = c.driver.graphs.add(std::make_shared<Graph>());
  });
}

CNN_EXPORT CUresult cuGraphDestroy(CUgraph handle) {
  return call("cuGraphDestroy", [&](Call& c) {
    const std::shared_ptr<Graph> graph = c.driver.graphs.get(handle);
    requireValue(!graph->child, "the graph belongs to a node of another graph");
    requireNoCapture(c, graph.get());
    discardNodes(c.driver, *graph);
    c.driver.graphs.remove(handle);
  });
}

CNN_EXPORT CUresult cuGraphClone(CUgraph* clone, CUgraph original) {
  return call("cuGraphClone", [&](Call& c) {
    requirePointers(clone);
    *clone = c.driver.graphs.add(cloneGraph(c.driver, *c.driver.graphs.get(original)));
  });
}

CNN_EXPORT CUresult cuGraphNodeFindInClone(CUgraphNode* found, CUgraphNode original, CUgraph clone) {
  return call("cuGraphNodeFindInClone", [&](Call& c) {
    requirePointers(found);
    const auto graph = c.driver.graphs.get(clone);
    const auto known = graph->clonedFrom.find(original);
    requireValue(known != graph->clonedFrom.end() && c.driver.nodes.find(known->second), "the clone has no copy of this node");
    *found = known->second;
  });
}

CNN_EXPORT CUresult cuGraphDestroyNode(CUgraphNode handle) {
  return call("cuGraphDestroyNode", [&](Call& c) {
    const std::shared_ptr<Node> node = c.driver.nodes.get(handle);
    require(!std::holds_alternative<AllocateWork>(node->work) && !std::holds_alternative<FreeWork>(node->work), CUDA_ERROR_NOT_SUPPORTED,
            "nodes that allocate or free cannot be removed");
    requireNoCapture(c, node->graph);
    removeNode(c.driver, *node);
  });
}

CNN_EXPORT CUresult cuGraphNodeGetType(CUgraphNode handle, CUgraphNodeType* type) {
  return call("cuGraphNodeGetType", [&](Call& c) {
    requirePointers(type);
    *type = nodeType(c.driver.nodes.get(handle)->work);
  });
}

CNN_EXPORT CUresult cuGraphGetNodes(CUgraph handle, CUgraphNode* nodes, std::size_t* count) {
  return call("cuGraphGetNodes", [&](Call& c) {
    std::vector<CUgraphNode> all;
    for (const auto& node : c.driver.graphs.get(handle)->nodes) all.push_back(node->handle);
    giveNodes(all, nodes, count);
  });
}

CNN_EXPORT CUresult cuGraphGetRootNodes(CUgraph handle, CUgraphNode* nodes, std::size_t* count) {
  return call("cuGraphGetRootNodes", [&](Call& c) {
    std::vector<CUgraphNode> roots;
    for (const auto& node : c.driver.graphs.get(handle)->nodes)
      if (node->dependencies.empty()) roots.push_back(node->handle);
    giveNodes(roots, nodes, count);
  });
}

CNN_EXPORT CUresult cuGraphGetEdges_v2(CUgraph handle, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* data, std::size_t* count) {
  return call("cuGraphGetEdges_v2", [&](Call& c) { giveEdges(*c.driver.graphs.get(handle), from, to, data, count); });
}

CNN_EXPORT CUresult cuGraphGetEdges(CUgraph handle, CUgraphNode* from, CUgraphNode* to, std::size_t* count) {
  return call("cuGraphGetEdges", [&](Call& c) { giveEdges(*c.driver.graphs.get(handle), from, to, nullptr, count); });
}

CNN_EXPORT CUresult cuGraphNodeGetDependencies(CUgraphNode handle, CUgraphNode* nodes, std::size_t* count) {
  return call("cuGraphNodeGetDependencies", [&](Call& c) { giveNodes(handles(c.driver.nodes.get(handle)->dependencies), nodes, count); });
}

CNN_EXPORT CUresult cuGraphNodeGetDependencies_v2(CUgraphNode handle, CUgraphNode* nodes, CUgraphEdgeData* data, std::size_t* count) {
  return call("cuGraphNodeGetDependencies_v2", [&](Call& c) {
    giveNodes(handles(c.driver.nodes.get(handle)->dependencies), nodes, count);
    for (std::size_t i = 0; data && nodes && i < *count; ++i) data[i] = {};
  });
}

CNN_EXPORT CUresult cuGraphNodeGetDependentNodes(CUgraphNode handle, CUgraphNode* nodes, std::size_t* count) {
  return call("cuGraphNodeGetDependentNodes", [&](Call& c) { giveNodes(handles(c.driver.nodes.get(handle)->dependents), nodes, count); });
}

CNN_EXPORT CUresult cuGraphNodeGetDependentNodes_v2(CUgraphNode handle, CUgraphNode* nodes, CUgraphEdgeData* data, std::size_t* count) {
  return call("cuGraphNodeGetDependentNodes_v2", [&](Call& c) {
    giveNodes(handles(c.driver.nodes.get(handle)->dependents), nodes, count);
    for (std::size_t i = 0; data && nodes && i < *count; ++i) data[i] = {};
  });
}

CNN_EXPORT CUresult cuGraphAddDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const CUgraphEdgeData* data,
                                              std::size_t count) {
  return call("cuGraphAddDependencies_v2", [&](Call& c) {
    requirePlain(data, count);
    changeEdges(c, graph, from, to, count, false, connect);
  });
}

CNN_EXPORT CUresult cuGraphAddDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, std::size_t count) {
  return call("cuGraphAddDependencies", [&](Call& c) { changeEdges(c, graph, from, to, count, false, connect); });
}

CNN_EXPORT CUresult cuGraphRemoveDependencies_v2(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const CUgraphEdgeData* data,
                                                 std::size_t count) {
  return call("cuGraphRemoveDependencies_v2", [&](Call& c) {
    requirePlain(data, count);
    changeEdges(c, graph, from, to, count, true, disconnect);
  });
}

CNN_EXPORT CUresult cuGraphRemoveDependencies(CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, std::size_t count) {
  return call("cuGraphRemoveDependencies", [&](Call& c) { changeEdges(c, graph, from, to, count, true, disconnect); });
}

CNN_EXPORT CUresult cuGraphDebugDotPrint(CUgraph handle, const char* path, unsigned) {
  return call("cuGraphDebugDotPrint", [&](Call& c) {
    requirePointers(path);
    const auto graph = c.driver.graphs.get(handle);
    constexpr const char* types[] = {"kernel", "copy", "set", "host", "graph", "empty", "wait", "record", "", "", "allocate", "free"};
    std::FILE* file = std::fopen(path, "w");
    require(file != nullptr, CUDA_ERROR_OPERATING_SYSTEM, "the file cannot be written");
    std::fprintf(file, "digraph {\n");
    for (const auto& node : graph->nodes) {
      const auto* kernel = std::get_if<KernelWork>(&node->work);
      const char* label = kernel ? kernel->function->function->name.c_str() : types[nodeType(node->work)];
      std::fprintf(file, "  \"%p\" [label=\"%s\"];\n", static_cast<void*>(node->handle), label);
      for (const Node* earlier : node->dependencies)
        std::fprintf(file, "  \"%p\" -> \"%p\";\n", static_cast<void*>(earlier->handle), static_cast<void*>(node->handle));
    }
    std::fprintf(file, "}\n");
    require(std::fclose(file) == 0, CUDA_ERROR_OPERATING_SYSTEM, "the file cannot be written");
  });
}
