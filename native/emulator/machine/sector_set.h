// The 32-byte sectors of global memory that one block has touched, each counted once: what it must fetch from L2 if L1
// keeps all that it has fetched.
#pragma once

#include <cstdint>
#include <unordered_map>

namespace cnn::emu {

class SectorSet {
 public:
  // Whether the sector (address / 32) is new.
  bool insert(std::uint64_t sector) {
    if (const std::uint64_t page = sector / 64; page != page_ || !bits_) {
      page_ = page;
      bits_ = &pages_[page];  // stays where it is when others join
    }
    const std::uint64_t bit = std::uint64_t(1) << sector % 64;
    const bool isNew = (*bits_ & bit) == 0;
    *bits_ |= bit;
    return isNew;
  }
  void clear() {
    pages_.clear();
    bits_ = nullptr;
  }

 private:
  std::unordered_map<std::uint64_t, std::uint64_t> pages_;  // 64 sectors, a bit each
  std::uint64_t page_ = 0, *bits_ = nullptr;                // the latest one
};

struct BlockSectors {
  SectorSet loaded, stored;
  void clear() {
    loaded.clear();
    stored.clear();
  }
};

}  // namespace cnn::emu
