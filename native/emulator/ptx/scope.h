// Names inside a function body. Blocks in braces open scopes; inline assembly relies on them to reuse names.
#pragma once

#include "ptx/lexer.h"
#include "ptx/tree.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace cnn::emu::ptx {

class Scopes {
 public:
  explicit Scopes(Function& function) : function_(function) {}

  void open() { scopes_.emplace_back(); }
  // Binds the branches of the scope to its labels; what stays unbound may mean a label of the scope around it.
  void close(std::uint32_t line);

  void declareRegister(std::string_view name, Type type, std::uint32_t line);
  // %r<100>: registers come into being when they are first named.
  void declareRange(std::string_view prefix, Type type, std::uint64_t count, std::uint32_t line);
  std::uint32_t findRegister(std::string_view name);  // or noRegister

  void declareLabel(std::string_view name, std::uint32_t line);
  void declareTargets(std::string_view name, std::vector<std::string_view> labels, std::uint32_t line);
  // The operand of the statement now last names a label.
  void useLabel(std::size_t statement, std::size_t operand) { scopes_.back().uses.push_back({statement, operand}); }

 private:
  struct Range {
    std::string_view prefix;
    Type type;
    std::uint64_t count;
    bool holds(std::string_view name) const;
  };
  struct Use {
    std::size_t statement, operand;
  };
  struct Targets {
    std::uint32_t index, line;
    std::vector<std::string_view> labels;
  };
  struct Scope {
    std::unordered_map<std::string_view, std::uint32_t> registers, labels, lists;
    std::vector<Range> ranges;
    std::vector<Use> uses;
    std::vector<Targets> targets;
  };
  std::uint32_t create(Scope& scope, std::string_view name, Type type);
  bool bind(const Scope& scope, const Use& use);
  bool bind(const Scope& scope, const Targets& targets);

  Function& function_;
  std::vector<Scope> scopes_;
};

}  // namespace cnn::emu::ptx
