// Barriers of a block.
#include "machine/checks.h"
#include "machine/lanes.h"

#include <bit>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

// slot[0]: barrier number, slot[1]: thread count; flags below; slot[2]: predicate in, slot[3]: result, count: flip
constexpr std::uint32_t hasCount = 1, arriveOnly = 2, aligned = 4, reducePopc = 8, reduceAnd = 16, reduceOr = 32;
constexpr std::uint32_t reduces = reducePopc | reduceAnd | reduceOr;

// Ends the phase once everybody has arrived. Threads that have exited are not waited for.
void completeIfFull(Block& block, NamedBarrier& barrier) {
  const std::uint32_t needed = barrier.expected != 0 ? barrier.expected : block.liveThreads;
  if (barrier.arrived == 0 || barrier.arrived < needed) return;
  barrier.result[barrier.phase & 1] = barrier.count;
  barrier.threads[barrier.phase & 1] = barrier.arrived;
  ++barrier.phase;
  barrier.arrived = barrier.count = barrier.expected = 0;
  ++block.counters.barriers;
}

void storeReduction(Warp& warp, const Instruction* i, std::uint32_t mask, const NamedBarrier& barrier, std::uint32_t phase) {
  const std::uint32_t count = barrier.result[phase & 1], threads = barrier.threads[phase & 1];
  if (i->flags & reducePopc) {
    std::uint32_t* const d = warp.lanes<std::uint32_t>(i->slot[3]);
    for (unsigned l = 0; l < warpLanes; ++l)
      if (inMask(mask, l)) d[l] = count;
    return;
  }
  const bool holds = i->flags & reduceAnd ? count == threads : count != 0;
  std::uint32_t& d = warp.predicate(i->slot[3]);
  d = holds ? d | mask : d & ~mask;
}

const Instruction* wrongUse(Warp& warp, const Instruction* i, const std::string& what) {
  return warp.fault(i, statusLaunchFailed, "barrier: " + what);
}

const Instruction* arrive(Warp& warp, const Instruction* i, NamedBarrier& barrier, std::uint32_t lanes) {
  const unsigned lane = unsigned(std::countr_zero(lanes));
  const std::uint32_t expected = i->flags & hasCount ? warp.lanes<std::uint32_t>(i->slot[1])[lane] : 0;
  if (i->flags & hasCount && (expected == 0 || expected % warpLanes != 0))
    return wrongUse(warp, i, "a thread count of " + std::to_string(expected) + " is no multiple of 32");
  if (barrier.arrived != 0 && barrier.expected != expected)
    return wrongUse(warp, i, "warps disagree about the number of threads");
  barrier.expected = expected;
  // With a count, a warp counts as 32 threads however many it has; a diverged part counts for itself.
  const bool whole = lanes == warp.live;
  barrier.arrived += expected != 0 && whole ? warpLanes : std::uint32_t(std::popcount(lanes));
  if (i->flags & reduces) barrier.count += std::uint32_t(std::popcount((warp.predicate(i->slot[2]) ^ i->count) & lanes));
  if (expected != 0 && barrier.arrived > expected) return wrongUse(warp, i, "more than " + std::to_string(expected) + " threads arrive");
  return i;
}

const Instruction* barrier(Warp& warp, const Instruction* i) {
  const std::uint32_t lanes = warp.mask(i);
  if (lanes == 0) return i + 1;
  if (i->flags & aligned) {
    if (!warp.gathered(allLanes)) return warp.await(i, allLanes);
    if (lanes != warp.active) return wrongUse(warp, i, "diverged: only lanes of mask " + std::to_string(lanes) + " of the warp take part");
  }
  const unsigned lane = unsigned(std::countr_zero(lanes));
  const std::uint32_t number = warp.lanes<std::uint32_t>(i->slot[0])[lane];
  if (number >= 16) return wrongUse(warp, i, "number " + std::to_string(number) + " is not 0 to 15");
  NamedBarrier& barrier = warp.block->barriers[number];
  if (!(warp.arrivedLanes & lanes)) {
    if (arrive(warp, i, barrier, lanes) == nullptr) return nullptr;
    warp.ticket[lane] = barrier.phase;
    syncRelease(warp, barrierKey(number, barrier.phase));
    if (i->flags & arriveOnly) {
      completeIfFull(*warp.block, barrier);
      warp.progressed = true;
      return i + 1;
    }
    warp.arrivedLanes |= lanes;
    warp.progressed = true;
  }
  completeIfFull(*warp.block, barrier);
  if (barrier.phase == warp.ticket[lane]) return warp.wait(i, "a barrier that other threads do not reach");
  warp.arrivedLanes &= ~lanes;
  syncAcquire(warp, barrierKey(number, warp.ticket[lane]));
  if (i->flags & reduces) storeReduction(warp, i, lanes, barrier, warp.ticket[lane]);
  return i + 1;
}

void decodeBarrier(Decoder& d, Instruction& out) {
  const bool isBar = d.statement().opcode == "bar";
  out.flags = (isBar || d.has("aligned") ? aligned : 0) | (d.has("arrive") ? arriveOnly : 0);
  std::size_t at = 0;
  if (d.has("red")) {
    out.flags |= d.has("popc") ? reducePopc : d.has("and") ? reduceAnd : reduceOr;
    out.slot[3] = d.has("popc") ? d.destination(d.operand(0), Type::u32) : d.predicate(&d.operand(0));
    out.slot[2] = d.predicate(&d.operand(d.count() - 1), &out.count);
    at = 1;
  }
  const std::size_t end = d.count() - (d.has("red") ? 1 : 0);
  out.slot[0] = d.source(d.operand(at), Type::u32);
  if (at + 1 < end) {
    out.slot[1] = d.source(d.operand(at + 1), Type::u32);
    out.flags |= hasCount;
  }
  out.function = barrier;
}

}  // namespace

std::span<const Entry> barriers() {
  constexpr Class c = Class::barrier;
  static const Entry entries[] = {
      {"bar[.cta].sync", "u32 u32?", 10, 10, c, 0, decodeBarrier},
      {"bar[.cta].arrive", "u32 u32", 20, 20, c, 0, decodeBarrier},
      {"bar[.cta].red.popc.u32", "=u32 u32 pred", 20, 20, c, 0, decodeBarrier},
      {"bar[.cta].red.popc.u32", "=u32 u32 u32 pred", 20, 20, c, 0, decodeBarrier},
      {"bar[.cta].red.{and|or}.pred", "=pred u32 pred", 20, 20, c, 0, decodeBarrier},
      {"bar[.cta].red.{and|or}.pred", "=pred u32 u32 pred", 20, 20, c, 0, decodeBarrier},
      {"barrier[.cta].sync[.aligned]", "u32 u32?", 60, 30, c, 0, decodeBarrier},
      {"barrier[.cta].arrive[.aligned]", "u32 u32", 60, 30, c, 0, decodeBarrier},
      {"barrier[.cta].red.popc[.aligned].u32", "=u32 u32 pred", 60, 30, c, 0, decodeBarrier},
      {"barrier[.cta].red.popc[.aligned].u32", "=u32 u32 u32 pred", 60, 30, c, 0, decodeBarrier},
      {"barrier[.cta].red.{and|or}[.aligned].pred", "=pred u32 pred", 60, 30, c, 0, decodeBarrier},
      {"barrier[.cta].red.{and|or}[.aligned].pred", "=pred u32 u32 pred", 60, 30, c, 0, decodeBarrier},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
