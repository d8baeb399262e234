// Control flow: basic blocks and the order in which diverged lanes run them.
//
// Lanes that diverge run block by block, the lowest order first, and join where they meet at the head of a block. With
// the order being a weak topological one (F. Bourdoncle, Efficient chaotic iteration strategies with widenings, 1993),
// every block of a loop comes before what follows the loop, so lanes that have left wait for those still inside, and
// both sides of a branch come before what follows it. Unlike a stack of immediate post-dominators this needs no single
// exit: early returns and traps inside branches do not delay joining.
#pragma once

#include "ptx/diagnostics.h"
#include "ptx/tree.h"

#include <cstdint>
#include <vector>

namespace cnn::emu::ptx {

struct FlowBlock {
  std::uint32_t begin, end;  // statements [begin, end)
  std::vector<std::uint32_t> successors;
  std::uint32_t order = 0;
};

struct Flow {
  std::vector<FlowBlock> blocks;          // in the order of the text; the first is the entry
  std::vector<std::uint32_t> blockOf;     // statement -> block
};

bool endsBlock(const Statement& statement);   // bra, brx, ret, exit, trap
// Reports loops that are nested more than a thousand deep.
Flow buildFlow(const Function& function, Diagnostics& diagnostics);

}  // namespace cnn::emu::ptx
