// Tensor maps: what cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col make, and what cp.async.bulk.tensor reads.
//
// A map is an opaque object of 128 bytes for its users. Here it holds the validated parameters in the clear, with a mark
// and a checksum, so that a kernel which is handed something else as a map faults instead of reading nonsense.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace cnn::emu {

enum class TensorMapKind : uint8_t { tiled, im2col };
enum class Interleave : uint8_t { none, bytes16, bytes32 };
enum class Swizzle : uint8_t { none, bytes32, bytes64, bytes128 };

// The numbers are those of CUtensorMapDataType.
enum class TensorType : uint8_t { u8, u16, u32, s32, u64, s64, f16, f32, f64, bf16, f32ftz, tf32, tf32ftz };

unsigned elementBytes(TensorType type);
bool isFloating(TensorType type);

struct alignas(64) TensorMap {
  static constexpr int maxRank = 5;

  uint64_t mark;
  uint64_t address;
  std::array<uint64_t, maxRank> dims;         // elements, innermost first; 1 above the rank
  std::array<uint64_t, maxRank - 1> strides;  // bytes from one index of dimension i + 1 to the next
  std::array<uint16_t, maxRank> box;          // tiled: elements the box spans
  std::array<int16_t, maxRank - 2> lower;     // im2col: first base pixel along W, H, D
  std::array<int16_t, maxRank - 2> upper;     // im2col: end of the base pixels, counted from the end of W, H, D
  uint16_t channels;                          // im2col: channels per pixel
  uint16_t pixels;                            // im2col: pixels per column
  std::array<uint8_t, maxRank> steps;         // traversal strides
  uint8_t rank;
  uint32_t check;
  TensorMapKind kind : 1;
  Interleave interleave : 2;
  Swizzle swizzle : 2;
  bool fillNaN : 1;
  TensorType type;
  std::array<uint8_t, 2> reserved;            // zero: no padding, so that the checksum covers every byte

  // Bytes that one copy delivers to shared memory (and reports to its mbarrier), out-of-bounds fill included.
  size_t boxBytes() const;
  // Bytes of shared memory that the copy may touch: more than that where rows do not fill their swizzle pattern.
  size_t footprint() const;
  // Elements of dimension i that a tiled box holds: its span divided by the traversal stride, rounded up.
  unsigned boxElements(int dimension) const;

  // The box lies in shared memory as rows of contiguous elements, `rowPitch` bytes from one to the next. Interleaved, a row
  // is one slice of the channels of a pixel, and the box has `slices` of them; otherwise it is all of dimension 0.
  unsigned slices() const;
  unsigned rowElements() const;
  unsigned rowPitch() const;
  // NC/8HWC8: bytes from one slice of the channels to the next, which holds every pixel of an image. The documentation
  // names no stride for it; this is the one that leaves no gaps.
  uint64_t sliceStride() const { return strides[rank - 3] * dims[rank - 2]; }
};
static_assert(sizeof(TensorMap) == 128);

// The arguments as the driver API takes them; enumerators as their plain numbers, so that bad ones can be refused.
struct TensorMapCommon {
  int type;
  unsigned rank;
  uint64_t address;
  const uint64_t* dims;
  const uint64_t* strides;
  const uint32_t* steps;
  int interleave, swizzle, l2Promotion, fill;
};

// Both enforce every documented constraint. The string says which parameter broke which one.
using TensorMapResult = std::variant<TensorMap, std::string>;
TensorMapResult encodeTiled(const TensorMapCommon& common, const uint32_t* box);
TensorMapResult encodeIm2col(const TensorMapCommon& common, const int* lower, const int* upper,
                             uint32_t channelsPerPixel, uint32_t pixelsPerColumn);

// A copy with only the address changed (cuTensorMapReplaceAddress).
TensorMapResult replaceAddress(const TensorMap& map, uint64_t address);

// The map in these 128 bytes, or nothing if they were not written by an encode function.
std::optional<TensorMap> readTensorMap(const std::byte* bytes);

}  // namespace cnn::emu
