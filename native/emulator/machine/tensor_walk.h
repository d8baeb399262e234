// The order in which a tensor copy visits global memory, as runs of contiguous bytes.
#pragma once

#include "machine/tensor_map.h"

#include <array>
#include <cstdint>
#include <functional>
#include <string>

namespace cnn::emu {

// One row of the box: `bytes` bytes at `shared` (an offset into the box, before the swizzle). Those in
// [before, before + inside) correspond to global memory at `global`; the others are out of bounds.
struct BoxRun {
  uint32_t shared;
  uint32_t bytes;
  uint32_t before, inside;
  uint64_t global;
};

// Where a copy starts. Coordinates and im2col offsets stand innermost first: (c, w, h, d, n) and (w, h, d).
struct BoxPosition {
  std::array<int32_t, TensorMap::maxRank> coordinates{};
  std::array<uint16_t, TensorMap::maxRank - 2> offsets{};
};

// Why this map and position cannot be walked; empty if they can.
std::string checkWalk(const TensorMap& map, const BoxPosition& position);

// Visits the rows of the box. Rows wholly out of bounds have inside == 0.
void walkBox(const TensorMap& map, const BoxPosition& position, const std::function<void(const BoxRun&)>& visit);

}  // namespace cnn::emu
