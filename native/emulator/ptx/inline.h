// Calls: every called function is copied into its caller, so that execution knows neither frames nor return addresses.
#pragma once

#include "ptx/diagnostics.h"
#include "ptx/tree.h"

#include <deque>
#include <string>

namespace cnn::emu::ptx {

// The entry without calls. Call parameters become per-thread variables of space param. Recursion, indirect calls and
// calls of functions without a body are errors. New names live in `names`, which must outlive the result.
Function inlineCalls(const Tree& tree, const Function& entry, std::deque<std::string>& names, Diagnostics& diagnostics);

}  // namespace cnn::emu::ptx
