// Kernels of ggml, and of CUB inside it, that work on rows: softmax, cross-entropy, normalisation, reductions, sorting, optimizers.
#include "check.h"
#include "device.h"
#include "kernel_names.h"
#include "numbers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

using namespace cnn::foreign;

namespace {

struct SoftmaxParameters {
  std::int64_t heads;
  std::uint32_t headsLog2;
  std::int64_t columns, rowsX, rowsY, ne00, ne01, ne02, ne03, nb11, nb12, nb13, ne12, ne13;
  float scale, maxBias, m0, m1;
};
static_assert(sizeof(SoftmaxParameters) == 128);

SoftmaxParameters softmaxOf(int rows, int columns, float scale) {
  return {.heads = 1, .headsLog2 = 1, .columns = columns, .rowsX = rows, .rowsY = rows, .ne00 = columns, .ne01 = rows, .ne02 = 1, .ne03 = 1, .nb11 = 0, .nb12 = 0, .nb13 = 0,
          .ne12 = 1, .ne13 = 1, .scale = scale, .maxBias = 0, .m0 = 1, .m1 = 1};
}

std::vector<double> softmax(const float* row, int columns, double scale) {
  const double greatest = scale * *std::max_element(row, row + columns);
  std::vector<double> result(std::size_t(columns), 0);
  double sum = 0;
  for (int i = 0; i < columns; ++i) sum += result[std::size_t(i)] = std::exp(scale * row[i] - greatest);
  for (double& value : result) value /= sum;
  return result;
}

// Each within `tolerance` of the magnitude of what is expected, or of `least` where that is larger.
void checkClose(const std::vector<float>& actual, const std::vector<double>& expected, double tolerance, double least) {
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = std::fabs(actual[i] - expected[i]) / std::max(std::fabs(expected[i]), least);
    worst = error <= worst ? worst : error;  // NaN stays
  }
  CHECK(worst <= tolerance);
}

void checkSoftmax(const char* kernel, int rows, int columns, float scale, const Launch& launch, bool overTheGrid) {
  const std::vector<float> input = uniform(rows * columns, 11, -8, 8);
  const Array<float> in(input), out(input.size(), 0.0f), maxima(launch.grid[0], 0.0f), sums(launch.grid[0], 0.0f);
  Device& device = Device::instance();
  if (overTheGrid) device.run(kernel, launch, in.address(), out.address(), maxima.address(), sums.address(), softmaxOf(rows, columns, scale));
  else device.run(kernel, launch, in.address(), CUdeviceptr(0), CUdeviceptr(0), out.address(), softmaxOf(rows, columns, scale));
  std::vector<double> expected;
  for (int r = 0; r < rows; ++r) {
    const std::vector<double> row = softmax(&input[std::size_t(r * columns)], columns, scale);
    expected.insert(expected.end(), row.begin(), row.end());
  }
  checkClose(out.values(), expected, 1e-5, 1e-7);
}

}  // namespace

TEST(softmax_of_rows) { checkSoftmax(softmaxRows, 9, 1000, 0.5f, {.grid = {9, 1, 1}, .block = {1024, 1, 1}, .shared = (1024 + 32) * 4}, false); }

// Its blocks meet at barriers of the whole grid (cooperative_groups::grid_group::sync).
TEST(softmax_of_a_row_over_the_grid) { checkSoftmax(softmaxGrid, 2, 50000, 1, {.grid = {24, 1, 1}, .block = {256, 1, 1}, .cooperative = true}, true); }

TEST(softmax_backward) {
  constexpr int rows = 5, columns = 77;
  constexpr float scale = 0.25f;
  const std::vector<float> gradient = uniform(rows * columns, 12), value = uniform(rows * columns, 13, 0, 1);
  const Array<float> g(gradient), y(value), out(gradient.size(), 0.0f);
  Device::instance().run(softmaxBackward, {.grid = {rows, 1, 1}, .block = {32, 1, 1}}, g.address(), y.address(), out.address(), columns, scale);
  std::vector<double> expected;
  for (int r = 0; r < rows; ++r) {
    double dot = 0;
    for (int i = r * columns; i < (r + 1) * columns; ++i) dot += double(gradient[std::size_t(i)]) * value[std::size_t(i)];
    for (int i = r * columns; i < (r + 1) * columns; ++i) expected.push_back(scale * (gradient[std::size_t(i)] - dot) * value[std::size_t(i)]);
  }
  checkClose(out.values(), expected, 1e-5, 1e-2);
}

TEST(cross_entropy_forward_and_backward) {
  constexpr int rows = 6, classes = 100;
  const std::vector<float> logits = uniform(rows * classes, 14, -4, 4);
  std::vector<float> labels(logits.size());
  for (int r = 0; r < rows; ++r) labels[std::size_t(r * classes + 17 * r % classes)] = 1;
  const Array<float> x(logits), t(labels), loss(rows, 0.0f), seed(std::vector<float>{1}), gradient(logits.size(), 0.0f);
  const Launch launch{.grid = {rows, 1, 1}, .block = {32, 1, 1}, .shared = classes * 4};
  Device::instance().run(crossEntropy, launch, x.address(), t.address(), loss.address(), classes, rows);
  Device::instance().run(crossEntropyBackward, launch, seed.address(), x.address(), t.address(), gradient.address(), classes);
  std::vector<double> losses, gradients;
  for (int r = 0; r < rows; ++r) {
    const std::vector<double> p = softmax(&logits[std::size_t(r * classes)], classes, 1);
    losses.push_back(-std::log(p[std::size_t(17 * r % classes)]) / rows);
    for (int c = 0; c < classes; ++c) gradients.push_back((p[std::size_t(c)] - double(labels[std::size_t(r * classes + c)])) / rows);
  }
  checkClose(loss.values(), losses, 1e-5, 1e-3);
  checkClose(gradient.values(), gradients, 1e-5, 1e-4);
}

TEST(normalisation) {
  constexpr int rows = 4, columns = 1500;
  constexpr float epsilon = 1e-5f;
  const std::vector<float> input = uniform(rows * columns, 15, 2, 5);
  std::vector<double> expected;
  for (int r = 0; r < rows; ++r) {
    const float* row = &input[std::size_t(r * columns)];
    const double mean = std::accumulate(row, row + columns, 0.0) / columns;
    double variance = 0;
    for (int i = 0; i < columns; ++i) variance += (row[i] - mean) * (row[i] - mean) / columns;
    for (int i = 0; i < columns; ++i) expected.push_back((row[i] - mean) / std::sqrt(variance + epsilon));
  }
  const Array<float> in(input), byRow(input.size(), 0.0f), byGroup(input.size(), 0.0f);
  const Launch launch{.grid = {rows, 1, 1}, .block = {1024, 1, 1}, .shared = 32 * 8};
  Device::instance().run(normalise, launch, in.address(), byRow.address(), columns, std::int64_t(columns), std::int64_t(0), std::int64_t(0), epsilon);
  Device::instance().run(normaliseGroups, launch, in.address(), byGroup.address(), columns, rows * columns, epsilon);
  checkClose(byRow.values(), expected, 1e-4, 1e-1);
  checkClose(byGroup.values(), expected, 1e-4, 1e-1);
}

TEST(reductions_of_rows) {
  constexpr int rows = 7, columns = 512;
  const std::vector<float> input = wholeNumbers(rows * columns, 16), distinct = uniform(rows * columns, 17);
  const Array<float> in(input), means(rows, 0.0f), values(distinct);
  const Array<std::int32_t> places(rows, 0);
  Device::instance().run(meanOfRows, {.grid = {rows, 1, 1}, .block = {128, 1, 1}}, in.address(), means.address(), columns);
  Device::instance().run(argumentOfMaximum, {.grid = {rows, 1, 1}, .block = {512, 1, 1}}, values.address(), places.address(), std::int64_t(columns));
  const std::vector<float> mean = means.values();
  const std::vector<std::int32_t> place = places.values();
  for (int r = 0; r < rows; ++r) {
    const auto row = std::size_t(r * columns);
    CHECK_EQ(mean[std::size_t(r)], std::accumulate(&input[row], &input[row] + columns, 0.0f) / columns);
    CHECK_EQ(place[std::size_t(r)], std::max_element(&distinct[row], &distinct[row] + columns) - &distinct[row]);
  }
}

// A block of CUB sorts keys and what belongs to them by their digits.
TEST(cub_sorts_pairs) {
  constexpr unsigned count = 3001;
  const std::vector<float> keys = uniform(count, 18);
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  const Array<float> in(keys), sorted(count, 0.0f);
  const Array<std::int32_t> values(order), permuted(count, 0);
  Device& device = Device::instance();
  const char decomposer = 0;
  device.run(cubSort, {.grid = {1, 1, 1}, .block = {unsigned(device.maxThreads(device.kernel(cubSort))), 1, 1}}, in.address(), sorted.address(), values.address(),
             permuted.address(), count, 0, 32, decomposer);
  std::ranges::sort(order, {}, [&](int i) { return std::pair(keys[std::size_t(i)], i); });
  CHECK(permuted.values() == order);
  CHECK(std::is_sorted(keys.begin(), keys.end()) == false);
  std::vector<float> expected = keys;
  std::sort(expected.begin(), expected.end());
  CHECK(sorted.values() == expected);
}

TEST(cub_sums) {
  const std::vector<float> input = wholeNumbers(4000, 19);
  const Array<float> in(input), out(1, 0.0f);
  Device& device = Device::instance();
  const char plus = 0, identity = 0;
  device.run(cubSum, {.grid = {1, 1, 1}, .block = {unsigned(device.maxThreads(device.kernel(cubSum))), 1, 1}}, in.address(), out.address(), std::uint64_t(input.size()), plus,
             100.0f, identity);
  CHECK_EQ(out.values()[0], std::accumulate(input.begin(), input.end(), 100.0f));
}

TEST(optimizer_steps) {
  constexpr int count = 1003;
  const std::vector<float> x = uniform(count, 20), g = uniform(count, 21), m = uniform(count, 22), v = uniform(count, 23, 0, 1);
  constexpr float rate = 0.01f, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f, decay = 0.1f, correction1 = 1.5f, correction2 = 1.25f;
  const Array<float> gradient(g), adamX(x), adamM(m), adamV(v), sgdX(x), adamParameters(std::vector<float>{rate, beta1, beta2, epsilon, decay, correction1, correction2}),
      sgdParameters(std::vector<float>{rate, decay});
  const Launch launch{.grid = {4, 1, 1}, .block = {256, 1, 1}};
  Device::instance().run(adamw, launch, adamX.address(), gradient.address(), adamM.address(), adamV.address(), adamParameters.address(), std::int64_t(count));
  Device::instance().run(sgd, launch, sgdX.address(), gradient.address(), sgdParameters.address(), std::int64_t(count));
  std::vector<double> afterAdam, afterSgd;
  for (std::size_t i = 0; i < count; ++i) {
    const double mean = m[i] * double(beta1) + g[i] * (1 - double(beta1)), square = v[i] * double(beta2) + double(g[i]) * g[i] * (1 - double(beta2));
    afterAdam.push_back(x[i] * (1 - double(rate) * decay) - rate * mean * correction1 / (std::sqrt(square * correction2) + epsilon));
    afterSgd.push_back(x[i] * (1 - double(rate) * decay) - double(rate) * g[i]);
  }
  checkClose(adamX.values(), afterAdam, 1e-5, 1e-1);
  checkClose(sgdX.values(), afterSgd, 1e-5, 1e-1);
}
