#include "ptx/declarations.h"

#include "ptx/expression.h"

#include <bit>
#include <cstring>
#include <utility>

namespace cnn::emu::ptx {
namespace {

constexpr std::size_t largestVariable = std::size_t(1) << 40;

std::size_t product(TokenStream& tokens, std::size_t a, std::size_t b) {
  if (b != 0 && a > largestVariable / b) tokens.fail("the variable is too large");
  return a * b;
}

// Reads the elements of one initialiser into bytes.
class Initialiser {
 public:
  Initialiser(TokenStream& tokens, Variable& variable) : tokens_(tokens), variable_(variable) {}

  void parse() {
    if (tokens_.peek().is('{')) list(0);
    else element();
    if (variable_.size != 0 && bytes_.size() > variable_.size) tokens_.fail("more initial values than the variable holds");
    if (variable_.size == 0) variable_.size = bytes_.size();
    variable_.initial = std::move(bytes_);
  }

 private:
  void list(int depth) {
    if (depth > 8) tokens_.fail("an initialiser is nested too deeply");
    tokens_.expect('{');
    while (!tokens_.peek().is('}')) {
      if (tokens_.peek().is('{')) list(depth + 1);
      else element();
      if (!tokens_.accept(',')) break;
    }
    tokens_.expect('}');
  }

  void element() {
    if (tokens_.peek().kind == Token::Kind::word) return address();
    const Operand number = parseExpression(tokens_);
    append(number.kind == Operand::Kind::integer ? std::uint64_t(number.value) : realBits(number));
  }

  std::uint64_t realBits(const Operand& number) {
    const double value = number.realType == Type::f32 ? double(std::bit_cast<float>(std::uint32_t(number.value)))
                                                      : std::bit_cast<double>(number.value);
    if (variable_.type == Type::f64 || variable_.type == Type::b64)
      return number.realType == Type::f64 ? std::uint64_t(number.value) : std::bit_cast<std::uint64_t>(value);
    if (variable_.type == Type::f32 || variable_.type == Type::b32)
      return number.realType == Type::f32 ? std::uint64_t(number.value) : std::bit_cast<std::uint32_t>(float(value));
    tokens_.fail("a floating-point initial value for a variable of type ." + std::string(name(variable_.type)));
  }

  void address() {
    AddressInitialiser entry{};
    entry.offset = bytes_.size();
    entry.bytes = bytes(variable_.type);
    entry.symbol = tokens_.expectWord("a variable");
    if (entry.symbol == "generic") {
      entry.generic = true;
      tokens_.expect('(');
      entry.symbol = tokens_.expectWord("a variable");
      tokens_.expect(')');
    }
    if (tokens_.accept('+') || tokens_.peek().is('-')) entry.addend = parseOffsetTerm(tokens_);
    if (entry.bytes != 8 && entry.bytes != 4) tokens_.fail("an address needs a 32- or 64-bit variable");
    variable_.addresses.push_back(entry);
    append(0);
  }

  void append(std::uint64_t value) {
    const std::size_t count = bytes(variable_.type);
    if (bytes_.size() + count > (std::size_t(1) << 30)) tokens_.fail("an initialiser is too large");
    const std::size_t at = bytes_.size();
    bytes_.resize(at + count);
    std::memcpy(bytes_.data() + at, &value, count);
  }

  TokenStream& tokens_;
  Variable& variable_;
  std::vector<std::byte> bytes_;
};

// [4][2] or [] after the name: the number of elements, 0 when it is left open.
std::size_t parseDimensions(TokenStream& tokens, bool& open) {
  std::size_t elements = 1;
  while (tokens.accept('[')) {
    if (tokens.accept(']')) {
      open = true;
      continue;
    }
    elements = product(tokens, elements, tokens.expectCount(largestVariable));
    tokens.expect(']');
  }
  return elements;
}

struct Prefix {
  std::size_t align = 0;
  unsigned vector = 1;
  Type type = Type::none;
};

// .align, .ptr, .v4 and the type, in the orders in which they occur.
Prefix parsePrefix(TokenStream& tokens) {
  Prefix prefix;
  bool pointer = false;
  while (tokens.peek().kind == Token::Kind::dotWord) {
    const std::string_view word = tokens.advance().text;
    if (word == "align") {
      const std::size_t align = tokens.expectCount(1 << 20);
      if (!std::has_single_bit(align)) tokens.fail("an alignment must be a power of two");
      if (!pointer) prefix.align = align;  // after .ptr it describes what is pointed to
    } else if (word == "ptr") {
      pointer = true;
    } else if (word == "v2" || word == "v4") {
      prefix.vector = unsigned(word[1] - '0');
    } else if (word == "attribute") {
      tokens.skipPast(')');
    } else if (pointer && spaceNamed(word)) {
      continue;
    } else if (const auto type = typeNamed(word); type && isDeclarable(*type)) {
      prefix.type = *type;
    } else {
      tokens.fail("." + std::string(word) + " is not a type");
    }
  }
  if (prefix.type == Type::none) tokens.fail("a declaration without a type");
  return prefix;
}

Variable parseDeclarator(TokenStream& tokens, Space space, const Prefix& prefix) {
  Variable variable;
  variable.space = space;
  variable.type = prefix.type;
  variable.line = tokens.line();
  variable.name = tokens.expectWord("a name");
  bool open = false;
  const std::size_t element = (prefix.type == Type::pred ? 1 : bytes(prefix.type)) * prefix.vector;
  const std::size_t elements = parseDimensions(tokens, open);
  variable.size = open ? 0 : product(tokens, elements, element);
  variable.align = std::max(prefix.align, element);
  if (tokens.accept('=')) {
    if (space != Space::global && space != Space::constant) tokens.fail("only .global and .const variables have initial values");
    Initialiser(tokens, variable).parse();
  }
  return variable;
}

}  // namespace

std::optional<Space> spaceNamed(std::string_view word) {
  constexpr std::pair<std::string_view, Space> spaces[] = {
      {"global", Space::global}, {"shared", Space::shared}, {"local", Space::local},
      {"const", Space::constant}, {"param", Space::param}, {"reg", Space::reg}};
  for (const auto& [name, space] : spaces)
    if (name == word) return space;
  return {};
}

std::vector<Variable> parseVariables(TokenStream& tokens, Space space) {
  const Prefix prefix = parsePrefix(tokens);
  std::vector<Variable> variables;
  do variables.push_back(parseDeclarator(tokens, space, prefix));
  while (tokens.accept(','));
  return variables;
}

std::vector<Variable> parseParameters(TokenStream& tokens) {
  std::vector<Variable> parameters;
  tokens.expect('(');
  if (tokens.accept(')')) return parameters;
  do {
    const std::string_view word = tokens.expectDot("a parameter");
    const auto space = spaceNamed(word);
    if (space != Space::param && space != Space::reg) tokens.fail("a parameter must be .param or .reg");
    const Prefix prefix = parsePrefix(tokens);
    parameters.push_back(parseDeclarator(tokens, *space, prefix));
  } while (tokens.accept(','));
  tokens.expect(')');
  return parameters;
}

}  // namespace cnn::emu::ptx
