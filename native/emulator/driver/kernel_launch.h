// From the arguments of a launch to checked KernelWork. All limits are checked when the call is made.
#pragma once

#include "driver/call.h"

namespace cnn::emu::driver {

struct LaunchShape {
  Dim3 grid, block, cluster{1, 1, 1};
  unsigned dynamicShared = 0;
  bool cooperative = false;
  bool clusterGiven = false;
};

LaunchShape launchShape(const CUlaunchConfig& config);
LaunchShape launchShape(const CUDA_KERNEL_NODE_PARAMS_v1& node);
LaunchShape launchShape(const KernelWork& work);
void applyAttribute(LaunchShape& shape, CUlaunchAttributeID id, const CUlaunchAttributeValue& value);

// Copies the arguments, given as one pointer each or as one packed buffer.
KernelWork kernelWork(Call& call, CUfunction function, const LaunchShape& shape, void** parameters, void** extra);
// Gives the work another shape, if its kernel can have it.
void reshape(Call& call, KernelWork& work, const LaunchShape& shape);

}  // namespace cnn::emu::driver
