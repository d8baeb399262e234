// Tensor maps: what encoding refuses, and the walk through the box against one written element by element.
#include "tensor_test.h"

#include "machine/tensor_map.h"
#include "machine/tensor_walk.h"

#include <map>

using namespace cnn::emu;
using namespace cnn::test;

namespace {

struct Arguments {
  std::vector<std::uint64_t> dims{64, 32, 16, 4}, strides{128, 4096, 65536};
  std::vector<std::uint32_t> box{32, 8, 4, 1}, steps{1, 1, 1, 1};
  std::vector<int> lower{-1, -1}, upper{-1, -1};
  int type = 9, interleave = 0, swizzle = 0, promotion = 0, fill = 0;  // bf16
  unsigned rank = 4;
  std::uint64_t address = 0x10000;
  std::uint32_t channels = 32, pixels = 16;

  TensorMapCommon common() const {
    return {type, rank, address, dims.data(), strides.data(), steps.data(), interleave, swizzle, promotion, fill};
  }
  TensorMapResult tiled() const { return encodeTiled(common(), box.data()); }
  TensorMapResult im2col() const { return encodeIm2col(common(), lower.data(), upper.data(), channels, pixels); }
};

template <class Change> void refuses(bool im2col, const char* word, Change change) {
  Arguments a;
  change(a);
  const TensorMapResult result = im2col ? a.im2col() : a.tiled();
  const auto* text = std::get_if<std::string>(&result);
  REQUIRE(text != nullptr);
  if (!contains(*text, word)) FAIL(*text + " does not name " + word);
  else CHECK(true);
}

TensorMap must(const TensorMapResult& result) {
  if (const auto* text = std::get_if<std::string>(&result)) FAIL(*text);
  REQUIRE(std::holds_alternative<TensorMap>(result));
  return std::get<TensorMap>(result);
}

// Address of every byte of the box, by the walk; 0 where it is filled.
constexpr std::uint64_t untouched = ~std::uint64_t(0);
std::vector<std::uint64_t> walked(const TensorMap& map, const BoxPosition& position) {
  REQUIRE_EQ(checkWalk(map, position), std::string());
  std::vector<std::uint64_t> bytes(map.footprint(), untouched);
  walkBox(map, position, [&](const BoxRun& run) {
    for (std::uint32_t b = 0; b < run.bytes; ++b) {
      REQUIRE(run.shared + b < bytes.size());
      bytes[run.shared + b] = b >= run.before && b < run.before + run.inside ? run.global + (b - run.before) : 0;
    }
  });
  return bytes;
}

// Address of an element by its index, 0 outside of the tensor.
std::uint64_t elementAt(const TensorMap& map, const std::int64_t* index) {
  std::uint64_t address = map.address + std::uint64_t(index[0]) * elementBytes(map.type);
  for (int d = 0; d < map.rank; ++d) {
    if (index[d] < 0 || index[d] >= std::int64_t(map.dims[std::size_t(d)])) return 0;
    if (d > 0) address += std::uint64_t(index[d]) * map.strides[std::size_t(d - 1)];
  }
  return address;
}

}  // namespace

TEST(accepts_and_reads_back) {
  const Arguments a;
  const TensorMap tiled = must(a.tiled());
  CHECK_EQ(tiled.boxBytes(), std::size_t(32 * 8 * 4 * 2));
  CHECK(readTensorMap(reinterpret_cast<const std::byte*>(&tiled)).has_value());
  TensorMap broken = tiled;
  broken.box[1] = 9;
  CHECK(!readTensorMap(reinterpret_cast<const std::byte*>(&broken)).has_value());
  CHECK_EQ(must(a.im2col()).boxBytes(), std::size_t(32 * 16 * 2));
  const TensorMap moved = must(replaceAddress(tiled, 0x20000));
  CHECK_EQ(moved.address, 0x20000u);
  CHECK(readTensorMap(reinterpret_cast<const std::byte*>(&moved)).has_value());
}

TEST(refuses_what_the_documentation_forbids) {
  for (const bool im2col : {false, true}) {
    refuses(im2col, "tensorDataType", [](Arguments& a) { a.type = 13; });
    refuses(im2col, "tensorDataType", [](Arguments& a) { a.type = -1; });
    refuses(im2col, "tensorRank", [](Arguments& a) { a.rank = 6; });
    refuses(im2col, "tensorRank", [](Arguments& a) { a.rank = 0; });
    refuses(im2col, "globalAddress", [](Arguments& a) { a.address += 8; });
    refuses(im2col, "globalAddress", [](Arguments& a) { a.address = 0; });
    refuses(im2col, "globalDim[1]", [](Arguments& a) { a.dims[1] = 0; });
    refuses(im2col, "globalDim[0]", [](Arguments& a) { a.dims[0] = (std::uint64_t(1) << 32) + 1; });
    refuses(im2col, "globalStrides[0]", [](Arguments& a) { a.strides[0] += 8; });
    refuses(im2col, "globalStrides[2]", [](Arguments& a) { a.strides[2] = std::uint64_t(1) << 40; });
    refuses(im2col, "globalStrides[1]", [](Arguments& a) { a.dims[1] = 4097; });
    refuses(im2col, "elementStrides[1]", [](Arguments& a) { a.steps[1] = 9; });
    refuses(im2col, "elementStrides[2]", [](Arguments& a) { a.steps[2] = 0; });
    refuses(im2col, "interleave", [](Arguments& a) { a.interleave = 3; });
    refuses(im2col, "swizzle", [](Arguments& a) { a.swizzle = 4; });
    refuses(im2col, "swizzle", [](Arguments& a) { a.interleave = 2, a.swizzle = 0; });
    refuses(im2col, "globalStrides[0]", [](Arguments& a) { a.interleave = 2, a.swizzle = 1, a.strides[0] = 16; });
    refuses(im2col, "globalAddress", [](Arguments& a) { a.interleave = 2, a.swizzle = 1, a.address = 0x10010; });
    refuses(im2col, "l2Promotion", [](Arguments& a) { a.promotion = 4; });
    refuses(im2col, "oobFill", [](Arguments& a) { a.fill = 2; });
    refuses(im2col, "oobFill", [](Arguments& a) { a.fill = 1, a.type = 2; });
  }
  refuses(false, "tensorRank", [](Arguments& a) { a.rank = 2, a.interleave = 1; });
  refuses(false, "boxDim[0]", [](Arguments& a) { a.box[0] = 257; });
  refuses(false, "boxDim[2]", [](Arguments& a) { a.box[2] = 0; });
  refuses(false, "multiple of 16", [](Arguments& a) { a.box[0] = 4; });
  refuses(false, "swizzle", [](Arguments& a) { a.swizzle = 1; });
  refuses(true, "tensorRank", [](Arguments& a) { a.rank = 2; });
  refuses(true, "channelsPerPixel", [](Arguments& a) { a.channels = 257; });
  refuses(true, "pixelsPerColumn", [](Arguments& a) { a.pixels = 1025; });
  refuses(true, "pixelBoxLowerCorner[1]", [](Arguments& a) { a.lower[1] = -129; });
  refuses(true, "pixelBoxUpperCorner[0]", [](Arguments& a) { a.upper[0] = 128; });
  refuses(true, "empty", [](Arguments& a) { a.upper[1] = -17; });
  refuses(true, "swizzle", [](Arguments& a) { a.swizzle = 1; });
}

// What lies just inside each limit is accepted, and the first value beyond it refused.
TEST(limits_are_where_the_documentation_puts_them) {
  const auto accepts = [](bool im2col, auto change) {
    Arguments a;
    change(a);
    const TensorMapResult result = im2col ? a.im2col() : a.tiled();
    const auto* text = std::get_if<std::string>(&result);
    if (text) FAIL(*text);
    else CHECK(true);
  };
  for (const bool im2col : {false, true}) {
    accepts(im2col, [](Arguments& a) { a.address += 16; });
    accepts(im2col, [](Arguments& a) { a.dims[1] = 4096; });  // as many as its stride has bytes
    accepts(im2col, [](Arguments& a) { a.interleave = 1, a.strides[0] += 16; });
    accepts(im2col, [](Arguments& a) { a.interleave = 2, a.swizzle = 1, a.strides[0] += 32; });
    refuses(im2col, "globalStrides[1]", [](Arguments& a) { a.interleave = 2, a.swizzle = 1, a.strides[1] += 16; });
    accepts(im2col, [](Arguments& a) { a.dims[3] = std::uint64_t(1) << 32; });
    accepts(im2col, [](Arguments& a) { a.strides[2] = (std::uint64_t(1) << 40) - 16; });
    accepts(im2col, [](Arguments& a) { a.steps[1] = 8; });
    accepts(im2col, [](Arguments& a) { a.steps[0] = 9; });  // not used: nothing steps along the inner dimension
    refuses(im2col, "elementStrides[0]", [](Arguments& a) { a.interleave = 1, a.steps[0] = 9; });
    accepts(im2col, [](Arguments& a) { a.interleave = 2, a.swizzle = 1; });
    for (const int swizzle : {0, 2, 3}) refuses(im2col, "swizzle", [=](Arguments& a) { a.interleave = 2, a.swizzle = swizzle; });
    for (const int swizzle : {1, 2, 3}) {
      // 2 bytes an element: 16, 32 or 64 of them fill the pattern of 32, 64 or 128 bytes.
      const std::uint32_t whole = 8u << swizzle;
      accepts(im2col, [=](Arguments& a) { a.swizzle = swizzle, a.box[0] = a.channels = whole; });
      refuses(im2col, "swizzle", [=](Arguments& a) { a.swizzle = swizzle, a.box[0] = a.channels = whole + 8; });
    }
    for (int type = 0; type <= 12; ++type) {
      const auto filled = [=](Arguments& a) { a.type = type, a.fill = 1; };
      if (type >= 6) accepts(im2col, filled);  // f16, f32, f64, bf16, f32 flushed, tf32, tf32 flushed
      else refuses(im2col, "oobFill", filled);
    }
  }
  accepts(false, [](Arguments& a) { a.box[0] = 256, a.box[1] = 256; });
  accepts(false, [](Arguments& a) { a.box[0] = 8; });
  refuses(false, "boxDim[1]", [](Arguments& a) { a.box[1] = 257; });
  refuses(false, "boxDim[0]", [](Arguments& a) { a.box[0] = 0; });
  accepts(true, [](Arguments& a) { a.channels = 256, a.pixels = 1024; });
  refuses(true, "channelsPerPixel", [](Arguments& a) { a.channels = 0; });
  refuses(true, "channelsPerPixel", [](Arguments& a) { a.channels = 4; });
  refuses(true, "pixelsPerColumn", [](Arguments& a) { a.pixels = 0; });
}

// The corners of the pixel box have 16, 8 or 5 bits per spatial dimension.
TEST(corners_narrow_with_the_rank) {
  for (const auto& [rank, limit] : {std::pair{3u, 32768}, {4u, 128}, {5u, 16}}) {
    Arguments a;
    a.rank = rank;
    a.dims = {64, 40000, 300, 300, 4};
    a.strides = {128, 128ull * 40000, 128ull * 40000 * 300, 128ull * 40000 * 300 * 300};
    a.steps.assign(5, 1);
    a.lower.assign(3, -limit);
    a.upper.assign(3, -limit);
    CHECK(std::holds_alternative<TensorMap>(a.im2col()));
    a.lower.assign(3, limit - 1);
    a.upper.assign(3, limit - 1);
    CHECK(std::holds_alternative<TensorMap>(a.im2col()));
    a.lower[0] = limit;
    CHECK(std::holds_alternative<std::string>(a.im2col()));
    a.lower[0] = -limit - 1;
    CHECK(std::holds_alternative<std::string>(a.im2col()));
    a.lower[0] = 0;
    a.upper[0] = limit;
    CHECK(std::holds_alternative<std::string>(a.im2col()));
    a.upper[0] = -limit - 1;
    CHECK(std::holds_alternative<std::string>(a.im2col()));
  }
}

TEST(absent_arrays_are_refused) {
  Arguments a;
  const auto isRefused = [&](auto change) {
    TensorMapCommon common = a.common();
    change(common);
    return std::holds_alternative<std::string>(encodeTiled(common, a.box.data()))
        && std::holds_alternative<std::string>(encodeIm2col(common, a.lower.data(), a.upper.data(), a.channels, a.pixels));
  };
  CHECK(!isRefused([](TensorMapCommon&) {}));
  CHECK(isRefused([](TensorMapCommon& c) { c.dims = nullptr; }));
  CHECK(isRefused([](TensorMapCommon& c) { c.strides = nullptr; }));
  CHECK(isRefused([](TensorMapCommon& c) { c.steps = nullptr; }));
  CHECK(std::holds_alternative<std::string>(encodeTiled(a.common(), nullptr)));
  CHECK(std::holds_alternative<std::string>(encodeIm2col(a.common(), nullptr, a.upper.data(), a.channels, a.pixels)));
  CHECK(std::holds_alternative<std::string>(encodeIm2col(a.common(), a.lower.data(), nullptr, a.channels, a.pixels)));
}

TEST(tiled_walk) {
  Random random(11);
  for (int n = 0; n < 60; ++n) {
    Arguments a;
    a.rank = unsigned(random.integer(1, 5));
    a.dims = {37, 11, 7, 5, 3};
    a.strides = {96, 1088, 7680, 38464};
    a.box = {std::uint32_t(8 * random.integer(1, 5)), std::uint32_t(random.integer(1, 9)), std::uint32_t(random.integer(1, 6)), std::uint32_t(random.integer(1, 3)), 2};
    a.steps = {1, std::uint32_t(random.integer(1, 3)), std::uint32_t(random.integer(1, 2)), 1, 1};
    const TensorMap map = must(a.tiled());
    BoxPosition position;
    for (unsigned d = 0; d < a.rank; ++d) position.coordinates[d] = random.integer(-9, int(a.dims[d]) + 3);
    const auto bytes = walked(map, position);
    std::size_t at = 0;
    std::int64_t c[5] = {1, 1, 1, 1, 1}, index[5];
    for (unsigned d = 0; d < a.rank; ++d) c[d] = (a.box[d] + a.steps[d] - 1) / a.steps[d];
    for (std::int64_t i4 = 0; i4 < c[4]; ++i4) for (std::int64_t i3 = 0; i3 < c[3]; ++i3) for (std::int64_t i2 = 0; i2 < c[2]; ++i2)
      for (std::int64_t i1 = 0; i1 < c[1]; ++i1) for (std::int64_t i0 = 0; i0 < c[0]; ++i0) {
        const std::int64_t step[5] = {i0, i1, i2, i3, i4};
        for (unsigned d = 0; d < 5; ++d) index[d] = position.coordinates[d] + step[d] * (d < a.rank ? a.steps[d] : 1);
        CHECK_EQ(bytes[at], elementAt(map, index));
        at += 2;
      }
    CHECK_EQ(at, bytes.size());
  }
}

// The rows of an implicit GEMM: pixel m of the output, tap (s, r), by the definition of a convolution.
TEST(im2col_walk_is_a_convolution) {
  for (const int stride : {1, 2})
    for (const int dilation : {1, 2}) {
      const int N = 3, H = 9, W = 8, C = 16, R = 3, pad = 1;
      const int reach = dilation * (R - 1), P = (H + 2 * pad - reach - 1) / stride + 1, Q = (W + 2 * pad - reach - 1) / stride + 1;
      Arguments a;
      a.dims = {C, W, H, N};
      a.strides = {2 * C, 2 * C * W, 2 * C * W * H};
      a.steps = {1, std::uint32_t(stride), std::uint32_t(stride), 1};
      a.lower = {-pad, -pad};
      a.upper = {pad - reach, pad - reach};
      a.channels = 8;
      a.pixels = 24;
      const TensorMap map = must(a.im2col());
      for (int first = 0; first < N * P * Q; first += 24)
        for (int r = 0; r < R; ++r)
          for (int s = 0; s < R; ++s) {
            BoxPosition position;
            const int q = first % Q, p = first / Q % P, n = first / Q / P;
            position.coordinates = {8, q * stride - pad, p * stride - pad, n, 0};
            position.offsets = {std::uint16_t(s * dilation), std::uint16_t(r * dilation), 0};
            const auto bytes = walked(map, position);
            for (int m = 0; m < 24; ++m) {
              const int pixel = first + m;
              const std::int64_t index[5] = {8, (pixel % Q) * stride - pad + s * dilation, (pixel / Q % P) * stride - pad + r * dilation, pixel / Q / P, 0};
              CHECK_EQ(bytes[std::size_t(16 * m)], elementAt(map, index));
            }
          }
    }
}

// Rows of 64 bytes under a swizzle of 128: each takes a whole line of the pattern, and half of it stays as it was.
TEST(rows_narrower_than_their_swizzle_keep_its_pitch) {
  Arguments a;
  a.swizzle = 3;
  const TensorMap map = must(a.tiled());
  CHECK_EQ(map.boxBytes(), std::size_t(32 * 8 * 4 * 2));
  CHECK_EQ(map.footprint(), std::size_t(128 * 8 * 4));
  const auto bytes = walked(map, {});
  for (std::size_t row = 0; row < 32; ++row)
    for (std::size_t byte = 0; byte < 128; ++byte) {
      const std::int64_t index[5] = {std::int64_t(byte / 2), std::int64_t(row % 8), std::int64_t(row / 8), 0, 0};
      CHECK_EQ(bytes[128 * row + byte], byte < 64 ? elementAt(map, index) + byte % 2 : untouched);
    }
}

// NC/8HWC8 and NC/16HWC16: the address of channel c of a pixel, slice by slice.
std::uint64_t slicedAt(const TensorMap& map, const std::int64_t* index, std::int64_t slice) {
  std::int64_t pixel[5] = {0, index[1], index[2], index[3], index[4]};
  const std::uint64_t first = index[0] < 0 || index[0] >= std::int64_t(map.dims[0]) ? 0 : elementAt(map, pixel);
  if (first == 0) return 0;
  const auto volume = std::uint64_t(map.dims[std::size_t(map.rank) - 2]) * map.strides[std::size_t(map.rank) - 3];
  return first + std::uint64_t(index[0] / slice) * volume + std::uint64_t(index[0] % slice) * elementBytes(map.type);
}

TEST(interleaved_walk) {
  for (const int interleave : {1, 2})
    for (const bool im2col : {false, true}) {
      const std::int64_t slice = interleave == 1 ? 8 : 16, W = 6, H = 5, N = 3, C = 4 * slice - 3;  // the last slice is partly padding
      Arguments a;
      a.interleave = interleave;
      a.swizzle = interleave == 2 ? 1 : 0;
      a.dims = {std::uint64_t(C), std::uint64_t(W), std::uint64_t(H), std::uint64_t(N)};
      a.strides = {std::uint64_t(2 * slice), std::uint64_t(2 * slice * W), std::uint64_t(2 * slice * W * H * 4)};
      a.box = {std::uint32_t(3 * slice), 4, 3, 2};
      a.lower = a.upper = {-1, -1};
      a.channels = std::uint32_t(3 * slice);
      a.pixels = 24;
      const TensorMap map = must(im2col ? a.im2col() : a.tiled());
      CHECK_EQ(map.boxBytes(), std::size_t(3 * slice * 24 * 2));
      BoxPosition position;
      position.coordinates = {int(2 * slice), im2col ? -1 : 3, im2col ? 0 : -1, 1, 0};
      if (im2col) position.offsets = {2, 1, 0};
      const auto bytes = walked(map, position);
      for (std::int64_t row = 0; row < 72; ++row)
        for (std::int64_t element = 0; element < slice; ++element) {
          std::int64_t index[5] = {};
          if (im2col) {  // slice by slice, pixels of the box of W x H one row and column smaller, from the second row on
            const std::int64_t pixel = row % 24 + W, per = W * H;
            index[0] = 2 * slice + row / 24 * slice + element;
            index[1] = pixel % W - 1 + 2, index[2] = pixel / W % H - 1 + 1, index[3] = 1 + pixel / per;
          } else {       // image by image, slice by slice, rows of 4 pixels
            index[0] = 2 * slice + row / 12 % 3 * slice + element;
            index[1] = 3 + row % 4, index[2] = -1 + row / 4 % 3, index[3] = 1 + row / 36;
          }
          const std::size_t at = std::size_t((row * slice + element) * 2);
          CHECK_EQ(bytes[at], slicedAt(map, index, slice));
        }
    }
}

TEST(walks_that_cannot_be_say_so) {
  Arguments a;
  a.interleave = 1;
  BoxPosition sliced;
  sliced.coordinates = {4, 0, 0, 0, 0};
  CHECK(contains(checkWalk(must(a.tiled()), sliced), "does not begin a slice of 8"));
  a.steps[0] = 2;
  CHECK(contains(checkWalk(must(a.tiled()), {}), "along the channels"));
  const Arguments b;
  BoxPosition position;
  position.coordinates = {0, -2, 0, 0, 0};
  CHECK(contains(checkWalk(must(b.im2col()), position), "outside the pixel box"));
  position.coordinates = {0, 0, 0, 0, 0};
  position.offsets = {256, 0, 0};
  CHECK(contains(checkWalk(must(b.im2col()), position), "256"));
}
