// Clusters of blocks, and what Hopper kernels say around their copies: cluster barriers, distributed shared memory,
// election of a lane, register budgets, proxy fences, dependent launches.
//
// Fences change no result here: a thread's accesses are in order, and copies read and write at points where a correct
// kernel has fenced; the checks know them. Registers are counted, not moved: who waits for more than are free waits for ever.
#include "machine/async_state.h"
#include "machine/checks.h"
#include "machine/collective.h"
#include "machine/module.h"
#include "machine/family.h"
#include "machine/operand_address.h"

#include <algorithm>
#include <bit>

namespace cnn::emu::CNN_ISA {

namespace {

// ---- barrier.cluster --------------------------------------------------------------------------------------------

// Of the cluster barrier, for the race check: no shared address.
constexpr uint64_t clusterKey = ~uint64_t(0);
// Flags of its instructions.
constexpr uint32_t aligned = 1, relaxed = 2;

// Ends the phase if every live thread of the cluster has arrived.
void finishPhase(Block& block) {
  for (Block* peer : block.cluster)
    for (Warp& warp : peer->warps)
      if (warp.live & ~(warp.tensor ? WarpAsync::of(warp).clusterArrived : 0)) return;
  for (Block* peer : block.cluster)
    for (Warp& warp : peer->warps)
      if (warp.tensor) WarpAsync::of(warp).clusterArrived = 0;
  ++block.clusterBarrier->phase;
}

// A relaxed arrival orders only what a fence stands before.
void handOver(Warp& w, bool isRelaxed) {
  if (isRelaxed) strongRelease(w, clusterKey, {Scope::cluster, false, false});
  else clusterRelease(w, clusterKey);
}

const Instruction* arrive(Warp& w, const Instruction* i) {
  if (i->flags & aligned && !w.gathered(allLanes)) return w.await(i, allLanes);
  WarpAsync& state = WarpAsync::of(w);
  const uint32_t mask = w.mask(i);
  if (const uint32_t twice = mask & state.clusterOwing)
    return w.fault(i, statusLaunchFailed, "barrier.cluster.arrive twice without a wait", std::countr_zero(twice));
  for (uint32_t rest = mask; rest; rest &= rest - 1) state.clusterPhase[std::countr_zero(rest)] = w.block->clusterBarrier->phase;
  if (w.instrumented) handOver(w, i->flags & relaxed);
  state.clusterArrived |= mask;
  state.clusterOwing |= mask;
  finishPhase(*w.block);
  return i + 1;
}

const Instruction* wait(Warp& w, const Instruction* i) {
  if (i->flags & aligned && !w.gathered(allLanes)) return w.await(i, allLanes);
  WarpAsync& state = WarpAsync::of(w);
  const uint32_t mask = w.mask(i);
  if (const uint32_t early = mask & ~state.clusterOwing)
    return w.fault(i, statusLaunchFailed, "barrier.cluster.wait without an arrive", std::countr_zero(early));
  finishPhase(*w.block);   // threads may have exited since the last arrival
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    if (state.clusterPhase[std::countr_zero(rest)] == w.block->clusterBarrier->phase) return w.wait(i, "barrier.cluster");
  if (w.instrumented) clusterAcquire(w, clusterKey);
  state.clusterOwing &= ~mask;
  return i + 1;
}

template <Handler handler> void decodeBarrier(Decoder& decoder, Instruction& out) {
  out.flags = (decoder.has("aligned") ? aligned : 0) | (decoder.has("relaxed") ? relaxed : 0);
  out.function = handler;
}

// ---- distributed shared memory ----------------------------------------------------------------------------------

struct Mapping {
  uint32_t result, source, rank;
  bool generic;
};

// The .shared address of a lane's operand; false when a generic one is no shared address.
template <class Address> bool sharedOffset(const Mapping& m, const Warp& w, int lane, uint32_t& offset) {
  const Address address = w.lanes<Address>(m.source)[lane];
  offset = uint32_t(address);
  return !m.generic || (address >= sharedWindow && address - sharedWindow < sharedWindowBytes);
}

template <class Address> const Instruction* mapAddress(Warp& w, const Instruction* i) {
  const Mapping& m = *static_cast<const Mapping*>(i->extra);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    uint32_t offset;
    if (!sharedOffset<Address>(m, w, lane, offset)) return outsideWindow(w, i, "mapa", w.lanes<Address>(m.source)[lane], lane);
    const uint32_t rank = w.lanes<uint32_t>(m.rank)[lane];
    if (rank >= w.block->cluster.size())
      return w.fault(i, statusIllegalInstruction, "mapa: rank " + std::to_string(rank) + " in a cluster of "
                                                      + std::to_string(w.block->cluster.size()) + " blocks", lane);
    offset = (offset & ((1u << sharedRankShift) - 1)) | (rank + 1) << sharedRankShift;
    w.lanes<Address>(m.result)[lane] = Address(offset) + (m.generic ? Address(sharedWindow) : 0);
  }
  return i + 1;
}

template <class Address> const Instruction* rankOf(Warp& w, const Instruction* i) {
  const Mapping& m = *static_cast<const Mapping*>(i->extra);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    uint32_t offset;
    if (!sharedOffset<Address>(m, w, lane, offset)) return outsideWindow(w, i, "getctarank", w.lanes<Address>(m.source)[lane], lane);
    const uint32_t rank = offset >> sharedRankShift;
    w.lanes<uint32_t>(m.result)[lane] = rank == 0 ? w.block->clusterRank : rank - 1;
  }
  return i + 1;
}

template <class Address, Handler handler, bool hasRank> void decodeMapping(Decoder& decoder, Instruction& out) {
  constexpr ptx::Type type = sizeof(Address) == 4 ? ptx::Type::u32 : ptx::Type::u64;
  Mapping& m = *decoder.table<Mapping>(1);
  m.generic = !decoder.has("shared::cluster");
  m.source = decoder.source(decoder.operand(1), type);
  if (hasRank) m.rank = decoder.source(decoder.operand(2), ptx::Type::u32);
  m.result = decoder.destination(decoder.operand(0), hasRank ? type : ptx::Type::u32);
  out.extra = &m;
  out.function = handler;
}

// ---- elect.sync -------------------------------------------------------------------------------------------------

// slot: leader, predicate, member mask
const Instruction* elect(Warp& w, const Instruction* i) {
  const uint32_t mask = w.mask(i);
  if (mask == 0) return i + 1;
  const uint32_t members = w.lanes<uint32_t>(i->slot[2])[std::countr_zero(mask)];
  if (!w.gathered(members)) return w.await(i, members);
  if (mask & ~members)
    return w.fault(i, statusIllegalInstruction, "elect.sync: an executing lane is not in the member mask " + hexadecimal(members),
                   std::countr_zero(mask & ~members));
  if (const uint32_t missing = members & w.live & ~mask)
    return w.fault(i, statusIllegalInstruction, "elect.sync: lanes of the member mask skip it by its guard, those of mask " + hexadecimal(missing));
  const int leader = std::countr_zero(members & w.live);
  for (uint32_t rest = mask; rest; rest &= rest - 1) w.lanes<uint32_t>(i->slot[0])[std::countr_zero(rest)] = uint32_t(leader);
  uint32_t& elected = w.predicate(i->slot[1]);
  elected = (elected & ~mask) | (mask & 1u << leader);
  return i + 1;
}

void decodeElect(Decoder& decoder, Instruction& out) {
  const ptx::Operand& pair = decoder.operand(0);
  if (pair.kind != ptx::Operand::Kind::pair) return decoder.error("elect.sync writes d|p");
  out.slot[0] = decoder.destination(pair.parts[0], ptx::Type::b32);
  out.slot[1] = decoder.predicate(&pair.parts[1]);
  out.slot[2] = decoder.source(decoder.operand(1), ptx::Type::b32);
  out.function = elect;
}

// ---- no effect on results ---------------------------------------------------------------------------------------

const Instruction* nothing(Warp&, const Instruction* i) { return i + 1; }

// fence.proxy.async, of one state space or of both
template <bool shared, bool global> const Instruction* fenceProxy(Warp& w, const Instruction* i) {
  if (w.mask(i) == 0) return i + 1;
  if (shared) proxyFenceShared(w);
  if (global) proxyFenceGlobal(w);
  return i + 1;
}

void decodeFenceProxy(Decoder& d, Instruction& out) {
  const bool shared = d.has("shared::cta") || d.has("shared::cluster");
  out.function = d.has("global") ? fenceProxy<false, true> : shared ? fenceProxy<true, false> : fenceProxy<true, true>;
}

// Of mbarriers just initialised, for the other blocks of the cluster.
const Instruction* fenceInit(Warp& w, const Instruction* i) {
  if (w.instrumented && w.mask(i) != 0) threadFence(w, {Scope::cluster, false, true});
  return i + 1;
}
void decodeFenceInit(Decoder&, Instruction& out) { out.function = fenceInit; }

void decodeNothing(Decoder&, Instruction& out) { out.function = nothing; }

// ---- setmaxnreg ---------------------------------------------------------------------------------------------------

constexpr uint32_t increases = 1;

// Of the block at its launch: .maxnreg, or what the multiprocessor has for the threads that the bounds name.
uint32_t registersAtLaunch(const Block& block) {
  const LaunchState& launch = *block.launch;
  const Function& function = *launch.request->function;
  if (function.maxRegisters) return uint32_t(function.maxRegisters);
  const uint64_t threads = launch.request->block.count() * uint64_t(std::max(function.minBlocksPerMultiprocessor, 1));
  return uint32_t(std::min<uint64_t>(uint64_t(launch.device->registersPerMultiprocessor) / threads / 8 * 8, 256));
}

// Per thread of the warp now.
uint32_t registersOf(const Warp& warp, uint32_t atLaunch) {
  const uint32_t registers = warp.tensor ? static_cast<const WarpAsync*>(warp.tensor)->registers : 0;
  return registers != 0 ? registers : atLaunch;
}

// What the warps of the block have given back and nobody has taken since, in registers per thread of one warp.
int64_t freeRegisters(const Block& block, uint32_t atLaunch) {
  int64_t free = 0;
  for (const Warp& warp : block.warps) free += int64_t(atLaunch) - registersOf(warp, atLaunch);
  return free;
}

// immediate: the count; flags: increases
const Instruction* setRegisters(Warp& w, const Instruction* i) {
  const WholeWarp entry(w, i, "setmaxnreg");
  if (!entry.ready) return entry.otherwise;
  const uint32_t atLaunch = registersAtLaunch(*w.block), before = registersOf(w, atLaunch), wanted = uint32_t(i->immediate);
  // Without .maxnreg the count at launch is ptxas's choice.
  const bool known = WarpAsync::of(w).registers != 0 || w.block->launch->request->function->maxRegisters != 0;
  if (known && (i->flags & increases ? wanted < before : wanted > before))
    return w.fault(i, statusIllegalInstruction, "setmaxnreg: from " + std::to_string(before) + " to " + std::to_string(wanted) + " registers is no "
                                                    + (i->flags & increases ? "increase" : "decrease"));
  if (i->flags & increases && int64_t(wanted) - before > freeRegisters(*w.block, atLaunch))
    return w.wait(i, "registers that other warps have to give back (setmaxnreg.inc)");
  if (!warpgroupMeets(w, i, "setmaxnreg")) return nullptr;
  WarpAsync::of(w).registers = wanted;
  w.progressed = true;
  return i + 1;
}

void decodeBudget(Decoder& decoder, Instruction& out) {
  const std::int64_t registers = decoder.constant(decoder.operand(0));
  if (registers < 24 || registers > 256 || registers % 8 != 0) decoder.error("setmaxnreg takes a multiple of 8 in [24, 256]");
  out.immediate = registers;
  out.flags = decoder.has("inc") ? increases : 0;
  out.function = setRegisters;
}

}  // namespace

std::span<const Entry> cluster() {
  static const Entry entries[] = {
      {"barrier.cluster.arrive[.aligned]", "", 78, 90, Class::barrier, 0, decodeBarrier<arrive>},
      {"barrier.cluster.arrive.{release|relaxed}[.aligned]", "", 80, 90, Class::barrier, 0, decodeBarrier<arrive>},
      {"barrier.cluster.wait[.aligned]", "", 78, 90, Class::barrier, 0, decodeBarrier<wait>},
      {"barrier.cluster.wait.acquire[.aligned]", "", 80, 90, Class::barrier, 0, decodeBarrier<wait>},

      {"mapa[.shared::cluster].u32", "=u32 u32 u32", 78, 90, Class::special, 0, decodeMapping<uint32_t, mapAddress<uint32_t>, true>},
      {"mapa[.shared::cluster].u64", "=u64 u64 u32", 78, 90, Class::special, 0, decodeMapping<uint64_t, mapAddress<uint64_t>, true>},
      {"getctarank[.shared::cluster].u32", "=u32 u32", 78, 90, Class::special, 0, decodeMapping<uint32_t, rankOf<uint32_t>, false>},
      {"getctarank[.shared::cluster].u64", "=u32 u64", 78, 90, Class::special, 0, decodeMapping<uint64_t, rankOf<uint64_t>, false>},

      {"elect.sync", "=b32|pred b32", 80, 90, Class::warp, 0, decodeElect},
      {"setmaxnreg.{inc|dec}.sync.aligned.u32", "imm", 80, ptx::exactly(90), Class::special, 0, decodeBudget},

      {"fence.proxy.alias", "", 75, 70, Class::special, 0, decodeNothing},
      {"fence.proxy.async[.global|shared::cta|shared::cluster]", "", 80, 90, Class::special, 0, decodeFenceProxy},
      {"fence.proxy.tensormap::generic.release.{cta|cluster|gpu|sys}", "", 83, 90, Class::special, 0, decodeNothing},
      {"fence.proxy.tensormap::generic.acquire.{cta|cluster|gpu|sys}", "[] imm", 83, 90, Class::special, 0, decodeNothing},
      {"fence.mbarrier_init.release.cluster", "", 80, 90, Class::special, 0, decodeFenceInit},
      {"griddepcontrol.{launch_dependents|wait}", "", 78, 90, Class::special, 0, decodeNothing},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
