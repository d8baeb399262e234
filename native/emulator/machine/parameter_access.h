// ld.param and st.param of a variable by name: where they go is known when the kernel is loaded, and is checked there.
#pragma once

#include "machine/symbols.h"
#include "ptx/signature.h"

#include <string>

namespace cnn::emu {

// What is wrong with the access, or empty. A statement of another kind has nothing wrong with it.
std::string checkParameterAccess(const ptx::Statement& statement, const ptx::Match& match, const SymbolTable& symbols);

}  // namespace cnn::emu
