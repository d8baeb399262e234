// Runs the warps of blocks that are resident together (a cluster, or all blocks of a cooperative launch).
#pragma once

#include "machine/resident.h"

#include <vector>

namespace cnn::emu {

// Until every warp has exited or the launch has stopped. A state in which nothing can go on ends the launch.
void runResident(LaunchState& launch, const std::vector<ResidentBlock*>& blocks);

}  // namespace cnn::emu
