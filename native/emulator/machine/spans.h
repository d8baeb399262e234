// The lanes of an access, taken together where they lie side by side, so that the checks do not look at every lane.
#pragma once

#include "machine/access.h"

#include <array>
#include <bit>
#include <cstdint>

namespace cnn::emu {

// Neighbouring lanes that touch memory one after the other, or one place all together.
struct Span {
  std::uint64_t address;
  std::uint32_t bytes;         // of all lanes
  std::uint8_t lane, lanes;    // the first lane, how many
  bool isPlace(unsigned bytesPerLane) const { return lanes > 1 && bytes == bytesPerLane; }
};

class Spans {
 public:
  explicit Spans(const Access& access) {
    for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
      const auto lane = unsigned(std::countr_zero(rest));
      add(access.addresses[lane], access.bytes, lane);
    }
  }
  const Span* begin() const { return spans_.data(); }
  const Span* end() const { return spans_.data() + count_; }
  std::size_t size() const { return count_; }

 private:
  void add(std::uint64_t address, unsigned bytes, unsigned lane) {
    if (count_ != 0) {
      Span& last = spans_[count_ - 1];
      const bool neighbour = unsigned(last.lane + last.lanes) == lane;
      const bool follows = address == last.address + last.bytes && last.bytes == last.lanes * bytes;
      const bool same = address == last.address && last.bytes == bytes;
      if (neighbour && (follows || same)) {
        ++last.lanes;
        if (follows) last.bytes += bytes;
        return;
      }
    }
    spans_[count_++] = {address, bytes, std::uint8_t(lane), 1};
  }

  std::array<Span, warpLanes> spans_;
  std::size_t count_ = 0;
};

}  // namespace cnn::emu
