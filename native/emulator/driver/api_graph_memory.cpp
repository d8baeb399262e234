// cuGraphAddMemAllocNode, cuGraphAddMemFreeNode, and the memory that graphs hold
#include "driver/graph_nodes.h"
#include "driver/pool.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

CNN_EXPORT CUresult cuGraphAddMemAllocNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, std::size_t count,
                                           CUDA_MEM_ALLOC_NODE_PARAMS* p) {
  return call("cuGraphAddMemAllocNode", [&](Call& c) {
    requirePointers(node);
    *node = addCheckedNode(c, graph, dependencies, count, [&](const std::shared_ptr<Graph>& owner) { return Work(allocationNode(c, owner, p)); });
  });
}

CNN_EXPORT CUresult cuGraphAddMemFreeNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, std::size_t count, CUdeviceptr address) {
  return call("cuGraphAddMemFreeNode", [&](Call& c) {
    requirePointers(node);
    *node = addCheckedNode(c, graph, dependencies, count, [&](const std::shared_ptr<Graph>& owner) { return Work(freeNode(c, owner, address)); });
  });
}

CNN_EXPORT CUresult cuGraphMemAllocNodeGetParams(CUgraphNode node, CUDA_MEM_ALLOC_NODE_PARAMS* p) {
  return call("cuGraphMemAllocNodeGetParams", [&](Call& c) {
    requirePointers(p);
    const GraphAllocation& memory = *workOf<AllocateWork>(c, node).memory;
    *p = {};
    p->poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    p->poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    p->bytesize = memory.bytes;
    p->dptr = memory.address;
  });
}

CNN_EXPORT CUresult cuGraphMemFreeNodeGetParams(CUgraphNode node, CUdeviceptr* address) {
  return call("cuGraphMemFreeNodeGetParams", [&](Call& c) {
    requirePointers(address);
    *address = workOf<FreeWork>(c, node).address;
  });
}

CNN_EXPORT CUresult cuDeviceGraphMemTrim(CUdevice device) {
  return call("cuDeviceGraphMemTrim", [&](Call& c) {
    c.requireDevice(device);
    trimPool(*c.driver.graphPool, 0);
  });
}

CNN_EXPORT CUresult cuDeviceGetGraphMemAttribute(CUdevice device, CUgraphMem_attribute which, void* value) {
  return call("cuDeviceGetGraphMemAttribute", [&](Call& c) {
    c.requireDevice(device);
    requirePointers(value);
    const Pool& pool = *c.driver.graphPool;
    auto& bytes = *static_cast<cuuint64_t*>(value);
    switch (which) {
      case CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT: bytes = pool.used; return;
      case CU_GRAPH_MEM_ATTR_USED_MEM_HIGH: bytes = pool.usedHigh; return;
      case CU_GRAPH_MEM_ATTR_RESERVED_MEM_CURRENT: bytes = pool.reserved; return;
      case CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH: bytes = pool.reservedHigh; return;
    }
    fail(CUDA_ERROR_INVALID_VALUE, "no such attribute of the memory of graphs");
  });
}

CNN_EXPORT CUresult cuDeviceSetGraphMemAttribute(CUdevice device, CUgraphMem_attribute which, void* value) {
  return call("cuDeviceSetGraphMemAttribute", [&](Call& c) {
    c.requireDevice(device);
    requirePointers(value);
    Pool& pool = *c.driver.graphPool;
    const bool used = which == CU_GRAPH_MEM_ATTR_USED_MEM_HIGH;
    requireValue(used || which == CU_GRAPH_MEM_ATTR_RESERVED_MEM_HIGH, "the attribute cannot be set");
    requireValue(*static_cast<const cuuint64_t*>(value) == 0, "a high-water mark can only be set to 0");
    (used ? pool.usedHigh : pool.reservedHigh) = used ? pool.used : pool.reserved;
  });
}
