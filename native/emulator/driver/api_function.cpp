// cuFunc*, cuOccupancy*
#include "driver/call.h"
#include "driver/function_attributes.h"
#include "driver/kernel_launch.h"

#include <algorithm>

using namespace cnn::emu;
using namespace cnn::emu::driver;

CNN_EXPORT CUresult cuFuncGetAttribute(int* value, CUfunction_attribute which, CUfunction function) {
  return call("cuFuncGetAttribute", [&](Call& c) {
    requirePointers(value);
    *value = functionAttribute(*c.function(function)->function, which, c.driver.model());
  });
}

CNN_EXPORT CUresult cuFuncSetAttribute(CUfunction function, CUfunction_attribute which, int value) {
  return call("cuFuncSetAttribute", [&](Call& c) {
    setFunctionAttribute(*c.function(function)->function, which, value, c.driver.model());
  });
}

CNN_EXPORT CUresult cuFuncSetCacheConfig(CUfunction function, int config) {
  return call("cuFuncSetCacheConfig", [&](Call& c) {
    requireValue(config >= 0 && config <= 3, "no such cache configuration");
    c.function(function);
  });
}

CNN_EXPORT CUresult cuFuncGetModule(CUmodule* module, CUfunction function) {
  return call("cuFuncGetModule", [&](Call& c) {
    requirePointers(module);
    *module = c.function(function)->module->handle;
  });
}

CNN_EXPORT CUresult cuFuncGetName(const char** name, CUfunction function) {
  return call("cuFuncGetName", [&](Call& c) {
    requirePointers(name);
    *name = c.function(function)->function->name.c_str();
  });
}

CNN_EXPORT CUresult cuFuncGetParamInfo(CUfunction function, std::size_t index, std::size_t* offset, std::size_t* size) {
  return call("cuFuncGetParamInfo", [&](Call& c) { parameterInfo(*c.function(function)->function, index, offset, size); });
}

CNN_EXPORT CUresult cuFuncIsLoaded(int* state, CUfunction function) {
  return call("cuFuncIsLoaded", [&](Call& c) {
    requirePointers(state);
    c.function(function);
    *state = 1;
  });
}

CNN_EXPORT CUresult cuFuncLoad(CUfunction function) {
  return call("cuFuncLoad", [&](Call& c) { c.function(function); });
}

static CUresult activeBlocks(const char* name, int* blocks, CUfunction function, int blockSize, std::size_t dynamicShared, unsigned flags) {
  return call(name, [&](Call& c) {
    requirePointers(blocks);
    requireValue(blockSize > 0, "the block size must be positive");
    requireValue(flags <= 1, "no such occupancy flags");
    *blocks = residentBlocks(*c.function(function)->function, c.driver.model(), blockSize, dynamicShared);
  });
}

CNN_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, CUfunction function, int blockSize,
                                                                         std::size_t dynamicShared, unsigned flags) {
  return activeBlocks("cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", blocks, function, blockSize, dynamicShared, flags);
}

CNN_EXPORT CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, CUfunction function, int blockSize, std::size_t dynamicShared) {
  return activeBlocks("cuOccupancyMaxActiveBlocksPerMultiprocessor", blocks, function, blockSize, dynamicShared, 0);
}

CNN_EXPORT CUresult cuOccupancyMaxPotentialBlockSizeWithFlags(int* minGrid, int* blockSize, CUfunction handle, CUoccupancyB2DSize sharedOf,
                                                              std::size_t dynamicShared, int limit, unsigned flags) {
  return call("cuOccupancyMaxPotentialBlockSizeWithFlags", [&](Call& c) {
    requirePointers(minGrid, blockSize);
    requireValue(flags <= 1 && limit >= 0, "no such occupancy flags, or a negative limit");
    const auto function = c.function(handle);
    const DeviceModel& model = c.driver.model();
    const int most = maxThreadsPerBlock(*function->function, model);
    int bestThreads = 0, best = 0;
    for (int threads = limit > 0 ? std::min(limit, most) : most; threads > 0; threads = (threads - 1) / 32 * 32) {
      const std::size_t shared = sharedOf ? sharedOf(threads) : dynamicShared;
      const int active = residentBlocks(*function->function, model, threads, shared) * threads;
      if (active <= best) continue;
      best = active;
      bestThreads = threads;
    }
    *blockSize = bestThreads;
    *minGrid = bestThreads ? best / bestThreads * model.multiprocessors : 0;
  });
}

CNN_EXPORT CUresult cuOccupancyMaxPotentialBlockSize(int* minGrid, int* blockSize, CUfunction function, CUoccupancyB2DSize sharedOf,
                                                     std::size_t dynamicShared, int limit) {
  return cuOccupancyMaxPotentialBlockSizeWithFlags(minGrid, blockSize, function, sharedOf, dynamicShared, limit, 0);
}

CNN_EXPORT CUresult cuOccupancyAvailableDynamicSMemPerBlock(std::size_t* bytes, CUfunction handle, int blocks, int blockSize) {
  return call("cuOccupancyAvailableDynamicSMemPerBlock", [&](Call& c) {
    requirePointers(bytes);
    requireValue(blocks > 0 && blockSize > 0, "blocks and block size must be positive");
    const Function& function = *c.function(handle)->function;
    const DeviceModel& model = c.driver.model();
    requireValue(residentBlocks(function, model, blockSize, 0) >= blocks, "so many blocks do not fit a multiprocessor");
    const std::size_t share = model.sharedPerMultiprocessor / std::size_t(blocks) / 128 * 128;
    const std::size_t fixed = model.sharedReservedPerBlock + function.staticShared;
    *bytes = std::min(share - std::min(share, fixed), model.sharedPerBlockOptin - std::min(model.sharedPerBlockOptin, function.staticShared));
  });
}

CNN_EXPORT CUresult cuOccupancyMaxPotentialClusterSize(int* size, CUfunction handle, const CUlaunchConfig* config) {
  return call("cuOccupancyMaxPotentialClusterSize", [&](Call& c) {
    requirePointers(size, config);
    const auto function = c.function(handle);
    const DeviceModel& model = c.driver.model();
    require(model.maxClusterBlocks > 0, CUDA_ERROR_NOT_SUPPORTED, "the device has no clusters");
    *size = function->function->nonPortableClusterAllowed ? std::max(16, model.maxClusterBlocks) : 8;
  });
}

CNN_EXPORT CUresult cuOccupancyMaxActiveClusters(int* clusters, CUfunction handle, const CUlaunchConfig* config) {
  return call("cuOccupancyMaxActiveClusters", [&](Call& c) {
    requirePointers(clusters, config);
    const auto function = c.function(handle);
    const DeviceModel& model = c.driver.model();
    require(model.maxClusterBlocks > 0, CUDA_ERROR_NOT_SUPPORTED, "the device has no clusters");
    const LaunchShape shape = launchShape(*config);
    const int threads = int(shape.block.count());
    requireValue(threads > 0 && shape.cluster.count() > 0, "the block or the cluster is empty");
    const int blocks = residentBlocks(*function->function, model, threads, shape.dynamicShared);
    *clusters = blocks * model.multiprocessors / int(shape.cluster.count());
  });
}
