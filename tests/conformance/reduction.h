// What the asynchronous reductions compute, by type: cp.reduce.async.bulk and red.async.
#pragma once

#include "corpus.h"

namespace cnn::conformance {

using Combine = std::function<std::uint64_t(std::uint64_t old, std::uint64_t given)>;

struct Reduction {
  std::string operation, type;  // .add .u32
  Type element;
  Range range;
  Combine combine;
  bool onShared = false;        // also exists for the shared memory of a cluster
};

std::vector<Reduction> reductions();

}  // namespace cnn::conformance
