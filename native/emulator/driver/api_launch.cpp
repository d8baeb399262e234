// cuLaunch*
#include "driver/capture.h"
#include "driver/kernel_launch.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

void launchOn(Call& c, CUstream handle, CUfunction function, const LaunchShape& shape, void** parameters, void** extra) {
  const auto stream = c.stream(handle);
  KernelWork work = kernelWork(c, function, shape, parameters, extra);
  const Context* home = work.function->module->context;
  require(!home || home == stream->context, CUDA_ERROR_INVALID_HANDLE, "the kernel and the stream belong to different contexts");
  submit(c, *stream, std::move(work));
}

}  // namespace

CNN_EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                   unsigned blockY, unsigned blockZ, unsigned shared, CUstream stream, void** parameters, void** extra) {
  return call("cuLaunchKernel", [&](Call& c) {
    LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}};
    shape.dynamicShared = shared;
    launchOn(c, stream, function, shape, parameters, extra);
  });
}

CNN_EXPORT CUresult cuLaunchKernelEx(const CUlaunchConfig* config, CUfunction function, void** parameters, void** extra) {
  return call("cuLaunchKernelEx", [&](Call& c) {
    requirePointers(config);
    launchOn(c, config->hStream, function, launchShape(*config), parameters, extra);
  });
}

CNN_EXPORT CUresult cuLaunchCooperativeKernel(CUfunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                                              unsigned blockY, unsigned blockZ, unsigned shared, CUstream stream, void** parameters) {
  return call("cuLaunchCooperativeKernel", [&](Call& c) {
    LaunchShape shape{{gridX, gridY, gridZ}, {blockX, blockY, blockZ}};
    shape.dynamicShared = shared;
    shape.cooperative = true;
    launchOn(c, stream, function, shape, parameters, nullptr);
  });
}

CNN_EXPORT CUresult cuLaunchHostFunc(CUstream handle, CUhostFn function, void* data) {
  return call("cuLaunchHostFunc", [&](Call& c) {
    requirePointers(function);
    const auto stream = c.stream(handle);
    submit(c, *stream, HostWork{function, data});
  });
}

CNN_EXPORT CUresult cuStreamAddCallback(CUstream handle, CUstreamCallback callback, void* data, unsigned flags) {
  return call("cuStreamAddCallback", [&](Call& c) {
    requirePointers(callback);
    requireValue(flags == 0, "the flags must be 0");
    const auto stream = c.stream(handle);
    refuseWhileCapturing(c, *stream);
    submit(c, *stream, HostWork{nullptr, data, callback, handle});
  });
}
