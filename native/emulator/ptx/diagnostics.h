// Errors of loading, as lines of a JIT log: "line 12: ...".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cnn::emu::ptx {

struct Diagnostic {
  std::uint32_t line;
  std::string message;
};

class Diagnostics {
 public:
  void error(std::uint32_t line, std::string message) {
    if (errors_.size() < limit) errors_.push_back({line, std::move(message)});
  }
  bool empty() const { return errors_.empty(); }
  const std::vector<Diagnostic>& errors() const { return errors_; }
  std::string log() const;

 private:
  static constexpr std::size_t limit = 50;  // a broken file has one reason, not thousands
  std::vector<Diagnostic> errors_;
};

}  // namespace cnn::emu::ptx
