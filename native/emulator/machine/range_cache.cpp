#include "machine/range_cache.h"

namespace cnn::emu {

const Memory::Range* RangeCache::learn(const MemoryView& memory, std::uint64_t low, std::uint64_t last, std::uint64_t bytes) {
  if (find(low, low, 1)) return nullptr;  // known, and too short
  Memory::Range found;
  if (!memory.range(low, found)) return nullptr;
  known_[oldest_] = found;
  oldest_ = (oldest_ + 1) % capacity;
  return find(low, last, bytes);
}

}  // namespace cnn::emu
