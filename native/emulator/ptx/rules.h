// What a signature cannot say: modifiers that need or exclude each other, and ranges of constants.
#pragma once

#include "ptx/signature.h"

#include <string>

namespace cnn::emu::ptx {

// Why the statement, which fits a signature, does not exist all the same; or empty.
std::string brokenRule(const Statement& statement, const Match& match);

}  // namespace cnn::emu::ptx
