#include "ptx/rules.h"

#include <algorithm>
#include <initializer_list>

namespace cnn::emu::ptx {
namespace {

using Words = std::initializer_list<std::string_view>;

bool hasAny(const Statement& s, Words words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return s.has(word); });
}

bool isOrdered(const Statement& s) { return hasAny(s, {"relaxed", "acquire", "release", "acq_rel"}); }

// An integer constant outside of [0, limit].
bool exceeds(const Operand& operand, std::uint64_t limit) {
  return operand.kind == Operand::Kind::integer && std::uint64_t(operand.value) > limit;
}
bool differs(const Operand& operand, std::int64_t value) { return operand.kind == Operand::Kind::integer && operand.value != value; }

std::string memoryAccess(const Statement& s, const Match& match) {
  const bool isStore = s.opcode == "st";
  const Operand& value = s.operands[isStore ? 1 : 0];
  const std::size_t elements = value.kind == Operand::Kind::vector ? value.parts.size() : 1;
  if (elements * bits(match.last) > 128) return "moves more than 128 bits";
  if (isStore && hasAny(s, {"const", "param::entry"})) return "writes to memory that is read-only";
  const bool isLocal = hasAny(s, {"shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry", "param::func"});
  const auto isLevel = [](std::string_view word) { return word.starts_with("L1::") || word.starts_with("L2::"); };
  const bool hasHint = std::ranges::any_of(s.modifiers, isLevel);
  if (hasHint && s.has("volatile")) return "is volatile and has a hint for caches, which exclude each other";
  if (hasHint && isLocal) return "has a hint for caches that its memory does not have";
  const auto isPriority = [](std::string_view word) { return word.starts_with("L1::"); };
  const bool hasOperator = hasAny(s, {"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  if (hasOperator && (isOrdered(s) || s.has("volatile"))) return "has an order and a cache operator, which exclude each other";
  if (hasOperator && !s.has("nc") && std::ranges::any_of(s.modifiers, isPriority)) return "has a cache operator and a priority, which exclude each other";
  return {};
}

std::string atomicAccess(const Statement& s) {
  const bool isShared = hasAny(s, {"shared", "shared::cta", "shared::cluster"});
  return isShared && s.has("L2::cache_hint") ? "has a hint for a cache that shared memory does not have" : "";
}

std::string extreme(const Statement& s) {
  return s.has("xorsign") != s.has("abs") ? "has one of .xorsign and .abs, which belong together" : "";
}

std::string mbarrier(const Statement& s) {
  if (s.has("pending_count") && s.operands[0].kind == Operand::Kind::sink) return "needs a register for its count";
  return isOrdered(s) != hasAny(s, {"cta", "cluster"}) ? "has one of an order and a scope, which belong together" : "";
}

// [d,] barrier [, threads] [, p]: at most 16 barriers, whole warps.
std::string barrier(const Statement& s) {
  const std::size_t first = s.has("red") ? 1 : 0;
  if (exceeds(s.operands[first], 15)) return "has no such barrier: they are 0 to 15";
  const std::size_t last = s.operands.size() - first;
  const bool counts = first + 1 < last;
  const Operand& threads = s.operands[counts ? first + 1 : first];
  return counts && threads.kind == Operand::Kind::integer && threads.value % 32 != 0 ? "counts threads that are no whole warps" : "";
}

}  // namespace

std::string brokenRule(const Statement& s, const Match& match) {
  if (s.opcode == "ld" || s.opcode == "st") return memoryAccess(s, match);
  if (s.opcode == "atom" || s.opcode == "red") return atomicAccess(s);
  if (s.opcode == "min" || s.opcode == "max") return extreme(s);
  if (s.opcode == "mbarrier") return mbarrier(s);
  if ((s.opcode == "bar" || s.opcode == "barrier") && !hasAny(s, {"warp", "cluster"})) return barrier(s);
  if (s.opcode == "pmevent" && exceeds(s.operands[0], 15)) return "has no such event: they are 0 to 15";
  if (s.opcode == "discard" && differs(s.operands[1], 128)) return "discards 128 bytes, not another number";
  if (s.opcode == "fence" && s.operands.size() == 2 && differs(s.operands[1], 128)) return "covers the 128 bytes of a tensor map, not another number";
  return {};
}

}  // namespace cnn::emu::ptx
