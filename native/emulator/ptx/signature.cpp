#include "ptx/signature.h"

#include "ptx/declarations.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace cnn::emu::ptx {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

bool contains(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// How many elements .v2, .v4, .v8 ask for; 1 without.
int vectorLength(const Statement& statement) {
  for (const std::string_view word : statement.modifiers)
    if (word.size() == 2 && word[0] == 'v' && word[1] >= '2' && word[1] <= '8') return word[1] - '0';
  return 1;
}

Type doubled(Type type) {
  switch (type) {
    case Type::u8: return Type::u16;
    case Type::u16: return Type::u32;
    case Type::u32: return Type::u64;
    case Type::s8: return Type::s16;
    case Type::s16: return Type::s32;
    case Type::s32: return Type::s64;
    default: return Type::none;
  }
}

bool isPacked(Type t) { return t > Type::bf16 && !isFloat(t); }  // only instructions name it: any register of its size

// Kinds that agree, sizes left aside.
bool compatible(Type declared, Type wanted) {
  if (declared == wanted || isBits(declared) || isBits(wanted) || isPacked(wanted)) return true;
  if (declared == Type::f16x2 || declared == Type::bf16x2) return true;  // registers of pairs are untyped words
  return isInteger(declared) && isInteger(wanted);
}

// Words that mean something else behind another of their kind: cvt.f32.s32, .global.shared::cta, .row.col.
enum Kind : unsigned { unordered = 0, type = 1, space = 2, layout = 4 };
unsigned kindOf(std::string_view word) {
  if (typeNamed(word)) return type;
  if (spaceNamed(word.substr(0, word.find("::")))) return space;
  return word == "row" || word == "col" ? layout : unordered;
}

// Removes from `rest` the first word that is one of `words`, unless it would overtake one of its kind.
std::string_view take(std::vector<std::string_view>& rest, const std::vector<std::string_view>& words) {
  unsigned overtaken = unordered;
  for (auto word = rest.begin(); word != rest.end(); ++word) {
    const unsigned kind = kindOf(*word);
    if (contains(words, *word) && (overtaken & kind) == 0) {
      const std::string_view taken = *word;
      rest.erase(word);
      return taken;
    }
    overtaken |= kind;
  }
  return {};
}

std::string quoted(std::string_view text) { return "`" + std::string(text) + "`"; }

}  // namespace

Pattern::Pattern(const Signature& signature) : signature_(signature) {
  std::string_view rest = signature.opcode;
  const std::size_t baseEnd = std::min(rest.find_first_of(".["), rest.size());
  base_ = rest.substr(0, baseEnd);
  rest.remove_prefix(baseEnd);
  while (!rest.empty()) {
    Item item{rest[0] == '[', {}};
    std::size_t begin = item.optional ? 2 : 1, end;
    if (item.optional) {
      end = rest.find(']');
      item.words = split(rest.substr(begin, end - begin), '|');
      ++end;
    } else if (rest.size() > 1 && rest[1] == '{') {
      end = rest.find('}');
      item.words = split(rest.substr(2, end - 2), '|');
      ++end;
    } else {
      end = std::min(rest.find_first_of(".[", 1), rest.size());
      item.words = {rest.substr(1, end - 1)};
    }
    for (std::string_view& word : item.words)
      if (word[0] == '.') word.remove_prefix(1);
    items_.push_back(std::move(item));
    rest.remove_prefix(end);
  }
  for (const std::string_view shape : split(signature.operands, ' ')) shapes_.push_back(parseShape(shape));
}

Pattern::Shape Pattern::parseShape(std::string_view text) {
  Shape shape;
  const auto drop = [&](std::string_view suffix) {
    const bool ends = text.size() >= suffix.size() && text.substr(text.size() - suffix.size()) == suffix;
    if (ends) text.remove_suffix(suffix.size());
    return ends;
  };
  shape.optional = drop("?");
  shape.withPred = drop("|pred");
  if (const std::size_t star = text.find('*'); star != std::string_view::npos) {
    const std::string_view count = text.substr(star + 1);
    if (count == "v") shape.count = 0;
    else if (count == "n") shape.count = -1;
    else std::from_chars(count.data(), count.data() + count.size(), shape.count);
    text = text.substr(0, star);
    shape.mayBrace = shape.count == 1 || shape.count == 0;
  }
  shape.wider = drop(">");
  if (!text.empty() && (text[0] == '=' || text[0] == '+')) {
    shape.written = true;
    shape.read = text[0] == '+';
    text.remove_prefix(1);
  }
  using Kind = Shape::Kind;
  if (text == "pred") shape.kind = Kind::pred;
  else if (text == "imm") shape.kind = Kind::immediate;
  else if (text == "label") shape.kind = Kind::label;
  else if (text == "[]") shape.kind = Kind::address;
  else if (text == "[]+") shape.kind = Kind::tensorAddress;
  else if (text == "reg") shape.kind = Kind::reg;
  else if (text == "symbol") shape.kind = Kind::symbol;
  else {
    shape.kind = Kind::typed;
    if (text == "T") shape.of = Shape::Of::last;
    else if (text == "D") shape.of = Shape::Of::first;
    else if (text == "2T") shape.of = Shape::Of::doubled;
    else if (const auto type = typeNamed(text)) shape.type = *type;
    else throw std::logic_error("bad signature operand " + std::string(text));
  }
  return shape;
}

void Pattern::record(Match& match, std::size_t item, std::string_view word) const {
  match.words[item] = word;
  const auto type = typeNamed(word);
  if (!type) return;
  if (match.first == Type::none) match.first = *type;
  match.last = *type;
}

bool Pattern::matchModifiers(const Statement& statement, Match& match, std::size_t& matched) const {
  match = {std::vector<std::string_view>(items_.size()), Type::none, Type::none};
  std::size_t at = 0;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (at < statement.modifiers.size() && contains(items_[i].words, statement.modifiers[at])) {
      record(match, i, statement.modifiers[at++]);
    } else if (!items_[i].optional) {
      matched = at;
      return false;
    }
  }
  matched = at;
  return at == statement.modifiers.size();
}

bool Pattern::matchInAnyOrder(const Statement& statement, Match& match) const {
  match = {std::vector<std::string_view>(items_.size()), Type::none, Type::none};
  std::vector<std::string_view> rest = statement.modifiers;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    const std::string_view word = take(rest, items_[i].words);
    if (word.empty() && !items_[i].optional) return false;
    record(match, i, word);
  }
  return rest.empty();
}

std::string Pattern::checkOperands(const Statement& statement, const Match& match,
                                   const std::vector<Register>& registers) const {
  const std::size_t given = statement.operands.size();
  const bool tooFew = given < shapes_.size() && !shapes_[given].optional;
  if (given > shapes_.size() || tooFew)
    return "takes operands " + quoted(signature_.operands) + ", not " + std::to_string(given) + " of them";
  const int vector = vectorLength(statement);
  for (std::size_t i = 0; i < given; ++i) {
    const std::string problem = checkOperand(statement.operands[i], shapes_[i], match, vector, registers);
    if (!problem.empty()) return "operand " + std::to_string(i + 1) + " " + problem;
  }
  return {};
}

std::string Pattern::checkOperand(const Operand& operand, const Shape& shape, const Match& match, int vector,
                                  const std::vector<Register>& registers) const {
  using Kind = Shape::Kind;
  switch (shape.kind) {
    case Kind::pred: {
      const bool isPred = operand.kind == Operand::Kind::reg && registers[operand.reg].type == Type::pred;
      if (operand.kind == Operand::Kind::sink && shape.written) return {};
      if (operand.kind == Operand::Kind::integer && !shape.written) return {};  // false or true
      if (shape.withPred && operand.kind == Operand::Kind::pair) {
        for (const Operand& part : operand.parts)
          if (part.kind != Operand::Kind::sink && (part.kind != Operand::Kind::reg || registers[part.reg].type != Type::pred))
            return "must be two predicates";
        return {};
      }
      return isPred ? "" : "must be a predicate";
    }
    case Kind::immediate: return operand.kind == Operand::Kind::integer ? "" : "must be an integer constant";
    case Kind::label:
      return operand.kind == Operand::Kind::symbol && operand.reg != noRegister ? "" : "must be a label";
    case Kind::symbol: return operand.kind == Operand::Kind::symbol ? "" : "must be a name";
    case Kind::reg: return operand.kind == Operand::Kind::reg ? "" : "must be a register";
    case Kind::address:
    case Kind::tensorAddress: {
      if (operand.kind != Operand::Kind::address) return "must be an address in brackets";
      const std::size_t parts = shape.kind == Kind::address ? 1 : 2;
      if (operand.parts.size() != parts) return parts == 1 ? "must be one address" : "must be [map, {coordinates}]";
      const Operand& base = operand.parts[0];
      if (base.kind == Operand::Kind::reg) {
        const Type type = registers[base.reg].type;
        if (isFloat(type) || (bits(type) != 32 && bits(type) != 64)) return "needs a 32- or 64-bit address register";
      } else if (base.kind != Operand::Kind::symbol && base.kind != Operand::Kind::integer) {
        return "has no address as its base";
      }
      return {};
    }
    case Kind::typed: break;
  }
  Type type = shape.type;
  if (shape.of == Shape::Of::last) type = match.last;
  if (shape.of == Shape::Of::first) type = match.first;
  if (shape.of == Shape::Of::doubled) type = doubled(match.last);

  if (shape.withPred && operand.kind == Operand::Kind::pair) {
    const Operand& p = operand.parts[1];
    const bool isPred = p.kind == Operand::Kind::sink || (p.kind == Operand::Kind::reg && registers[p.reg].type == Type::pred);
    if (!isPred) return "needs a predicate after |";
    return checkScalar(operand.parts[0], shape, type, registers);
  }
  const int count = shape.count == 0 ? vector : shape.count;
  if (shape.mayBrace && operand.kind == Operand::Kind::vector && operand.parts.size() == 1)
    return checkScalar(operand.parts[0], shape, type, registers);
  if (count == 1) return checkScalar(operand, shape, type, registers);
  if (operand.kind != Operand::Kind::vector) {
    // mov-like use of a register as a vector does not exist here: braces are required.
    return "must be a vector in braces";
  }
  if (count > 0 && operand.parts.size() != std::size_t(count))
    return "must have " + std::to_string(count) + " elements, not " + std::to_string(operand.parts.size());
  for (const Operand& part : operand.parts) {
    const std::string problem = checkScalar(part, shape, type, registers);
    if (!problem.empty()) return problem;
  }
  return {};
}

std::string Pattern::checkScalar(const Operand& operand, const Shape& shape, Type type,
                                 const std::vector<Register>& registers) const {
  switch (operand.kind) {
    case Operand::Kind::reg: {
      const Type declared = registers[operand.reg].type;
      if (operand.negated) return "cannot be negated";
      if (declared == Type::pred || type == Type::pred) {
        if (declared == type) return {};
      } else if (compatible(declared, type) && (bits(declared) == bits(type) || (shape.wider && bits(declared) > bits(type)))) {
        return {};
      }
      return "is register " + quoted(operand.name) + " of type ." + std::string(name(declared)) + ", not ." +
             std::string(name(type));
    }
    case Operand::Kind::sink: return shape.written ? "" : "cannot be _: it is read";
    case Operand::Kind::integer:
      if (shape.written) return "is a constant, but written";
      if (type == Type::f32 || type == Type::f64) return "must be a floating-point constant";
      return {};
    case Operand::Kind::real:
      if (shape.written) return "is a constant, but written";
      return isFloat(type) || isBits(type) ? "" : "is a floating-point constant, not ." + std::string(name(type));
    case Operand::Kind::special:
      if (shape.written) return "is a special register, but written";
      return isFloat(type) || (type == Type::pred) != (operand.name == "%is_explicit_cluster") ? "is a special register, not ." + std::string(name(type)) : "";
    case Operand::Kind::symbol:
      if (shape.written) return quoted(operand.name) + " is not a declared register";
      if (operand.reg != noRegister) return "is a label";
      return bits(type) >= 32 && !isFloat(type) ? "" : quoted(operand.name) + " is not a declared register";
    case Operand::Kind::vector: return "is a vector, but a scalar is expected";
    case Operand::Kind::pair: return "has a second destination that this form does not know";
    case Operand::Kind::address: return "is an address, but a value is expected";
  }
  return "is of an unknown kind";
}

}  // namespace cnn::emu::ptx
