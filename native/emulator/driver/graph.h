// Graphs of work: building, copying, and turning them into executable form.
#pragma once

#include "driver/call.h"

namespace cnn::emu::driver {

Node* addNode(Driver& driver, Graph& graph, Work work, const std::vector<Node*>& dependencies);
void removeNode(Driver& driver, Node& node);
// Handles of nodes die with their graph.
void discardNodes(Driver& driver, Graph& graph);
// Edges with ports belong to programmatic launches.
void requirePlain(const CUgraphEdgeData* edges, std::size_t count);
bool connected(const Node& from, const Node& to);
void connect(Node& from, Node& to);
void disconnect(Node& from, Node& to);

std::shared_ptr<Graph> cloneGraph(Driver& driver, const Graph& original);
CUgraphNodeType nodeType(const Work& work);

// Child graphs are expanded in place. Fails with CUDA_ERROR_INVALID_VALUE when the graph has a cycle.
std::vector<GraphExec::Step> flatten(const Graph& graph);

// Gives every step its chain: it goes on with that of a step it comes after, unless another one does so already.
void layChains(GraphExec& exec);

// The steps of a node that holds a graph `old` do what the nodes of `fresh` do; both must have the same nodes and edges.
void replaceChild(GraphExec& exec, CUgraphNode node, const Graph& old, const Graph& fresh);

struct Mismatch {
  CUgraphExecUpdateResult result = CU_GRAPH_EXEC_UPDATE_SUCCESS;
  CUgraphNode node = nullptr, from = nullptr;
};
// The update must have the same nodes, in the order of their creation, with the same types and edges.
Mismatch compare(const std::vector<GraphExec::Step>& current, const std::vector<GraphExec::Step>& update);

// Work that replaces that of a node must be of the same kind.
void replaceWork(Work& current, Work replacement);

// The step made from this node of the original graph.
GraphExec::Step& executableStep(GraphExec& exec, CUgraphNode node);

void launchGraph(Call& call, GraphExec& exec, Stream& stream);

}  // namespace cnn::emu::driver
