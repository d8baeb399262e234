// Bulk copies: planned when they are issued, where every address is checked, and performed when they complete.
#pragma once

#include "machine/block.h"
#include "machine/tensor_walk.h"

#include <cstdint>
#include <string>
#include <vector>

namespace cnn::emu {

// target = target op source, element by element.
using Combine = void (*)(std::byte* target, const std::byte* source, std::uint32_t bytes);

// A box of a tensor, or plain bytes, with the host memory behind every row. The shared side is a .shared address.
struct CopyPlan {
  struct Row {
    BoxRun run;
    std::byte* global;           // host view of run.global; null when the row is out of bounds
    std::uint8_t* initialised;   // shadow of the same bytes, null without the check
  };
  std::vector<Row> rows;
  std::uint32_t bytes = 0;       // delivered: what the mbarrier counts
  std::uint32_t footprint = 0;   // of shared memory: more than that where rows do not fill their swizzle pattern
  Swizzle swizzle = Swizzle::none;
  TensorType type = TensorType::u8;
  bool fillNaN = false;
  Combine combine = nullptr;     // of a store: what replaces the plain overwriting of global memory

  // Global memory to the shared memory whose byte 0 is `shared`; out-of-bounds elements become the fill value.
  void load(std::byte* shared, std::uint32_t address) const;
  // And back; out-of-bounds elements are dropped.
  void store(const std::byte* shared, std::uint32_t address) const;
  // Of global memory; sectors of 32 bytes.
  struct Traffic {
    std::uint64_t bytes = 0, sectors = 0;
  };
  Traffic traffic() const;
};

// What is wrong with a copy, with the status of the fault; empty text if nothing.
struct CopyProblem {
  int code = 0;
  std::string text;
};

CopyProblem planBox(const TensorMap& map, const BoxPosition& position, const MemoryView& memory, bool writes, CopyPlan& plan);
CopyProblem planBytes(std::uint64_t address, std::uint32_t bytes, const MemoryView& memory, bool writes, CopyPlan& plan);

// The tensor map at a generic address (parameter, constant or global memory).
CopyProblem findTensorMap(const Block& block, std::uint64_t address, TensorMap& map);

}  // namespace cnn::emu
