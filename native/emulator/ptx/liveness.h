// Which registers are live where, and how they share slots.
//
// Sharing is safe for diverged lanes: a slot is written only for the lanes that run, and for each lane alone the usual
// rule holds, that two registers may share what they are never live in together.
#pragma once

#include "ptx/flow.h"
#include "ptx/tree.h"

#include <cstdint>
#include <vector>

namespace cnn::emu::ptx {

// Registers of one statement.
struct Uses {
  std::vector<std::uint32_t> read, written;
};

struct SlotPlan {
  // Per register: its slot among those of its kind (predicate, 32-bit, 64-bit), noRegister if it is never used.
  std::vector<std::uint32_t> slot;
  std::uint32_t predicates = 0, words = 0, doubles = 0;  // slots of each kind
  std::uint32_t pressure = 0;  // most 32-bit registers live at once
};

SlotPlan planSlots(const Function& function, const Flow& flow, const std::vector<Uses>& uses);

}  // namespace cnn::emu::ptx
