// The element-wise reductions of cp.reduce.async.bulk and red.async. Included by *.isa.cpp files only.
#pragma once

#include "machine/atomic_access.h"
#include "machine/bulk_copy.h"
#include "machine/flushed_sum.h"
#include "machine/half_combination.h"
#include "ptx/types.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace cnn::emu::CNN_ISA {

template <class T> T sumOf(T a, T b) { return T(std::uint64_t(a) + std::uint64_t(b)); }
template <class T> T lesserOf(T a, T b) { return std::min(a, b); }
template <class T> T greaterOf(T a, T b) { return std::max(a, b); }
template <class T> T commonBits(T a, T b) { return a & b; }
template <class T> T anyBits(T a, T b) { return a | b; }
template <class T> T oddBits(T a, T b) { return a ^ b; }
template <class T> T realSum(T a, T b) { return a + b; }
inline std::uint32_t incrementWrapped(std::uint32_t a, std::uint32_t b) { return a >= b ? 0 : a + 1; }
inline std::uint32_t decrementWrapped(std::uint32_t a, std::uint32_t b) { return a == 0 || a > b ? b : a - 1; }

// Each element atomically: other blocks may reduce into the same memory.
template <class T, T (*combine)(T, T)> void combineElements(std::byte* target, const std::byte* source, std::uint32_t bytes) {
  for (std::uint32_t at = 0; at < bytes; at += sizeof(T)) {
    T operand;
    std::memcpy(&operand, source + at, sizeof operand);
    exchange<T>(target + at, [operand](T old) { return combine(old, operand); });
  }
}

template <class T> Combine integerCombination(std::string_view op) {
  if (op == "min") return combineElements<T, lesserOf<T>>;
  if (op == "max") return combineElements<T, greaterOf<T>>;
  if (op == "and") return combineElements<T, commonBits<T>>;
  if (op == "or") return combineElements<T, anyBits<T>>;
  if (op == "xor") return combineElements<T, oddBits<T>>;
  return op == "add" ? combineElements<T, sumOf<T>> : nullptr;
}

template <bool isBfloat> Combine halfCombination(std::string_view op) {
  if (op == "add") return combineElements<std::uint16_t, combineHalves<isBfloat, Combination::sum>>;
  if (op == "min") return combineElements<std::uint16_t, combineHalves<isBfloat, Combination::least>>;
  return op == "max" ? combineElements<std::uint16_t, combineHalves<isBfloat, Combination::greatest>> : nullptr;
}

// Null when the instruction set does not have the operation on this type.
inline Combine combination(std::string_view op, TensorType type) {
  switch (type) {
    case TensorType::u32:
      if (op == "inc") return combineElements<std::uint32_t, incrementWrapped>;
      if (op == "dec") return combineElements<std::uint32_t, decrementWrapped>;
      return integerCombination<std::uint32_t>(op);
    case TensorType::s32: return integerCombination<std::int32_t>(op);
    case TensorType::u64: return integerCombination<std::uint64_t>(op);
    case TensorType::s64: return op == "add" ? nullptr : integerCombination<std::int64_t>(op);
    case TensorType::f16: return halfCombination<false>(op);
    case TensorType::bf16: return halfCombination<true>(op);
    case TensorType::f32: return op == "add" ? combineElements<float, realSum<float>> : nullptr;
    case TensorType::f32ftz: return op == "add" ? combineElements<float, flushedSum> : nullptr;
    case TensorType::f64: return op == "add" ? combineElements<double, realSum<double>> : nullptr;
    default: return nullptr;
  }
}

// The type of a tensor's elements that goes with a type of an instruction.
inline TensorType elementType(ptx::Type type) {
  switch (type) {
    case ptx::Type::s32: return TensorType::s32;
    case ptx::Type::s64: return TensorType::s64;
    case ptx::Type::f16: return TensorType::f16;
    case ptx::Type::bf16: return TensorType::bf16;
    case ptx::Type::f32: return TensorType::f32ftz;  // memory takes and leaves subnormal sums as zeros
    case ptx::Type::f64: return TensorType::f64;
    default: return ptx::bits(type) == 64 ? TensorType::u64 : TensorType::u32;
  }
}

// The operation among the modifiers, which must hold one.
inline std::string_view reductionOf(const ptx::Statement& statement) {
  constexpr std::string_view names[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor"};
  return *std::ranges::find_if(statement.modifiers, [&](std::string_view word) { return std::ranges::find(names, word) != std::end(names); });
}

}  // namespace cnn::emu::CNN_ISA
