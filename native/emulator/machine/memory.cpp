#include "machine/memory.h"

#include "machine/checks.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <new>

namespace cnn::emu {
namespace {

constexpr std::size_t page = 4096, redZone = 512, leastAlignment = 512, rememberedFrees = 256;
// Address space per byte of device memory: addresses are not reused before this many times the memory went by, so that
// an access after free finds nothing live.
constexpr std::size_t spread = 4;

std::uint64_t aligned(std::uint64_t value, std::uint64_t align) { return (value + align - 1) & ~(align - 1); }

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::byte* reserve(std::size_t bytes, int protection) {
  void* memory = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(memory);
}

}  // namespace

Memory::Memory(std::size_t totalBytes) : total_(totalBytes), span_(totalBytes * spread) {
  reserved_ = reinterpret_cast<std::uint64_t>(reserve(span_, PROT_NONE));
  std::byte* storage;
  try {
    storage = reserve(span_, PROT_READ | PROT_WRITE);
  } catch (...) {
    munmap(reinterpret_cast<void*>(reserved_), span_);
    throw;
  }
  // Warps of a grid-stride loop step from page to page: with small pages most of their time goes into address translation.
  madvise(storage, span_, MADV_HUGEPAGE);
  delta_ = std::ptrdiff_t(reinterpret_cast<std::uint64_t>(storage) - reserved_);
  cursor_ = aligned(reserved_, leastAlignment);
}

Memory::~Memory() {
  munmap(reinterpret_cast<void*>(reserved_ + std::uint64_t(delta_)), span_);
  munmap(reinterpret_cast<void*>(reserved_), span_);
}

// Fresh addresses while they last, then retired ones.
std::uint64_t Memory::place(std::size_t bytes, std::size_t alignment) {
  const std::uint64_t fresh = aligned(cursor_, alignment);
  if (fresh + bytes + redZone <= reserved_ + span_) {
    cursor_ = fresh + aligned(bytes + redZone, leastAlignment);
    return fresh;
  }
  for (const auto& [begin, end] : gaps_) {
    const std::uint64_t start = aligned(begin, alignment);
    const std::uint64_t stop = start + aligned(bytes + redZone, leastAlignment);
    if (stop > end) continue;
    const std::uint64_t gapBegin = begin, gapEnd = end;
    gaps_.erase(gapBegin);
    if (start > gapBegin) gaps_[gapBegin] = start;
    if (stop < gapEnd) gaps_[stop] = gapEnd;
    return start;
  }
  return 0;
}

std::uint64_t Memory::allocate(std::size_t bytes, std::size_t alignment, std::string_view label) {
  const std::unique_lock lock(mutex_);
  if (bytes > total_ - used_) return 0;
  const std::uint64_t address = place(bytes, std::max(alignment, leastAlignment));
  if (address == 0) return 0;
  used_ += bytes;
  Allocation& entry = live_[address];
  entry.size = bytes;
  entry.label = label;
  entry.delta = delta_;
  entry.id = nextId_++;
  if (requestedChecks() & checkInit) entry.initialised = std::make_unique<std::uint8_t[]>(bytes);
  return address;
}

// Gives whole pages of coalesced gaps back to the system; they read as zeros should the addresses come into use again.
void Memory::retire(std::uint64_t begin, std::uint64_t end) {
  auto after = gaps_.lower_bound(begin);
  if (after != gaps_.end() && after->first == end) {
    end = after->second;
    after = gaps_.erase(after);
  }
  if (after != gaps_.begin()) {
    const auto before = std::prev(after);
    if (before->second == begin) {
      begin = before->first;
      gaps_.erase(before);
    }
  }
  gaps_[begin] = end;
  const std::uint64_t firstPage = aligned(begin + std::uint64_t(delta_), page);
  const std::uint64_t lastPage = (end + std::uint64_t(delta_)) & ~std::uint64_t(page - 1);
  if (lastPage > firstPage) madvise(reinterpret_cast<void*>(firstPage), lastPage - firstPage, MADV_DONTNEED);
}

std::optional<Fault> Memory::free(std::uint64_t address) {
  const std::unique_lock lock(mutex_);
  const auto found = live_.find(address);
  if (found == live_.end() || found->second.host)
    return Fault{statusInvalidValue, "free of " + hex(address) + ": " + describeLocked(address)};
  const std::size_t size = found->second.size;
  used_ -= size;
  freed_.push_back({address, address + size, std::move(found->second.label)});
  if (freed_.size() > rememberedFrees) freed_.erase(freed_.begin(), freed_.begin() + rememberedFrees / 2);
  live_.erase(found);
  retire(address, address + aligned(size + redZone, leastAlignment));
  return {};
}

Memory::Table::const_iterator Memory::lookup(std::uint64_t address) const {
  auto next = live_.upper_bound(address);
  if (next == live_.begin()) return live_.end();
  --next;
  return address - next->first < next->second.size ? next : live_.end();
}

bool Memory::find(std::uint64_t address, std::uint64_t& base, std::size_t& size) const {
  const std::shared_lock lock(mutex_);
  const auto found = lookup(address);
  if (found == live_.end()) return false;
  base = found->first;
  size = found->second.size;
  return true;
}

std::byte* Memory::touch(std::uint64_t address, std::size_t bytes, bool write) const {
  const std::shared_lock lock(mutex_);
  const auto found = lookup(address);
  if (found == live_.end() || bytes > found->second.size - (address - found->first)) return nullptr;
  if (write && found->second.initialised)
    std::memset(found->second.initialised.get() + (address - found->first), 1, bytes);
  return reinterpret_cast<std::byte*>(address + std::uint64_t(found->second.delta));
}

std::byte* Memory::resolve(std::uint64_t address, std::size_t bytes) const { return touch(address, bytes, false); }

Fault Memory::outside(std::string_view what, std::uint64_t address, std::size_t bytes) const {
  return {statusInvalidValue, std::string(what) + " of " + std::to_string(bytes) + " bytes at " + hex(address) + ": " +
                                  describe(address)};
}

std::optional<Fault> Memory::copyIn(std::uint64_t destination, const void* source, std::size_t bytes) {
  if (bytes == 0) return {};
  std::byte* target = touch(destination, bytes, true);
  if (!target) return outside("copy to the device", destination, bytes);
  std::memmove(target, source, bytes);
  return {};
}

std::optional<Fault> Memory::copyOut(void* destination, std::uint64_t source, std::size_t bytes) const {
  if (bytes == 0) return {};
  const std::byte* from = touch(source, bytes, false);
  if (!from) return outside("copy from the device", source, bytes);
  std::memmove(destination, from, bytes);
  return {};
}

std::optional<Fault> Memory::copy(std::uint64_t destination, std::uint64_t source, std::size_t bytes) {
  if (bytes == 0) return {};
  const std::byte* from = touch(source, bytes, false);
  if (!from) return outside("copy from the device", source, bytes);
  return copyIn(destination, from, bytes);
}

std::optional<Fault> Memory::fill(std::uint64_t destination, std::uint32_t value, unsigned width, std::size_t count) {
  if (count == 0) return {};
  std::byte* target = touch(destination, width * count, true);
  if (!target) return outside("memset", destination, width * count);
  if (width == 1) {
    std::memset(target, int(value & 0xff), count);
  } else if (width == 2) {
    std::fill_n(reinterpret_cast<std::uint16_t*>(target), count, std::uint16_t(value));
  } else {
    std::fill_n(reinterpret_cast<std::uint32_t*>(target), count, value);
  }
  return {};
}

void Memory::mapHost(void* host, std::size_t bytes, std::string_view label) {
  const std::unique_lock lock(mutex_);
  Allocation& entry = live_[reinterpret_cast<std::uint64_t>(host)];
  entry.size = bytes;
  entry.label = label;
  entry.delta = 0;
  entry.id = nextId_++;
  entry.host = true;
}

bool Memory::unmapHost(void* host) {
  const std::unique_lock lock(mutex_);
  const auto found = live_.find(reinterpret_cast<std::uint64_t>(host));
  if (found == live_.end() || !found->second.host) return false;
  live_.erase(found);
  return true;
}

std::size_t Memory::used() const {
  const std::shared_lock lock(mutex_);
  return used_;
}

bool Memory::range(std::uint64_t address, Range& found) const {
  const std::shared_lock lock(mutex_);
  const auto entry = lookup(address);
  if (entry == live_.end()) return false;
  found = {entry->first, entry->first + entry->second.size, entry->second.delta, entry->second.initialised.get(),
           entry->second.id, entry->second.readOnly};
  return true;
}

void Memory::setReadOnly(std::uint64_t address) {
  const std::unique_lock lock(mutex_);
  if (const auto found = live_.find(address); found != live_.end()) found->second.readOnly = true;
}

std::string Memory::describe(std::uint64_t address) const {
  const std::shared_lock lock(mutex_);
  return describeLocked(address);
}

std::string Memory::describeLocked(std::uint64_t address) const {
  const auto shown = [](std::uint64_t base, std::size_t size, const std::string& label) {
    return std::to_string(size) + "-byte allocation `" + label + "` at " + hex(base);
  };
  if (const auto inside = lookup(address); inside != live_.end())
    return std::to_string(address - inside->first) + " bytes into the " +
           shown(inside->first, inside->second.size, inside->second.label);
  for (auto freed = freed_.rbegin(); freed != freed_.rend(); ++freed)
    if (address >= freed->begin && address < freed->end)
      return std::to_string(address - freed->begin) + " bytes into the " +
             shown(freed->begin, freed->end - freed->begin, freed->label) + ", which has been freed";
  auto next = live_.upper_bound(address);
  if (next != live_.begin()) {
    const auto& [base, entry] = *std::prev(next);
    const std::uint64_t past = address - (base + entry.size);
    if (past < (1u << 20)) return std::to_string(past) + " bytes past the end of the " + shown(base, entry.size, entry.label);
  }
  if (next != live_.end() && next->first - address < (1u << 20))
    return std::to_string(next->first - address) + " bytes before the " +
           shown(next->first, next->second.size, next->second.label);
  return "no allocation is near";
}

}  // namespace cnn::emu
