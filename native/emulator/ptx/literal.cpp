#include "ptx/literal.h"

#include <bit>
#include <charconv>

namespace cnn::emu::ptx {
namespace {

std::optional<std::uint64_t> digits(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

Operand real(Type type, std::uint64_t bits, bool negative) {
  Operand operand;
  operand.kind = Operand::Kind::real;
  operand.realType = type;
  const std::uint64_t sign = type == Type::f32 ? 0x8000'0000ull : 0x8000'0000'0000'0000ull;
  operand.value = std::int64_t(negative ? bits ^ sign : bits);
  return operand;
}

std::optional<Operand> decimalReal(std::string_view text, bool negative) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return real(Type::f64, std::bit_cast<std::uint64_t>(value), negative);
}

}  // namespace

std::optional<Operand> parseNumber(std::string_view text, bool negative) {
  const std::string_view prefix = text.substr(0, 2);
  const auto exact = [&](std::size_t length, Type type) -> std::optional<Operand> {
    const auto value = digits(text.substr(2), 16);
    if (text.size() != length + 2 || !value) return {};
    return real(type, *value, negative);
  };
  if (prefix == "0f" || prefix == "0F") return exact(8, Type::f32);
  if (prefix == "0d" || prefix == "0D") return exact(16, Type::f64);

  const bool hexadecimal = prefix == "0x" || prefix == "0X";
  if (!hexadecimal && text.find_first_of(".eE") != std::string_view::npos) return decimalReal(text, negative);
  if (text.back() == 'U') text.remove_suffix(1);
  std::optional<std::uint64_t> value;
  if (hexadecimal) value = digits(text.substr(2), 16);
  else if (prefix == "0b" || prefix == "0B") value = digits(text.substr(2), 2);
  else if (text.size() > 1 && text[0] == '0') value = digits(text.substr(1), 8);
  else value = digits(text, 10);
  if (!value) return {};
  Operand operand;
  operand.kind = Operand::Kind::integer;
  operand.value = std::int64_t(negative ? 0 - *value : *value);
  return operand;
}

}  // namespace cnn::emu::ptx
