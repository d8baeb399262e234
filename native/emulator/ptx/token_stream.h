// The parser's view of the tokens: one of lookahead, and what it expects.
#pragma once

#include "ptx/lexer.h"
#include "ptx/literal.h"

#include <string>

namespace cnn::emu::ptx {

class TokenStream {
 public:
  explicit TokenStream(std::string_view text) : lexer_(text), current_(lexer_.next()), following_(lexer_.next()) {}

  const Token& peek() const { return current_; }
  const Token& second() const { return following_; }
  std::uint32_t line() const { return current_.line; }
  bool atEnd() const { return current_.kind == Token::Kind::end; }

  Token advance() {
    const Token taken = current_;
    current_ = following_;
    following_ = lexer_.next();
    return taken;
  }
  bool accept(char c) { return current_.is(c) && (advance(), true); }
  bool acceptDot(std::string_view word) { return current_.isDot(word) && (advance(), true); }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "', found " + shown());
  }
  std::string_view expectWord(const char* what) {
    if (current_.kind != Token::Kind::word) fail(std::string("expected ") + what + ", found " + shown());
    return advance().text;
  }
  std::string_view expectDot(const char* what) {
    if (current_.kind != Token::Kind::dotWord) fail(std::string("expected ") + what + ", found " + shown());
    return advance().text;
  }
  Operand expectNumber() {
    const bool negative = accept('-');
    if (current_.kind != Token::Kind::number) fail("expected a number, found " + shown());
    const auto number = parseNumber(current_.text, negative);
    if (!number) fail("malformed number " + shown());
    advance();
    return *number;
  }
  // A non-negative integer below the limit.
  std::uint64_t expectCount(std::uint64_t limit) {
    const std::uint32_t at = line();
    const Operand number = expectNumber();
    if (number.kind != Operand::Kind::integer || number.value < 0 || std::uint64_t(number.value) > limit)
      throw SyntaxError{at, "expected an integer from 0 to " + std::to_string(limit)};
    return std::uint64_t(number.value);
  }
  void skipPast(char c) {
    while (!atEnd() && !current_.is(c)) advance();
    expect(c);
  }
  [[noreturn]] void fail(const std::string& message) const { throw SyntaxError{current_.line, message}; }

 private:
  std::string shown() const {
    if (atEnd()) return "the end of the text";
    return std::string(current_.kind == Token::Kind::dotWord ? "'." : "'") + std::string(current_.text) + "'";
  }

  Lexer lexer_;
  Token current_, following_;
};

}  // namespace cnn::emu::ptx
