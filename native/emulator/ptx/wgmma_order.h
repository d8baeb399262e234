// The order that wgmma asks of a program: its registers are touched by nothing else before wgmma.wait_group, and a
// wgmma.fence stands between other accesses to them and the next wgmma.mma_async.
#pragma once

#include "ptx/flow.h"
#include "ptx/liveness.h"
#include "ptx/tree.h"

#include <string>
#include <vector>

namespace cnn::emu::ptx {

// The first violation, with its PTX line; empty if there is none. Moves between registers are followed rather than
// counted as accesses: compilers write them between the value of one turn of a loop and the next, and the assembler
// removes them.
std::string checkWgmmaOrder(const Function& function, const Flow& flow, const std::vector<Uses>& uses);

}  // namespace cnn::emu::ptx
