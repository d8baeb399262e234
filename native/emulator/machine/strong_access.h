// Tells the checks what an atomic or strong access orders.
#pragma once

#include "machine/address.h"
#include "machine/checks.h"
#include "machine/family.h"

#include <bit>

namespace cnn::emu::CNN_ISA {

// The modifiers of an access or a fence; `scope` where none is written.
inline Ordering orderingOf(const Decoder& d, Scope scope) {
  Ordering o{scope, d.has("acquire") || d.has("acq_rel"), d.has("release") || d.has("acq_rel")};
  if (d.has("cta")) o.scope = Scope::block;
  else if (d.has("cluster")) o.scope = Scope::cluster;
  else if (d.has("gpu") || d.has("gl")) o.scope = Scope::device;
  else if (d.has("sys")) o.scope = Scope::system;
  return o;
}

// Stands around the access of the lanes of `mask`.
class StrongAccess {
 public:
  StrongAccess(Warp& warp, std::uint32_t mask, const LaneAddresses& a, AccessKind kind, Ordering ordering)
      : warp_(warp), mask_(warp.instrumented ? mask : 0), a_(a), kind_(kind), ordering_(ordering) {
    if (kind != AccessKind::strongLoad) eachPlace([this](std::uint64_t key) { strongRelease(warp_, key, ordering_); });
  }
  ~StrongAccess() {
    if (kind_ != AccessKind::strongStore) eachPlace([this](std::uint64_t key) { strongAcquire(warp_, key, ordering_); });
  }
  StrongAccess(const StrongAccess&) = delete;

 private:
  // Neighbouring lanes mostly meet at one place. Shared memory may be named by its own or by generic addresses.
  template <class Body> void eachPlace(Body body) const {
    std::uint64_t latest = 0;
    for (std::uint32_t rest = mask_; rest != 0; rest &= rest - 1) {
      const std::uint64_t address = a_.at[std::countr_zero(rest)];
      if (rest == mask_ || address != latest) body(address - sharedWindow < sharedWindowBytes ? address - sharedWindow : address);
      latest = address;
    }
  }

  Warp& warp_;
  const std::uint32_t mask_;
  const LaneAddresses& a_;
  const AccessKind kind_;
  const Ordering ordering_;
};

}  // namespace cnn::emu::CNN_ISA
