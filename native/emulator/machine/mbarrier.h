// Access to mbarrier words in shared memory. A cluster runs on one thread, so that plain loads and stores do.
#pragma once

#include "machine/fault.h"
#include "machine/mbarrier_word.h"
#include "machine/warp.h"

#include <cstddef>
#include <cstring>
#include <string>

namespace cnn::emu::CNN_ISA {

// Applies `change` to the word if it is an initialised mbarrier, and stores it if there was no error.
template <class Change> MbarrierWord::Error changeMbarrier(std::byte* host, Change change) {
  std::uint64_t bits;
  std::memcpy(&bits, host, sizeof bits);
  if (!MbarrierWord::valid(bits)) return MbarrierWord::Error::notInitialised;
  MbarrierWord word = MbarrierWord::decode(bits);
  const MbarrierWord::Error error = change(word);
  if (error != MbarrierWord::Error::none) return error;
  bits = word.encode();
  std::memcpy(host, &bits, sizeof bits);
  return error;
}

inline const Instruction* mbarrierFault(Warp& w, const Instruction* i, const char* name, MbarrierWord::Error error, int lane) {
  return w.fault(i, statusLaunchFailed, std::string(name) + ": " + describe(error), lane);
}

}  // namespace cnn::emu::CNN_ISA
