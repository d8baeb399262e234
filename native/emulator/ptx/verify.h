// Finds the signature that a statement matches, or says why there is none.
#pragma once

#include "ptx/diagnostics.h"
#include "ptx/feature.h"
#include "ptx/signature.h"
#include "ptx/tree.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cnn::emu::ptx {

class SignatureTable {
 public:
  // Signatures are numbered in the order in which they are added.
  void add(const Signature& signature);

  // The number of the signature, and the match; reports an error otherwise.
  std::optional<std::size_t> find(const Statement& statement, const std::vector<Register>& registers,
                                  const Architecture& architecture, Match& match, Diagnostics& diagnostics) const;
  std::size_t size() const { return patterns_.size(); }
  const Pattern& pattern(std::size_t index) const { return patterns_[index]; }

 private:
  std::vector<Pattern> patterns_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> byBase_;
};

}  // namespace cnn::emu::ptx
