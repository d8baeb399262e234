// Names of special registers.
#pragma once

#include "machine/program.h"

#include <optional>
#include <string_view>

namespace cnn::emu {

struct SpecialInfo {
  Special special;
  unsigned bits;          // 32 or 64
  int ptx = 10, sm = 10;  // least version and target that have it
};
std::optional<SpecialInfo> specialNamed(std::string_view name);

}  // namespace cnn::emu
