#include "driver/graph.h"

#include "driver/capture.h"
#include "driver/pool.h"

#include <algorithm>
#include <unordered_map>

namespace cnn::emu::driver {

GraphAllocation::GraphAllocation(std::shared_ptr<Pool> from, std::size_t size) : pool(std::move(from)), bytes(size) {}

GraphAllocation::~GraphAllocation() {
  if (!address) return;
  Driver& driver = *Driver::instance();
  driver.allocations.erase(address);
  driver.graphMemory.erase(address);
  driver.memory.free(address);
  driver.orderedMemory.release(address);
  returnToPool(*pool, bytes);
}

Node* addNode(Driver& driver, Graph& graph, Work work, const std::vector<Node*>& dependencies) {
  auto node = std::make_shared<Node>();
  node->graph = &graph;
  node->work = std::move(work);
  for (Node* earlier : dependencies) connect(*earlier, *node);
  driver.nodes.add(node);
  graph.nodes.push_back(node);
  return node.get();
}

void removeNode(Driver& driver, Node& node) {
  for (Node* earlier : node.dependencies) std::erase(earlier->dependents, &node);
  for (Node* later : node.dependents) std::erase(later->dependencies, &node);
  Graph& graph = *node.graph;
  if (auto* child = std::get_if<ChildWork>(&node.work)) {
    discardNodes(driver, *child->graph);
    driver.graphs.remove(child->graph->handle);
  }
  driver.nodes.remove(node.handle);
  std::erase_if(graph.nodes, [&](const auto& own) { return own.get() == &node; });
}

void discardNodes(Driver& driver, Graph& graph) {
  while (!graph.nodes.empty()) removeNode(driver, *graph.nodes.back());
}

void requirePlain(const CUgraphEdgeData* edges, std::size_t count) {
  for (std::size_t i = 0; edges && i < count; ++i)
    require(edges[i].from_port == 0 && edges[i].to_port == 0 && edges[i].type == 0, CUDA_ERROR_NOT_SUPPORTED, "the emulator knows plain edges only");
}

bool connected(const Node& from, const Node& to) {
  return std::find(to.dependencies.begin(), to.dependencies.end(), &from) != to.dependencies.end();
}

void connect(Node& from, Node& to) {
  if (connected(from, to)) return;
  to.dependencies.push_back(&from);
  from.dependents.push_back(&to);
}

void disconnect(Node& from, Node& to) {
  std::erase(to.dependencies, &from);
  std::erase(from.dependents, &to);
}

std::shared_ptr<Graph> cloneGraph(Driver& driver, const Graph& original) {
  auto clone = std::make_shared<Graph>();
  std::unordered_map<const Node*, Node*> copies;
  for (const auto& node : original.nodes) {
    Work work = node->work;
    require(!std::holds_alternative<AllocateWork>(work) && !std::holds_alternative<FreeWork>(work), CUDA_ERROR_NOT_SUPPORTED,
            "a graph that allocates cannot be cloned");
    if (auto* child = std::get_if<ChildWork>(&work)) {
      child->graph = cloneGraph(driver, *child->graph);
      child->graph->child = true;
      driver.graphs.add(child->graph);
    }
    Node* copy = addNode(driver, *clone, std::move(work), {});
    copies[node.get()] = copy;
    clone->clonedFrom[node->handle] = copy->handle;
  }
  for (const auto& node : original.nodes)
    for (const Node* earlier : node->dependencies) connect(*copies.at(earlier), *copies.at(node.get()));
  return clone;
}

CUgraphNodeType nodeType(const Work& work) {
  struct Typer {
    CUgraphNodeType operator()(const EmptyWork&) const { return CU_GRAPH_NODE_TYPE_EMPTY; }
    CUgraphNodeType operator()(const KernelWork&) const { return CU_GRAPH_NODE_TYPE_KERNEL; }
    CUgraphNodeType operator()(const CopyWork&) const { return CU_GRAPH_NODE_TYPE_MEMCPY; }
    CUgraphNodeType operator()(const FillWork&) const { return CU_GRAPH_NODE_TYPE_MEMSET; }
    CUgraphNodeType operator()(const HostWork&) const { return CU_GRAPH_NODE_TYPE_HOST; }
    CUgraphNodeType operator()(const RecordWork&) const { return CU_GRAPH_NODE_TYPE_EVENT_RECORD; }
    CUgraphNodeType operator()(const WaitWork&) const { return CU_GRAPH_NODE_TYPE_WAIT_EVENT; }
    CUgraphNodeType operator()(const AllocateWork&) const { return CU_GRAPH_NODE_TYPE_MEM_ALLOC; }
    CUgraphNodeType operator()(const FreeWork&) const { return CU_GRAPH_NODE_TYPE_MEM_FREE; }
    CUgraphNodeType operator()(const ChildWork&) const { return CU_GRAPH_NODE_TYPE_GRAPH; }
    CUgraphNodeType operator()(const WaitValueWork&) const { return CU_GRAPH_NODE_TYPE_BATCH_MEM_OP; }
    CUgraphNodeType operator()(const WriteValueWork&) const { return CU_GRAPH_NODE_TYPE_BATCH_MEM_OP; }
  };
  return std::visit(Typer{}, work);
}

namespace {

// The nodes of a graph such that each follows those it depends on, otherwise in the order of their creation.
std::vector<const Node*> topologicalOrder(const Graph& graph) {
  std::unordered_map<const Node*, std::size_t> missing;
  std::vector<const Node*> order;
  for (const auto& node : graph.nodes) {
    missing[node.get()] = node->dependencies.size();
    if (node->dependencies.empty()) order.push_back(node.get());
  }
  for (std::size_t i = 0; i < order.size(); ++i)
    for (const Node* later : order[i]->dependents)
      if (--missing[later] == 0) order.push_back(later);
  requireValue(order.size() == graph.nodes.size(), "the graph has a cycle");
  return order;
}

// Appends the graph's steps; `roots` is what its root nodes come after. Returns the steps that nothing follows.
std::vector<std::size_t> append(std::vector<GraphExec::Step>& steps, const Graph& graph, const std::vector<std::size_t>& roots,
                                bool inner) {
  std::unordered_map<const Node*, std::size_t> index;
  std::vector<std::size_t> ends;
  for (const Node* node : topologicalOrder(graph)) {
    std::vector<std::size_t> after;
    for (const Node* earlier : node->dependencies) after.push_back(index.at(earlier));
    if (after.empty()) after = roots;
    Work work = node->work;
    if (const auto* child = std::get_if<ChildWork>(&node->work)) {
      // The child graph runs between its dependencies and one empty step that stands for its end.
      auto last = append(steps, *child->graph, after, true);
      if (!last.empty()) after = std::move(last);
      work = EmptyWork{};
    }
    index[node] = steps.size();
    if (node->dependents.empty()) ends.push_back(steps.size());
    steps.push_back({inner ? nullptr : node->handle, std::move(work), std::move(after), true, nullptr});
  }
  return ends;
}

}  // namespace

std::vector<GraphExec::Step> flatten(const Graph& graph) {
  std::vector<GraphExec::Step> steps;
  append(steps, graph, {}, false);
  return steps;
}

void layChains(GraphExec& exec) {
  std::vector<bool> continued(exec.steps.size());
  for (GraphExec::Step& step : exec.steps) {
    const auto earlier = std::ranges::find_if(step.after, [&](std::size_t i) { return !continued[i]; });
    if (earlier == step.after.end()) {
      step.chain = std::make_shared<Chain>("in a graph", exec.id);
    } else {
      continued[*earlier] = true;
      step.chain = exec.steps[*earlier].chain;
    }
  }
}

GraphExec::Step& executableStep(GraphExec& exec, CUgraphNode node) {
  for (GraphExec::Step& step : exec.steps)
    if (node && step.node == node) return step;
  fail(CUDA_ERROR_INVALID_VALUE, "the executable graph was not made from a graph with this node");
}

void replaceWork(Work& current, Work replacement) {
  requireValue(current.index() == replacement.index(), "the parameters are for another type of node");
  current = std::move(replacement);
}

Mismatch compare(const std::vector<GraphExec::Step>& current, const std::vector<GraphExec::Step>& update) {
  if (current.size() != update.size()) return {CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED};
  for (std::size_t i = 0; i < current.size(); ++i) {
    const auto &old = current[i], &fresh = update[i];
    if (old.work.index() != fresh.work.index()) return {CU_GRAPH_EXEC_UPDATE_ERROR_NODE_TYPE_CHANGED, fresh.node};
    if (old.after != fresh.after) return {CU_GRAPH_EXEC_UPDATE_ERROR_TOPOLOGY_CHANGED, fresh.node};
    if (std::holds_alternative<AllocateWork>(old.work) || std::holds_alternative<FreeWork>(old.work))
      return {CU_GRAPH_EXEC_UPDATE_ERROR_NOT_SUPPORTED, fresh.node};
  }
  return {};
}

// Children are flattened in front of the step that stands for their end.
void replaceChild(GraphExec& exec, CUgraphNode node, const Graph& old, const Graph& fresh) {
  const auto end = std::size_t(&executableStep(exec, node) - exec.steps.data());
  const std::vector<GraphExec::Step> current = flatten(old);
  std::vector<GraphExec::Step> update = flatten(fresh);
  requireValue(compare(current, update).result == CU_GRAPH_EXEC_UPDATE_SUCCESS, "the child graph has other nodes or edges");
  for (std::size_t i = 0; i < update.size(); ++i) exec.steps[end - update.size() + i].work = std::move(update[i].work);
}

namespace {

// `end`: of the launch that the step belongs to.
OperationPtr addStep(Call& call, Context& context, const GraphExec::Step& step, std::vector<OperationPtr> after, Clock before, const Moment& end) {
  if (const auto* wait = std::get_if<WaitWork>(&step.work); wait && wait->event->recorded) {
    before.join(wait->event->recorded->clock);
    after.push_back(wait->event->recorded);
  }
  const When when{nextMoment(step.chain), end};
  before.add(when.own);
  const bool ordersOnly = !step.enabled;
  OperationPtr operation = call.driver.add(context, ordersOnly ? Work(EmptyWork{}) : step.work, std::move(after), when, std::move(before));
  if (const auto* record = std::get_if<RecordWork>(&step.work); record && step.enabled) {
    record->event->recorded = operation;
    record->event->capture.reset();
  }
  return operation;
}

bool allocatesInside(const GraphExec& exec, std::uint64_t address) {
  return std::ranges::any_of(exec.steps, [&](const auto& step) {
    const auto* work = std::get_if<AllocateWork>(&step.work);
    return work && work->memory->address == address;
  });
}

bool freesInside(const GraphExec& exec, std::uint64_t address) {
  return std::ranges::any_of(exec.steps, [&](const auto& step) {
    const auto* work = std::get_if<FreeWork>(&step.work);
    return work && work->address == address;
  });
}

// Memory of an allocation node is given out when the graph is launched, and must have been freed since the last launch; what
// another graph has allocated must be there to be freed.
void checkMemory(const Driver& driver, const GraphExec& exec) {
  const bool autoFree = exec.flags & CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
  for (const auto& step : exec.steps) {
    if (const auto* allocate = std::get_if<AllocateWork>(&step.work))
      requireValue(autoFree || !driver.allocations.contains(allocate->memory->address), "memory of the previous launch was not freed");
    if (const auto* freed = std::get_if<FreeWork>(&step.work))
      requireValue(allocatesInside(exec, freed->address) || driver.allocations.contains(freed->address), "the memory that the graph frees is not allocated");
  }
}

// What stays allocated behind the launch is known to the calls that free.
void beginAllocations(Driver& driver, Context& context, const GraphExec& exec) {
  checkMemory(driver, exec);
  for (const auto& step : exec.steps) {
    if (const auto* freed = std::get_if<FreeWork>(&step.work)) driver.allocations.erase(freed->address);
    const auto* allocate = std::get_if<AllocateWork>(&step.work);
    if (!allocate || freesInside(exec, allocate->memory->address)) continue;
    Allocation allocation;
    allocation.bytes = allocate->memory->bytes;
    allocation.source = Allocation::Source::pool;
    allocation.owner = &context;
    allocation.graphMemory = allocate->memory;
    driver.registerAllocation(allocate->memory->address, std::move(allocation));
  }
}

}  // namespace

void launchGraph(Call& call, GraphExec& exec, Stream& stream) {
  require(exec.context == stream.context, CUDA_ERROR_INVALID_HANDLE, "the graph and the stream belong to different contexts");
  require(!stream.capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the emulator does not capture graph launches");
  Context& context = *stream.context;
  beginAllocations(call.driver, context, exec);
  std::vector<OperationPtr> before = call.driver.streamOrder(stream);
  Clock clock = call.driver.orderOf(stream);
  if (exec.last) {
    before.push_back(exec.last);
    clock.join(exec.last->clock);
  }
  const Moment end = nextMoment(stream.chain);
  std::vector<OperationPtr> operations;
  for (const auto& step : exec.steps) {
    std::vector<OperationPtr> after;
    Clock reached;
    for (const std::size_t earlier : step.after) {
      after.push_back(operations[earlier]);
      reached.join(operations[earlier]->clock);
    }
    step.chain->name = "in a graph " + stream.chain->name;
    const bool first = step.after.empty();
    operations.push_back(addStep(call, context, step, first ? before : std::move(after), first ? clock : std::move(reached), end));
  }
  // The stream goes on when all of the graph is done.
  stream.clock = {};
  for (const OperationPtr& operation : operations) stream.clock.join(operation->clock);
  stream.clock.leave(exec.id);
  stream.clock.join(clock);
  stream.clock.add(end);
  operations.insert(operations.end(), before.begin(), before.end());
  stream.last = exec.last = call.driver.add(context, EmptyWork{}, std::move(operations), {end, {}}, stream.clock);
  call.driver.settle(context, call.lock);
}

}  // namespace cnn::emu::driver
