// .L2::cache_hint on loads, stores and atomics: a policy as the last operand, which changes no result.
#pragma once

#include "machine/family.h"

namespace cnn::emu {

// `plain`: operands of the instruction without the hint. Its row in the table makes the policy optional.
inline void checkCacheHint(Decoder& d, std::size_t plain) {
  const bool hinted = d.has("L2::cache_hint");
  if (d.count() != plain + hinted) d.error("takes a cache policy with .L2::cache_hint, and only then");
  if (hinted && (d.ptxVersion() < 74 || d.sm() < 80)) d.error("needs PTX version 7.4 and .target sm_80 for .L2::cache_hint");
}

}  // namespace cnn::emu
