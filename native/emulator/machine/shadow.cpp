#include "machine/shadow.h"

#include <algorithm>

namespace cnn::emu {

void ShadowPage::refine(std::uint32_t bytes) {
  if (bytes >= cellBytes_) return;
  const std::uint32_t parts = cellBytes_ / bytes;
  split(written_, parts);
  for (auto& ofKind : perWarp_)
    for (Cells& cells : ofKind) split(cells, parts);
  cellBytes_ = bytes;
}

void ShadowPage::split(Cells& cells, std::uint32_t parts) const {
  if (!cells) return;
  auto finer = std::make_unique<Stamp[]>(this->cells() * parts);
  for (std::uint32_t c = 0; c < this->cells(); ++c) std::fill_n(finer.get() + c * parts, parts, cells[c]);
  cells = std::move(finer);
}

}  // namespace cnn::emu
