// Numbers as PTX writes them.
#pragma once

#include "ptx/tree.h"

#include <optional>
#include <string_view>

namespace cnn::emu::ptx {

// An integer (decimal, octal, hexadecimal, binary, with U) or real (0f, 0d, decimal) operand; empty if malformed.
std::optional<Operand> parseNumber(std::string_view text, bool negative);

}  // namespace cnn::emu::ptx
