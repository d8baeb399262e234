#include "machine/scheduler.h"

#include "machine/environment.h"
#include "machine/warpgroup_order.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <numeric>

namespace cnn::emu {
namespace {

using Clock = std::chrono::steady_clock;

// How long warps may only spin (back edges, waits that fail) before the launch counts as hung.
std::chrono::seconds spinLimit() {
  static const std::uint64_t seconds = environmentNumber("CNN_EMULATOR_TIMEOUT", 60);
  return std::chrono::seconds(seconds);
}
// The same when every warp only fails waits: nothing in this thread can change that, only other threads of the launch.
constexpr auto idleLimit = std::chrono::milliseconds(1500);

class Scheduler {
 public:
  Scheduler(LaunchState& launch, const std::vector<ResidentBlock*>& blocks) : launch_(launch) {
    for (ResidentBlock* resident : blocks) {
      blocks_.push_back(&resident->block());
      for (Warp& warp : resident->block().warps) warps_.push_back(&warp);
    }
  }

  void run() {
    while (!warps_.empty() && !launch_.stopped.load(std::memory_order_relaxed)) pass();
    if (launch_.stopped.load(std::memory_order_relaxed)) return;
    for (Block* block : blocks_) {
      if (block->async)
        if (const auto problem = block->async->finish()) return block->raise(statusLaunchFailed, *problem, nullptr, 0);
      if (!warpgroupsEnded(*block)) return;
    }
  }

 private:
  // Lets every warp run once.
  void pass() {
    if (launch_.seed != 0) shuffle();
    bool progressed = false, spun = false, idled = false;
    for (Warp* warp : warps_) {
      const Stop stop = warp->run();
      if (stop == Stop::faulted || launch_.stopped.load(std::memory_order_relaxed)) return;
      if (stop == Stop::yielded) spun = true;
      else if (stop == Stop::idle) idled = true;
      progressed |= warp->signalled || stop == Stop::exited || (warp->progressed && stop == Stop::blocked);
      if (launch_.seed != 0 && warp->block->async && warp->block->nextRandom() % 4 == 0) progressed |= warp->block->async->advance();
    }
    std::erase_if(warps_, [](const Warp* warp) { return warp->live == 0; });
    if (progressed || warps_.empty()) return void(quietSince_ = {});
    if (advanceAsync()) return void(quietSince_ = {});
    if (!spun && !idled) return deadlock(statusLaunchTimeout, "deadlock: no warp can go on");
    waitOrGiveUp(spun);
  }

  bool advanceAsync() {
    bool any = false;
    for (Block* block : blocks_) any |= block->async && block->async->advance();
    return any;
  }

  void waitOrGiveUp(bool spun) {
    const auto now = Clock::now();
    if (quietSince_ == Clock::time_point{}) quietSince_ = now;
    if (spun ? now - quietSince_ > spinLimit() : now - quietSince_ > idleLimit)
      deadlock(statusLaunchTimeout, spun ? "livelock: warps only spin" : "deadlock: every warp waits in vain");
  }

  void deadlock(int code, std::string message) {
    const Warp* culprit = warps_.front();
    for (const Warp* warp : warps_) {
      if (warp->waitingFor[0] == '\0') continue;
      culprit = warp;
      message += std::string("; warp ") + std::to_string(warp->index) + " waits for " + warp->waitingFor;
      break;
    }
    const Group* group = culprit->groupCount != 0 ? &culprit->groups[0] : nullptr;
    const std::uint32_t lane = group && group->lanes ? std::uint32_t(std::countr_zero(group->lanes)) : 0;
    culprit->block->raise(code, std::move(message), group ? group->at : nullptr, culprit->index * warpLanes + lane);
  }

  void shuffle() {
    for (std::size_t i = warps_.size(); i > 1; --i) std::swap(warps_[i - 1], warps_[blocks_[0]->nextRandom() % i]);
  }

  LaunchState& launch_;
  std::vector<Block*> blocks_;
  std::vector<Warp*> warps_;
  Clock::time_point quietSince_{};
};

}  // namespace

void runResident(LaunchState& launch, const std::vector<ResidentBlock*>& blocks) { Scheduler(launch, blocks).run(); }

}  // namespace cnn::emu
