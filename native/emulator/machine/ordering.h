// What a fence, an atomic or a strong access says about order: its semantics and its scope.
// PTX ISA, chapters "Memory Consistency Model" and "membar/fence".
#pragma once

#include <cstdint>

namespace cnn::emu {

// The threads that it orders: of the block, of its cluster, of the device, of the whole system.
enum class Scope : std::uint8_t { block, cluster, device, system };

struct Ordering {
  Scope scope = Scope::device;
  bool acquires = false, releases = false;  // neither: relaxed

  // In a field of an instruction.
  std::uint32_t packed() const { return std::uint32_t(scope) | std::uint32_t(acquires) << 2 | std::uint32_t(releases) << 3; }
  static Ordering unpack(std::uint32_t bits) { return {Scope(bits & 3), (bits & 4) != 0, (bits & 8) != 0}; }
};

}  // namespace cnn::emu
