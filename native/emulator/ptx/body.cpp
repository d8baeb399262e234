#include "ptx/body.h"

#include "ptx/declarations.h"
#include "ptx/expression.h"

#include <algorithm>

namespace cnn::emu::ptx {
namespace {

constexpr int deepest = 64;  // nested scopes and operands of a sane program

Operand::Kind kindOf(std::string_view word) {
  return word == "_" ? Operand::Kind::sink : word[0] == '%' ? Operand::Kind::special : Operand::Kind::symbol;
}

bool isName(const Operand& operand) { return operand.kind == Operand::Kind::symbol; }

}  // namespace

void BodyParser::parse() {
  block(0);
  // Control may reach the closing brace, by falling through or through a label there: that is a return.
  Statement end;
  end.text = end.opcode = "ret";
  end.line = tokens_.line();
  function_.statements.push_back(end);
}

void BodyParser::block(int depth) {
  if (depth > deepest) tokens_.fail("scopes are nested too deeply");
  tokens_.expect('{');
  scopes_.open();
  while (!tokens_.peek().is('}')) {
    if (tokens_.atEnd()) tokens_.fail("a body is not closed");
    item(depth);
  }
  scopes_.close(tokens_.line());
  tokens_.expect('}');
}

void BodyParser::item(int depth) {
  if (tokens_.peek().is('{')) block(depth + 1);
  else if (tokens_.peek().kind == Token::Kind::dotWord) directive();
  else if (tokens_.peek().kind == Token::Kind::word && tokens_.second().is(':')) label();
  else if (!tokens_.accept(';')) statement();
}

void BodyParser::directive() {
  const std::string_view word = tokens_.advance().text;
  if (word == "reg") {
    registers();
  } else if (word == "loc") {
    location();
  } else if (word == "pragma") {
    tokens_.skipPast(';');
  } else if (const auto space = spaceNamed(word); space && *space != Space::global && *space != Space::constant) {
    for (Variable& variable : parseVariables(tokens_, *space)) declare(std::move(variable));
    tokens_.expect(';');
  } else {
    tokens_.fail("directive ." + std::string(word) + " does not belong into a body");
  }
}

// The scopes around call sequences reuse the names of their .param variables: one variable, large enough for all.
void BodyParser::declare(Variable variable) {
  for (Variable& known : function_.variables) {
    if (known.name != variable.name) continue;
    if (known.space != Space::param || variable.space != Space::param)
      throw SyntaxError{variable.line, "variable " + std::string(variable.name) + " is declared twice"};
    known.size = std::max(known.size, variable.size);
    known.align = std::max(known.align, variable.align);
    return;
  }
  function_.variables.push_back(std::move(variable));
}

void BodyParser::registers() {
  const std::string_view word = tokens_.expectDot("a register type");
  const auto type = typeNamed(word);
  if (!type || !isDeclarable(*type)) tokens_.fail("." + std::string(word) + " is not a register type");
  do {
    const std::uint32_t line = tokens_.line();
    const std::string_view name = tokens_.expectWord("a register");
    if (tokens_.accept('<')) {
      scopes_.declareRange(name, *type, tokens_.expectCount(1u << 30), line);
      tokens_.expect('>');
    } else {
      scopes_.declareRegister(name, *type, line);
    }
  } while (tokens_.accept(','));
  tokens_.expect(';');
}

// .loc file line column [, function_name label, inlined_at file line column]; the first position is the innermost.
void BodyParser::location() {
  file_ = std::uint32_t(tokens_.expectCount(1u << 30));
  sourceLine_ = std::uint32_t(tokens_.expectCount(1u << 30));
  tokens_.expectCount(1u << 30);
  while (tokens_.accept(',')) {
    const std::string_view word = tokens_.expectWord("function_name or inlined_at");
    if (word == "inlined_at") {
      for (int i = 0; i < 3; ++i) tokens_.expectCount(1u << 30);
    } else {
      tokens_.expectWord("a label");
      if (tokens_.accept('+')) tokens_.expectCount(1u << 30);
    }
  }
}

void BodyParser::label() {
  const std::uint32_t line = tokens_.line();
  const std::string_view name = tokens_.advance().text;
  tokens_.expect(':');
  if (tokens_.acceptDot("branchtargets")) return branchTargets(name);
  if (tokens_.acceptDot("callprototype")) return tokens_.skipPast(';');
  scopes_.declareLabel(name, line);
}

void BodyParser::branchTargets(std::string_view name) {
  const std::uint32_t line = tokens_.line();
  std::vector<std::string_view> labels;
  do labels.push_back(tokens_.expectWord("a label"));
  while (tokens_.accept(','));
  tokens_.expect(';');
  scopes_.declareTargets(name, std::move(labels), line);
}

void BodyParser::statement() {
  Statement statement;
  statement.file = file_;
  statement.sourceLine = sourceLine_;
  if (tokens_.accept('@')) {
    statement.guardNegated = tokens_.accept('!');
    const std::string_view name = tokens_.expectWord("a predicate");
    statement.guard = scopes_.findRegister(name);
    if (statement.guard == noRegister || function_.registers[statement.guard].type != Type::pred)
      tokens_.fail(std::string(name) + " is not a predicate register");
  }
  statement.line = tokens_.line();
  inCall_ = tokens_.peek().isWord("call");
  statement.text = statement.opcode = tokens_.expectWord("an instruction");
  while (tokens_.peek().kind == Token::Kind::dotWord) {
    const std::string_view modifier = tokens_.advance().text;
    statement.modifiers.push_back(modifier);
    statement.text = {statement.text.data(), std::size_t(modifier.data() + modifier.size() - statement.text.data())};
  }
  if (!tokens_.peek().is(';')) {
    do statement.operands.push_back(operand(0));
    while (tokens_.accept(','));
  }
  tokens_.expect(';');
  function_.statements.push_back(std::move(statement));
  bindLabels(function_.statements.back());
}

// Inlining and control flow follow branches before the statements are verified: what they name must be right from here on.
void BodyParser::bindLabels(const Statement& statement) {
  const std::size_t index = function_.statements.size() - 1;
  if (statement.opcode == "bra") {
    if (statement.operands.size() != 1 || !isName(statement.operands[0])) throw SyntaxError{statement.line, "bra takes one label"};
    scopes_.useLabel(index, 0);
  }
  if (statement.opcode == "brx") {
    if (statement.operands.size() != 2 || !isName(statement.operands[1])) throw SyntaxError{statement.line, "brx takes an index and a list of labels"};
    scopes_.useLabel(index, 1);
  }
}

Operand BodyParser::operand(int depth) {
  if (depth > deepest) tokens_.fail("operands are nested too deeply");
  if (tokens_.peek().is('{')) return list('{', '}', depth);
  if (inCall_ && tokens_.peek().is('(')) return list('(', ')', depth);
  if (tokens_.peek().is('[')) return address(depth);
  if (beginsExpression(tokens_)) return parseExpression(tokens_);
  const bool negated = tokens_.accept('!');
  Operand first = named();
  first.negated = negated;
  if (!tokens_.accept('|')) return first;
  Operand pair;
  pair.kind = Operand::Kind::pair;
  pair.parts = {first, named()};
  return pair;
}

// A register, special register, variable (with an offset) or label.
Operand BodyParser::named() {
  Operand operand;
  operand.name = tokens_.expectWord("an operand");
  operand.reg = scopes_.findRegister(operand.name);
  if (operand.reg != noRegister) {
    operand.kind = Operand::Kind::reg;
    return operand;
  }
  operand.kind = kindOf(operand.name);
  if (operand.kind == Operand::Kind::special && tokens_.peek().kind == Token::Kind::dotWord && tokens_.peek().adjacent) {
    const std::string_view component = tokens_.advance().text;
    operand.name = {operand.name.data(), std::size_t(component.data() + component.size() - operand.name.data())};
  }
  if (operand.kind == Operand::Kind::symbol) operand.value = offset();
  return operand;
}

// {+ term | - term}, also "+ -4".
std::int64_t BodyParser::offset() {
  std::uint64_t sum = 0;
  while (tokens_.accept('+') || tokens_.peek().is('-')) sum += std::uint64_t(parseOffsetTerm(tokens_));
  return std::int64_t(sum);
}

Operand BodyParser::address(int depth) {
  Operand address;
  address.kind = Operand::Kind::address;
  tokens_.expect('[');
  if (tokens_.peek().kind == Token::Kind::word) {
    Operand base = named();
    address.value = base.value + offset();
    base.value = 0;
    address.parts.push_back(std::move(base));
  } else {
    address.parts.push_back(parseExpression(tokens_));
  }
  while (tokens_.accept(',')) address.parts.push_back(operand(depth + 1));
  tokens_.expect(']');
  return address;
}

Operand BodyParser::list(char open, char close, int depth) {
  Operand vector;
  vector.kind = Operand::Kind::vector;
  tokens_.expect(open);
  if (!tokens_.peek().is(close)) {
    do vector.parts.push_back(operand(depth + 1));
    while (tokens_.accept(','));
  }
  tokens_.expect(close);
  return vector;
}

}  // namespace cnn::emu::ptx
