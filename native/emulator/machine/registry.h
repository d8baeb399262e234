// All instruction families in the code for this machine's instruction set, and their signatures.
#pragma once

#include "machine/family.h"
#include "ptx/verify.h"

#include <string_view>
#include <vector>

namespace cnn::emu {

// plain, avx2 or avx512: the best the processor has, or what CNN_EMULATOR_ISA asks for.
std::string_view hostIsa();

struct Registry {
  ptx::SignatureTable signatures;
  std::vector<Entry> entries;  // numbered like the signatures
};
const Registry& registry();

}  // namespace cnn::emu
