#include "machine/program.h"

#include <algorithm>
#include <cstring>

namespace cnn::emu {

AlignedMemory allocateAligned(std::size_t bytes) {
  const std::size_t rounded = std::max<std::size_t>((bytes + 63) / 64 * 64, 64);
  AlignedMemory memory(static_cast<std::byte*>(::operator new(rounded, std::align_val_t(64))));
  std::memset(memory.get(), 0, rounded);
  return memory;
}

std::string Program::describe(const Instruction* i) const {
  const Site& site = sites[std::size_t(i - code)];
  std::string text = "PTX line " + std::to_string(site.line) + " `" + site.text + "`";
  if (site.sourceLine != 0 && site.file < files.size() && !files[site.file].empty())
    text += " (" + files[site.file] + ":" + std::to_string(site.sourceLine) + ")";
  return text;
}

}  // namespace cnn::emu
