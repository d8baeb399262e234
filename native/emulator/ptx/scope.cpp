#include "ptx/scope.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace cnn::emu::ptx {

std::uint32_t Scopes::create(Scope& scope, std::string_view name, Type type) {
  const auto index = std::uint32_t(function_.registers.size());
  function_.registers.push_back({type, name});
  scope.registers.emplace(name, index);
  return index;
}

bool Scopes::Range::holds(std::string_view name) const {
  if (name.size() <= prefix.size() || name.substr(0, prefix.size()) != prefix) return false;
  const std::string_view number = name.substr(prefix.size());
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  const bool whole = error == std::errc{} && end == number.data() + number.size();
  return whole && index < count && (number.size() == 1 || number[0] != '0');
}

void Scopes::declareRegister(std::string_view name, Type type, std::uint32_t line) {
  Scope& scope = scopes_.back();
  const bool inRange = std::ranges::any_of(scope.ranges, [&](const Range& range) { return range.holds(name); });
  if (inRange || scope.registers.count(name)) throw SyntaxError{line, "register " + std::string(name) + " is declared twice"};
  create(scope, name, type);
}

void Scopes::declareRange(std::string_view prefix, Type type, std::uint64_t count, std::uint32_t line) {
  Scope& scope = scopes_.back();
  const Range range{prefix, type, count};
  const bool again = std::ranges::find(scope.ranges, prefix, &Range::prefix) != scope.ranges.end();
  const bool overlaps = std::ranges::any_of(scope.registers, [&](const auto& known) { return range.holds(known.first); });
  if (again || overlaps) throw SyntaxError{line, "registers " + std::string(prefix) + " are declared twice"};
  scope.ranges.push_back(range);
}

std::uint32_t Scopes::findRegister(std::string_view name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto known = scope->registers.find(name); known != scope->registers.end()) return known->second;
    for (const Range& range : scope->ranges)
      if (range.holds(name)) return create(*scope, name, range.type);
  }
  return noRegister;
}

void Scopes::declareLabel(std::string_view name, std::uint32_t line) {
  if (!scopes_.back().labels.emplace(name, std::uint32_t(function_.statements.size())).second)
    throw SyntaxError{line, "label " + std::string(name) + " is defined twice"};
}

void Scopes::declareTargets(std::string_view name, std::vector<std::string_view> labels, std::uint32_t line) {
  const auto index = std::uint32_t(function_.targetLists.size());
  function_.targetLists.push_back({name, std::vector<std::uint32_t>(labels.size(), noRegister)});
  if (!scopes_.back().lists.emplace(name, index).second) throw SyntaxError{line, "label " + std::string(name) + " is defined twice"};
  scopes_.back().targets.push_back({index, line, std::move(labels)});
}

bool Scopes::bind(const Scope& scope, const Use& use) {
  Operand& operand = function_.statements[use.statement].operands[use.operand];
  const bool indexed = function_.statements[use.statement].opcode == "brx";
  const auto& names = indexed ? scope.lists : scope.labels;
  const auto found = names.find(operand.name);
  if (found == names.end()) return false;
  operand.reg = found->second;
  return true;
}

bool Scopes::bind(const Scope& scope, const Targets& targets) {
  bool all = true;
  for (std::size_t i = 0; i < targets.labels.size(); ++i) {
    std::uint32_t& position = function_.targetLists[targets.index].positions[i];
    if (position != noRegister) continue;
    const auto found = scope.labels.find(targets.labels[i]);
    if (found != scope.labels.end()) position = found->second;
    else all = false;
  }
  return all;
}

void Scopes::close(std::uint32_t line) {
  Scope scope = std::move(scopes_.back());
  scopes_.pop_back();
  for (const Use& use : scope.uses) {
    if (bind(scope, use)) continue;
    const Statement& statement = function_.statements[use.statement];
    if (scopes_.empty())
      throw SyntaxError{statement.line, "label " + std::string(statement.operands[use.operand].name) + " is not defined"};
    scopes_.back().uses.push_back(use);
  }
  for (Targets& targets : scope.targets) {
    if (bind(scope, targets)) continue;
    if (scopes_.empty()) throw SyntaxError{targets.line ? targets.line : line, "a branch target is not defined"};
    scopes_.back().targets.push_back(std::move(targets));
  }
}

}  // namespace cnn::emu::ptx
