#include "driver/kernel_launch.h"

#include "driver/function_attributes.h"

#include <algorithm>
#include <cstring>

namespace cnn::emu::driver {
namespace {

void checkBlock(const Function& function, const LaunchShape& shape, const DeviceModel& model) {
  const unsigned grid[] = {shape.grid.x, shape.grid.y, shape.grid.z}, block[] = {shape.block.x, shape.block.y, shape.block.z};
  for (int i = 0; i < 3; ++i) {
    requireValue(grid[i] > 0 && grid[i] <= model.maxGrid[i], "a grid dimension is 0 or too large");
    requireValue(block[i] > 0 && block[i] <= model.maxBlock[i], "a block dimension is 0 or too large");
  }
  requireValue(shape.block.count() <= std::uint64_t(model.threadsPerBlock), "the block has more threads than the device allows");
  for (int i = 0; i < 3; ++i)
    requireValue(!function.requiredThreads[0] || block[i] == std::max(function.requiredThreads[i], 1u), "the block differs from .reqntid");
  std::uint64_t declared = 1;
  for (const unsigned threads : function.maxThreads) declared *= std::max(threads, 1u);
  requireValue(!function.maxThreads[0] || shape.block.count() <= declared, "the block has more threads than .maxntid");
  require(shape.block.count() <= std::uint64_t(maxThreadsPerBlock(function, model)), CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
          "the registers of so many threads do not fit");
}

void checkCluster(const Function& function, const LaunchShape& shape, const DeviceModel& model) {
  const std::uint64_t size = shape.cluster.count();
  if (size == 1 && !shape.clusterGiven) return;
  require(model.maxClusterBlocks > 0 || size == 1, CUDA_ERROR_INVALID_CLUSTER_SIZE, "the device has no clusters");
  require(size > 0 && size <= (function.nonPortableClusterAllowed ? 16u : 8u), CUDA_ERROR_INVALID_CLUSTER_SIZE,
          "a cluster has 1 to 8 blocks, to 16 where the kernel allows it");
  requireValue(shape.grid.x % shape.cluster.x == 0 && shape.grid.y % shape.cluster.y == 0 && shape.grid.z % shape.cluster.z == 0,
               "the grid is not a multiple of the cluster");
}

// Clusters declared in the code hold where the launch says nothing, and must agree where it does.
Dim3 clusterOf(const Function& function, const LaunchShape& shape) {
  if (!function.requiredCluster[0]) return shape.cluster;
  const Dim3 required{function.requiredCluster[0], std::max(function.requiredCluster[1], 1u), std::max(function.requiredCluster[2], 1u)};
  require(!shape.clusterGiven || (shape.cluster.x == required.x && shape.cluster.y == required.y && shape.cluster.z == required.z),
          CUDA_ERROR_INVALID_CLUSTER_SIZE, "the cluster differs from .reqnctapercluster");
  return required;
}

std::vector<std::byte> packed(const Function& function, void** extra) {
  const void* buffer = nullptr;
  const std::size_t* size = nullptr;
  for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
    if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER) buffer = extra[1];
    else if (*extra == CU_LAUNCH_PARAM_BUFFER_SIZE) size = static_cast<const std::size_t*>(extra[1]);
    else fail(CUDA_ERROR_INVALID_VALUE, "an unknown marker in `extra`");
  }
  requireValue(buffer && size && *size == function.parameterBytes, "the parameter buffer does not have the size of the parameters");
  std::vector<std::byte> bytes(function.parameterBytes);
  std::memcpy(bytes.data(), buffer, bytes.size());
  return bytes;
}

std::vector<std::byte> gathered(const Function& function, void** parameters) {
  std::vector<std::byte> bytes(function.parameterBytes);
  requireValue(parameters || function.parameters.empty(), "the kernel has parameters, but none are given");
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    requireValue(parameters[i] != nullptr, "a parameter is null");
    std::memcpy(bytes.data() + function.parameters[i].offset, parameters[i], function.parameters[i].size);
  }
  return bytes;
}

}  // namespace

void applyAttribute(LaunchShape& shape, CUlaunchAttributeID id, const CUlaunchAttributeValue& value) {
  switch (id) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE: shape.cooperative = value.cooperative != 0; break;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      shape.cluster = {value.clusterDim.x, value.clusterDim.y, value.clusterDim.z};
      shape.clusterGiven = true;
      break;
    // Hints about speed; the emulator has nothing to do for them.
    case CU_LAUNCH_ATTRIBUTE_IGNORE: case CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW:
    case CU_LAUNCH_ATTRIBUTE_SYNCHRONIZATION_POLICY: case CU_LAUNCH_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
    case CU_LAUNCH_ATTRIBUTE_PRIORITY: case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN_MAP:
    case CU_LAUNCH_ATTRIBUTE_MEM_SYNC_DOMAIN: case CU_LAUNCH_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
    // A kernel that may start early may also start late.
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION: break;
    default: fail(CUDA_ERROR_NOT_SUPPORTED, "the emulator does not know launch attribute " + std::to_string(id));
  }
}

LaunchShape launchShape(const CUlaunchConfig& config) {
  LaunchShape shape{{config.gridDimX, config.gridDimY, config.gridDimZ}, {config.blockDimX, config.blockDimY, config.blockDimZ}};
  shape.dynamicShared = config.sharedMemBytes;
  requireValue(config.numAttrs == 0 || config.attrs != nullptr, "launch attributes without their array");
  for (unsigned i = 0; i < config.numAttrs; ++i) applyAttribute(shape, config.attrs[i].id, config.attrs[i].value);
  return shape;
}

LaunchShape launchShape(const KernelWork& work) {
  LaunchShape shape{work.grid, work.block};
  if (work.clusterGiven) shape.cluster = work.cluster;
  shape.clusterGiven = work.clusterGiven;
  shape.dynamicShared = work.dynamicShared;
  shape.cooperative = work.cooperative;
  return shape;
}

LaunchShape launchShape(const CUDA_KERNEL_NODE_PARAMS_v1& node) {
  LaunchShape shape{{node.gridDimX, node.gridDimY, node.gridDimZ}, {node.blockDimX, node.blockDimY, node.blockDimZ}};
  shape.dynamicShared = node.sharedMemBytes;
  return shape;
}

void reshape(Call& call, KernelWork& work, const LaunchShape& shape) {
  const DeviceModel& model = call.driver.model();
  const Function& function = *work.function->function;
  LaunchShape checked = shape;
  checked.cluster = clusterOf(function, shape);
  checkBlock(function, checked, model);
  checkCluster(function, checked, model);
  requireValue(shape.dynamicShared <= maxDynamicShared(function, model), "more dynamic shared memory than the kernel may have");
  if (shape.cooperative) {
    const int resident = residentBlocks(function, model, int(shape.block.count()), shape.dynamicShared);
    require(shape.grid.count() <= std::uint64_t(resident) * std::uint64_t(model.multiprocessors), CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
            "the blocks of a cooperative grid must all fit the device at once");
  }
  work.grid = shape.grid;
  work.block = shape.block;
  work.cluster = checked.cluster;
  work.clusterGiven = shape.clusterGiven;
  work.dynamicShared = shape.dynamicShared;
  work.cooperative = shape.cooperative;
}

KernelWork kernelWork(Call& call, CUfunction handle, const LaunchShape& shape, void** parameters, void** extra) {
  KernelWork work;
  work.function = call.function(handle);
  reshape(call, work, shape);
  requireValue(!(parameters && extra), "parameters are given twice");
  work.parameters = extra ? packed(*work.function->function, extra) : gathered(*work.function->function, parameters);
  return work;
}

}  // namespace cnn::emu::driver
