// cuGraphAdd*Node and the parameters of nodes
#include "driver/graph_nodes.h"
#include "driver/kernel_launch.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

template <class MakeWork>
CUresult addNodeCall(const char* name, CUgraphNode* out, CUgraph graph, const CUgraphNode* dependencies, std::size_t count, MakeWork makeWork) {
  return call(name, [&](Call& c) {
    requirePointers(out);
    *out = addCheckedNode(c, graph, dependencies, count, [&](const std::shared_ptr<Graph>&) { return Work(makeWork(c)); });
  });
}

template <class Make, class Parameters>
CUresult setParams(const char* name, CUgraphNode handle, Make make, const Parameters* p) {
  return call(name, [&](Call& c) {
    const std::shared_ptr<Node> node = c.driver.nodes.get(handle);
    replaceWork(node->work, make(c, p));
  });
}

template <class Parameters>
CUresult setKernelParams(const char* name, CUgraphNode handle, const Parameters* p) {
  return call(name, [&](Call& c) {
    workOf<KernelWork>(c, handle);
    Work& work = c.driver.nodes.get(handle)->work;
    work = kernelNode(c, p, &work);
  });
}

// The pointers stay valid until the node is changed or destroyed.
void kernelParams(Call& c, CUgraphNode handle, CUDA_KERNEL_NODE_PARAMS_v1& out) {
  KernelWork& work = workOf<KernelWork>(c, handle);
  Node& node = *c.driver.nodes.get(handle);
  node.arguments.clear();
  for (const Parameter& parameter : work.function->function->parameters) node.arguments.push_back(work.parameters.data() + parameter.offset);
  out = {work.function->handle, work.grid.x,  work.grid.y,  work.grid.z,        work.block.x,
         work.block.y,          work.block.z, work.dynamicShared, node.arguments.data(), nullptr};
}

void describe(const Place& place, CUmemorytype& type, const void*& host, CUdeviceptr& device, std::size_t& pitch, std::size_t& rows) {
  type = place.device ? CU_MEMORYTYPE_DEVICE : CU_MEMORYTYPE_HOST;
  if (place.device) device = place.address;
  else host = reinterpret_cast<const void*>(place.address);
  pitch = place.pitch;
  rows = place.pitch ? place.slice / place.pitch : 0;
}

}  // namespace

CNN_EXPORT CUresult cuGraphAddKernelNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  return addNodeCall("cuGraphAddKernelNode", node, graph, deps, count, [&](Call& c) { return kernelNode(c, p); });
}
CNN_EXPORT CUresult cuGraphAddKernelNode_v2(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, const CUDA_KERNEL_NODE_PARAMS_v2* p) {
  return addNodeCall("cuGraphAddKernelNode_v2", node, graph, deps, count, [&](Call& c) { return kernelNode(c, p); });
}
CNN_EXPORT CUresult cuGraphAddMemcpyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, const CUDA_MEMCPY3D* p, CUcontext) {
  return addNodeCall("cuGraphAddMemcpyNode", node, graph, deps, count, [&](Call& c) { return copyNode(c, p); });
}
CNN_EXPORT CUresult cuGraphAddMemsetNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, const CUDA_MEMSET_NODE_PARAMS* p, CUcontext) {
  return addNodeCall("cuGraphAddMemsetNode", node, graph, deps, count, [&](Call& c) { return fillNode(c, p); });
}
CNN_EXPORT CUresult cuGraphAddHostNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, const CUDA_HOST_NODE_PARAMS* p) {
  return addNodeCall("cuGraphAddHostNode", node, graph, deps, count, [&](Call& c) { return hostNode(c, p); });
}
CNN_EXPORT CUresult cuGraphAddEmptyNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count) {
  return addNodeCall("cuGraphAddEmptyNode", node, graph, deps, count, [](Call&) { return EmptyWork{}; });
}
CNN_EXPORT CUresult cuGraphAddEventRecordNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, CUevent event) {
  return addNodeCall("cuGraphAddEventRecordNode", node, graph, deps, count, [&](Call& c) { return RecordWork{c.event(event)}; });
}
CNN_EXPORT CUresult cuGraphAddEventWaitNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, CUevent event) {
  return addNodeCall("cuGraphAddEventWaitNode", node, graph, deps, count, [&](Call& c) { return WaitWork{c.event(event)}; });
}
CNN_EXPORT CUresult cuGraphAddChildGraphNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* deps, std::size_t count, CUgraph child) {
  return addNodeCall("cuGraphAddChildGraphNode", node, graph, deps, count, [&](Call& c) { return childNode(c, child); });
}

CNN_EXPORT CUresult cuGraphChildGraphNodeGetGraph(CUgraphNode node, CUgraph* graph) {
  return call("cuGraphChildGraphNodeGetGraph", [&](Call& c) {
    requirePointers(graph);
    *graph = workOf<ChildWork>(c, node).graph->handle;
  });
}

CNN_EXPORT CUresult cuGraphKernelNodeGetParams(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1* p) {
  return call("cuGraphKernelNodeGetParams", [&](Call& c) {
    requirePointers(p);
    kernelParams(c, node, *p);
  });
}

CNN_EXPORT CUresult cuGraphKernelNodeGetParams_v2(CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v2* p) {
  return call("cuGraphKernelNodeGetParams_v2", [&](Call& c) {
    requirePointers(p);
    kernelParams(c, node, *p);
    p->kern = nullptr;
    const Context* home = workOf<KernelWork>(c, node).function->module->context;
    p->ctx = home ? home->handle : nullptr;
  });
}

CNN_EXPORT CUresult cuGraphKernelNodeSetParams(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  return setKernelParams("cuGraphKernelNodeSetParams", node, p);
}
CNN_EXPORT CUresult cuGraphKernelNodeSetParams_v2(CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2* p) {
  return setKernelParams("cuGraphKernelNodeSetParams_v2", node, p);
}

CNN_EXPORT CUresult cuGraphKernelNodeGetAttribute(CUgraphNode node, CUlaunchAttributeID attribute, CUlaunchAttributeValue* value) {
  return call("cuGraphKernelNodeGetAttribute", [&](Call& c) {
    requirePointers(value);
    const KernelWork& work = workOf<KernelWork>(c, node);
    *value = {};
    if (attribute == CU_LAUNCH_ATTRIBUTE_COOPERATIVE) value->cooperative = work.cooperative;
    else if (attribute == CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION) value->clusterDim = {work.cluster.x, work.cluster.y, work.cluster.z};
    else fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator keeps no launch attribute " + std::to_string(attribute) + " of a node");
  });
}

CNN_EXPORT CUresult cuGraphKernelNodeSetAttribute(CUgraphNode node, CUlaunchAttributeID attribute, const CUlaunchAttributeValue* value) {
  return call("cuGraphKernelNodeSetAttribute", [&](Call& c) {
    requirePointers(value);
    KernelWork& work = workOf<KernelWork>(c, node);
    LaunchShape shape = launchShape(work);
    applyAttribute(shape, attribute, *value);
    reshape(c, work, shape);
  });
}

CNN_EXPORT CUresult cuGraphKernelNodeCopyAttributes(CUgraphNode destination, CUgraphNode source) {
  return call("cuGraphKernelNodeCopyAttributes", [&](Call& c) {
    KernelWork& work = workOf<KernelWork>(c, destination);
    const LaunchShape given = launchShape(workOf<KernelWork>(c, source));
    LaunchShape shape = launchShape(work);
    shape.cluster = given.cluster;
    shape.clusterGiven = given.clusterGiven;
    shape.cooperative = given.cooperative;
    reshape(c, work, shape);
  });
}
CNN_EXPORT CUresult cuGraphMemcpyNodeSetParams(CUgraphNode node, const CUDA_MEMCPY3D* p) {
  return setParams("cuGraphMemcpyNodeSetParams", node, copyNode, p);
}
CNN_EXPORT CUresult cuGraphMemsetNodeSetParams(CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* p) {
  return setParams("cuGraphMemsetNodeSetParams", node, fillNode, p);
}
CNN_EXPORT CUresult cuGraphHostNodeSetParams(CUgraphNode node, const CUDA_HOST_NODE_PARAMS* p) {
  return setParams("cuGraphHostNodeSetParams", node, hostNode, p);
}

CNN_EXPORT CUresult cuGraphMemcpyNodeGetParams(CUgraphNode node, CUDA_MEMCPY3D* p) {
  return call("cuGraphMemcpyNodeGetParams", [&](Call& c) {
    requirePointers(p);
    const CopyWork& work = workOf<CopyWork>(c, node);
    *p = {};
    const void* to = nullptr;
    describe(work.source, p->srcMemoryType, p->srcHost, p->srcDevice, p->srcPitch, p->srcHeight);
    describe(work.destination, p->dstMemoryType, to, p->dstDevice, p->dstPitch, p->dstHeight);
    p->dstHost = const_cast<void*>(to);
    p->WidthInBytes = work.width;
    p->Height = work.height;
    p->Depth = work.depth;
  });
}

CNN_EXPORT CUresult cuGraphMemsetNodeGetParams(CUgraphNode node, CUDA_MEMSET_NODE_PARAMS* p) {
  return call("cuGraphMemsetNodeGetParams", [&](Call& c) {
    requirePointers(p);
    const FillWork& work = workOf<FillWork>(c, node);
    *p = {work.address, work.pitch, work.value, work.elementSize, work.width, work.height};
  });
}

CNN_EXPORT CUresult cuGraphHostNodeGetParams(CUgraphNode node, CUDA_HOST_NODE_PARAMS* p) {
  return call("cuGraphHostNodeGetParams", [&](Call& c) {
    requirePointers(p);
    const HostWork& work = workOf<HostWork>(c, node);
    *p = {work.function, work.data};
  });
}

template <class Wanted>
static CUresult setEvent(const char* name, CUgraphNode node, CUevent event) {
  return call(name, [&](Call& c) { workOf<Wanted>(c, node).event = c.event(event); });
}
CNN_EXPORT CUresult cuGraphEventRecordNodeSetEvent(CUgraphNode node, CUevent event) {
  return setEvent<RecordWork>("cuGraphEventRecordNodeSetEvent", node, event);
}
CNN_EXPORT CUresult cuGraphEventWaitNodeSetEvent(CUgraphNode node, CUevent event) {
  return setEvent<WaitWork>("cuGraphEventWaitNodeSetEvent", node, event);
}

CNN_EXPORT CUresult cuGraphEventRecordNodeGetEvent(CUgraphNode node, CUevent* event) {
  return call("cuGraphEventRecordNodeGetEvent", [&](Call& c) {
    requirePointers(event);
    *event = workOf<RecordWork>(c, node).event->handle;
  });
}

CNN_EXPORT CUresult cuGraphEventWaitNodeGetEvent(CUgraphNode node, CUevent* event) {
  return call("cuGraphEventWaitNodeGetEvent", [&](Call& c) {
    requirePointers(event);
    *event = workOf<WaitWork>(c, node).event->handle;
  });
}

// Parameters of a node of an executable graph: the next launches use them, launches in flight do not.
namespace {

template <class Make, class Parameters>
CUresult setExecParams(const char* name, CUgraphExec exec, CUgraphNode node, Make make, const Parameters* p) {
  return call(name, [&](Call& c) {
    const std::shared_ptr<GraphExec> executable = c.driver.graphExecs.get(exec);
    replaceWork(executableStep(*executable, node).work, make(c, p));
  });
}

template <class Parameters>
CUresult setExecKernelParams(const char* name, CUgraphExec exec, CUgraphNode node, const Parameters* p) {
  return call(name, [&](Call& c) {
    const std::shared_ptr<GraphExec> executable = c.driver.graphExecs.get(exec);
    Work& work = executableStep(*executable, node).work;
    replaceWork(work, kernelNode(c, p, &work));
  });
}

}  // namespace

CNN_EXPORT CUresult cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1* p) {
  return setExecKernelParams("cuGraphExecKernelNodeSetParams", exec, node, p);
}
CNN_EXPORT CUresult cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v2* p) {
  return setExecKernelParams("cuGraphExecKernelNodeSetParams_v2", exec, node, p);
}
CNN_EXPORT CUresult cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* p, CUcontext) {
  return setExecParams("cuGraphExecMemcpyNodeSetParams", exec, node, copyNode, p);
}
CNN_EXPORT CUresult cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* p, CUcontext) {
  return setExecParams("cuGraphExecMemsetNodeSetParams", exec, node, fillNode, p);
}
CNN_EXPORT CUresult cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_HOST_NODE_PARAMS* p) {
  return setExecParams("cuGraphExecHostNodeSetParams", exec, node, hostNode, p);
}
CNN_EXPORT CUresult cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return setExecParams("cuGraphExecEventRecordNodeSetEvent", exec, node, [](Call& c, const CUevent* e) { return RecordWork{c.event(*e)}; }, &event);
}
CNN_EXPORT CUresult cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
  return setExecParams("cuGraphExecEventWaitNodeSetEvent", exec, node, [](Call& c, const CUevent* e) { return WaitWork{c.event(*e)}; }, &event);
}
CNN_EXPORT CUresult cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraph child) {
  return call("cuGraphExecChildGraphNodeSetParams", [&](Call& c) {
    const std::shared_ptr<GraphExec> executable = c.driver.graphExecs.get(exec);
    replaceChild(*executable, node, *workOf<ChildWork>(c, node).graph, *c.driver.graphs.get(child));
  });
}
