#include "ptx/types.h"

#include "ptx/tree.h"

#include <algorithm>
#include <array>

namespace cnn::emu::ptx {
namespace {

struct Row {
  std::string_view name;
  unsigned bits;
};

// In the order of the enumeration.
constexpr std::array<Row, 31> rows{{
    {"none", 0}, {"pred", 1}, {"b8", 8}, {"b16", 16}, {"b32", 32}, {"b64", 64}, {"b128", 128}, {"u8", 8}, {"u16", 16},
    {"u32", 32}, {"u64", 64}, {"s8", 8}, {"s16", 16}, {"s32", 32}, {"s64", 64}, {"f16", 16}, {"bf16", 16}, {"f32", 32},
    {"f64", 64}, {"f16x2", 32}, {"bf16x2", 32}, {"tf32", 32}, {"e4m3", 8}, {"e5m2", 8}, {"e4m3x2", 16}, {"e5m2x2", 16},
    {"u16x2", 32}, {"s16x2", 32}, {"b1", 1}, {"u4", 4}, {"s4", 4},
}};

}  // namespace

std::optional<Type> typeNamed(std::string_view name) {
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (!rows[i].name.empty() && rows[i].name == name) return Type(i);
  return {};
}

std::string_view name(Type type) { return rows[std::size_t(type)].name; }

unsigned bits(Type type) { return rows[std::size_t(type)].bits; }

std::string_view name(Space space) {
  constexpr std::string_view names[] = {"generic", "global", "shared", "local", "const", "param", "reg", "shared::cluster"};
  return names[std::size_t(space)];
}

bool Statement::has(std::string_view modifier) const {
  return std::find(modifiers.begin(), modifiers.end(), modifier) != modifiers.end();
}

}  // namespace cnn::emu::ptx
