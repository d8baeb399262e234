// The latest accesses of a page of memory, for the race check.
#pragma once

#include "machine/instruction.h"
#include "machine/pages.h"

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <mutex>

namespace cnn::emu {

// Who touched a cell last, and when by the clocks of race.h.
struct Stamp {
  static constexpr unsigned severalLanes = warpLanes;

  std::uint32_t moment = 0;    // of the warp
  std::uint32_t era = 0;       // of the block
  std::uint32_t block = 0;     // 1 + number in the grid; 0: nobody in this launch
  std::uint32_t warp : 5 = 0, lane : 6 = 0;
  std::uint32_t site : 21 = 0; // the instruction's place in the program

  // Everything but lane and site, in two comparisons: this is asked for every cell of every access.
  bool sameMoment(const Stamp& other) const {
    using Halves = std::array<std::uint64_t, 2>;
    const auto a = std::bit_cast<Halves>(*this), b = std::bit_cast<Halves>(other);
    constexpr std::uint64_t blockAndWarp = 0x1f'ffff'ffff;
    return ((a[0] ^ b[0]) | ((a[1] ^ b[1]) & blockAndWarp)) == 0;
  }
};
static_assert(sizeof(Stamp) == 16 && std::endian::native == std::endian::little);

// The page of a table of stamps: cells of four bytes, or fewer where an access has touched part of a cell.
class ShadowPage {
 public:
  using Cells = std::unique_ptr<Stamp[]>;

  std::mutex mutex;  // for global memory, where blocks meet
  std::uint32_t cellBytes() const { return cellBytes_; }
  // From now on no access that begins and ends at multiples of `bytes` touches part of a cell.
  void refine(std::uint32_t bytes);

  // The latest write of each cell.
  Stamp* written() { return made(written_); }
  // The latest read of each cell since by this warp of any block; null if there is none.
  Stamp* read(unsigned warp) { return read_[warp].get(); }
  Stamp* makeRead(unsigned warp) { return made(read_[warp]); }

 private:
  std::uint32_t cells() const { return notePageBytes / cellBytes_; }
  Stamp* made(Cells& cells) {
    if (!cells) cells = std::make_unique<Stamp[]>(this->cells());
    return cells.get();
  }
  void split(Cells& cells, std::uint32_t parts) const;

  std::uint32_t cellBytes_ = 4;
  Cells written_;
  std::array<Cells, 32> read_;
};

}  // namespace cnn::emu
