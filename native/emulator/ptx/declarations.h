// Variable declarations, at module scope, in parameter lists and in bodies.
#pragma once

#include "ptx/token_stream.h"
#include "ptx/tree.h"

#include <optional>
#include <vector>

namespace cnn::emu::ptx {

std::optional<Space> spaceNamed(std::string_view word);

// After the state space: [.align n] [.v2|.v4] .type name[dimensions] [= initialiser] {, ...} without the semicolon.
std::vector<Variable> parseVariables(TokenStream& tokens, Space space);

// ( .param ... , .param ... ), for entries, functions and their results; also .reg ones of functions.
std::vector<Variable> parseParameters(TokenStream& tokens);

}  // namespace cnn::emu::ptx
