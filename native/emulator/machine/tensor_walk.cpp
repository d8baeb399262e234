#include "machine/tensor_walk.h"

#include "machine/swizzle.h"

#include <algorithm>

namespace cnn::emu {

namespace {

// Index of each dimension in the tensor; may lie outside of it.
using Index = std::array<int64_t, TensorMap::maxRank>;

// The part of a row of `count` elements at `index` that lies inside the tensor.
BoxRun runAt(const TensorMap& map, const Index& index, uint32_t count, uint32_t shared) {
  const unsigned size = elementBytes(map.type);
  BoxRun run{shared, count * size, 0, 0, 0};
  uint64_t address = map.address;
  for (int i = 1; i < map.rank; ++i) {
    if (index[i] < 0 || uint64_t(index[i]) >= map.dims[i]) return run;
    address += uint64_t(index[i]) * map.strides[i - 1];
  }
  const int64_t first = std::max<int64_t>(0, -index[0]);
  const int64_t last = std::min<int64_t>(count, int64_t(map.dims[0]) - index[0]);
  if (first >= last) return run;
  run.before = uint32_t(first) * size;
  run.inside = uint32_t(last - first) * size;
  run.global = address + uint64_t(index[0] + first) * size;
  return run;
}

void walkTiled(const TensorMap& map, const BoxPosition& position, const std::function<void(const BoxRun&)>& visit) {
  std::array<unsigned, TensorMap::maxRank> count, step{};
  for (int i = 0; i < TensorMap::maxRank; ++i) count[i] = i < map.rank ? map.boxElements(i) : 1;
  uint32_t shared = 0;
  for (;;) {
    Index index;
    for (int i = 0; i < TensorMap::maxRank; ++i) index[i] = int64_t(position.coordinates[i]) + int64_t(step[i]) * map.steps[i];
    const BoxRun run = runAt(map, index, count[0], shared);
    visit(run);
    shared += run.bytes;
    int i = 1;
    while (i < map.rank && ++step[i] == count[i]) step[i++] = 0;
    if (i >= map.rank) return;
  }
}

// Base pixels advance along W, H, D inside the pixel box and then to the next image; each pixel is read at its base plus
// the offsets (the filter tap), `channels` elements from coordinate c.
void walkIm2col(const TensorMap& map, const BoxPosition& position, const std::function<void(const BoxRun&)>& visit) {
  const int spatial = map.rank - 2, image = map.rank - 1;
  Index base{};
  for (int i = 0; i < map.rank; ++i) base[i] = position.coordinates[i];
  uint32_t shared = 0;
  for (unsigned pixel = 0; pixel < map.pixels; ++pixel) {
    Index index = base;
    for (int i = 0; i < spatial; ++i) index[i + 1] += position.offsets[i];
    const BoxRun run = runAt(map, index, map.channels, shared);
    visit(run);
    shared += run.bytes;
    int i = 0;
    for (; i < spatial; ++i) {
      base[i + 1] += map.steps[i + 1];
      if (base[i + 1] < int64_t(map.dims[i + 1]) + map.upper[i]) break;
      base[i + 1] = map.lower[i];
    }
    if (i == spatial) base[image] += map.steps[image];
  }
}

}  // namespace

std::string checkWalk(const TensorMap& map, const BoxPosition& position) {
  if (map.interleave != Interleave::none)
    return "interleaved tensor maps are not modelled: the strides of their slices are not documented";
  const uint32_t row = (map.kind == TensorMapKind::tiled ? map.boxElements(0) : map.channels) * elementBytes(map.type);
  if (map.swizzle != Swizzle::none && row != swizzleSpan(map.swizzle))
    return "a box row of " + std::to_string(row) + " bytes under a swizzle of " + std::to_string(swizzleSpan(map.swizzle))
           + " bytes is not modelled: where such rows lie is not documented";
  if (map.kind == TensorMapKind::tiled) return {};
  const unsigned limit = map.rank == 3 ? 65536 : map.rank == 4 ? 256 : 32;
  for (int i = 0; i + 2 < map.rank; ++i) {
    if (position.offsets[i] >= limit)
      return "im2col offset " + std::to_string(position.offsets[i]) + " is not below " + std::to_string(limit);
    const int64_t base = position.coordinates[i + 1], end = int64_t(map.dims[i + 1]) + map.upper[i];
    if (base < map.lower[i] || base >= end)
      return "the first base pixel has coordinate " + std::to_string(base) + " outside the pixel box ["
             + std::to_string(map.lower[i]) + ", " + std::to_string(end) + ")";
  }
  return {};
}

void walkBox(const TensorMap& map, const BoxPosition& position, const std::function<void(const BoxRun&)>& visit) {
  map.kind == TensorMapKind::tiled ? walkTiled(map, position, visit) : walkIm2col(map, position, visit);
}

}  // namespace cnn::emu
