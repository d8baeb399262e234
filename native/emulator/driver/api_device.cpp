// cuInit, cuDriverGetVersion, cuDevice*
#include "driver/call.h"

#include <cstring>
#include <stdexcept>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

// The CUDA version that the interface follows.
constexpr int cudaVersion = 13040;

int clampToInt(std::size_t value) { return value > 0x7fffffff ? 0x7fffffff : int(value); }

// By the numbers of CUdevice_attribute. Those the emulator has nothing to say about (textures, sharing between
// processes, graphics) are 0: not supported.
int attribute(const DeviceModel& m, int which) {
  const bool hopper = m.sm() >= 90;
  switch (which) {
    case 1: return m.threadsPerBlock;
    case 2: case 3: case 4: return int(m.maxBlock[which - 2]);
    case 5: case 6: case 7: return int(m.maxGrid[which - 5]);
    case 8: return clampToInt(m.sharedPerBlock);
    case 9: return clampToInt(m.constantMemory);
    case 10: return 32;                                   // WARP_SIZE
    case 11: return 0x7fffffff;                           // MAX_PITCH
    case 12: return m.registersPerBlock;
    case 13: return m.clockKilohertz;
    case 14: return 512;                                  // TEXTURE_ALIGNMENT
    case 15: return 1;                                    // GPU_OVERLAP
    case 16: return m.multiprocessors;
    case 19: return 1;                                    // CAN_MAP_HOST_MEMORY
    case 31: return 1;                                    // CONCURRENT_KERNELS
    case 36: return m.memoryClockKilohertz;
    case 37: return m.memoryBusBits;
    case 38: return clampToInt(m.l2Bytes);
    case 39: return m.threadsPerMultiprocessor;
    case 40: return 1;                                    // ASYNC_ENGINE_COUNT
    case 41: return 1;                                    // UNIFIED_ADDRESSING
    case 51: return 32;                                   // TEXTURE_PITCH_ALIGNMENT
    case 75: return m.major;
    case 76: return m.minor;
    case 78: return 1;                                    // STREAM_PRIORITIES_SUPPORTED
    case 79: case 80: return 1;                           // L1 caches
    case 81: return clampToInt(m.sharedPerMultiprocessor);
    case 82: return m.registersPerMultiprocessor;
    case 87: return 2;                                    // single to double speed
    case 90: return 1;                                    // COMPUTE_PREEMPTION_SUPPORTED
    case 91: return 1;                                    // CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM
    case 95: return 1;                                    // COOPERATIVE_LAUNCH
    case 97: return clampToInt(m.sharedPerBlockOptin);
    case 99: return 1;                                    // HOST_REGISTER_SUPPORTED
    case 106: return m.blocksPerMultiprocessor;
    case 111: return clampToInt(m.sharedReservedPerBlock);
    case 115: return 1;                                   // MEMORY_POOLS_SUPPORTED
    case 120: return m.maxClusterBlocks > 0;              // CLUSTER_LAUNCH
    case 122: return 1;                                   // CAN_USE_64_BIT_STREAM_MEM_OPS
    case 123: return 1;                                   // CAN_USE_STREAM_WAIT_VALUE_NOR
    case 126: return hopper ? 4 : 1;                      // MEM_SYNC_DOMAIN_COUNT
    case 127: return hopper;                              // TENSOR_MAP_ACCESS_SUPPORTED
    case 134: return -1;                                  // HOST_NUMA_ID
    default: return 0;
  }
}

constexpr int attributeCount = 148;
constexpr char uuidBytes[17] = "cnn-emulated-gpu";
constexpr char pciBusId[] = "0000:00:00.0";

CUresult copyText(const char* text, char* to, int capacity) {
  if (capacity <= 0) return CUDA_ERROR_INVALID_VALUE;
  std::strncpy(to, text, std::size_t(capacity));
  to[capacity - 1] = 0;
  return CUDA_SUCCESS;
}

}  // namespace

CNN_EXPORT CUresult cuInit(unsigned flags) {
  return guarded("cuInit", [&] {
    if (const CUresult injected = beginCall("cuInit")) fail(injected, "injected failure");
    requireValue(flags == 0, "the flags of cuInit must be 0");
    const bool first = Driver::instance() == nullptr;
    try {
      const Driver& driver = Driver::initialise();
      if (first && driver.settings.failure) failCall(driver.settings.failure->call, CUresult(driver.settings.failure->code));
    } catch (const std::invalid_argument& wrong) {
      fail(CUDA_ERROR_INVALID_VALUE, wrong.what());
    }
  });
}

CNN_EXPORT CUresult cuDriverGetVersion(int* version) {
  return guarded("cuDriverGetVersion", [&] {
    if (const CUresult injected = functionFailure("cuDriverGetVersion")) fail(injected, "injected failure");
    requirePointers(version);
    *version = cudaVersion;
  });
}

CNN_EXPORT CUresult cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", [&](Call&) {
    requirePointers(count);
    *count = 1;
  });
}

CNN_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return call("cuDeviceGet", [&](Call& c) {
    requirePointers(device);
    c.requireDevice(ordinal);
    *device = ordinal;
  });
}

CNN_EXPORT CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  return call("cuDeviceGetName", [&](Call& c) {
    requirePointers(name);
    c.requireDevice(device);
    return copyText(c.driver.model().name, name, length);
  });
}

CNN_EXPORT CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice device) {
  return call("cuDeviceGetUuid_v2", [&](Call& c) {
    requirePointers(uuid);
    c.requireDevice(device);
    std::memcpy(uuid->bytes, uuidBytes, sizeof uuid->bytes);
  });
}

CNN_EXPORT CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) { return cuDeviceGetUuid_v2(uuid, device); }

CNN_EXPORT CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
  return call("cuDeviceTotalMem_v2", [&](Call& c) {
    requirePointers(bytes);
    c.requireDevice(device);
    *bytes = c.driver.memory.total();
  });
}

CNN_EXPORT CUresult cuDeviceGetAttribute(int* value, int which, CUdevice device) {
  return call("cuDeviceGetAttribute", [&](Call& c) {
    requirePointers(value);
    c.requireDevice(device);
    requireValue(which > 0 && which < attributeCount, "no such device attribute");
    *value = attribute(c.driver.model(), which);
  });
}

CNN_EXPORT CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  return call("cuDeviceComputeCapability", [&](Call& c) {
    requirePointers(major, minor);
    c.requireDevice(device);
    *major = c.driver.model().major;
    *minor = c.driver.model().minor;
  });
}

CNN_EXPORT CUresult cuDeviceGetProperties(CUdevprop* properties, CUdevice device) {
  return call("cuDeviceGetProperties", [&](Call& c) {
    requirePointers(properties);
    c.requireDevice(device);
    const DeviceModel& m = c.driver.model();
    *properties = {m.threadsPerBlock, {}, {}, attribute(m, 8), attribute(m, 9), 32, attribute(m, 11), m.registersPerBlock,
                   m.clockKilohertz, attribute(m, 14)};
    for (int i = 0; i < 3; ++i) {
      properties->maxThreadsDim[i] = int(m.maxBlock[i]);
      properties->maxGridSize[i] = int(m.maxGrid[i]);
    }
  });
}

CNN_EXPORT CUresult cuDeviceGetPCIBusId(char* id, int length, CUdevice device) {
  return call("cuDeviceGetPCIBusId", [&](Call& c) {
    requirePointers(id);
    c.requireDevice(device);
    return copyText(pciBusId, id, length);
  });
}

CNN_EXPORT CUresult cuDeviceGetByPCIBusId(CUdevice* device, const char* id) {
  return call("cuDeviceGetByPCIBusId", [&](Call&) {
    requirePointers(device, id);
    require(std::strcmp(id, pciBusId) == 0, CUDA_ERROR_INVALID_DEVICE, "no device has this bus id");
    *device = 0;
  });
}

CNN_EXPORT CUresult cuDeviceCanAccessPeer(int* can, CUdevice device, CUdevice peer) {
  return call("cuDeviceCanAccessPeer", [&](Call& c) {
    requirePointers(can);
    c.requireDevice(device);
    c.requireDevice(peer);
    *can = 0;
  });
}
