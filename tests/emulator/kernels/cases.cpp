#include "cases.h"

#include "machine/tensor_map.h"

#include <bit>
#include <cmath>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

namespace cnn::test {

namespace {

std::string readPtx(const std::string& file) {
  const std::string path = std::string(CNN_KERNEL_PTX) + "/" + file;
  std::ifstream in(path);
  if (!in) {
    FAIL("no PTX at " + path);
    throw check::Stop{};
  }
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<float> randomFloats(std::size_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_real_distribution<float> unit(-1.0f, 1.0f);
  std::vector<float> values(count);
  for (float& value : values) value = unit(engine);
  return values;
}

std::uint16_t toBf16(float value) { return std::uint16_t((std::bit_cast<std::uint32_t>(value) + 0x8000) >> 16); }
float fromBf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

// ||actual - expected|| / ||expected|| <= limit
void checkError(const std::string& name, const std::vector<float>& actual, const std::vector<double>& expected, double limit) {
  double difference = 0, size = 0;
  for (std::size_t n = 0; n < expected.size(); ++n) {
    difference += (actual[n] - expected[n]) * (actual[n] - expected[n]);
    size += expected[n] * expected[n];
  }
  const double error = std::sqrt(difference / size);
  if (error <= limit) CHECK(true);
  else FAIL(name + ": relative error " + std::to_string(error));
}

// Common to all: one device, one program.
class Base : public KernelCase {
 protected:
  explicit Base(const std::string& file) : program_(device_, readPtx(file)) {}
  Device device_;
  Program program_;
};

// C[m][n] = A[m][k] B, with B stored [k][n] or [n][k].
std::vector<double> matmul(const std::vector<float>& a, const std::vector<float>& b, int m, int n, int k, bool transposed) {
  std::vector<double> c(std::size_t(m) * std::size_t(n));
  for (int i = 0; i < m; ++i)
    for (int d = 0; d < k; ++d) {
      const double value = a[std::size_t(i * k + d)];
      for (int j = 0; j < n; ++j) c[std::size_t(i * n + j)] += value * b[std::size_t(transposed ? j * k + d : d * n + j)];
    }
  return c;
}

class Sgemm : public Base {
 public:
  Sgemm(int m, int n, int k) : Base("sgemm.sm_80.ptx"), m_(m), n_(n), k_(k), a_(randomFloats(std::size_t(m * k), 1)), b_(randomFloats(std::size_t(k * n), 2)) {
    da_ = device_.upload(a_), db_ = device_.upload(b_), dc_ = device_.zeros<float>(std::size_t(m * n));
  }
  std::optional<emu::Fault> launch() override {
    return program_.tryRun("sgemm", {unsigned(n_ / 128), unsigned(m_ / 128)}, {256}, 0, da_, db_, dc_, n_, k_);
  }
  void verify() override { checkError("sgemm", device_.download<float>(dc_, std::size_t(m_ * n_)), matmul(a_, b_, m_, n_, k_, false), 1e-6); }

 private:
  int m_, n_, k_;
  std::vector<float> a_, b_;
  std::uint64_t da_, db_, dc_;
};

class Depthwise : public Base {
 public:
  Depthwise(int n, int c, int h, int w)
      : Base("depthwise.sm_80.ptx"), n_(n), c_(c), h_(h), w_(w), x_(randomFloats(std::size_t(n * c * h * w), 3)), f_(randomFloats(std::size_t(9 * c), 4)) {
    dx_ = device_.upload(x_), df_ = device_.upload(f_), dy_ = device_.zeros<float>(x_.size());
  }
  std::optional<emu::Fault> launch() override {
    return program_.tryRun("depthwise3x3", {unsigned(n_ * c_)}, {256}, 0, dx_, df_, dy_, c_, h_, w_);
  }
  void verify() override {
    std::vector<double> expected(x_.size());
    for (int plane = 0; plane < n_ * c_; ++plane)
      for (int y = 0; y < h_; ++y)
        for (int x = 0; x < w_; ++x) {
          double sum = 0;
          for (int r = -1; r <= 1; ++r)
            for (int s = -1; s <= 1; ++s)
              if (y + r >= 0 && y + r < h_ && x + s >= 0 && x + s < w_)
                sum += double(x_[std::size_t((plane * h_ + y + r) * w_ + x + s)]) * f_[std::size_t(plane % c_ * 9 + (r + 1) * 3 + s + 1)];
          expected[std::size_t((plane * h_ + y) * w_ + x)] = sum;
        }
    checkError("depthwise", device_.download<float>(dy_, x_.size()), expected, 1e-6);
  }

 private:
  int n_, c_, h_, w_;
  std::vector<float> x_, f_;
  std::uint64_t dx_, df_, dy_;
};

class Reduce : public Base {
 public:
  Reduce(int count, unsigned blocks) : Base("reduce.sm_80.ptx"), blocks_(blocks), x_(randomFloats(std::size_t(count), 5)) {
    dx_ = device_.upload(x_), sum_ = device_.zeros<float>(1), most_ = device_.zeros<std::uint32_t>(1);
  }
  std::optional<emu::Fault> launch() override {
    REQUIRE(!device_.memory.fill(sum_, 0, 4, 1));
    return program_.tryRun("reduce", {blocks_}, {256}, 0, dx_, sum_, most_, int(x_.size()));
  }
  void verify() override {
    double sum = 0, size = 0;
    float most = -std::numeric_limits<float>::infinity();
    for (const float value : x_) sum += value, size += std::fabs(value), most = std::max(most, value);
    CHECK_NEAR(device_.download<float>(sum_, 1)[0], sum, size * 1e-6);
    const std::uint32_t bits = device_.download<std::uint32_t>(most_, 1)[0];
    CHECK_EQ(std::bit_cast<float>(bits & 0x80000000u ? bits ^ 0x80000000u : ~bits), most);
  }

 private:
  unsigned blocks_;
  std::vector<float> x_;
  std::uint64_t dx_, sum_, most_;
};

class MaxPool : public Base {
 public:
  MaxPool(int planes, int h, int w) : Base("maxpool.sm_80.ptx"), planes_(planes), h_(h), w_(w), p_((h - 1) / 2 + 1), q_((w - 1) / 2 + 1), x_(randomFloats(std::size_t(planes * h * w), 6)) {
    // Few different values, so that ties occur, and a NaN.
    for (float& value : x_) value = std::round(value * 8);
    x_[x_.size() / 2] = std::numeric_limits<float>::quiet_NaN();
    dx_ = device_.upload(x_), dy_ = device_.zeros<float>(outputs()), dw_ = device_.zeros<std::uint8_t>(outputs());
  }
  std::optional<emu::Fault> launch() override {
    return program_.tryRun("maxpool", {unsigned((outputs() + 255) / 256)}, {256}, 0, dx_, dy_, dw_, planes_, h_, w_);
  }
  void verify() override {
    const auto y = device_.download<float>(dy_, outputs());
    const auto where = device_.download<std::uint8_t>(dw_, outputs());
    int wrong = 0;
    for (std::size_t n = 0; n < outputs(); ++n) {
      const int q = int(n) % q_, p = int(n) / q_ % p_, plane = int(n) / q_ / p_;
      int place = -1;
      float best = 0;
      for (int r = 0; r < 3; ++r)
        for (int s = 0; s < 3; ++s) {
          const int h = 2 * p + r - 1, w = 2 * q + s - 1;
          if (h < 0 || h >= h_ || w < 0 || w >= w_) continue;
          const float value = x_[std::size_t((plane * h_ + h) * w_ + w)];
          if (place < 0 || (!std::isnan(best) && (value > best || std::isnan(value)))) best = value, place = 3 * r + s;
        }
      const bool same = (y[n] == best || (std::isnan(y[n]) && std::isnan(best))) && where[n] == place;
      wrong += !same;
    }
    CHECK_EQ(wrong, 0);
  }

 private:
  std::size_t outputs() const { return std::size_t(planes_) * std::size_t(p_ * q_); }
  int planes_, h_, w_, p_, q_;
  std::vector<float> x_;
  std::uint64_t dx_, dy_, dw_;
};

// C = A B^T with bf16 operands; the reference uses the rounded values.
class Bf16Gemm : public Base {
 public:
  Bf16Gemm(const std::string& file, int m, int n, int k) : Base(file), m_(m), n_(n), k_(k), a_(randomFloats(std::size_t(m * k), 7)), b_(randomFloats(std::size_t(n * k), 8)) {
    da_ = device_.upload(round(a_)), db_ = device_.upload(round(b_)), dc_ = device_.zeros<float>(std::size_t(m * n));
  }
  void verify() override { checkError("bf16 gemm", device_.download<float>(dc_, std::size_t(m_ * n_)), matmul(a_, b_, m_, n_, k_, true), 1e-6); }

 protected:
  static std::vector<std::uint16_t> round(std::vector<float>& values) {
    std::vector<std::uint16_t> bits;
    for (float& value : values) {
      bits.push_back(toBf16(value));
      value = fromBf16(bits.back());
    }
    return bits;
  }
  int m_, n_, k_;
  std::vector<float> a_, b_;
  std::uint64_t da_, db_, dc_;
};

class MmaGemm : public Bf16Gemm {
 public:
  MmaGemm(int m, int n, int k) : Bf16Gemm("mma_gemm.sm_80.ptx", m, n, k) { program_.module().find("mma_gemm")->maxDynamicShared = bytes; }
  std::optional<emu::Fault> launch() override {
    return program_.tryRun("mma_gemm", {unsigned(n_ / 128), unsigned(m_ / 128)}, {256}, bytes, da_, db_, dc_, n_, k_);
  }

 private:
  static constexpr unsigned bytes = 3 * 2 * 128 * 32 * 2;
};

class TmaGemm : public Bf16Gemm {
 public:
  TmaGemm(int m, int n, int k) : Bf16Gemm("tma_gemm.sm_90a.ptx", m, n, k), aMap_(map(da_, m)), bMap_(map(db_, n)) {
    program_.module().find("tma_gemm")->maxDynamicShared = bytes;
  }
  std::optional<emu::Fault> launch() override {
    return program_.tryRun("tma_gemm", {unsigned(n_ / 128), unsigned(m_ / 128)}, {384}, bytes, aMap_, bMap_, dc_, n_, k_);
  }

 private:
  static constexpr unsigned bytes = 4 * 2 * 128 * 64 * 2;
  emu::TensorMap map(std::uint64_t address, int rows) const {
    const std::uint64_t dims[2] = {std::uint64_t(k_), std::uint64_t(rows)}, strides[1] = {std::uint64_t(2 * k_)};
    const std::uint32_t box[2] = {64, 128}, steps[2] = {1, 1};
    const auto result = emu::encodeTiled({9, 2, address, dims, strides, steps, 0, 3, 0, 0}, box);
    if (const auto* text = std::get_if<std::string>(&result)) FAIL(*text);
    return std::get<emu::TensorMap>(result);
  }
  emu::TensorMap aMap_, bMap_;
};

template <class C, class... Sizes> KernelFactory factory(const char* name, const char* size, double operations, Sizes... sizes) {
  return {name, size, operations, [=]() -> std::unique_ptr<KernelCase> { return std::make_unique<C>(sizes...); }};
}

}  // namespace

std::vector<KernelFactory> testCases() {
  return {
      factory<Sgemm>("sgemm", "256 x 128 x 72", 0, 256, 128, 72),
      factory<Depthwise>("depthwise", "2, 3, 19, 23", 0, 2, 3, 19, 23),
      factory<Depthwise>("depthwise", "1, 2, 5, 300", 0, 1, 2, 5, 300),
      factory<Reduce>("reduce", "100003", 0, 100003, 7u),
      factory<Reduce>("reduce", "1", 0, 1, 2u),
      factory<MaxPool>("maxpool", "3, 17, 20", 0, 3, 17, 20),
      factory<MmaGemm>("mma_gemm", "128 x 256 x 96", 0, 128, 256, 96),
      factory<TmaGemm>("tma_gemm", "256 x 128 x 488", 0, 256, 128, 488),
      factory<TmaGemm>("tma_gemm", "128 x 128 x 8", 0, 128, 128, 8),
  };
}

std::vector<KernelFactory> speedCases() {
  const double cube = 2.0 * 512 * 512 * 512;
  return {
      factory<Sgemm>("sgemm", "512 x 512 x 512", cube, 512, 512, 512),
      factory<Depthwise>("depthwise", "8, 64, 56, 56", 0, 8, 64, 56, 56),
      factory<Reduce>("reduce", "8 x 64 x 3136", 0, 8 * 64 * 3136, 64u),
      factory<MaxPool>("maxpool", "8 x 64, 56, 56", 0, 512, 56, 56),
      factory<MmaGemm>("mma_gemm", "512 x 512 x 512", cube, 512, 512, 512),
      factory<TmaGemm>("tma_gemm", "512 x 512 x 488", 2.0 * 512 * 512 * 488, 512, 512, 488),
  };
}

}  // namespace cnn::test
