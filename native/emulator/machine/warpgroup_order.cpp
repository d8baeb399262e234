#include "machine/warpgroup_order.h"

#include <algorithm>

namespace cnn::emu {

WarpgroupOrder::Difference WarpgroupOrder::take(std::uint32_t warp, const Step& step, Step& expected) {
  Group& group = groups_[warp / warps];
  const std::uint64_t place = group.taken[warp % warps]++ - group.dropped;
  if (place == group.steps.size()) group.steps.push_back(step);
  expected = group.steps[place];
  for (; *std::min_element(group.taken.begin(), group.taken.end()) > group.dropped; ++group.dropped) group.steps.pop_front();
  if (step.at != expected.at) return Difference::instruction;
  return step.a == expected.a && step.b == expected.b ? Difference::none : Difference::descriptors;
}

std::optional<WarpgroupOrder::Missing> WarpgroupOrder::missing() const {
  for (std::uint32_t g = 0; g < groups_.size(); ++g) {
    const Group& group = groups_[g];
    if (group.steps.empty()) continue;
    const auto last = std::min_element(group.taken.begin(), group.taken.end());
    return Missing{group.steps[*last - group.dropped].at, g * warps + std::uint32_t(last - group.taken.begin())};
  }
  return {};
}

}  // namespace cnn::emu
