// The four warps of a warpgroup execute the same wgmma instructions in the same order, with the same matrix descriptors, and
// the same setmaxnreg. Here each warp goes its own way, so that the order of one is compared with what the others have done
// or will do.
#pragma once

#include "machine/instruction.h"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

namespace cnn::emu {

struct Block;

class WarpgroupOrder {
 public:
  static constexpr std::uint32_t warps = 4;

  // One instruction: wgmma.fence, mma_async (with the descriptors of A, unless it lies in registers, and B), commit_group,
  // wait_group or setmaxnreg.
  struct Step {
    const Instruction* at;
    std::uint64_t a = 0, b = 0;
  };
  enum class Difference { none, instruction, descriptors };

  // What the warp (0 to 3) does next, against what the first warp that came so far has done there: `expected`.
  Difference take(std::uint32_t warp, const Step& step, Step& expected);
  // The step that some warps have executed and others have not, when all have ended; the warp that lacks it.
  struct Missing {
    const Instruction* at;
    std::uint32_t warp;
  };
  std::optional<Missing> missing() const;

 private:
  std::deque<Step> steps_;                      // not yet taken by all
  std::array<std::uint64_t, warps> taken_{};    // steps of each warp
  std::uint64_t dropped_ = 0;                   // steps taken by all
};

// Such an instruction of this warp: false if its warpgroup is not complete or executes another, and then the warp has faulted.
bool warpgroupMeets(Warp& warp, const Instruction* i, const char* what, std::uint64_t descriptorA = 0, std::uint64_t descriptorB = 0);
// All warps of the block have ended: false if one lacks what others have executed, or has not waited for its wgmma (with the
// async check), and then a fault has been raised.
bool warpgroupsEnded(Block& block);

}  // namespace cnn::emu
