// Shared memory that asynchronous operations are writing or reading now. They all move multiples of four bytes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cnn::emu {

class InFlight {
 public:
  struct Word {
    std::uint32_t writes = 0, reads = 0;  // operations under way
    const char* what = "";                // the latest of them
  };

  explicit InFlight(std::uint32_t sharedBytes) : words_((sharedBytes + 3) / 4) {}
  // Another block takes the place.
  void start() {
    if (operations_ != 0) std::fill(words_.begin(), words_.end(), Word{});
    operations_ = 0;
  }

  void begin(std::uint32_t address, std::uint32_t bytes, bool writes, const char* what) {
    ++operations_;
    each(address, bytes, [&](Word& word) {
      ++(writes ? word.writes : word.reads);
      word.what = what;
    });
  }
  void end(std::uint32_t address, std::uint32_t bytes, bool writes) {
    --operations_;
    each(address, bytes, [&](Word& word) { --(writes ? word.writes : word.reads); });
  }

  // The first word that an access by threads must not touch yet; null if there is none.
  const Word* conflict(std::uint32_t address, std::uint32_t bytes, bool writes) const {
    if (operations_ == 0) return nullptr;
    const Word *first = &words_[address / 4], *last = first + (address % 4 + bytes + 3) / 4;
    const Word* found = std::find_if(first, last, [&](const Word& word) { return word.writes != 0 || (writes && word.reads != 0); });
    return found == last ? nullptr : found;
  }
  std::uint32_t addressOf(const Word* word) const { return std::uint32_t(word - words_.data()) * 4; }

 private:
  template <class Body> void each(std::uint32_t address, std::uint32_t bytes, Body body) {
    for (std::uint32_t w = address / 4; w < (address + bytes) / 4; ++w) body(words_[w]);
  }
  std::vector<Word> words_;
  std::uint64_t operations_ = 0;
};

}  // namespace cnn::emu
