// cuMemAlloc*, cuMemFree, cuMemHost*, cuMemGetInfo, cuPointerGetAttribute
#include "driver/admission.h"
#include "driver/call.h"
#include "driver/pool.h"

#include <algorithm>
#include <cstdlib>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

constexpr std::size_t hostAlignment = 4096;
constexpr unsigned hostAllocFlags = CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;

CUdeviceptr allocateDevice(Call& c, std::size_t bytes, const char* label) {
  Context& context = c.contextForUnsafeCall();
  requireValue(bytes > 0, "0 bytes asked for");
  const CUdeviceptr address = c.driver.allocate(bytes, label, c.lock);
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.owner = &context;
  c.driver.registerAllocation(address, std::move(allocation));
  c.driver.orderedMemory.allocate(address, bytes);
  return address;
}

void* allocateHost(Call& c, std::size_t bytes, unsigned flags) {
  Context& context = c.contextForUnsafeCall();
  requireValue(bytes > 0, "0 bytes asked for");
  requireValue((flags & ~hostAllocFlags) == 0, "no such flags of host memory");
  require(bytes <= SIZE_MAX - hostAlignment, CUDA_ERROR_OUT_OF_MEMORY, "the host has no such memory");
  void* host = std::aligned_alloc(hostAlignment, (bytes + hostAlignment - 1) / hostAlignment * hostAlignment);
  require(host != nullptr, CUDA_ERROR_OUT_OF_MEMORY, "the host is out of memory");
  c.driver.memory.mapHost(host, bytes, "pinned host memory");
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.source = Allocation::Source::host;
  allocation.flags = flags | CU_MEMHOSTALLOC_DEVICEMAP;
  allocation.owner = &context;
  c.driver.registerAllocation(reinterpret_cast<std::uint64_t>(host), std::move(allocation));
  return host;
}

// The allocation that begins at the address and came from one of the sources.
Allocation& beginning(Call& c, std::uint64_t address, std::initializer_list<Allocation::Source> sources, CUresult otherwise) {
  const auto found = c.driver.allocations.find(address);
  const bool fits = found != c.driver.allocations.end() && !found->second.freeing
                    && std::find(sources.begin(), sources.end(), found->second.source) != sources.end();
  if (!fits) fail(otherwise, "not the address of a live allocation of this sort: " + c.driver.memory.describe(address));
  return found->second;
}

// Freeing waits for all work, as the work may still use the memory.
void freeNow(Call& c, Context& context, std::uint64_t address) {
  c.driver.finishAll(context, c.lock);
  c.driver.release(address);
  c.requireHealthy(context);
}

}  // namespace

CNN_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
  return call("cuMemAlloc_v2", [&](Call& c) {
    requirePointers(address);
    *address = allocateDevice(c, bytes, "cuMemAlloc");
  });
}

CNN_EXPORT CUresult cuMemAllocPitch_v2(CUdeviceptr* address, std::size_t* pitch, std::size_t width, std::size_t height, unsigned elementBytes) {
  return call("cuMemAllocPitch_v2", [&](Call& c) {
    requirePointers(address, pitch);
    requireValue(width > 0 && height > 0 && (elementBytes == 4 || elementBytes == 8 || elementBytes == 16), "an empty or impossible extent");
    const std::size_t row = (width + 511) / 512 * 512;
    require(row >= width && height <= SIZE_MAX / row, CUDA_ERROR_OUT_OF_MEMORY, "the extent overflows");
    *address = allocateDevice(c, row * height, "cuMemAllocPitch");
    *pitch = row;
  });
}

CNN_EXPORT CUresult cuMemAllocManaged(CUdeviceptr* address, std::size_t, unsigned) {
  return call("cuMemAllocManaged", [&](Call& c) {
    requirePointers(address);
    c.context();
    fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator has no managed memory");
  });
}

CNN_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  return call("cuMemFree_v2", [&](Call& c) {
    Context& context = c.contextForUnsafeCall();
    if (address == 0) return;
    const Allocation& memory
        = beginning(c, address, {Allocation::Source::device, Allocation::Source::pool}, CUDA_ERROR_INVALID_VALUE);
    const bool waits = memory.source == Allocation::Source::device;
    // Before memory of a pool is freed the host must have waited for all that uses it.
    if (!waits) freeInOrder(c.driver, context, address, "cuMemFree", c.driver.hostClock());
    freeNow(c, context, address);
    if (waits) c.driver.hostLearnsAll(context);
  });
}

CNN_EXPORT CUresult cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  return call("cuMemGetInfo_v2", [&](Call& c) {
    requirePointers(free, total);
    c.context();
    *total = c.driver.memory.total();
    const std::size_t taken = c.driver.memory.used() + c.driver.reservedBytes();
    *free = *total - std::min(*total, taken);
  });
}

CNN_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr address) {
  return call("cuMemGetAddressRange_v2", [&](Call& c) {
    c.context();
    std::uint64_t begin;
    std::size_t size;
    require(c.driver.memory.find(address, begin, size), CUDA_ERROR_NOT_FOUND, "the address is not in live memory");
    if (base) *base = begin;
    if (bytes) *bytes = size;
  });
}

CNN_EXPORT CUresult cuMemHostAlloc(void** host, std::size_t bytes, unsigned flags) {
  return call("cuMemHostAlloc", [&](Call& c) {
    requirePointers(host);
    *host = allocateHost(c, bytes, flags);
  });
}

CNN_EXPORT CUresult cuMemAllocHost_v2(void** host, std::size_t bytes) {
  return call("cuMemAllocHost_v2", [&](Call& c) {
    requirePointers(host);
    *host = allocateHost(c, bytes, 0);
  });
}

CNN_EXPORT CUresult cuMemFreeHost(void* host) {
  return call("cuMemFreeHost", [&](Call& c) {
    Context& context = c.contextForUnsafeCall();
    const auto address = reinterpret_cast<std::uint64_t>(host);
    beginning(c, address, {Allocation::Source::host}, CUDA_ERROR_INVALID_VALUE);
    freeNow(c, context, address);
  });
}

CNN_EXPORT CUresult cuMemHostRegister_v2(void* host, std::size_t bytes, unsigned flags) {
  return call("cuMemHostRegister_v2", [&](Call& c) {
    Context& context = c.contextForUnsafeCall();
    requirePointers(host);
    requireValue(bytes > 0 && (flags & ~unsigned(CU_MEMHOSTREGISTER_ALL)) == 0, "no bytes, or no such flags");
    const auto address = reinterpret_cast<std::uint64_t>(host);
    requireValue(bytes <= UINT64_MAX - address, "the range overflows");
    const auto* last = c.driver.findAllocation(address + bytes - 1);
    require(!c.driver.findAllocation(address) && !last, CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "part of the range is registered");
    c.driver.memory.mapHost(host, bytes, "registered host memory");
    Allocation allocation;
    allocation.bytes = bytes;
    allocation.source = Allocation::Source::registered;
    allocation.flags = CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_PORTABLE;
    allocation.owner = &context;
    c.driver.registerAllocation(address, std::move(allocation));
  });
}

CNN_EXPORT CUresult cuMemHostUnregister(void* host) {
  return call("cuMemHostUnregister", [&](Call& c) {
    Context& context = c.contextForUnsafeCall();
    requirePointers(host);
    const auto address = reinterpret_cast<std::uint64_t>(host);
    beginning(c, address, {Allocation::Source::registered}, CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    freeNow(c, context, address);
  });
}

CNN_EXPORT CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* address, void* host, unsigned flags) {
  return call("cuMemHostGetDevicePointer_v2", [&](Call& c) {
    requirePointers(address, host);
    c.context();
    requireValue(flags == 0, "the flags must be 0");
    const auto* found = c.driver.findAllocation(reinterpret_cast<std::uint64_t>(host));
    requireValue(found && found->second.source >= Allocation::Source::host, "not pinned host memory");
    *address = reinterpret_cast<CUdeviceptr>(host);
  });
}

CNN_EXPORT CUresult cuMemHostGetFlags(unsigned* flags, void* host) {
  return call("cuMemHostGetFlags", [&](Call& c) {
    requirePointers(flags, host);
    c.context();
    *flags = beginning(c, reinterpret_cast<std::uint64_t>(host), {Allocation::Source::host}, CUDA_ERROR_INVALID_VALUE).flags;
  });
}

namespace {

bool pointerAttribute(Call& c, void* data, CUpointer_attribute which, CUdeviceptr address) {
  const auto* found = c.driver.findAllocation(address);
  std::uint64_t base = 0;
  std::size_t size = 0;
  if (!c.driver.memory.find(address, base, size)) return false;
  const bool host = found && found->second.source >= Allocation::Source::host;
  const CUcontext owner = found && found->second.owner ? found->second.owner->handle : nullptr;
  switch (which) {
    case CU_POINTER_ATTRIBUTE_CONTEXT: *static_cast<CUcontext*>(data) = owner; break;
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: *static_cast<unsigned*>(data) = host ? CU_MEMORYTYPE_HOST : CU_MEMORYTYPE_DEVICE; break;
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER: *static_cast<CUdeviceptr*>(data) = address; break;
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
      if (!host) return false;
      *static_cast<void**>(data) = reinterpret_cast<void*>(address);
      break;
    case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS: *static_cast<unsigned*>(data) = 0; break;
    case CU_POINTER_ATTRIBUTE_BUFFER_ID: *static_cast<unsigned long long*>(data) = found ? found->second.id : 0; break;
    case CU_POINTER_ATTRIBUTE_IS_MANAGED: *static_cast<unsigned char*>(data) = 0; break;
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *static_cast<int*>(data) = 0; break;
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR: *static_cast<CUdeviceptr*>(data) = base; break;
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE: *static_cast<std::size_t*>(data) = size; break;
    case CU_POINTER_ATTRIBUTE_MAPPED: *static_cast<unsigned char*>(data) = 1; break;
    case CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE:
      *static_cast<CUmemoryPool*>(data) = found && found->second.pool ? found->second.pool->handle : nullptr;
      break;
    default: fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator does not know this pointer attribute");
  }
  return true;
}

}  // namespace

CNN_EXPORT CUresult cuPointerGetAttribute(void* data, CUpointer_attribute which, CUdeviceptr address) {
  return call("cuPointerGetAttribute", [&](Call& c) {
    requirePointers(data);
    requireValue(pointerAttribute(c, data, which, address), "the driver does not know the pointer, or it has no such attribute");
  });
}

// Unknown pointers are no error here: their attributes come back as zeros.
CNN_EXPORT CUresult cuPointerGetAttributes(unsigned count, CUpointer_attribute* which, void** data, CUdeviceptr address) {
  return call("cuPointerGetAttributes", [&](Call& c) {
    requirePointers(which, data);
    for (unsigned i = 0; i < count; ++i) {
      requirePointers(data[i]);
      if (pointerAttribute(c, data[i], which[i], address)) continue;
      switch (which[i]) {
        case CU_POINTER_ATTRIBUTE_IS_MANAGED: case CU_POINTER_ATTRIBUTE_MAPPED: *static_cast<unsigned char*>(data[i]) = 0; break;
        case CU_POINTER_ATTRIBUTE_MEMORY_TYPE: case CU_POINTER_ATTRIBUTE_SYNC_MEMOPS: *static_cast<unsigned*>(data[i]) = 0; break;
        case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL: *static_cast<int*>(data[i]) = -2; break;
        default: *static_cast<std::uint64_t*>(data[i]) = 0;
      }
    }
  });
}
