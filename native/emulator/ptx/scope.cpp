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

void Scopes::declareRegister(std::string_view name, Type type, std::uint32_t line) {
  Scope& scope = scopes_.back();
  if (scope.registers.count(name)) throw SyntaxError{line, "register " + std::string(name) + " is declared twice"};
  create(scope, name, type);
}

void Scopes::declareRange(std::string_view prefix, Type type, std::uint64_t count) {
  scopes_.back().ranges.push_back({prefix, type, count});
}

std::uint32_t Scopes::findRegister(std::string_view name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    if (const auto known = scope->registers.find(name); known != scope->registers.end()) return known->second;
    for (const Range& range : scope->ranges) {
      if (name.size() <= range.prefix.size() || name.substr(0, range.prefix.size()) != range.prefix) continue;
      const std::string_view number = name.substr(range.prefix.size());
      std::uint64_t index = 0;
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
      const bool whole = error == std::errc{} && end == number.data() + number.size();
      if (!whole || index >= range.count || (number.size() > 1 && number[0] == '0')) continue;
      return create(*scope, name, range.type);
    }
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
  scopes_.back().lists.emplace(name, index);
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
