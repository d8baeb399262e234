#include "ptx/verify.h"

#include "ptx/rules.h"

#include <algorithm>

namespace cnn::emu::ptx {
namespace {

// Why the architecture does not have the instruction, or empty.
std::string missingFeature(const Signature& signature, const Architecture& architecture) {
  const bool exact = signature.sm > exactly(0);
  std::string problem = missing(signature.ptx, exact ? 0 : signature.sm, architecture);
  if (!problem.empty() || !exact) return problem;
  const int sm = signature.sm - exactly(0);
  if (architecture.sm != sm || !architecture.architectureSpecific) problem = "needs .target sm_" + std::to_string(sm) + "a";
  return problem;
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
  std::string problem, misfit;  // of a form whose operands fit, of one whose operands do not
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
    std::string operands = pattern.checkOperands(statement, match, registers);
    if (!operands.empty()) {
      misfit = std::move(operands);
      continue;
    }
    problem = missingFeature(pattern.signature(), architecture);
    if (problem.empty()) problem = missingModifier(statement, architecture);
    if (problem.empty()) problem = brokenRule(statement, match);
    if (problem.empty()) return index;
  }
  if (problem.empty()) problem = std::move(misfit);
  if (problem.empty()) {
    problem = furthest < statement.modifiers.size()
                  ? "does not exist: modifier `." + std::string(statement.modifiers[furthest]) + "` does not fit"
                  : std::string("does not exist: a modifier is missing");
  }
  diagnostics.error(statement.line, opcode + problem);
  return {};
}

}  // namespace cnn::emu::ptx
