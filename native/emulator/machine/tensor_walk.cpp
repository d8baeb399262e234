#include "machine/tensor_walk.h"

#include <algorithm>

namespace cnn::emu {

namespace {

// Index of each dimension in the tensor; may lie outside of it.
using Index = std::array<int64_t, TensorMap::maxRank>;

// The part of the row at `index` that lies inside the tensor.
BoxRun runAt(const TensorMap& map, const Index& index, uint32_t shared) {
  const unsigned size = elementBytes(map.type), count = map.rowElements();
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
  const bool sliced = map.interleave != Interleave::none;
  const uint64_t begin = sliced ? uint64_t(index[0]) / count * map.sliceStride() : uint64_t(index[0] + first) * size;
  run.global = address + begin;
  return run;
}

// The dimensions in the order in which the rows of a box advance along them: W, H, D, the slices of the channels, N.
std::array<int, TensorMap::maxRank> rowOrder(int rank) {
  std::array<int, TensorMap::maxRank> order{};
  for (int i = 0; i + 2 < rank; ++i) order[i] = i + 1;
  if (rank > 1) order[rank - 1] = rank - 1;
  return order;
}

void walkTiled(const TensorMap& map, const BoxPosition& position, const std::function<void(const BoxRun&)>& visit) {
  const auto order = rowOrder(map.rank);
  std::array<unsigned, TensorMap::maxRank> count, step{};
  std::array<int64_t, TensorMap::maxRank> stride;
  for (int i = 0; i < map.rank; ++i) {
    count[i] = i == 0 ? map.slices() : map.boxElements(i);
    stride[i] = i == 0 ? map.rowElements() : map.steps[i];
  }
  for (uint32_t shared = 0;; shared += map.rowPitch()) {
    Index index{};
    for (int i = 0; i < map.rank; ++i) index[i] = int64_t(position.coordinates[i]) + step[i] * stride[i];
    visit(runAt(map, index, shared));
    int digit = 0;
    while (digit < map.rank && ++step[order[digit]] == count[order[digit]]) step[order[digit++]] = 0;
    if (digit == map.rank) return;
  }
}

// Base pixels advance along W, H, D inside the pixel box and then to the next image; each pixel is read at its base plus
// the offsets (the filter tap), `channels` elements from coordinate c.
void walkIm2col(const TensorMap& map, const BoxPosition& position, const std::function<void(const BoxRun&)>& visit) {
  const int spatial = map.rank - 2, image = map.rank - 1;
  Index base{};
  for (int i = 0; i < map.rank; ++i) base[i] = position.coordinates[i];
  for (unsigned pixel = 0; pixel < map.pixels; ++pixel) {
    for (unsigned slice = 0; slice < map.slices(); ++slice) {
      Index index = base;
      index[0] += int64_t(slice) * map.rowElements();
      for (int i = 0; i < spatial; ++i) index[i + 1] += position.offsets[i];
      visit(runAt(map, index, (slice * map.pixels + pixel) * map.rowPitch()));
    }
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
  if (map.interleave != Interleave::none && position.coordinates[0] % int(map.rowElements()) != 0)
    return "channel " + std::to_string(position.coordinates[0]) + " does not begin a slice of " + std::to_string(map.rowElements());
  if (map.interleave != Interleave::none && map.steps[0] != 1)
    return "a traversal stride of " + std::to_string(map.steps[0]) + " along the channels of an interleaved tensor is not modelled";
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
