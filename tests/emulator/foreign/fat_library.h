// The fat binaries inside a shared library or program that nvcc made.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace cnn::foreign {

class FatLibrary {
 public:
  // Throws when the file cannot be read.
  explicit FatLibrary(const std::string& path);
  // Each as cuModuleLoadData takes it.
  const std::vector<std::span<const char>>& binaries() const { return binaries_; }

 private:
  std::string bytes_;
  std::vector<std::span<const char>> binaries_;
};

}  // namespace cnn::foreign
