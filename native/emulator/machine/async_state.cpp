#include "machine/async_state.h"

#include "machine/checks.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cnn::emu {

WarpAsync& WarpAsync::of(Warp& warp) {
  if (!warp.tensor) {
    auto made = std::make_unique<WarpAsync>(warp.index);
    warp.tensor = made.get();
    warp.block->attachments.push_back(std::move(made));
  }
  return static_cast<WarpAsync&>(*warp.tensor);
}

namespace {

// 4, 8 or 16 bytes, nearly always all of them from the source.
void copyPadded(std::byte* to, const std::byte* from, unsigned bytes, unsigned taken) {
  if (taken == 16) {
    std::memcpy(to, from, 16);
  } else if (taken == bytes) {
    std::memcpy(to, from, bytes);
  } else {
    std::memcpy(to, from, taken);
    std::memset(to + taken, 0, bytes - taken);
  }
}

}  // namespace

void WarpAsync::completeCopies(Block& block, std::uint32_t lanes, const std::uint32_t* limit, std::uint64_t serial) {
  for (CopyRecord& copy : copies) {
    if (copy.serial >= serial) break;
    for (std::uint32_t rest = copy.lanes & lanes; rest; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      if (copy.group[lane] >= limit[lane]) continue;
      copyPadded(copy.host[lane], copy.source[lane], copy.bytes, copy.taken[lane]);
      if (block.launch->checks) {
        asyncWriteEnd(block, copy.destination[lane], copy.bytes);
        asyncInitialised(block, copy.destination[lane], copy.bytes);
        threadWrote(block, warp, copy.destination[lane], copy.bytes);
      }
      copy.lanes &= ~(1u << lane);
    }
  }
  std::erase_if(copies, [](const CopyRecord& copy) { return copy.lanes == 0; });
}

void WarpAsync::readStores(int lane, std::uint32_t limit) {
  for (BulkStore& store : stores) {
    if (store.lane != lane || store.group >= limit || !store.read) continue;
    store.read();
    store.read = nullptr;
  }
}

void WarpAsync::completeStores(int lane, std::uint32_t limit) {
  readStores(lane, limit);
  // In the order of issue: copies of one thread to the same place stay ordered.
  for (BulkStore& store : stores) {
    if (store.lane != lane || store.group >= limit) continue;
    store.write();
    store.write = nullptr;
  }
  std::erase_if(stores, [](const BulkStore& store) { return !store.write; });
}

CopyEngine& CopyEngine::of(Block& block) {
  if (!block.async) block.async.reset(new CopyEngine(block));
  return static_cast<CopyEngine&>(*block.async);
}

bool CopyEngine::advance() {
  if (queue_.empty()) return false;
  // Any order is legal, so a seeded one is taken: a kernel that relies on the first come being the first served shows.
  const std::size_t pick = block_.nextRandom() % queue_.size();
  const auto operation = std::move(queue_[pick]);
  queue_.erase(queue_.begin() + std::ptrdiff_t(pick));
  if (const std::string wrong = operation(); !wrong.empty()) block_.raise(statusLaunchFailed, wrong, nullptr, 0);
  return true;
}

std::optional<std::string> CopyEngine::finish() {
  if ((block_.launch->checks & checkAsync) && !queue_.empty() && !block_.launch->stopped)
    return "the block ended while " + std::to_string(queue_.size()) + " asynchronous copies into its shared memory were under way";
  while (advance()) {}
  for (Warp& warp : block_.warps) {
    if (!warp.tensor) continue;
    auto& state = static_cast<WarpAsync&>(*warp.tensor);
    const bool unread = std::any_of(state.stores.begin(), state.stores.end(), [](const BulkStore& store) { return bool(store.read); });
    if ((block_.launch->checks & checkAsync) && unread && !block_.launch->stopped)
      return "the block ended before a bulk copy had read its shared memory: cp.async.bulk.wait_group.read is missing";
    for (int lane = 0; lane < int(warpLanes); ++lane) state.completeStores(lane, ~0u);
  }
  return {};
}

}  // namespace cnn::emu
