// The body of a function: declarations, labels, instructions, nested scopes.
#pragma once

#include "ptx/scope.h"
#include "ptx/token_stream.h"
#include "ptx/tree.h"

namespace cnn::emu::ptx {

class BodyParser {
 public:
  BodyParser(TokenStream& tokens, Function& function) : tokens_(tokens), function_(function), scopes_(function) {}
  void parse();

 private:
  void block(int depth);
  void item(int depth);
  void directive();
  void registers();
  void declare(Variable variable);
  void location();
  void label();
  void branchTargets(std::string_view name);
  void statement();

  Operand operand(int depth);
  Operand named();
  Operand address(int depth);
  Operand list(char open, char close, int depth);
  std::int64_t offset();
  void bindLabels(const Statement& statement);

  TokenStream& tokens_;
  Function& function_;
  Scopes scopes_;
  std::uint32_t file_ = 0, sourceLine_ = 0;
  bool inCall_ = false;  // parentheses are lists of arguments, not of expressions
};

}  // namespace cnn::emu::ptx
