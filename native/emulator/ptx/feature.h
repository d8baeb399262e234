// Modifiers, targets and versions of PTX that came later than what they belong to.
#pragma once

#include "ptx/tree.h"

#include <string>

namespace cnn::emu::ptx {

struct Architecture {
  int ptx;                   // .version: 83 for 8.3
  int sm;                    // .target
  bool architectureSpecific; // the a of sm_90a
};

// "needs PTX version 7.8" or "needs .target sm_90 or higher"; empty when the architecture is as new as that.
std::string missing(int ptx, int sm, const Architecture& architecture);

// Why the architecture lacks a modifier of the statement, or empty. What its signature needs is left to that.
std::string missingModifier(const Statement& statement, const Architecture& architecture);

// Why no such architecture exists, or empty: a version that was never released, an unknown target, a target that is newer
// than the version.
std::string checkArchitecture(const Architecture& architecture);

}  // namespace cnn::emu::ptx
