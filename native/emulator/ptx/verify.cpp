#include "ptx/verify.h"

#include <algorithm>

namespace cnn::emu::ptx {
namespace {

std::string versionText(int version) { return std::to_string(version / 10) + "." + std::to_string(version % 10); }

// Why the architecture does not have the instruction, or empty.
std::string missingFeature(const Signature& signature, const Architecture& architecture) {
  if (architecture.ptx < signature.ptx) return "needs PTX version " + versionText(signature.ptx);
  if (signature.sm > exactly(0)) {
    const int sm = signature.sm - exactly(0);
    if (architecture.sm != sm || !architecture.architectureSpecific) return "needs .target sm_" + std::to_string(sm) + "a";
  } else if (architecture.sm < signature.sm) {
    return "needs .target sm_" + std::to_string(signature.sm) + " or higher";
  }
  return {};
}

}  // namespace

void SignatureTable::add(const Signature& signature) {
  patterns_.emplace_back(signature);
  byBase_[patterns_.back().base()].push_back(patterns_.size() - 1);
}

std::optional<std::size_t> SignatureTable::find(const Statement& statement, const std::vector<Register>& registers,
                                                const Architecture& architecture, Match& match,
                                                Diagnostics& diagnostics) const {
  const std::string opcode = "`" + std::string(statement.text) + "` ";
  const auto candidates = byBase_.find(statement.opcode);
  if (candidates == byBase_.end()) {
    diagnostics.error(statement.line, opcode + "is not a known instruction");
    return {};
  }
  std::string problem;
  std::size_t furthest = 0;
  // Compilers write the modifiers in the order of the reference, authors of inline assembly do not.
  const auto inOrder = [&](const Pattern& pattern) {
    std::size_t matched = 0;
    const bool matches = pattern.matchModifiers(statement, match, matched);
    furthest = std::max(furthest, matched);
    return matches;
  };
  const bool ordered = std::ranges::any_of(candidates->second, [&](std::size_t index) { return inOrder(patterns_[index]); });
  for (const std::size_t index : candidates->second) {
    const Pattern& pattern = patterns_[index];
    if (ordered ? !inOrder(pattern) : !pattern.matchInAnyOrder(statement, match)) continue;
    std::string mismatch = pattern.checkOperands(statement, match, registers);
    if (mismatch.empty()) mismatch = missingFeature(pattern.signature(), architecture);
    if (mismatch.empty()) return index;
    problem = std::move(mismatch);
  }
  if (problem.empty()) {
    problem = furthest < statement.modifiers.size()
                  ? "does not exist: modifier `." + std::string(statement.modifiers[furthest]) + "` does not fit"
                  : std::string("does not exist: a modifier is missing");
  }
  diagnostics.error(statement.line, opcode + problem);
  return {};
}

}  // namespace cnn::emu::ptx
