// Device memory: an allocation table over two reserved address ranges. A device address lies in a range that is mapped
// without any access, so that a host dereference faults; its bytes lie at a constant distance from it. Pinned host
// memory is entered at its own address.
#pragma once

#include "machine/fault.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::emu {

class Memory {
 public:
  explicit Memory(std::size_t totalBytes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // 0 when the device memory is used up. The alignment is a power of two, at least 256 is given.
  std::uint64_t allocate(std::size_t bytes, std::size_t alignment, std::string_view label);
  std::optional<Fault> free(std::uint64_t address);

  // The live allocation (or host mapping) that contains the address.
  bool find(std::uint64_t address, std::uint64_t& base, std::size_t& size) const;
  // Host view of [address, address + bytes); null unless all of it lies inside one live allocation.
  std::byte* resolve(std::uint64_t address, std::size_t bytes) const;

  // Host accesses of the driver; they also tell the checks that the bytes have a value.
  std::optional<Fault> copyIn(std::uint64_t destination, const void* source, std::size_t bytes);
  std::optional<Fault> copyOut(void* destination, std::uint64_t source, std::size_t bytes) const;
  std::optional<Fault> copy(std::uint64_t destination, std::uint64_t source, std::size_t bytes);
  // Writes `count` elements of `width` (1, 2, 4) bytes.
  std::optional<Fault> fill(std::uint64_t destination, std::uint32_t value, unsigned width, std::size_t count);

  // Pinned host memory: the device sees it at the same address.
  void mapHost(void* host, std::size_t bytes, std::string_view label);
  bool unmapHost(void* host);

  std::size_t used() const;
  std::size_t total() const { return total_; }

  // What execution keeps to check lane addresses without a lookup. host = device address + delta.
  struct Range {
    std::uint64_t base = 1, end = 0;
    std::ptrdiff_t delta = 0;
    std::uint8_t* initialised = nullptr;  // one byte per byte, null unless the init check is on
    std::uint32_t id = 0;
    bool readOnly = false;
  };
  bool range(std::uint64_t address, Range& found) const;
  // "4 bytes past the end of the 1024-byte allocation `cuMemAlloc` at 0x..": for reports.
  std::string describe(std::uint64_t address) const;
  void setReadOnly(std::uint64_t address);

 private:
  struct Allocation {
    std::size_t size;
    std::string label;
    std::ptrdiff_t delta;
    std::uint32_t id;
    bool host = false, readOnly = false;
    std::unique_ptr<std::uint8_t[]> initialised;
  };
  using Table = std::map<std::uint64_t, Allocation>;

  Table::const_iterator lookup(std::uint64_t address) const;
  std::uint64_t place(std::size_t bytes, std::size_t alignment);
  void retire(std::uint64_t begin, std::uint64_t end);
  Fault outside(std::string_view what, std::uint64_t address, std::size_t bytes) const;
  std::byte* touch(std::uint64_t address, std::size_t bytes, bool write) const;
  std::string describeLocked(std::uint64_t address) const;

  std::size_t total_, used_ = 0;
  std::uint64_t reserved_ = 0, cursor_ = 0;
  std::size_t span_ = 0;
  std::ptrdiff_t delta_ = 0;
  std::uint32_t nextId_ = 1;
  Table live_;
  struct Freed {
    std::uint64_t begin, end;
    std::string label;
  };
  std::vector<Freed> freed_;                       // the most recent ones, for reports
  std::map<std::uint64_t, std::uint64_t> gaps_;    // retired [begin, end), coalesced
  mutable std::shared_mutex mutex_;
};

}  // namespace cnn::emu
