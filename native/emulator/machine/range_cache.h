// The allocations that a block has touched lately: lane addresses are checked against them without a lookup in the table.
#pragma once

#include "machine/memory_view.h"

#include <cstdint>

namespace cnn::emu {

class RangeCache {
 public:
  // A known allocation that contains all of [low, last + bytes), or null.
  [[gnu::always_inline]] const Memory::Range* find(std::uint64_t low, std::uint64_t last, std::uint64_t bytes) const {
    for (const Memory::Range& r : known_)
      if (low >= r.base && last < r.end && r.end - last >= bytes) return &r;
    return nullptr;
  }

  // The same after a lookup of `low`, which is remembered in the place of the one looked up longest ago.
  const Memory::Range* learn(const MemoryView& memory, std::uint64_t low, std::uint64_t last, std::uint64_t bytes);

 private:
  // A kernel of an optimiser or of a normalisation walks through six to eight tensors at once.
  static constexpr unsigned capacity = 8;
  Memory::Range known_[capacity];
  unsigned oldest_ = 0;
};

}  // namespace cnn::emu
