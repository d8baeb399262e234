// Convolution, im2col, depthwise convolution and pooling of ggml. Values are small whole numbers, so that every sum is exact in
// whatever order it is taken and whatever type it is kept in.
#include "check.h"
#include "device.h"
#include "kernel_names.h"
#include "numbers.h"

#include <algorithm>

using namespace cnn::foreign;

namespace {

struct Shape {
  int batch, channels, height, width, filters, kernelHeight, kernelWidth, strideY, strideX, padY, padX, dilationY, dilationX;

  int outHeight() const { return (height + 2 * padY - dilationY * (kernelHeight - 1) - 1) / strideY + 1; }
  int outWidth() const { return (width + 2 * padX - dilationX * (kernelWidth - 1) - 1) / strideX + 1; }
  int inputs() const { return batch * channels * height * width; }
  int outputs() const { return batch * filters * outHeight() * outWidth(); }
  int window() const { return kernelHeight * kernelWidth; }
};

constexpr Shape uneven{2, 5, 13, 17, 7, 3, 3, 2, 1, 1, 2, 1, 2}, wide{2, 24, 15, 15, 70, 3, 3, 1, 1, 1, 1, 1, 1}, oblong{1, 9, 12, 20, 66, 2, 5, 1, 2, 0, 3, 2, 1};

// What the kernels take by value.
struct Parameters {
  std::int64_t width, height, outWidth, outHeight, kernelWidth, kernelHeight, strideX, strideY, padX, padY, dilationX, dilationY, channels, filters, batch, total;
};
Parameters parametersOf(const Shape& s) {
  return {s.width, s.height, s.outWidth(), s.outHeight(), s.kernelWidth, s.kernelHeight, s.strideX, s.strideY, s.padX, s.padY, s.dilationX, s.dilationY,
          s.channels, s.filters, s.batch, s.outputs()};
}

unsigned blocksOf(int count, int threads) { return unsigned((count + threads - 1) / threads); }

// The pixel that tap (ky, kx) of output (y, x) of plane `plane` reads, 0 in the padding.
float pixel(const Shape& s, const std::vector<float>& input, int plane, int y, int x, int ky, int kx) {
  const int row = y * s.strideY - s.padY + ky * s.dilationY, column = x * s.strideX - s.padX + kx * s.dilationX;
  return row < 0 || row >= s.height || column < 0 || column >= s.width ? 0 : input[std::size_t((plane * s.height + row) * s.width + column)];
}

// visit(index of the output, n, k, y, x)
template <class Visit> void eachOutput(const Shape& s, int planes, Visit visit) {
  int index = 0;
  for (int n = 0; n < s.batch; ++n)
    for (int k = 0; k < planes; ++k)
      for (int y = 0; y < s.outHeight(); ++y)
        for (int x = 0; x < s.outWidth(); ++x) visit(index++, n, k, y, x);
}

std::vector<float> convolve(const Shape& s, const std::vector<float>& input, const std::vector<float>& weight) {
  std::vector<float> output(std::size_t(s.outputs()));
  eachOutput(s, s.filters, [&](int index, int n, int k, int y, int x) {
    double sum = 0;
    for (int c = 0; c < s.channels; ++c)
      for (int tap = 0; tap < s.window(); ++tap)
        sum += double(pixel(s, input, n * s.channels + c, y, x, tap / s.kernelWidth, tap % s.kernelWidth)) * weight[std::size_t((k * s.channels + c) * s.window() + tap)];
    output[std::size_t(index)] = float(sum);
  });
  return output;
}

template <class T> void checkIm2col(const char* kernel, std::vector<T> (*convert)(const std::vector<float>&)) {
  const Shape& s = uneven;
  const std::vector<float> input = wholeNumbers(s.inputs(), 1);
  const int taps = s.channels * s.window(), rows = s.batch * s.outHeight();
  const Array<float> in(input);
  const Array<T> out(std::size_t(rows * s.outWidth() * taps));
  const auto l = [](int value) { return std::int64_t(value); };
  Device::instance().run(kernel, {.grid = {unsigned(s.outWidth()), unsigned(rows), 1}, .block = {32, 1, 1}},
                         in.address(), out.address(), l(s.channels), l(s.width), l(s.height), l(s.outHeight()), l(s.outWidth()), l(s.kernelWidth), l(s.kernelHeight), l(s.batch),
                         l(s.height * s.width), l(s.channels * s.height * s.width), l(rows), l(s.window()), l(taps), s.strideX, s.strideY, s.padX, s.padY, s.dilationX, s.dilationY);
  std::vector<float> expected(std::size_t(rows * s.outWidth() * taps));
  eachOutput(s, 1, [&](int index, int n, int, int y, int x) {
    for (int tap = 0; tap < taps; ++tap)
      expected[std::size_t(index * taps + tap)] = pixel(s, input, n * s.channels + tap / s.window(), y, x, tap % s.window() / s.kernelWidth, tap % s.kernelWidth);
  });
  CHECK(out.values() == convert(expected));
}

template <class T> void checkDirect(const char* kernel, std::vector<T> (*convert)(const std::vector<float>&)) {
  for (const Shape& s : {uneven, oblong}) {
    const std::vector<float> input = wholeNumbers(s.inputs(), 2), weight = wholeNumbers(s.filters * s.channels * s.window(), 3);
    const Array<float> in(input), out(std::size_t(s.outputs()));
    const Array<T> filter(convert(weight));
    Device::instance().run(kernel, {.grid = {blocksOf(s.outputs(), 256), 1, 1}, .block = {256, 1, 1}}, in.address(), filter.address(), out.address(), parametersOf(s));
    CHECK(out.values() == convolve(s, input, weight));
  }
}

// As the library does it: a padded copy in f16, products of tiles, the sum over the parts of the reduction.
void checkImplicit(const char* kernel, const Shape& s, int splits) {
  const std::vector<float> input = wholeNumbers(s.inputs(), 4), weight = wholeNumbers(s.filters * s.channels * s.window(), 5);
  const int height = s.height + 2 * s.padY, width = s.width + 2 * s.padX, padded = s.batch * s.channels * height * width;
  const Array<float> in(input), parts(std::size_t(splits * s.outputs())), out(std::size_t(s.outputs()));
  const Array<std::uint16_t> copy(std::size_t(padded), 0), filter(halves(weight));
  Device& device = Device::instance();
  device.run(padHalf, {.grid = {blocksOf(padded, 256), 1, 1}, .block = {256, 1, 1}}, in.address(), copy.address(), s.width, s.height, width, height, s.padX, s.padY, padded);
  Shape whole = s;
  whole.height = height, whole.width = width, whole.padX = whole.padY = 0;
  device.run(kernel, {.grid = {blocksOf(s.outHeight() * s.outWidth(), 64), blocksOf(s.filters, 64), unsigned(s.batch * splits)}, .block = {32, 4, 1}},
             copy.address(), filter.address(), parts.address(), parametersOf(whole), splits);
  device.run(reduceSplits, {.grid = {blocksOf(s.outputs(), 256), 1, 1}, .block = {256, 1, 1}}, parts.address(), out.address(), s.outputs(), s.outputs() / s.batch, splits);
  CHECK(out.values() == convolve(s, input, weight));
}

void checkDepthwise(const char* kernel, bool channelsLast) {
  Shape s = uneven;
  s.filters = s.channels;
  const std::vector<float> input = wholeNumbers(s.inputs(), 6), weight = wholeNumbers(s.channels * s.window(), 7);
  std::vector<float> expected(std::size_t(s.outputs()));
  eachOutput(s, s.channels, [&](int index, int n, int c, int y, int x) {
    float sum = 0;
    for (int tap = 0; tap < s.window(); ++tap) sum += pixel(s, input, n * s.channels + c, y, x, tap / s.kernelWidth, tap % s.kernelWidth) * weight[std::size_t(c * s.window() + tap)];
    expected[std::size_t(index)] = sum;
  });
  const auto arranged = [&](const std::vector<float>& planar, int batch, int area) { return channelsLast ? transposed(planar, batch, s.channels, area) : planar; };
  const Array<float> in(arranged(input, s.batch, s.height * s.width)), filter(arranged(weight, 1, s.window())), out(std::size_t(s.outputs()));
  Device::instance().run(kernel, {.grid = {blocksOf(s.outputs(), 256), 1, 1}, .block = {256, 1, 1}}, in.address(), filter.address(), out.address(), s.width, s.height,
                         s.outWidth(), s.outHeight(), s.kernelWidth, s.kernelHeight, s.strideX, s.strideY, s.padX, s.padY, s.dilationX, s.dilationY, s.channels, s.batch);
  CHECK(out.values() == arranged(expected, s.batch, s.outHeight() * s.outWidth()));
}

std::vector<float> same(const std::vector<float>& values) { return values; }

}  // namespace

TEST(every_fat_binary_loads) {
  const Device& device = Device::instance();
  for (const std::string& refused : device.refused()) CHECK_EQ(refused, "");
  CHECK(device.loaded() > 100);
}

TEST(im2col) {
  checkIm2col<float>(im2colSingle, same);
  checkIm2col<std::uint16_t>(im2colHalf, halves);
}

TEST(direct_convolution) {
  checkDirect<float>(convolutionSingle, same);
  checkDirect<std::uint16_t>(convolutionHalf, halves);
}

// ldmatrix and mma.sync
TEST(implicit_gemm_on_tensor_cores) {
  checkImplicit(implicitTensor3x3, wide, 1);
  checkImplicit(implicitTensor3x3, wide, 3);
  checkImplicit(implicitTensorAny, oblong, 2);
}

TEST(implicit_gemm_without_tensor_cores) { checkImplicit(implicitScalar3x3, wide, 2); }

TEST(depthwise_convolution) {
  checkDepthwise(depthwisePlanar, false);
  checkDepthwise(depthwiseChannelsLast, true);
}

TEST(pooling) {
  constexpr Shape s{3, 4, 11, 14, 4, 2, 4, 2, 3, 1, 2, 1, 1};
  const std::vector<float> input = wholeNumbers(s.inputs(), 8);
  for (const int average : {0, 1}) {
    std::vector<float> expected(std::size_t(s.outputs()));
    eachOutput(s, s.channels, [&](int index, int n, int c, int y, int x) {
      float sum = 0, greatest = -1e30f;
      for (int ky = 0; ky < s.kernelHeight; ++ky)
        for (int kx = 0; kx < s.kernelWidth; ++kx) {
          sum += pixel(s, input, n * s.channels + c, y, x, ky, kx);
          const int row = y * s.strideY - s.padY + ky, column = x * s.strideX - s.padX + kx;
          if (row >= 0 && row < s.height && column >= 0 && column < s.width) greatest = std::max(greatest, pixel(s, input, n * s.channels + c, y, x, ky, kx));
        }
      expected[std::size_t(index)] = average ? sum / 8 : greatest;
    });
    const Array<float> in(input), out(std::size_t(s.outputs()));
    Device::instance().run(pooling, {.grid = {blocksOf(s.outputs(), 256), 1, 1}, .block = {256, 1, 1}}, s.height, s.width, s.outHeight(), s.outWidth(), s.kernelHeight,
                           s.kernelWidth, s.strideY, s.strideX, s.padY, s.padX, s.outputs(), in.address(), out.address(), average);
    CHECK(out.values() == expected);
  }
}
