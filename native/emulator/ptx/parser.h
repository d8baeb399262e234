// PTX text to a tree: syntax, names and scopes. Whether an instruction exists is asked later, by the signatures.
#pragma once

#include "ptx/diagnostics.h"
#include "ptx/tree.h"

#include <optional>
#include <string_view>

namespace cnn::emu::ptx {

// The text must outlive the tree. Empty after an error.
std::optional<Tree> parse(std::string_view text, Diagnostics& diagnostics);

}  // namespace cnn::emu::ptx
