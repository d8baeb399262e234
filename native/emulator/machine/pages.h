// What the checks note about global memory: pages of notes, made when an address is first touched in a launch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace cnn::emu {

inline constexpr std::uint32_t notePageBytes = 512;  // a warp that moves 16 bytes per lane stays in one page

// Of one launch. Shards keep its threads apart.
template <class Page> class PageTable {
 public:
  Page& operator[](std::uint64_t number) {
    Shard& shard = shards_[number % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    std::unique_ptr<Page>& page = shard.pages[number];
    if (!page) page = std::make_unique<Page>();
    return *page;
  }

 private:
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::unique_ptr<Page>> pages;
  };
  std::array<Shard, 64> shards_;
};

// The pages that a block has touched lately, which it finds without a lock.
template <class Page> class PageCache {
 public:
  explicit PageCache(PageTable<Page>& table) : table_(table) {}
  Page& operator[](std::uint64_t number) {
    Known& known = known_[number % known_.size()];
    if (!known.page || known.number != number) known = {number, &table_[number]};
    return *known.page;
  }

 private:
  struct Known {
    std::uint64_t number = 0;
    Page* page = nullptr;
  };
  PageTable<Page>& table_;
  std::array<Known, 256> known_{};
};

// Calls body(page number, offset in the page, bytes, bytes of the stretch before them) until it says stop by true.
template <class Body> bool anyPage(std::uint64_t address, std::uint32_t bytes, Body body) {
  for (std::uint32_t done = 0; done < bytes;) {
    const auto offset = std::uint32_t((address + done) % notePageBytes);
    const std::uint32_t part = std::min(bytes - done, notePageBytes - offset);
    if (body((address + done) / notePageBytes, offset, part, done)) return true;
    done += part;
  }
  return false;
}

}  // namespace cnn::emu
