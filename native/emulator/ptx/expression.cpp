#include "ptx/expression.h"

#include <bit>
#include <limits>

namespace cnn::emu::ptx {
namespace {

constexpr int deepest = 64;

bool isWarpSize(const Token& token) { return token.kind == Token::Kind::word && token.text == "WARP_SZ"; }

struct Constant {
  bool isReal = false, isUnsigned = false;
  std::int64_t integer = 0;
  double real = 0;
  Operand literal;            // of a real that nothing was done to: its format stays
  bool isLiteral = false;

  static Constant of(std::int64_t value, bool isUnsigned) { return {false, isUnsigned, value, 0, {}, false}; }
  static Constant of(double value) { return {true, false, 0, value, {}, false}; }
};

struct Operator {
  std::string_view text;
  int precedence;
};
// Longer ones first. The ternary operator stands below all of them.
constexpr Operator operators[] = {{"<<", 8}, {">>", 8}, {"<=", 7}, {">=", 7}, {"==", 6}, {"!=", 6}, {"&&", 2}, {"||", 1}, {"*", 10}, {"/", 10},
                                  {"%", 10}, {"+", 9}, {"-", 9}, {"<", 7}, {">", 7}, {"&", 5}, {"^", 4}, {"|", 3}};
constexpr int loosest = 1, product = 10;

class Parser {
 public:
  explicit Parser(TokenStream& tokens) : tokens_(tokens) {}

  Constant ternary() {
    const Nesting nesting(*this);
    const Constant condition = binary(loosest);
    if (!tokens_.accept('?')) return condition;
    const Constant yes = ternary();
    tokens_.expect(':');
    const Constant no = ternary();
    return integer(condition) != 0 ? yes : no;
  }

  Constant binary(int least) {
    Constant left = unary();
    for (;;) {
      const Operator* found = next();
      if (!found || found->precedence < least) return left;
      for (std::size_t n = 0; n < found->text.size(); ++n) tokens_.advance();
      left = apply(found->text, left, binary(found->precedence + 1));
    }
  }

 private:
  struct Nesting {
    explicit Nesting(Parser& p) : parser(p) {
      if (++parser.depth_ > deepest) parser.tokens_.fail("a constant expression is nested too deeply");
    }
    ~Nesting() { --parser.depth_; }
    Parser& parser;
  };

  const Operator* next() const {
    for (const Operator& candidate : operators) {
      if (!tokens_.peek().is(candidate.text[0])) continue;
      const Token& second = tokens_.second();
      if (candidate.text.size() == 1 || (second.adjacent && second.is(candidate.text[1]))) return &candidate;
    }
    return nullptr;
  }

  Constant unary() {
    const Nesting nesting(*this);
    if (tokens_.accept('+')) return unary();
    if (tokens_.accept('~')) return bits(unary(), [](std::int64_t x) { return ~x; });
    if (tokens_.accept('!')) return Constant::of(integer(unary()) == 0, false);
    if (tokens_.accept('-')) {
      const Constant x = unary();
      return x.isReal ? Constant::of(-x.real) : bits(x, [](std::int64_t v) { return std::int64_t(0 - std::uint64_t(v)); });
    }
    if (!tokens_.accept('(')) return number();
    const bool toUnsigned = tokens_.acceptDot("u64");
    if (toUnsigned || tokens_.acceptDot("s64")) {
      tokens_.expect(')');
      return Constant::of(integer(unary()), toUnsigned);
    }
    const Constant inner = ternary();
    tokens_.expect(')');
    return inner;
  }

  Constant number() {
    if (isWarpSize(tokens_.peek())) {
      tokens_.advance();
      return Constant::of(32, false);
    }
    const bool marked = tokens_.peek().text.ends_with('U');
    const Operand literal = tokens_.expectNumber();
    if (literal.kind == Operand::Kind::integer) return Constant::of(literal.value, marked || literal.value < 0);
    Constant real = Constant::of(literal.realType == Type::f32 ? double(std::bit_cast<float>(std::uint32_t(literal.value)))
                                                               : std::bit_cast<double>(literal.value));
    real.literal = literal;
    real.isLiteral = true;
    return real;
  }

  std::int64_t integer(const Constant& x) const {
    if (x.isReal) tokens_.fail("a constant expression mixes integers and reals");
    return x.integer;
  }

  Constant bits(const Constant& x, auto operation) const { return Constant::of(operation(integer(x)), x.isUnsigned); }

  Constant apply(std::string_view op, const Constant& a, const Constant& b) const {
    if (a.isReal != b.isReal) tokens_.fail("a constant expression mixes integers and reals");
    if (a.isReal) return applyReal(op, a.real, b.real);
    const bool shifts = op == "<<" || op == ">>";
    const bool isUnsigned = shifts ? a.isUnsigned : a.isUnsigned || b.isUnsigned;
    return isUnsigned ? applyInteger<std::uint64_t>(op, std::uint64_t(a.integer), std::uint64_t(b.integer), true)
                      : applyInteger<std::int64_t>(op, a.integer, b.integer, false);
  }

  Constant applyReal(std::string_view op, double a, double b) const {
    if (op == "+") return Constant::of(a + b);
    if (op == "-") return Constant::of(a - b);
    if (op == "*") return Constant::of(a * b);
    if (op == "/") return Constant::of(a / b);
    tokens_.fail("reals have no operator " + std::string(op));
  }

  template <class T> Constant applyInteger(std::string_view op, T a, T b, bool isUnsigned) const {
    const auto x = std::uint64_t(a), y = std::uint64_t(b);
    const auto value = [&](auto v) { return Constant::of(std::int64_t(v), isUnsigned); };
    const auto truth = [](bool v) { return Constant::of(std::int64_t(v), false); };
    if (op == "+") return value(x + y);
    if (op == "-") return value(x - y);
    if (op == "*") return value(x * y);
    if (op == "&") return value(x & y);
    if (op == "|") return value(x | y);
    if (op == "^") return value(x ^ y);
    if (op == "<<") return value(y < 64 ? x << y : 0);
    if (op == ">>") return value(y < 64 ? a >> y : a < 0 ? T(-1) : T(0));
    if (op == "<") return truth(a < b);
    if (op == ">") return truth(a > b);
    if (op == "<=") return truth(a <= b);
    if (op == ">=") return truth(a >= b);
    if (op == "==") return truth(a == b);
    if (op == "!=") return truth(a != b);
    if (op == "&&") return truth(a != 0 && b != 0);
    if (op == "||") return truth(a != 0 || b != 0);
    if (b == 0) tokens_.fail("a constant expression divides by zero");
    if (b == T(-1) && !isUnsigned) return value(op == "/" ? 0 - x : 0);  // the quotient of the least integer wraps
    return value(op == "/" ? a / b : a % b);
  }

  TokenStream& tokens_;
  int depth_ = 0;
};

Operand operandOf(const Constant& c) {
  if (c.isLiteral) return c.literal;
  Operand operand;
  operand.kind = c.isReal ? Operand::Kind::real : Operand::Kind::integer;
  operand.realType = c.isReal ? Type::f64 : Type::none;
  operand.value = c.isReal ? std::bit_cast<std::int64_t>(c.real) : c.integer;
  return operand;
}

}  // namespace

bool beginsExpression(const TokenStream& tokens) {
  const Token& token = tokens.peek();
  if (token.is('!')) return tokens.second().kind == Token::Kind::number || tokens.second().is('(') || isWarpSize(tokens.second());
  return token.kind == Token::Kind::number || token.is('-') || token.is('+') || token.is('~') || token.is('(') || isWarpSize(token);
}

Operand parseExpression(TokenStream& tokens) { return operandOf(Parser(tokens).ternary()); }

std::int64_t parseOffsetTerm(TokenStream& tokens) {
  const Constant term = Parser(tokens).binary(product);
  if (term.isReal) tokens.fail("an offset must be an integer");
  return term.integer;
}

}  // namespace cnn::emu::ptx
