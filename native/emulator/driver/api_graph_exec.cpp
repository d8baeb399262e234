// cuGraphInstantiate, cuGraphLaunch, cuGraphExec*
#include "driver/graph.h"

#include <algorithm>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

constexpr cuuint64_t knownFlags = CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH | CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD
                                  | CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;

bool touchesMemory(const GraphExec& exec) {
  return std::ranges::any_of(exec.steps, [](const GraphExec::Step& step) {
    return std::holds_alternative<AllocateWork>(step.work) || std::holds_alternative<FreeWork>(step.work);
  });
}

CUgraphExec instantiate(Call& c, CUgraph handle, cuuint64_t flags) {
  Context& context = c.context();
  const std::shared_ptr<Graph> graph = c.driver.graphs.get(handle);
  require((flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) == 0, CUDA_ERROR_NOT_SUPPORTED, "the emulator cannot launch graphs from kernels");
  requireValue((flags & ~knownFlags) == 0, "no such instantiation flags");
  auto exec = std::make_shared<GraphExec>();
  exec->context = &context;
  exec->flags = flags;
  exec->id = c.driver.nextId++;
  exec->steps = flatten(*graph);
  layChains(*exec);
  requireValue(graph->executable.expired() || !touchesMemory(*exec), "a graph that allocates or frees has one executable form at a time");
  graph->executable = exec;
  return c.driver.graphExecs.add(std::move(exec));
}

Mismatch update(Call& c, CUgraphExec handle, CUgraph graph) {
  const std::shared_ptr<GraphExec> exec = c.driver.graphExecs.get(handle);
  c.requireHealthy(*exec->context);
  std::vector<GraphExec::Step> fresh = flatten(*c.driver.graphs.get(graph));
  const Mismatch mismatch = compare(exec->steps, fresh);
  if (mismatch.result != CU_GRAPH_EXEC_UPDATE_SUCCESS) return mismatch;
  // Nodes keep the handles of the graph the executable was made from.
  for (std::size_t i = 0; i < fresh.size(); ++i) exec->steps[i].work = std::move(fresh[i].work);
  return mismatch;
}

CUresult status(const Mismatch& mismatch) {
  return mismatch.result == CU_GRAPH_EXEC_UPDATE_SUCCESS ? CUDA_SUCCESS : CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
}

bool canBeDisabled(const Work& work) {
  return std::holds_alternative<KernelWork>(work) || std::holds_alternative<CopyWork>(work) || std::holds_alternative<FillWork>(work);
}

}  // namespace

CNN_EXPORT CUresult cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
  return call("cuGraphInstantiateWithFlags", [&](Call& c) {
    requirePointers(exec);
    *exec = instantiate(c, graph, flags);
  });
}

CNN_EXPORT CUresult cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* errorNode, char* log, std::size_t logSize) {
  return call("cuGraphInstantiate_v2", [&](Call& c) {
    requirePointers(exec);
    if (errorNode) *errorNode = nullptr;
    if (log && logSize) *log = 0;
    *exec = instantiate(c, graph, 0);
  });
}

CNN_EXPORT CUresult cuGraphInstantiate(CUgraphExec* exec, CUgraph graph, CUgraphNode* errorNode, char* log, std::size_t logSize) {
  return cuGraphInstantiate_v2(exec, graph, errorNode, log, logSize);
}

CNN_EXPORT CUresult cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* parameters) {
  return call("cuGraphInstantiateWithParams", [&](Call& c) {
    requirePointers(exec, parameters);
    parameters->hErrNode_out = nullptr;
    parameters->result_out = CUDA_GRAPH_INSTANTIATE_ERROR;
    if (parameters->flags & CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD) c.stream(parameters->hUploadStream);
    *exec = instantiate(c, graph, parameters->flags);
    parameters->result_out = CUDA_GRAPH_INSTANTIATE_SUCCESS;
  });
}

CNN_EXPORT CUresult cuGraphExecDestroy(CUgraphExec exec) {
  return call("cuGraphExecDestroy", [&](Call& c) { c.driver.graphExecs.remove(exec); });
}

CNN_EXPORT CUresult cuGraphLaunch(CUgraphExec exec, CUstream handle) {
  return call("cuGraphLaunch", [&](Call& c) {
    const std::shared_ptr<GraphExec> executable = c.driver.graphExecs.get(exec);
    const auto stream = c.stream(handle);
    launchGraph(c, *executable, *stream);
  });
}

// Nothing has to be moved to the device before a launch.
CNN_EXPORT CUresult cuGraphUpload(CUgraphExec exec, CUstream stream) {
  return call("cuGraphUpload", [&](Call& c) {
    c.driver.graphExecs.get(exec);
    c.stream(stream);
  });
}

CNN_EXPORT CUresult cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* info) {
  return call("cuGraphExecUpdate_v2", [&](Call& c) {
    requirePointers(info);
    *info = {CU_GRAPH_EXEC_UPDATE_ERROR, nullptr, nullptr};
    const Mismatch mismatch = update(c, exec, graph);
    *info = {mismatch.result, mismatch.node, mismatch.from};
    return status(mismatch);
  });
}

CNN_EXPORT CUresult cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode* errorNode, CUgraphExecUpdateResult* result) {
  return call("cuGraphExecUpdate", [&](Call& c) {
    requirePointers(errorNode, result);
    *result = CU_GRAPH_EXEC_UPDATE_ERROR;
    const Mismatch mismatch = update(c, exec, graph);
    *errorNode = mismatch.node;
    *result = mismatch.result;
    return status(mismatch);
  });
}

CNN_EXPORT CUresult cuGraphExecGetFlags(CUgraphExec exec, cuuint64_t* flags) {
  return call("cuGraphExecGetFlags", [&](Call& c) {
    requirePointers(flags);
    *flags = c.driver.graphExecs.get(exec)->flags;
  });
}

CNN_EXPORT CUresult cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode node, unsigned enabled) {
  return call("cuGraphNodeSetEnabled", [&](Call& c) {
    GraphExec::Step& step = executableStep(*c.driver.graphExecs.get(exec), node);
    requireValue(canBeDisabled(step.work), "only kernels, copies and fills can be disabled");
    step.enabled = enabled != 0;
  });
}

CNN_EXPORT CUresult cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode node, unsigned* enabled) {
  return call("cuGraphNodeGetEnabled", [&](Call& c) {
    requirePointers(enabled);
    GraphExec::Step& step = executableStep(*c.driver.graphExecs.get(exec), node);
    requireValue(canBeDisabled(step.work), "only kernels, copies and fills can be disabled");
    *enabled = step.enabled;
  });
}
