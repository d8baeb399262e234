// A place for one running block: its memory and the frames of its warps, used for one block after the other.
#pragma once

#include "machine/block.h"
#include "machine/block_checks.h"
#include "machine/program.h"

#include <cstdint>
#include <vector>

namespace cnn::emu {

class ResidentBlock {
 public:
  ResidentBlock(LaunchState& launch, std::uint64_t* blockCounts);
  ResidentBlock(const ResidentBlock&) = delete;

  // Makes the block with this index (0 .. grid size) ready to run.
  void start(std::uint64_t index);
  Block& block() { return block_; }

 private:
  void fillConstants(Warp& warp);
  void fillLaneSpecials(Warp& warp);
  void fillBlockSpecials(Warp& warp);
  std::uint32_t special(Special which, const Warp& warp, std::uint32_t lane) const;

  LaunchState& launch_;
  const Program& program_;
  Block block_;
  AlignedMemory shared_, local_, frames_;
  std::unique_ptr<BlockChecks> checks_;
  std::size_t localStride_ = 0, frameStride_ = 0;
};

}  // namespace cnn::emu
