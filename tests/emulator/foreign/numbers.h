// Test data: whole numbers, their halves, another order of dimensions.
#pragma once

#include "wide.h"

#include <cstdint>
#include <random>
#include <vector>

namespace cnn::foreign {

// From -4 to 4.
inline std::vector<float> wholeNumbers(int count, unsigned seed) {
  std::minstd_rand random(seed);
  std::vector<float> values(std::size_t(count), 0);
  for (float& value : values) value = float(int(random() % 9) - 4);
  return values;
}

// In [low, high), no two alike as a rule.
inline std::vector<float> uniform(int count, unsigned seed, float low = -1, float high = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> between(low, high);
  std::vector<float> values(std::size_t(count), 0);
  for (float& value : values) value = between(random);
  return values;
}

inline std::vector<std::uint16_t> halves(const std::vector<float>& values) {
  std::vector<std::uint16_t> bits;
  for (const float value : values) bits.push_back(std::uint16_t(conformance::encode(conformance::f16, {conformance::Wide(value)})));
  return bits;
}

// [batch][channels][area] as [batch][area][channels]
inline std::vector<float> transposed(const std::vector<float>& planar, int batch, int channels, int area) {
  std::vector<float> last(planar.size());
  for (int n = 0; n < batch; ++n)
    for (int c = 0; c < channels; ++c)
      for (int at = 0; at < area; ++at) last[std::size_t((n * area + at) * channels + c)] = planar[std::size_t((n * channels + c) * area + at)];
  return last;
}

}  // namespace cnn::foreign
