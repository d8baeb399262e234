// Memory operands of the tensor and asynchronous families: from the decoded operand to a checked host address.
#pragma once

#include "machine/access.h"
#include "machine/block.h"
#include "machine/lanes.h"

#include <bit>
#include <optional>
#include <string>

namespace cnn::emu::CNN_ISA {

// An address operand as a handler reads it.
struct LaneAddress {
  std::uint32_t slot;
  bool wide;            // lanes of 8 bytes
  bool windowed;        // a generic address, to be taken into the shared window
  std::int64_t offset;

  std::uint64_t generic(const Warp& w, int lane) const {
    return (wide ? w.lanes<std::uint64_t>(slot)[lane] : w.lanes<std::uint32_t>(slot)[lane]) + std::uint64_t(offset);
  }

  // As a .shared address; nothing if a generic address lies outside of the shared window.
  std::optional<std::uint32_t> shared(const Warp& w, int lane) const {
    const std::uint64_t address = generic(w, lane);
    if (!windowed) return std::uint32_t(address);
    if (address < sharedWindow || address - sharedWindow >= sharedWindowBytes) return std::nullopt;
    return std::uint32_t(address - sharedWindow);
  }
};

// `stated`: the instruction names the state space, so that the operand holds an address in it, not a generic one.
inline LaneAddress laneAddress(Decoder& decoder, const ptx::Operand& operand, bool stated) {
  const AddressOperand a = decoder.address(operand);
  return {a.slot, a.wide, !stated && a.space == ptx::Space::generic, a.offset};
}

inline std::string hexadecimal(std::uint64_t value) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  do text.insert(text.begin(), digits[value & 15]);
  while (value >>= 4);
  return "0x" + text;
}

inline const Instruction* outsideShared(Warp& w, const Instruction* i, const char* name, std::uint64_t address,
                                        std::uint32_t bytes, int lane) {
  return w.fault(i, statusIllegalAddress,
                 std::string(name) + ": shared address " + hexadecimal(address) + " of " + std::to_string(bytes)
                     + " bytes lies outside the " + std::to_string(w.block->sharedBytes) + " bytes of the block",
                 lane);
}

inline const Instruction* outsideWindow(Warp& w, const Instruction* i, const char* name, std::uint64_t address, int lane) {
  return w.fault(i, statusInvalidAddressSpace,
                 std::string(name) + ": generic address " + hexadecimal(address) + " is no address of shared memory", lane);
}

inline const Instruction* misaligned(Warp& w, const Instruction* i, const char* name, std::uint64_t address,
                                     std::uint32_t alignment, int lane) {
  return w.fault(i, statusMisalignedAddress,
                 std::string(name) + ": address " + hexadecimal(address) + " is no multiple of "
                     + std::to_string(alignment),
                 lane);
}

// Host view of global memory. Null outside.
inline std::byte* globalAt(Warp& w, std::uint64_t address, std::size_t bytes) {
  const Memory::Range* range = w.block->ranges.find(address, address, bytes);
  if (!range) range = w.block->ranges.learn(*w.block->launch->memory, address, address, bytes);
  return range ? reinterpret_cast<std::byte*>(address + std::uint64_t(range->delta)) : nullptr;
}

inline const Instruction* outsideGlobal(Warp& w, const Instruction* i, const char* name, std::uint64_t address,
                                        std::size_t bytes, int lane) {
  return w.fault(i, statusIllegalAddress,
                 std::string(name) + ": global access of " + std::to_string(bytes) + " bytes at " + hexadecimal(address)
                     + ": " + w.block->launch->memory->describe(address),
                 lane);
}

// Whether all lanes of `mask` lie in the block's own shared memory, as nearly always; then fills in where.
inline bool ownSharedLanes(const Warp& w, const LaneAddress& operand, std::uint32_t mask, std::uint32_t bytes, std::uint32_t alignment,
                           std::uint32_t* addresses, std::byte** hosts) {
  const std::uint64_t offset = std::uint64_t(operand.offset) - (operand.windowed ? sharedWindow : 0);
  const std::uint64_t meaning = operand.windowed ? ~std::uint64_t(0) : 0xffffffffu;  // bits of a .shared address
  alignas(64) std::uint64_t at[warpLanes];
  if (operand.wide) {
    CNN_EACH_LANE at[l] = (w.lanes<std::uint64_t>(operand.slot)[l] + offset) & meaning;
  } else {
    CNN_EACH_LANE at[l] = (w.lanes<std::uint32_t>(operand.slot)[l] + offset) & meaning;
  }
  std::uint64_t high = 0, bits = 0;
  CNN_EACH_LANE {
    const std::uint64_t address = blend(mask, l, at[l], std::uint64_t(0));
    high = address > high ? address : high;
    bits |= address;
  }
  const std::uint64_t size = w.block->sharedBytes;
  if (bits % alignment != 0 || high > size || bytes > size - high) return false;
  CNN_EACH_LANE addresses[l] = std::uint32_t(at[l]);
  if (hosts)
    for (unsigned l = 0; l < warpLanes; ++l) hosts[l] = w.block->shared + at[l];
  return true;
}

// The .shared address of every lane of `mask`, checked for bounds and alignment. `hosts` may be null.
// On failure the warp has faulted and the result is false.
inline bool sharedLanes(Warp& w, const Instruction* i, const char* name, const LaneAddress& operand, std::uint32_t mask,
                        std::uint32_t bytes, std::uint32_t alignment, std::uint32_t* addresses, std::byte** hosts) {
  if (ownSharedLanes(w, operand, mask, bytes, alignment, addresses, hosts)) return true;
  for (std::uint32_t rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const auto address = operand.shared(w, lane);
    if (!address) return outsideWindow(w, i, name, operand.generic(w, lane), lane), false;
    if (*address % alignment != 0) return misaligned(w, i, name, *address, alignment, lane), false;
    std::byte* host = w.block->sharedAt(*address, bytes);
    if (!host) return outsideShared(w, i, name, *address, bytes, lane), false;
    addresses[lane] = *address;
    if (hosts) hosts[lane] = host;
  }
  return true;
}

// Tells the checks and counters of an access to shared memory; false when they fault.
inline bool observeShared(Warp& w, const Instruction* i, AccessKind kind, unsigned bytes, std::uint32_t mask,
                          const std::uint32_t* addresses) {
  if (!w.instrumented) return true;
  std::uint64_t wide[warpLanes] = {};
  for (std::uint32_t rest = mask; rest; rest &= rest - 1) wide[std::countr_zero(rest)] = addresses[std::countr_zero(rest)];
  return observe(w, i, {ptx::Space::shared, kind, bytes, mask, wide});
}

}  // namespace cnn::emu::CNN_ISA
