// What the instructions that a whole warp executes together (.sync.aligned) have in common.
#pragma once

#include "machine/fault.h"
#include "machine/operand_address.h"
#include "machine/warp.h"

#include <string>

namespace cnn::emu::CNN_ISA {

// Whether the warp may execute a collective instruction now: `if (!entry.ready) return entry.otherwise;`.
struct WholeWarp {
  bool ready;
  const Instruction* otherwise;

  // All 32 lanes must be here with a true guard. Lanes on their way are waited for; a guard that is false in all lanes
  // skips the instruction (`next` is where the warp goes then).
  WholeWarp(Warp& warp, const Instruction* i, const char* name) : ready(false), otherwise(nullptr) {
    if (!warp.gathered(allLanes)) {
      otherwise = warp.await(i, allLanes);
      return;
    }
    const std::uint32_t mask = warp.mask(i);
    ready = mask == allLanes;
    if (ready) return;
    otherwise = mask == 0 && warp.active != 0
                    ? i + 1
                    : warp.fault(i, statusIllegalInstruction,
                                 std::string(name) + " needs all 32 lanes of the warp; missing are those of mask "
                                     + hexadecimal(~mask));
  }
};

}  // namespace cnn::emu::CNN_ISA
