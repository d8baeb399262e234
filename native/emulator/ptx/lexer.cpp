#include "ptx/lexer.h"

namespace cnn::emu::ptx {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c == '%'; }
bool isWordCharacter(char c) { return isDigit(c) || (isLetter(c) && c != '%'); }

}  // namespace

bool Lexer::skipBlanks() {
  const std::size_t begin = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++at_;
    } else if (text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (text_.substr(at_, 2) == "/*") {
      const std::size_t close = text_.find("*/", at_ + 2);
      if (close == std::string_view::npos) throw SyntaxError{line_, "a comment is not closed"};
      for (; at_ < close + 2; ++at_)
        if (text_[at_] == '\n') ++line_;
    } else {
      break;
    }
  }
  return at_ != begin;
}

std::string_view Lexer::take(std::size_t length) {
  const std::string_view taken = text_.substr(at_, length);
  at_ += length;
  return taken;
}

// Covers hexadecimal and 0f/0d forms (letters), suffixes (7U) and decimal fractions with exponents.
std::size_t Lexer::numberLength() const {
  std::size_t end = at_;
  const bool prefixed = text_[at_] == '0' && at_ + 1 < text_.size() && !isDigit(text_[at_ + 1]) && text_[at_ + 1] != '.';
  while (end < text_.size()) {
    const char c = text_[end];
    const bool exponentSign = (c == '+' || c == '-') && !prefixed && (text_[end - 1] == 'e' || text_[end - 1] == 'E');
    const bool fraction = c == '.' && !prefixed && end + 1 < text_.size() && isDigit(text_[end + 1]);
    if (!isWordCharacter(c) && !fraction && !(exponentSign && end > at_)) break;
    ++end;
  }
  return end - at_;
}

Token Lexer::next() {
  Token token;
  token.adjacent = !skipBlanks();
  token.line = line_;
  if (at_ >= text_.size()) return token;

  const char c = text_[at_];
  const char following = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  const bool isOperator = c == '%' && !isWordCharacter(following);  // of a constant expression, not the head of a register
  if (isLetter(c) && !isOperator) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && isWordCharacter(text_[end])) ++end;
    token.kind = Token::Kind::word;
    token.text = take(end - at_);
  } else if (isDigit(c)) {
    token.kind = Token::Kind::number;
    token.text = take(numberLength());
  } else if (c == '.' && isWordCharacter(following)) {
    std::size_t end = at_ + 1;
    while (end < text_.size()) {
      if (isWordCharacter(text_[end])) ++end;
      else if (text_.substr(end, 2) == "::" && end + 2 < text_.size() && isWordCharacter(text_[end + 2])) end += 2;
      else break;
    }
    token.kind = Token::Kind::dotWord;
    token.text = take(end - at_).substr(1);
  } else if (c == '"') {
    const std::size_t close = text_.find('"', at_ + 1);
    if (close == std::string_view::npos) throw SyntaxError{line_, "a string is not closed"};
    token.kind = Token::Kind::string;
    token.text = take(close + 1 - at_);
    for (const char inside : token.text)
      if (inside == '\n') ++line_;
    token.text = token.text.substr(1, token.text.size() - 2);
  } else {
    if (static_cast<unsigned char>(c) < 0x21 || static_cast<unsigned char>(c) > 0x7e)
      throw SyntaxError{line_, "character code " + std::to_string(static_cast<unsigned char>(c)) + " does not belong into PTX"};
    token.kind = Token::Kind::punctuation;
    token.text = take(1);
  }
  return token;
}

}  // namespace cnn::emu::ptx
