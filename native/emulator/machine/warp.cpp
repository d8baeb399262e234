#include "machine/warp.h"

#include "machine/block.h"
#include "machine/program.h"

#include <algorithm>
#include <bit>

namespace cnn::emu {
namespace {

// Back edges before other lanes of the warp have their turn: few, because they may hold the lock we spin on.
constexpr std::uint32_t spinsBesideLanes = 64;
// Back edges before other warps have their turn.
constexpr std::uint32_t spinsBesideWarps = 1 << 14;

}  // namespace

std::uint32_t Warp::orderAt(const Instruction* at) const {
  const Program& program = *block->launch->program;
  return program.blocks[program.sites[std::size_t(at - program.code)].block].order;
}

void Warp::resetSpins() { spins = groupCount != 0 ? spinsBesideLanes : spinsBesideWarps; }

void Warp::park(const Instruction* at, std::uint32_t lanes, Standing standing) {
  const std::uint32_t order = orderAt(at);
  if (standing == Standing::ready) parkedOrder = std::min(parkedOrder, order);
  spins = std::min(spins, spinsBesideLanes);
  // Lanes parked at the same place in the same way are one group.
  for (Group* group = groups; group != groups + groupCount; ++group)
    if (group->at == at && group->standing == standing && standing == Standing::ready) {
      group->lanes |= lanes;
      return;
    }
  groups[groupCount++] = {at, lanes, order, standing, false};
}

// Every group parked exactly here runs with us from now on.
void Warp::joinAt(const Instruction* at) {
  parkedOrder = ~0u;
  std::uint32_t kept = 0;
  for (std::uint32_t g = 0; g < groupCount; ++g) {
    if (groups[g].at == at) {
      active |= groups[g].lanes;
      continue;
    }
    if (groups[g].standing == Standing::ready) parkedOrder = std::min(parkedOrder, groups[g].order);
    groups[kept++] = groups[g];
  }
  groupCount = kept;
}

const Instruction* Warp::take() {
  std::uint32_t best = groupCount;
  for (std::uint32_t g = 0; g < groupCount; ++g)
    if (groups[g].standing == Standing::ready && (best == groupCount || groups[g].order < groups[best].order)) best = g;
  if (best == groupCount) {
    active = 0;
    return nullptr;
  }
  const Instruction* at = groups[best].at;
  active = 0;
  resumedAt = groups[best].retried ? at : nullptr;
  joinAt(at);
  resetSpins();
  return at;
}

const Instruction* Warp::arrive(const Instruction* head) {
  joinAt(head);
  if (head->flags < parkedOrder) return head;  // once more: it counts the lanes that have joined
  // Somebody is in an earlier block, or further down in this one.
  park(head, active, Standing::ready);
  return take();
}

const Instruction* Warp::diverged() {
  active = 0;
  return take();
}

const Instruction* Warp::yield(const Instruction* at) {
  park(at, active, Standing::deferred);
  progressed = true;
  const Instruction* other = take();
  if (!other) stop = Stop::yielded;
  return other;
}

const Instruction* Warp::wait(const Instruction* i, const char* what) {
  if (i != resumedAt) progressed = true;
  waitingFor = what;
  park(i, active, Standing::blocked);
  const Instruction* other = take();
  if (!other) stop = Stop::blocked;
  return other;
}

const Instruction* Warp::idle(const Instruction* i, const char* what) {
  waitingFor = what;
  park(i + 1, active, Standing::deferred);
  const Instruction* other = take();
  if (!other) stop = Stop::idle;
  return other;
}

const Instruction* Warp::await(const Instruction* i, std::uint32_t members) {
  joinAt(i);
  if (gathered(members)) return i;
  return wait(i, "lanes of the warp that do not arrive at a collective instruction");
}

const Instruction* Warp::exit(const Instruction* following, std::uint32_t lanes) {
  progressed = true;
  live &= ~lanes;
  active &= ~lanes;
  block->liveThreads -= std::uint32_t(std::popcount(lanes));
  if (active != 0) return following;
  if (live == 0) {
    stop = Stop::exited;
    return nullptr;
  }
  const Instruction* other = take();
  if (!other) stop = Stop::blocked;
  return other;
}

const Instruction* Warp::fault(const Instruction* i, int code, std::string message, int lane) {
  if (lane < 0) lane = active != 0 ? std::countr_zero(active) : 0;
  stop = Stop::faulted;
  block->raise(code, std::move(message), i, index * warpLanes + std::uint32_t(lane));
  return nullptr;
}

Stop Warp::run() {
  progressed = signalled = false;
  parkedOrder = ~0u;
  for (Group* group = groups; group != groups + groupCount; ++group) {
    group->retried = group->standing == Standing::blocked;
    group->standing = Standing::ready;
    parkedOrder = std::min(parkedOrder, group->order);
  }
  const Instruction* i = take();
  while (i) i = i->function(*this, i);
  return stop;
}

}  // namespace cnn::emu
