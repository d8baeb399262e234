#include "machine/publications.h"

#include <algorithm>

namespace cnn::emu {

void Publications::publish(std::uint32_t block, Reach reach, const VectorClock& moments) {
  if (moments == VectorClock{}) return;
  const std::lock_guard lock(mutex_);
  std::vector<Publication>& all = blocks_[block][std::size_t(reach)];
  Publication next{0, moments};
  if (!all.empty()) join(next.moments, all.back().moments);
  if (!all.empty() && next.moments == all.back().moments) return;  // said already
  next.time = now();
  all.push_back(next);
}

bool Publications::covers(std::uint32_t block, Reach reach, unsigned warp, std::uint32_t moment, std::uint64_t time) {
  const std::lock_guard lock(mutex_);
  const auto found = blocks_.find(block);
  if (found == blocks_.end()) return false;
  const std::vector<Publication>& all = found->second[std::size_t(reach)];
  const auto first = std::partition_point(all.begin(), all.end(), [&](const Publication& p) { return p.moments[warp] < moment; });
  return first != all.end() && first->time < time;
}

}  // namespace cnn::emu
