// A CUDA driver that does nothing, at once: what a launch costs on the managed side is measured against it. It has one
// device, gives the same handle to everybody, and says yes to everything. It proves nothing about a real driver.
#include <cstddef>
#include <cstdint>

#define IDLE extern "C" __attribute__((visibility("default"))) int

namespace {
int anything;
}

IDLE cuDriverGetVersion(int* version) { return *version = 13000, 0; }
IDLE cuDeviceGetCount(int* count) { return *count = 1, 0; }
IDLE cuDeviceGet(int* device, int ordinal) { return *device = ordinal, 0; }
IDLE cuDeviceGetName(char* name, int, int) { return name[0] = '-', name[1] = 0, 0; }
IDLE cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = size_t(1) << 40, 0; }
IDLE cuDeviceGetAttribute(int* value, int attribute, int) { return *value = attribute == 75 ? 9 : attribute == 76 ? 0 : 1024, 0; }
IDLE cuFuncGetAttribute(int* value, int, void*) { return *value = 0, 0; }
IDLE cuMemGetInfo_v2(size_t* free, size_t* total) { return *free = *total = size_t(1) << 40, 0; }
IDLE cuGetErrorName(int, const char** name) { return *name = "-", 0; }
IDLE cuGetErrorString(int, const char** text) { return *text = "-", 0; }
IDLE cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, void*, int, size_t) { return *blocks = 1, 0; }

// Those that give a handle or an address through their first argument.
#define IDLE_MAKER(name) IDLE name(void** made) { return *made = &anything, 0; }
IDLE_MAKER(cuDevicePrimaryCtxRetain)
IDLE_MAKER(cuModuleLoadDataEx)
IDLE_MAKER(cuModuleGetFunction)
IDLE_MAKER(cuMemAlloc_v2)
IDLE_MAKER(cuMemAllocFromPoolAsync)
IDLE_MAKER(cuMemPoolCreate)
IDLE_MAKER(cuStreamCreate)
IDLE_MAKER(cuEventCreate)
IDLE_MAKER(cuGraphInstantiateWithFlags)
IDLE_MAKER(cuCtxPopCurrent_v2)

// Those that only act.
#define IDLE_ACTOR(name) IDLE name() { return 0; }
IDLE_ACTOR(cuInit)
IDLE_ACTOR(cuDevicePrimaryCtxRelease_v2)
IDLE_ACTOR(cuCtxSetCurrent)
IDLE_ACTOR(cuCtxPushCurrent_v2)
IDLE_ACTOR(cuCtxSynchronize)
IDLE_ACTOR(cuModuleUnload)
IDLE_ACTOR(cuFuncSetAttribute)
IDLE_ACTOR(cuLaunchKernel)
IDLE_ACTOR(cuLaunchKernelEx)
IDLE_ACTOR(cuMemFree_v2)
IDLE_ACTOR(cuMemFreeAsync)
IDLE_ACTOR(cuMemPoolDestroy)
IDLE_ACTOR(cuMemPoolTrimTo)
IDLE_ACTOR(cuMemPoolSetAttribute)
IDLE_ACTOR(cuMemcpyHtoDAsync_v2)
IDLE_ACTOR(cuMemcpyDtoDAsync_v2)
IDLE_ACTOR(cuMemsetD8Async)
IDLE_ACTOR(cuStreamDestroy_v2)
IDLE_ACTOR(cuStreamSynchronize)
IDLE_ACTOR(cuEventDestroy_v2)
IDLE_ACTOR(cuEventRecord)
IDLE_ACTOR(cuEventSynchronize)
IDLE_ACTOR(cuGraphLaunch)
IDLE_ACTOR(cuGraphExecDestroy)
IDLE_ACTOR(cuGraphDestroy)
