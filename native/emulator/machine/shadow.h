// The latest accesses of a page of memory, for the race check.
#pragma once

#include "machine/instruction.h"
#include "machine/ordering.h"
#include "machine/pages.h"

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>

namespace cnn::emu {

// Who touched a cell last, and when by the clocks of history.h.
struct Stamp {
  static constexpr unsigned severalLanes = warpLanes;

  std::uint32_t moment = 0;    // of the warp
  std::uint32_t block = 0;     // 1 + number in the grid; 0: nobody in this launch
  std::uint32_t warp : 5 = 0;
  std::uint32_t scope : 2 = 0; // of an atomic or strong access
  std::uint32_t lane : 6 = 0;
  std::uint32_t site = 0;      // the instruction's place in the program

  // Everything but lane and site, without a branch: this is asked for every cell of every access.
  bool sameMoment(const Stamp& other) const {
    using Halves = std::array<std::uint64_t, 2>;
    const auto a = std::bit_cast<Halves>(*this), b = std::bit_cast<Halves>(other);
    constexpr std::uint64_t warpAndScope = 0x7f;
    return ((a[0] ^ b[0]) | ((a[1] ^ b[1]) & warpAndScope)) == 0;
  }
};
static_assert(sizeof(Stamp) == 16 && std::endian::native == std::endian::little);

// The page of a table of stamps: cells of four bytes, or fewer where an access has touched part of a cell.
class ShadowPage {
 public:
  using Cells = std::unique_ptr<Stamp[]>;
  // What is kept per warp: its latest plain read of each cell since the latest plain write, its latest atomic or strong
  // read, its latest atomic or strong write.
  enum class Kind : std::uint8_t { read, strongRead, strongWrite };
  // In place of a warp: the latest one that has been replaced by a warp of another block.
  static constexpr unsigned elsewhere = 32;

  std::mutex mutex;  // for global memory, where blocks meet
  bool narrow = false;  // an atomic or strong access did not reach the whole grid
  std::uint32_t cellBytes() const { return cellBytes_; }
  // From now on no access that begins and ends at multiples of `bytes` touches part of a cell.
  void refine(std::uint32_t bytes);

  // The latest plain write of each cell.
  Stamp* written() { return made(written_); }
  Stamp* make(Kind kind, unsigned warp) {
    present_[std::size_t(kind)] |= std::uint64_t(1) << warp;
    return made(perWarp_[std::size_t(kind)][warp]);
  }
  // Calls body(stamps of the page) for every warp that has some of the kind, until it returns true.
  template <class Body> bool any(Kind kind, Body body) {
    for (std::uint64_t rest = present_[std::size_t(kind)]; rest != 0; rest &= rest - 1)
      if (body(perWarp_[std::size_t(kind)][std::size_t(std::countr_zero(rest))].get())) return true;
    return false;
  }

 private:
  std::uint32_t cells() const { return notePageBytes / cellBytes_; }
  Stamp* made(Cells& cells) {
    if (!cells) cells = std::make_unique<Stamp[]>(this->cells());
    return cells.get();
  }
  void split(Cells& cells, std::uint32_t parts) const;

  std::uint32_t cellBytes_ = 4;
  Cells written_;
  std::array<std::array<Cells, elsewhere + 1>, 3> perWarp_;  // by Kind
  std::array<std::uint64_t, 3> present_{};
};

}  // namespace cnn::emu
