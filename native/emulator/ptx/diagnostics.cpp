#include "ptx/diagnostics.h"

namespace cnn::emu::ptx {

std::string Diagnostics::log() const {
  std::string text;
  for (const Diagnostic& d : errors_) text += "line " + std::to_string(d.line) + ": error: " + d.message + "\n";
  return text;
}

}  // namespace cnn::emu::ptx
