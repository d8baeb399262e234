// PTX text to tokens.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cnn::emu::ptx {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    word,         // name, %r1, $L__BB0_1
    dotWord,      // .global, .shared::cluster, .2d; text is without the dot
    number,       // 12, 0x1f, 0f3F800000, 1.5, 8.3
    string,       // text is without the quotes
    punctuation,  // one character
  };
  Kind kind = Kind::end;
  std::string_view text;
  std::uint32_t line = 1;
  bool adjacent = false;  // no white space before it

  bool is(char c) const { return kind == Kind::punctuation && text[0] == c; }
  bool isWord(std::string_view w) const { return kind == Kind::word && text == w; }
  bool isDot(std::string_view w) const { return kind == Kind::dotWord && text == w; }
};

// Thrown inside ptx/ only; parse() turns it into a diagnostic.
struct SyntaxError {
  std::uint32_t line;
  std::string message;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  bool skipBlanks();  // true when there were any
  std::string_view take(std::size_t length);
  std::size_t numberLength() const;

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace cnn::emu::ptx
