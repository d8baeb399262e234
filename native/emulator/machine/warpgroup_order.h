// The four warps of a warpgroup execute the same wgmma instructions in the same order, with the same matrix descriptors.
// Here each warp goes its own way, so that the order of one is compared with what the others have done or will do.
#pragma once

#include "machine/instruction.h"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace cnn::emu {

class WarpgroupOrder {
 public:
  static constexpr std::uint32_t warps = 4;

  // One instruction: wgmma.fence, mma_async (with the descriptors of A, unless it lies in registers, and B), commit_group
  // or wait_group.
  struct Step {
    const Instruction* at;
    std::uint64_t a = 0, b = 0;
  };
  enum class Difference { none, instruction, descriptors };

  void start() { groups_ = {}; }  // another block takes the place
  // What the warp does next, against what the first warp that came so far has done there: `expected`.
  Difference take(std::uint32_t warp, const Step& step, Step& expected);
  // The step that some warps of a warpgroup have executed and others have not, when all have ended; the warp that lacks it.
  struct Missing {
    const Instruction* at;
    std::uint32_t warp;
  };
  std::optional<Missing> missing() const;

 private:
  struct Group {
    std::deque<Step> steps;                      // not yet taken by all
    std::array<std::uint64_t, warps> taken{};    // steps of each warp
    std::uint64_t dropped = 0;                   // steps taken by all
  };
  std::array<Group, 1024 / warpLanes / warps> groups_;
};

}  // namespace cnn::emu
