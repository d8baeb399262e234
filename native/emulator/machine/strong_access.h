// Tells the race check that an atomic or strong access orders what was before it with what comes after.
#pragma once

#include "machine/address.h"
#include "machine/checks.h"

#include <bit>

namespace cnn::emu::CNN_ISA {

// Stands around the access of the lanes of `mask`.
class StrongAccess {
 public:
  StrongAccess(Warp& warp, std::uint32_t mask, const LaneAddresses& a) : warp_(warp), mask_(warp.instrumented ? mask : 0), a_(a) {
    eachPlace([this](std::uint64_t address) { strongRelease(warp_, address); });
  }
  ~StrongAccess() {
    eachPlace([this](std::uint64_t address) { strongAcquire(warp_, address); });
  }
  StrongAccess(const StrongAccess&) = delete;

 private:
  // Neighbouring lanes mostly meet at one place.
  template <class Body> void eachPlace(Body body) const {
    std::uint64_t latest = 0;
    for (std::uint32_t rest = mask_; rest != 0; rest &= rest - 1) {
      const std::uint64_t address = a_.at[std::countr_zero(rest)];
      if (rest == mask_ || address != latest) body(address);
      latest = address;
    }
  }

  Warp& warp_;
  const std::uint32_t mask_;
  const LaneAddresses& a_;
};

}  // namespace cnn::emu::CNN_ISA
