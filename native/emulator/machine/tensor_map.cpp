#include "machine/tensor_map.h"

#include "machine/swizzle.h"

#include <algorithm>
#include <cstring>

namespace cnn::emu {

namespace {

constexpr uint64_t mapMark = 0x70614d726f736e54;  // "TnsorMap"

// FNV-1a over everything but the checksum itself.
uint32_t checksum(const TensorMap& map) {
  unsigned char bytes[sizeof map];
  std::memcpy(bytes, &map, sizeof map);
  std::memset(bytes + offsetof(TensorMap, check), 0, sizeof map.check);
  uint32_t hash = 2166136261u;
  for (unsigned char byte : bytes) hash = (hash ^ byte) * 16777619u;
  return hash;
}

std::string complain(const std::string& what, int64_t value, const std::string& rule) {
  return what + " = " + std::to_string(value) + ": " + rule;
}

std::string element(const char* array, unsigned index) { return std::string(array) + "[" + std::to_string(index) + "]"; }

// Constraints that both kinds share. Empty when all hold.
std::string checkCommon(const TensorMapCommon& c, unsigned leastRank) {
  if (c.type < 0 || c.type > int(TensorType::tf32ftz)) return complain("tensorDataType", c.type, "no type of this device");
  if (c.interleave < 0 || c.interleave > 2) return complain("interleave", c.interleave, "no such layout");
  if (c.swizzle < 0 || c.swizzle > 3) return complain("swizzle", c.swizzle, "no swizzle of this device");
  if (c.l2Promotion < 0 || c.l2Promotion > 3) return complain("l2Promotion", c.l2Promotion, "no such promotion");
  if (c.fill < 0 || c.fill > 1) return complain("oobFill", c.fill, "no such fill");
  if (c.rank < leastRank || c.rank > TensorMap::maxRank)
    return complain("tensorRank", c.rank, "must lie in [" + std::to_string(leastRank) + ", 5]");
  if (c.interleave != 0 && c.rank < 3) return complain("tensorRank", c.rank, "must be at least 3 when interleaved");
  if (c.fill == 1 && !isFloating(TensorType(c.type)))
    return complain("oobFill", c.fill, "NaN needs a floating-point type");
  const unsigned alignment = c.interleave == 2 ? 32 : 16;
  if (c.address == 0 || c.address % alignment != 0)
    return complain("globalAddress", int64_t(c.address), "must be a multiple of " + std::to_string(alignment));
  if (!c.dims || !c.steps || (c.rank > 1 && !c.strides)) return "an array of sizes, strides or steps is null";
  for (unsigned i = 0; i < c.rank; ++i)
    if (c.dims[i] == 0 || c.dims[i] > uint64_t(1) << 32)
      return complain(element("globalDim", i), int64_t(c.dims[i]), "must lie in [1, 2^32]");
  for (unsigned i = 0; i + 1 < c.rank; ++i)
    if (c.strides[i] % alignment != 0 || c.strides[i] >= uint64_t(1) << 40)
      return complain(element("globalStrides", i), int64_t(c.strides[i]),
                      "must be a multiple of " + std::to_string(alignment) + " bytes below 2^40");
  for (unsigned i = 1; i + 1 < c.rank; ++i)  // no more than this is asked of strides and sizes: dimensions may overlap
    if (c.strides[i] < c.dims[i])
      return complain(element("globalStrides", i), int64_t(c.strides[i]), "must be at least globalDim[" + std::to_string(i) + "]");
  for (unsigned i = c.interleave == 0 ? 1 : 0; i < c.rank; ++i)
    if (c.steps[i] == 0 || c.steps[i] > 8) return complain(element("elementStrides", i), c.steps[i], "must lie in [1, 8]");
  if (c.interleave == 2 && c.swizzle != int(Swizzle::bytes32))
    return complain("swizzle", c.swizzle, "must be 32B when the interleave is 32B");
  return {};
}

// The inner dimension of a plain (not interleaved) box: whole 16-byte units, and no wider than the swizzle pattern.
std::string checkInner(const TensorMapCommon& c, const char* what, uint64_t elements, bool units16) {
  if (c.interleave != 0) return {};
  const uint64_t bytes = elements * elementBytes(TensorType(c.type));
  if (units16 && bytes % 16 != 0)
    return complain(what, int64_t(elements), "the inner dimension has " + std::to_string(bytes) + " bytes, no multiple of 16");
  const uint64_t span = uint64_t(16) << c.swizzle;
  if (c.swizzle != 0 && bytes > span)
    return complain(what, int64_t(elements), "the inner dimension has " + std::to_string(bytes)
                                                 + " bytes, more than the swizzle of " + std::to_string(span));
  return {};
}

TensorMap fill(const TensorMapCommon& c, TensorMapKind kind) {
  TensorMap map;
  std::memset(static_cast<void*>(&map), 0, sizeof map);
  map.mark = mapMark;
  map.address = c.address;
  map.kind = kind;
  map.type = TensorType(c.type);
  map.rank = uint8_t(c.rank);
  map.interleave = Interleave(c.interleave);
  map.swizzle = Swizzle(c.swizzle);
  map.fillNaN = c.fill == 1;
  for (unsigned i = 0; i < TensorMap::maxRank; ++i) {
    map.dims[i] = i < c.rank ? c.dims[i] : 1;
    map.steps[i] = i < c.rank && (i > 0 || c.interleave != 0) ? uint8_t(c.steps[i]) : 1;
    map.box[i] = 1;
    if (i + 1 < c.rank) map.strides[i] = c.strides[i];
  }
  return map;
}

TensorMap seal(const TensorMap& map) {
  TensorMap sealed = map;
  sealed.check = checksum(sealed);
  return sealed;
}

}  // namespace

unsigned elementBytes(TensorType type) {
  switch (type) {
    case TensorType::u8: return 1;
    case TensorType::u16: case TensorType::f16: case TensorType::bf16: return 2;
    case TensorType::u64: case TensorType::s64: case TensorType::f64: return 8;
    default: return 4;
  }
}

bool isFloating(TensorType type) { return type >= TensorType::f16; }

unsigned TensorMap::boxElements(int dimension) const { return (box[dimension] + steps[dimension] - 1u) / steps[dimension]; }

namespace {

unsigned innerElements(const TensorMap& map) { return map.kind == TensorMapKind::tiled ? map.boxElements(0) : map.channels; }

size_t rows(const TensorMap& map) {
  size_t count = map.slices();
  if (map.kind == TensorMapKind::im2col) return count * map.pixels;
  for (int i = 1; i < map.rank; ++i) count *= map.boxElements(i);
  return count;
}

}  // namespace

unsigned TensorMap::slices() const {
  return interleave == Interleave::none ? 1 : (innerElements(*this) + rowElements() - 1) / rowElements();
}

unsigned TensorMap::rowElements() const {
  return interleave == Interleave::none ? innerElements(*this) : (8u << unsigned(interleave)) / elementBytes(type);
}

// A row narrower than the swizzle pattern still takes all of it.
unsigned TensorMap::rowPitch() const {
  const unsigned bytes = rowElements() * elementBytes(type);
  return interleave == Interleave::none && swizzle != Swizzle::none ? std::max(bytes, swizzleSpan(swizzle)) : bytes;
}

size_t TensorMap::boxBytes() const { return rows(*this) * rowElements() * elementBytes(type); }

size_t TensorMap::footprint() const {
  if (swizzle == Swizzle::none) return boxBytes();
  const size_t span = swizzleSpan(swizzle);
  return (rows(*this) * rowPitch() + span - 1) / span * span;
}

TensorMapResult encodeTiled(const TensorMapCommon& common, const uint32_t* box) {
  if (std::string wrong = checkCommon(common, 1); !wrong.empty()) return wrong;
  if (!box) return "boxDim is null";
  for (unsigned i = 0; i < common.rank; ++i)
    if (box[i] == 0 || box[i] > 256) return complain(element("boxDim", i), box[i], "must lie in [1, 256]");
  if (std::string wrong = checkInner(common, "boxDim[0]", box[0], true); !wrong.empty()) return wrong;
  TensorMap map = fill(common, TensorMapKind::tiled);
  for (unsigned i = 0; i < common.rank; ++i) map.box[i] = uint16_t(box[i]);
  return seal(map);
}

TensorMapResult encodeIm2col(const TensorMapCommon& common, const int* lower, const int* upper,
                             uint32_t channelsPerPixel, uint32_t pixelsPerColumn) {
  if (std::string wrong = checkCommon(common, 3); !wrong.empty()) return wrong;
  if (!lower || !upper) return "a corner of the pixel box is null";
  if (channelsPerPixel == 0 || channelsPerPixel > 256)
    return complain("channelsPerPixel", channelsPerPixel, "must lie in [1, 256]");
  if (pixelsPerColumn == 0 || pixelsPerColumn > 1024)
    return complain("pixelsPerColumn", pixelsPerColumn, "must lie in [1, 1024]");
  if (std::string wrong = checkInner(common, "channelsPerPixel", channelsPerPixel, true); !wrong.empty()) return wrong;
  // The corners share one word: 16 bits for one spatial dimension, 8 for two, 5 for three.
  const int limit = common.rank == 3 ? 32768 : common.rank == 4 ? 128 : 16;
  TensorMap map = fill(common, TensorMapKind::im2col);
  for (unsigned i = 0; i + 2 < common.rank; ++i) {
    const std::string range = "must lie in [" + std::to_string(-limit) + ", " + std::to_string(limit - 1) + "]";
    if (lower[i] < -limit || lower[i] >= limit) return complain(element("pixelBoxLowerCorner", i), lower[i], range);
    if (upper[i] < -limit || upper[i] >= limit) return complain(element("pixelBoxUpperCorner", i), upper[i], range);
    if (int64_t(common.dims[i + 1]) + upper[i] <= lower[i])
      return complain(element("pixelBoxUpperCorner", i), upper[i], "the box of base pixels is empty");
    map.lower[i] = int16_t(lower[i]);
    map.upper[i] = int16_t(upper[i]);
  }
  map.channels = uint16_t(channelsPerPixel);
  map.pixels = uint16_t(pixelsPerColumn);
  return seal(map);
}

TensorMapResult replaceAddress(const TensorMap& map, uint64_t address) {
  const unsigned alignment = map.interleave == Interleave::bytes32 ? 32 : 16;
  if (address == 0 || address % alignment != 0)
    return complain("globalAddress", int64_t(address), "must be a multiple of " + std::to_string(alignment));
  TensorMap copy = map;
  copy.address = address;
  return seal(copy);
}

std::optional<TensorMap> readTensorMap(const std::byte* bytes) {
  TensorMap map;
  std::memcpy(static_cast<void*>(&map), bytes, sizeof map);
  if (map.mark != mapMark || map.check != checksum(map)) return std::nullopt;
  return map;
}

}  // namespace cnn::emu
