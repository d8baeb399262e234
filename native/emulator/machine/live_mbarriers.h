// Where the mbarriers of a block lie: from mbarrier.init to mbarrier.inval their words belong to mbarrier instructions alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cnn::emu {

class LiveMbarriers {
 public:
  void start() { addresses_.clear(); }  // another block takes the place
  // False if one lives there already.
  bool begin(std::uint32_t address) {
    const auto at = std::lower_bound(addresses_.begin(), addresses_.end(), address);
    if (at != addresses_.end() && *at == address) return false;
    addresses_.insert(at, address);
    return true;
  }
  void end(std::uint32_t address) { std::erase(addresses_, address); }
  // Whether the bytes touch one.
  bool touches(std::uint32_t address, std::uint32_t bytes) const {
    const auto behind = std::lower_bound(addresses_.begin(), addresses_.end(), address + bytes);
    return behind != addresses_.begin() && behind[-1] + wordBytes > address;
  }

 private:
  static constexpr std::uint32_t wordBytes = 8;
  std::vector<std::uint32_t> addresses_;  // in order
};

}  // namespace cnn::emu
