// The functions that a driver provides to kernels: vprintf, behind printf, and __assertfail, behind assert. Inlining turns
// their calls into instructions whose operands are the .param variables of the call sequence.
#include "machine/address.h"
#include "machine/family.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Space;

constexpr std::size_t mostArguments = 5, longestText = 4096;

struct Call {
  std::array<std::int64_t, mostArguments> variables;  // addresses in local memory
};
const Call& callOf(const Instruction* i) { return *static_cast<const Call*>(i->extra); }

// The memory of one lane, as the function called reads it. Nothing after a fault.
class LaneMemory {
 public:
  LaneMemory(Warp& warp, const Instruction* i, unsigned lane) : warp_(warp), i_(i), lane_(lane) {}

  template <class T> std::optional<T> read(Space space, std::uint64_t address) const {
    Space actual;
    const std::byte* host = resolveLane(warp_, i_, space, address, sizeof(T), lane_, false, actual);
    if (!host) return {};
    T value;
    std::memcpy(&value, host, sizeof value);
    return value;
  }
  template <class T> std::optional<T> argument(std::size_t n) const { return read<T>(Space::local, std::uint64_t(callOf(i_).variables[n])); }

  std::optional<std::string> text(std::uint64_t address) const {
    std::string text;
    while (text.size() < longestText) {
      const auto c = read<char>(Space::generic, address + text.size());
      if (!c) return {};
      if (*c == 0) break;
      text += *c;
    }
    return text;
  }

  bool write(std::size_t n, std::int32_t value) const {
    Space actual;
    std::byte* host = resolveLane(warp_, i_, Space::local, std::uint64_t(callOf(i_).variables[n]), sizeof value, lane_, true, actual);
    if (host) std::memcpy(host, &value, sizeof value);
    return host != nullptr;
  }

 private:
  Warp& warp_;
  const Instruction* i_;
  unsigned lane_;
};

// ---- vprintf: result, format, arguments --------------------------------------------------------------------------

// What stands between % and the end of a conversion.
struct Conversion {
  std::string flags;       // with width and precision
  bool isLong = false;
  char letter = 0;
};

Conversion conversionAt(const std::string& format, std::size_t& at) {
  Conversion c;
  while (at < format.size() && std::strchr("-+ #0123456789.", format[at])) c.flags += format[at++];
  while (at < format.size() && std::strchr("hljzt", format[at])) c.isLong |= format[at++] != 'h';
  if (at < format.size()) c.letter = format[at++];
  return c;
}

template <class T> std::string formatted(const std::string& specification, T value) {
  const int length = std::snprintf(nullptr, 0, specification.c_str(), value);
  std::string text(std::size_t(std::max(length, 0)) + 1, '\0');
  std::snprintf(text.data(), text.size(), specification.c_str(), value);
  text.pop_back();
  return text;
}

// The arguments lie one behind the other, each aligned to its size.
class Printer {
 public:
  Printer(const LaneMemory& memory, std::uint64_t arguments) : memory_(memory), arguments_(arguments) {}

  // False after a fault.
  bool print(const std::string& format) {
    for (std::size_t at = 0; at < format.size();) {
      if (format[at] != '%') {
        text += format[at++];
        continue;
      }
      const Conversion c = conversionAt(format, ++at);
      if (c.letter == '%') text += '%';
      else if (!convert(c)) return false;
    }
    return true;
  }

  std::string text;
  std::int32_t count = 0;

 private:
  template <class T> std::optional<T> next() {
    at_ = (at_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    const auto value = memory_.read<T>(Space::generic, arguments_ + at_);
    at_ += sizeof(T);
    ++count;
    return value;
  }
  template <class T> bool append(const std::string& specification) {
    const auto value = next<T>();
    if (value) text += formatted(specification, *value);
    return value.has_value();
  }

  bool convert(const Conversion& c) {
    const std::string head = "%" + c.flags, letter(1, c.letter);
    if (c.letter != 0 && std::strchr("diouxX", c.letter)) return c.isLong ? append<long long>(head + "ll" + letter) : append<int>(head + letter);
    if (c.letter != 0 && std::strchr("fFeEgGaA", c.letter)) return append<double>(head + letter);
    if (c.letter == 'c') return append<int>(head + letter);
    if (c.letter == 'p') return append<void*>(head + letter);
    if (c.letter != 's') return text += head + letter, true;
    const auto address = next<std::uint64_t>();
    const auto argument = address ? memory_.text(*address) : std::nullopt;
    if (argument) text += formatted(head + letter, argument->c_str());
    return argument.has_value();
  }

  const LaneMemory& memory_;
  std::uint64_t arguments_, at_ = 0;
};

std::mutex outputMutex;  // a line of one lane is not broken by another's

const Instruction* printText(Warp& warp, const Instruction* i) {
  for (std::uint32_t rest = warp.mask(i); rest != 0; rest &= rest - 1) {
    const LaneMemory memory(warp, i, unsigned(std::countr_zero(rest)));
    const auto address = memory.argument<std::uint64_t>(1), arguments = memory.argument<std::uint64_t>(2);
    const auto format = address ? memory.text(*address) : std::nullopt;
    if (!format || !arguments) return nullptr;
    Printer printer(memory, *arguments);
    if (!printer.print(*format) || !memory.write(0, printer.count)) return nullptr;
    const std::lock_guard lock(outputMutex);
    std::fputs(printer.text.c_str(), stdout);
  }
  return i + 1;
}

// ---- __assertfail: message, file, line, function, size of a character ------------------------------------------

const Instruction* failAssertion(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  if (mask == 0) return i + 1;
  const int lane = std::countr_zero(mask);
  const LaneMemory memory(warp, i, unsigned(lane));
  const auto textOf = [&](std::size_t n) {
    const auto address = memory.argument<std::uint64_t>(n);
    return address ? memory.text(*address) : std::nullopt;
  };
  const auto message = textOf(0), file = textOf(1), function = textOf(3);
  const auto line = memory.argument<std::uint32_t>(2);
  if (!message || !file || !function || !line) return nullptr;
  return warp.fault(i, statusAssert, *file + ":" + std::to_string(*line) + ": " + *function + ": assertion `" + *message + "` failed", lane);
}

template <Handler handler> void decode(Decoder& d, Instruction& out) {
  Call& call = *d.table<Call>(1);
  for (std::size_t n = 0; n < d.count(); ++n) call.variables[n] = d.address(d.operand(n)).offset;
  out.extra = &call;
  out.function = handler;
}

}  // namespace

std::span<const Entry> system_call() {
  static const Entry entries[] = {
      {"@vprintf", "[] [] []", 10, 10, Class::control, 0, decode<printText>},
      {"@assertfail", "[] [] [] [] []", 10, 10, Class::control, 0, decode<failAssertion>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
