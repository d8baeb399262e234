#include "driver/function_attributes.h"

#include <algorithm>

namespace cnn::emu::driver {
namespace {

int roundUp(int value, int step) { return (value + step - 1) / step * step; }

// Registers are given to warps in units of 256, and warps share four register files.
int registersPerWarp(const Function& function) { return roundUp(std::max(function.registers, 1) * 32, 256); }

int residentWarps(const Function& function, const DeviceModel& model) {
  return model.registersPerMultiprocessor / 4 / registersPerWarp(function) * 4;
}

std::size_t sharedPerBlock(const Function& function, const DeviceModel& model, std::size_t dynamicShared) {
  const std::size_t bytes = function.staticShared + dynamicShared + model.sharedReservedPerBlock;
  return (bytes + 127) / 128 * 128;
}

// The program may cap shared memory in favour of the L1 cache, as a percentage.
std::size_t sharedCapacity(const Function& function, const DeviceModel& model) {
  if (function.preferredCarveout < 0) return model.sharedPerMultiprocessor;
  return model.sharedPerMultiprocessor * std::size_t(function.preferredCarveout) / 100;
}

}  // namespace

int maxThreadsPerBlock(const Function& function, const DeviceModel& model) {
  int limit = std::min(model.threadsPerBlock, residentWarps(function, model) * 32);
  for (const unsigned* declared : {function.maxThreads, function.requiredThreads})
    if (declared[0]) limit = int(std::min<std::uint64_t>(limit, std::uint64_t(declared[0]) * std::max(declared[1], 1u) * std::max(declared[2], 1u)));
  return limit;
}

std::size_t maxDynamicShared(const Function& function, const DeviceModel& model) {
  const std::size_t standard = model.sharedPerBlock - std::min(model.sharedPerBlock, function.staticShared);
  return std::max(standard, function.maxDynamicShared);
}

int residentBlocks(const Function& function, const DeviceModel& model, int threads, std::size_t dynamicShared) {
  if (threads > maxThreadsPerBlock(function, model)) return 0;
  const std::size_t shared = sharedPerBlock(function, model, dynamicShared);
  if (function.staticShared + dynamicShared > model.sharedPerBlockOptin) return 0;
  const int warps = (threads + 31) / 32;
  int blocks = std::min(model.blocksPerMultiprocessor, model.threadsPerMultiprocessor / (warps * 32));
  blocks = std::min(blocks, residentWarps(function, model) / warps);
  // A carve-out is a preference: at least one block always gets its shared memory.
  const std::size_t capacity = std::max(sharedCapacity(function, model), std::min(shared, model.sharedPerMultiprocessor));
  return int(std::min<std::size_t>(std::size_t(blocks), capacity / shared));
}

int functionAttribute(const Function& function, CUfunction_attribute which, const DeviceModel& model) {
  switch (which) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK: return maxThreadsPerBlock(function, model);
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES: return int(function.staticShared);
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES: return 0;
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES: return int(function.localBytes);
    case CU_FUNC_ATTRIBUTE_NUM_REGS: return function.registers;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION: return function.target;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION: return model.sm();
    case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA: return 0;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: return int(maxDynamicShared(function, model));
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT: return function.preferredCarveout;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET: return 0;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH: return int(function.requiredCluster[0]);
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT: return int(function.requiredCluster[1]);
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH: return int(function.requiredCluster[2]);
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED: return function.nonPortableClusterAllowed;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE: return 0;
  }
  fail(CUDA_ERROR_INVALID_VALUE, "no such function attribute");
}

void setFunctionAttribute(Function& function, CUfunction_attribute which, int value, const DeviceModel& model) {
  switch (which) {
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      requireValue(value >= 0 && std::size_t(value) + function.staticShared <= model.sharedPerBlockOptin,
                   "static and dynamic shared memory exceed what a block may have");
      function.maxDynamicShared = std::size_t(value);
      return;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      requireValue(value >= -1 && value <= 100, "a carve-out is a percentage, or -1");
      function.preferredCarveout = value;
      return;
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      requireValue(value == 0 || value == 1, "0 or 1");
      function.nonPortableClusterAllowed = value == 1;
      return;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      requireValue(value >= 0 && value <= 2, "no such scheduling policy");
      return;
    default: fail(CUDA_ERROR_INVALID_VALUE, "the attribute cannot be set");
  }
}

void parameterInfo(const Function& function, std::size_t index, std::size_t* offset, std::size_t* size) {
  requirePointers(offset);
  requireValue(index < function.parameters.size(), "the kernel has fewer parameters");
  *offset = function.parameters[index].offset;
  if (size) *size = function.parameters[index].size;
}

}  // namespace cnn::emu::driver
