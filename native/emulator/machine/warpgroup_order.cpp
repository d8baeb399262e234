#include "machine/warpgroup_order.h"

#include "machine/async_state.h"
#include "machine/checks.h"
#include "machine/program.h"

#include <algorithm>
#include <string>

namespace cnn::emu {

WarpgroupOrder::Difference WarpgroupOrder::take(std::uint32_t warp, const Step& step, Step& expected) {
  const std::uint64_t place = taken_[warp]++ - dropped_;
  if (place == steps_.size()) steps_.push_back(step);
  expected = steps_[place];
  for (; *std::min_element(taken_.begin(), taken_.end()) > dropped_; ++dropped_) steps_.pop_front();
  if (step.at != expected.at) return Difference::instruction;
  return step.a == expected.a && step.b == expected.b ? Difference::none : Difference::descriptors;
}

std::optional<WarpgroupOrder::Missing> WarpgroupOrder::missing() const {
  if (steps_.empty()) return {};
  const auto last = std::min_element(taken_.begin(), taken_.end());
  return Missing{steps_[*last - dropped_].at, std::uint32_t(last - taken_.begin())};
}

bool warpgroupMeets(Warp& warp, const Instruction* i, const char* what, std::uint64_t descriptorA, std::uint64_t descriptorB) {
  using Difference = WarpgroupOrder::Difference;
  Block& block = *warp.block;
  const std::uint32_t place = warp.index % WarpgroupOrder::warps, first = warp.index - place;
  const auto fail = [&](int code, const std::string& text) {
    warp.fault(i, code, std::string(what) + text);
    return false;
  };
  if (block.warps.size() < first + WarpgroupOrder::warps)
    return fail(statusIllegalInstruction, " needs the four warps of a warpgroup, but the block has " + std::to_string(block.warps.size()) + " warps");
  WarpgroupOrder::Step expected{};
  const Difference difference = WarpAsync::of(block.warps[first]).warpgroup.take(place, {i, descriptorA, descriptorB}, expected);
  if (difference == Difference::none) return true;
  return fail(statusLaunchFailed, difference == Difference::descriptors ? " with matrix descriptors other than those of another warp of the warpgroup"
                                                                        : " where another warp of the warpgroup executes " + block.launch->program->describe(expected.at));
}

bool warpgroupsEnded(Block& block) {
  for (Warp& warp : block.warps) {
    if (!warp.tensor) continue;
    const auto& state = static_cast<const WarpAsync&>(*warp.tensor);
    if (const auto missing = state.warpgroup.missing()) {
      const std::uint32_t late = warp.index + missing->warp;
      block.raise(statusLaunchFailed, "warp " + std::to_string(late) + " has ended without the " + block.launch->program->describe(missing->at) +
                                          " that another warp of its warpgroup has executed", missing->at, late * warpLanes);
      return false;
    }
    if (!(block.launch->checks & checkAsync) || (state.matrixReads.size() == 1 && state.matrixReads.front().empty())) continue;
    block.raise(statusLaunchFailed, "asynchronous: warp " + std::to_string(warp.index) + " has ended without a wgmma.wait_group for its wgmma.mma_async",
                nullptr, warp.index * warpLanes);
    return false;
  }
  return true;
}

}  // namespace cnn::emu
