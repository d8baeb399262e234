#include "machine/memory_view.h"

namespace cnn::emu {

std::byte* MemoryView::resolve(std::uint64_t address, std::size_t bytes) const {
  Memory::Range found;
  return range(address, found) ? memory_.resolve(address, bytes) : nullptr;
}

}  // namespace cnn::emu
