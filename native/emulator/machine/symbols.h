// Where the variables that a kernel names live.
#pragma once

#include "ptx/diagnostics.h"
#include "ptx/tree.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

namespace cnn::emu {

struct Symbol {
  ptx::Space space = ptx::Space::generic;
  std::uint64_t address = 0;  // in its space; .global and .const: the device address
  std::size_t size = 0;
};

using SymbolTable = std::map<std::string_view, Symbol, std::less<>>;

// Lays out the shared, local and parameter space of one kernel; `globals` holds the module's device variables.
struct SymbolLayout {
  SymbolTable symbols;
  std::size_t sharedBytes = 0, localBytes = 0, parameterBytes = 0;
};
SymbolLayout layOut(const ptx::Tree& tree, const ptx::Function& function, const SymbolTable& globals,
                    ptx::Diagnostics& diagnostics);

}  // namespace cnn::emu
