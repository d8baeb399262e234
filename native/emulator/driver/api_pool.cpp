// cuMemPool*, cuMemAllocAsync, cuMemFreeAsync, cuDeviceGet*MemPool
#include "driver/admission.h"
#include "driver/capture.h"
#include "driver/graph_nodes.h"
#include "driver/pool.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

// In a capture the memory belongs to the graph, and its address is fixed now.
CUdeviceptr captureAllocation(Call& c, Stream& stream, std::size_t bytes) {
  AllocateWork work = allocationNode(c, stream.capture->graph, bytes);
  const CUdeviceptr address = work.memory->address;
  submit(c, stream, std::move(work));
  return address;
}

CUdeviceptr allocateInOrder(Call& c, Stream& stream, const std::shared_ptr<Pool>& pool, std::size_t bytes) {
  requireValue(bytes > 0, "0 bytes asked for");
  if (stream.capture) return captureAllocation(c, stream, bytes);
  const CUdeviceptr address = takeFromPool(c.driver, *pool, bytes, stream, c.lock);
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.source = Allocation::Source::pool;
  allocation.owner = stream.context;
  allocation.pool = pool;
  c.driver.registerAllocation(address, std::move(allocation));
  // On the legacy stream it stands between the other streams as any work does.
  if (stream.isLegacy()) submit(c, stream, EmptyWork{});
  else c.driver.extend(stream);
  const When when{stream.end(), {}};
  c.driver.orderedMemory.allocate(address, bytes, {"its allocation " + stream.chain->name, when, stream.clock});
  return address;
}

void getAttribute(const Pool& pool, CUmemPool_attribute which, void* value) {
  switch (which) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES: case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES: *static_cast<int*>(value) = pool.reuse[which - 1]; return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD: *static_cast<cuuint64_t*>(value) = pool.releaseThreshold; return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT: *static_cast<cuuint64_t*>(value) = pool.reserved; return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH: *static_cast<cuuint64_t*>(value) = pool.reservedHigh; return;
    case CU_MEMPOOL_ATTR_USED_MEM_CURRENT: *static_cast<cuuint64_t*>(value) = pool.used; return;
    case CU_MEMPOOL_ATTR_USED_MEM_HIGH: *static_cast<cuuint64_t*>(value) = pool.usedHigh; return;
  }
  fail(CUDA_ERROR_INVALID_VALUE, "no such pool attribute");
}

void setAttribute(Pool& pool, CUmemPool_attribute which, const void* value) {
  switch (which) {
    case CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES: case CU_MEMPOOL_ATTR_REUSE_ALLOW_OPPORTUNISTIC:
    case CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES: pool.reuse[which - 1] = *static_cast<const int*>(value) != 0; return;
    case CU_MEMPOOL_ATTR_RELEASE_THRESHOLD: pool.releaseThreshold = *static_cast<const cuuint64_t*>(value); return;
    case CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH: case CU_MEMPOOL_ATTR_USED_MEM_HIGH:
      requireValue(*static_cast<const cuuint64_t*>(value) == 0, "a high-water mark can only be set to 0");
      (which == CU_MEMPOOL_ATTR_USED_MEM_HIGH ? pool.usedHigh : pool.reservedHigh)
          = which == CU_MEMPOOL_ATTR_USED_MEM_HIGH ? pool.used : pool.reserved;
      return;
    default: fail(CUDA_ERROR_INVALID_VALUE, "the attribute cannot be set");
  }
}

}  // namespace

CNN_EXPORT CUresult cuMemAllocAsync(CUdeviceptr* address, std::size_t bytes, CUstream handle) {
  return call("cuMemAllocAsync", [&](Call& c) {
    requirePointers(address);
    const auto stream = c.stream(handle);
    *address = allocateInOrder(c, *stream, std::shared_ptr<Pool>(c.driver.currentPool), bytes);
  });
}

CNN_EXPORT CUresult cuMemAllocFromPoolAsync(CUdeviceptr* address, std::size_t bytes, CUmemoryPool handle, CUstream streamHandle) {
  return call("cuMemAllocFromPoolAsync", [&](Call& c) {
    requirePointers(address);
    const std::shared_ptr<Pool> pool = c.driver.pools.get(handle);
    const auto stream = c.stream(streamHandle);
    *address = allocateInOrder(c, *stream, pool, bytes);
  });
}

CNN_EXPORT CUresult cuMemFreeAsync(CUdeviceptr address, CUstream handle) {
  return call("cuMemFreeAsync", [&](Call& c) {
    const auto stream = c.stream(handle);
    if (address == 0) return;
    if (stream->capture) {
      submit(c, *stream, freeNode(c, stream->capture->graph, address));
      return;
    }
    const auto found = c.driver.allocations.find(address);
    if (found == c.driver.allocations.end() || found->second.freeing || found->second.source > Allocation::Source::pool)
      fail(CUDA_ERROR_INVALID_VALUE, "not the address of live device memory: " + c.driver.memory.describe(address));
    if (const auto memory = found->second.graphMemory) {
      // From here on the graph may be launched again.
      c.driver.allocations.erase(found);
      submit(c, *stream, FreeWork{address, memory});
      return;
    }
    freeInOrder(c.driver, *stream->context, address, "its free " + stream->chain->name, c.driver.orderOf(*stream));
    found->second.freeing = true;
    submit(c, *stream, FreeWork{address, nullptr});
  });
}

CNN_EXPORT CUresult cuMemPoolCreate(CUmemoryPool* handle, const CUmemPoolProps* properties) {
  return call("cuMemPoolCreate", [&](Call& c) {
    requirePointers(handle, properties);
    checkPoolProperties(c, *properties);
    auto pool = std::make_shared<Pool>();
    pool->maxSize = properties->maxSize;
    *handle = c.driver.pools.add(std::move(pool));
  });
}

// Memory that is still out goes back to the device when it is freed.
CNN_EXPORT CUresult cuMemPoolDestroy(CUmemoryPool handle) {
  return call("cuMemPoolDestroy", [&](Call& c) {
    const std::shared_ptr<Pool> pool = c.driver.pools.get(handle);
    require(!pool->isDefault, CUDA_ERROR_NOT_PERMITTED, "the default pool cannot be destroyed");
    if (c.driver.currentPool == pool) c.driver.currentPool = c.driver.defaultPool;
    c.driver.pools.remove(handle);
  });
}

CNN_EXPORT CUresult cuMemPoolTrimTo(CUmemoryPool handle, std::size_t keep) {
  return call("cuMemPoolTrimTo", [&](Call& c) { trimPool(*c.driver.pools.get(handle), keep); });
}

CNN_EXPORT CUresult cuMemPoolGetAttribute(CUmemoryPool handle, CUmemPool_attribute which, void* value) {
  return call("cuMemPoolGetAttribute", [&](Call& c) {
    requirePointers(value);
    getAttribute(*c.driver.pools.get(handle), which, value);
  });
}

CNN_EXPORT CUresult cuMemPoolSetAttribute(CUmemoryPool handle, CUmemPool_attribute which, void* value) {
  return call("cuMemPoolSetAttribute", [&](Call& c) {
    requirePointers(value);
    setAttribute(*c.driver.pools.get(handle), which, value);
  });
}

CNN_EXPORT CUresult cuMemPoolSetAccess(CUmemoryPool handle, const CUmemAccessDesc* descriptions, std::size_t count) {
  return call("cuMemPoolSetAccess", [&](Call& c) {
    requirePointers(descriptions);
    c.driver.pools.get(handle);
    for (std::size_t i = 0; i < count; ++i) checkAccess(c, descriptions[i]);
  });
}

CNN_EXPORT CUresult cuMemPoolGetAccess(CUmemAccess_flags* flags, CUmemoryPool handle, CUmemLocation* location) {
  return call("cuMemPoolGetAccess", [&](Call& c) {
    requirePointers(flags, location);
    c.driver.pools.get(handle);
    requireValue(location->type == CU_MEM_LOCATION_TYPE_DEVICE, "access is given to devices");
    c.requireDevice(location->id);
    *flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  });
}

CNN_EXPORT CUresult cuDeviceGetDefaultMemPool(CUmemoryPool* pool, CUdevice device) {
  return call("cuDeviceGetDefaultMemPool", [&](Call& c) {
    requirePointers(pool);
    c.requireDevice(device);
    *pool = c.driver.defaultPool->handle;
  });
}

CNN_EXPORT CUresult cuDeviceGetMemPool(CUmemoryPool* pool, CUdevice device) {
  return call("cuDeviceGetMemPool", [&](Call& c) {
    requirePointers(pool);
    c.requireDevice(device);
    *pool = c.driver.currentPool->handle;
  });
}

CNN_EXPORT CUresult cuDeviceSetMemPool(CUdevice device, CUmemoryPool pool) {
  return call("cuDeviceSetMemPool", [&](Call& c) {
    c.requireDevice(device);
    c.driver.currentPool = c.driver.pools.get(pool);
  });
}
