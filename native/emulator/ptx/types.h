// The scalar types of PTX.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cnn::emu::ptx {

enum class Type : std::uint8_t {
  none, pred, b8, b16, b32, b64, b128, u8, u16, u32, u64, s8, s16, s32, s64, f16, bf16, f32, f64, f16x2, bf16x2,
  // Types that only instructions name; their registers are .b16 or .b32.
  tf32, e4m3, e5m2, e4m3x2, e5m2x2, u16x2, s16x2, b1, u4, s4,
};

std::optional<Type> typeNamed(std::string_view name);
std::string_view name(Type type);
// Bits of a register of this type; 1 for pred.
unsigned bits(Type type);
inline unsigned bytes(Type type) { return bits(type) / 8; }

inline bool isSigned(Type t) { return t == Type::s8 || t == Type::s16 || t == Type::s32 || t == Type::s64; }
inline bool isUnsigned(Type t) { return t >= Type::u8 && t <= Type::u64; }
inline bool isInteger(Type t) { return isSigned(t) || isUnsigned(t); }
inline bool isBits(Type t) { return t >= Type::b8 && t <= Type::b128; }
inline bool isFloat(Type t) {
  return t == Type::f16 || t == Type::bf16 || t == Type::f32 || t == Type::f64 || t == Type::f16x2 || t == Type::bf16x2;
}
// Whether a variable or register may be declared with it.
inline bool isDeclarable(Type t) { return t != Type::none && t <= Type::bf16x2; }

}  // namespace cnn::emu::ptx
