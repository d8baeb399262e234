#include "machine/block_checks.h"

#include "machine/checks.h"
#include "machine/global_proxies.h"
#include "machine/program.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>

namespace cnn::emu {
namespace {

std::string at(std::uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

bool fail(Warp& warp, const Instruction* i, std::uint32_t lane, std::string message) {
  warp.fault(i, statusLaunchFailed, std::move(message), int(lane));
  return false;
}

bool stores(const Access& access) { return isStore(access.kind); }

const char* nameOf(AccessKind kind) { return isAtomic(kind) ? "atomic access" : isStore(kind) ? "write" : "read"; }

std::uint32_t blockId(const Block& block) { return std::uint32_t(block.number() + 1); }

Stamp stampOf(const Warp& warp, std::uint32_t time) {
  Stamp stamp;
  stamp.moment = time;
  stamp.block = blockId(*warp.block);
  stamp.warp = warp.index;
  return stamp;
}

}  // namespace

BlockChecks::BlockChecks(unsigned checks, const Block& block) : checks_(checks), initialised_(block.sharedBytes), inFlight_(block.sharedBytes) {
  if (checks & emu::checkAsync) proxies_ = std::make_unique<ProxyOrder>(block.sharedBytes);
  if (checks & checkInit && !block.warps.empty()) local_.resize(block.warps.size() * warpLanes * block.warps[0].localStride);
  if (checks & checkRace) races_ = std::make_unique<BlockRaces>(*block.launch->races, block.sharedBytes);
  if (checks & checkNc) nonCoherent_ = std::make_unique<NonCoherentReads>(*block.launch->coherence);
}

void BlockChecks::start(const Block& block) {
  std::fill(initialised_.begin(), initialised_.end(), std::uint8_t(0));
  std::fill(local_.begin(), local_.end(), std::uint8_t(0));
  inFlight_.start();
  mbarriers_.start();
  if (proxies_) proxies_->start();
  if (races_) races_->start(block.number(), block.warps.size());
}

bool BlockChecks::access(Warp& warp, const Instruction* i, const Access& access) {
  if (access.space == ptx::Space::local) return checkLocal(warp, i, access);
  const Spans spans(access);
  if (checks_ & emu::checkAsync && (!checkInFlight(warp, i, access, spans) || !checkMbarriers(warp, i, access, spans))) return false;
  if (proxies_) noteWrite(warp, access, spans);
  if (checks_ & checkInit && !checkInitialised(warp, i, access, spans)) return false;
  if (nonCoherent_ && !checkNonCoherent(warp, i, access, spans)) return false;
  if (!races_) return true;
  const auto race = races_->access(warp, i, access, spans);
  return !race || fail(warp, i, race->lane, "race: this " + std::string(nameOf(access.kind)) + " of " + std::string(ptx::name(access.space)) +
                                                " memory is not ordered with " + race->with);
}

void BlockChecks::noteWrite(const Warp& warp, const Access& access, const Spans& spans) {
  if (!stores(access) && !isAtomic(access.kind)) return;
  Block& block = *warp.block;
  for (const Span& span : spans) {
    if (access.space == ptx::Space::shared) threadWrote(block, warp.index, std::uint32_t(span.address), span.bytes);
    else if (access.space == ptx::Space::global && block.launch->proxies)
      block.launch->proxies->threadWrites(stampOf(warp, proxies_->globalWrite()), span.address, span.bytes, access.bytes);
  }
}

// One flag per byte of the lanes of a span; null where nobody keeps them.
std::uint8_t* BlockChecks::flagsOf(Warp& warp, const Access& access, std::uint64_t address, std::uint32_t bytes) {
  Block& block = *warp.block;
  if (access.space == ptx::Space::shared) {
    // Of another block of the cluster: its checks know.
    const std::uint32_t rank = std::uint32_t(address) >> sharedRankShift;
    const Block& owner = rank == 0 ? block : *block.cluster[rank - 1];
    return owner.checks->initialised_.data() + (address & ((1u << sharedRankShift) - 1));
  }
  const Memory::Range* range = block.ranges.find(address, address, bytes);
  if (!range) range = block.ranges.learn(*block.launch->memory, address, address, bytes);
  return range && range->initialised ? range->initialised + (address - range->base) : nullptr;
}

bool BlockChecks::checkInitialised(Warp& warp, const Instruction* i, const Access& access, const Spans& spans) {
  if (access.space != ptx::Space::shared && access.space != ptx::Space::global) return true;
  for (const Span& span : spans) {
    std::uint8_t* known = flagsOf(warp, access, span.address, span.bytes);
    if (!known) continue;
    if (stores(access)) {
      std::memset(known, 1, span.bytes);
    } else if (const void* missing = std::memchr(known, 0, span.bytes)) {
      const auto before = std::uint32_t(static_cast<const std::uint8_t*>(missing) - known) / access.bytes;
      return fail(warp, i, span.lane + before, "uninitialised: load of " + std::to_string(access.bytes) + " bytes of " +
                      std::string(ptx::name(access.space)) + " memory at " + at(span.address + before * access.bytes) + ", which nothing has written");
    }
  }
  return true;
}

bool BlockChecks::checkLocal(Warp& warp, const Instruction* i, const Access& access) {
  if (!(checks_ & checkInit)) return true;
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const auto lane = std::uint32_t(std::countr_zero(rest));
    std::uint8_t* known = local_.data() + (warp.index * warpLanes + lane) * warp.localStride + access.addresses[lane];
    if (stores(access)) std::memset(known, 1, access.bytes);
    else if (std::memchr(known, 0, access.bytes))
      return fail(warp, i, lane, "uninitialised: load of " + std::to_string(access.bytes) + " bytes of local memory at " + at(access.addresses[lane]) +
                      ", which nothing has written");
  }
  return true;
}

bool BlockChecks::checkInFlight(Warp& warp, const Instruction* i, const Access& access, const Spans& spans) {
  if (access.space != ptx::Space::shared) return true;
  const bool writes = stores(access) || isAtomic(access.kind);
  for (const Span& span : spans) {
    if (span.address >> sharedRankShift != 0) continue;
    const InFlight::Word* word = inFlight_.conflict(std::uint32_t(span.address), span.bytes, writes);
    if (word)
      return fail(warp, i, span.lane, "asynchronous: shared memory at " + at(inFlight_.addressOf(word)) + " is being " +
                      (word->writes ? "written" : "read") + " by " + word->what + ", which has not been waited for");
  }
  return true;
}

bool BlockChecks::checkMbarriers(Warp& warp, const Instruction* i, const Access& access, const Spans& spans) {
  if (access.space != ptx::Space::shared || access.kind == AccessKind::mbarrier) return true;
  for (const Span& span : spans) {
    if (span.address >> sharedRankShift != 0) continue;
    const auto address = std::uint32_t(span.address);
    if (access.kind == AccessKind::mbarrierInit) {
      if (!mbarriers_.begin(address)) return fail(warp, i, span.lane, "asynchronous: the mbarrier at " + at(address) + " is initialised again without mbarrier.inval");
    } else if (mbarriers_.touches(address, span.bytes)) {
      return fail(warp, i, span.lane, "asynchronous: " + std::string(nameOf(access.kind)) + " of " + std::to_string(span.bytes) + " bytes of shared memory at " +
                                          at(address) + ", where an mbarrier lives");
    }
  }
  return true;
}

bool BlockChecks::checkNonCoherent(Warp& warp, const Instruction* i, const Access& access, const Spans& spans) {
  if (access.space != ptx::Space::global) return true;
  const auto byte = nonCoherent_->conflict(access, spans);
  if (!byte) return true;
  const bool reads = access.kind == AccessKind::loadNonCoherent;
  return fail(warp, i, std::uint32_t(std::countr_zero(access.lanes)), reads ? "non-coherent: ld.global.nc of " + at(*byte) + ", which this launch has written"
                                                                  : "non-coherent: write of " + at(*byte) + ", which this launch reads by ld.global.nc");
}

bool BlockChecks::copyKeepsCoherence(Warp& warp, const Instruction* i, std::uint64_t address, std::uint32_t bytes) {
  const Access access{ptx::Space::global, AccessKind::store, bytes, 1, &address};
  return !nonCoherent_ || checkNonCoherent(warp, i, access, Spans(access));
}

std::optional<std::uint32_t> BlockChecks::firstWithoutValue(std::uint32_t address, std::uint32_t bytes) const {
  const std::uint8_t* known = initialised_.data() + address;
  const void* missing = checks_ & checkInit ? std::memchr(known, 0, bytes) : nullptr;
  return missing ? std::optional(address + std::uint32_t(static_cast<const std::uint8_t*>(missing) - known)) : std::nullopt;
}

void BlockChecks::initialised(std::uint32_t address, std::uint32_t bytes) {
  if (address + bytes <= initialised_.size()) std::fill_n(initialised_.begin() + address, bytes, std::uint8_t(1));
}

// ---- entry points of families ------------------------------------------------------------------------------------
namespace {

BlockChecks* checksFor(Block& block, unsigned check) {
  return block.checks && block.checks->enabled() & check ? block.checks : nullptr;
}

// The block that owns a .shared address, and the address in it.
Block& ownerOf(Block& block, std::uint32_t& address) {
  const std::uint32_t rank = address >> sharedRankShift;
  address &= (1u << sharedRankShift) - 1;
  return rank == 0 || rank > block.cluster.size() ? block : *block.cluster[rank - 1];
}

void begin(Block& block, std::uint32_t address, std::uint32_t bytes, bool writes, const char* what) {
  Block& owner = ownerOf(block, address);
  if (BlockChecks* checks = checksFor(owner, checkAsync)) checks->inFlight().begin(address, bytes, writes, what);
}

void end(Block& block, std::uint32_t address, std::uint32_t bytes, bool writes) {
  Block& owner = ownerOf(block, address);
  if (BlockChecks* checks = checksFor(owner, checkAsync)) checks->inFlight().end(address, bytes, writes);
}

ProxyOrder* proxiesOf(Block& block) { return block.checks ? block.checks->proxies() : nullptr; }

BlockRaces* racesOf(Warp& warp) { return warp.block->checks ? warp.block->checks->races() : nullptr; }

void acquireFromCluster(Warp& warp) {
  if (ProxyOrder* proxies = proxiesOf(*warp.block); proxies && warp.block->cluster.size() > 1) proxies->acquireCluster(warp.index);
}

}  // namespace

void asyncWriteBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what) { begin(block, address, bytes, true, what); }
void asyncWriteEnd(Block& block, std::uint32_t address, std::uint32_t bytes) { end(block, address, bytes, true); }
void asyncReadBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what) { begin(block, address, bytes, false, what); }
void asyncReadEnd(Block& block, std::uint32_t address, std::uint32_t bytes) { end(block, address, bytes, false); }

void threadWrote(Block& block, std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) {
  const std::uint32_t writer = ProxyOrder::writer(block.clusterRank, warp);
  if (ProxyOrder* proxies = proxiesOf(ownerOf(block, address))) proxies->threadWrites(writer, address, bytes);
}
void proxyWrote(Block& block, std::uint32_t address, std::uint32_t bytes) {
  if (ProxyOrder* proxies = proxiesOf(block)) proxies->proxyWrites(address, bytes);
}
void proxyFenceShared(Warp& warp) {
  const std::uint32_t writer = ProxyOrder::writer(warp.block->clusterRank, warp.index);
  for (Block* block : warp.block->cluster)
    if (ProxyOrder* proxies = proxiesOf(*block)) block == warp.block ? proxies->fence(warp.index, writer) : proxies->fenceElsewhere(writer);
}
void proxyFenceGlobal(Warp& warp) {
  if (GlobalProxies* proxies = warp.block->launch->proxies)
    proxies->fence(blockId(*warp.block), warp.index, proxiesOf(*warp.block)->fenceGlobal(warp.index));
}
void proxyWroteGlobal(Block& block, std::uint64_t address, std::uint32_t bytes) {
  if (GlobalProxies* proxies = block.launch->proxies) proxies->proxyWrites(address, bytes);
}
bool proxyReadsGlobal(Warp& warp, const Instruction* i, std::uint64_t address, std::uint32_t bytes, const char* what, int lane) {
  GlobalProxies* proxies = warp.block->launch->proxies;
  const auto unfenced = proxies ? proxies->proxyReads(blockId(*warp.block), warp.index, *proxiesOf(*warp.block), address, bytes) : std::nullopt;
  if (!unfenced) return true;
  warp.fault(i, statusLaunchFailed, "asynchronous: " + std::string(what) + " reads global memory at " + at(unfenced->address) + ", which warp " +
                 std::to_string(unfenced->warp) + " of block " + std::to_string(unfenced->block - 1) +
                 " (of the grid, counted) has written, without a fence.proxy.async between", lane);
  return false;
}
bool proxyReads(Warp& warp, const Instruction* i, std::uint32_t address, std::uint32_t bytes, const char* what, int lane) {
  const ProxyOrder* proxies = proxiesOf(*warp.block);
  const auto unfenced = proxies ? proxies->proxyReads(warp.index, address, bytes) : std::nullopt;
  if (!unfenced) return true;
  const std::string rank = unfenced->rank == warp.block->clusterRank ? "" : " of block " + std::to_string(unfenced->rank) + " of the cluster";
  warp.fault(i, statusLaunchFailed, "asynchronous: " + std::string(what) + " reads shared memory at " + at(unfenced->address) + ", which warp " +
                 std::to_string(unfenced->warp) + rank + " has written, without a fence.proxy.async between", lane);
  return false;
}

void mbarrierEnds(Block& block, std::uint32_t address) {
  Block& owner = ownerOf(block, address);
  if (BlockChecks* checks = checksFor(owner, checkAsync)) checks->mbarriers().end(address);
}
void asyncInitialised(Block& block, std::uint32_t address, std::uint32_t bytes) {
  Block& owner = ownerOf(block, address);
  if (BlockChecks* checks = checksFor(owner, checkInit)) checks->initialised(address, bytes);
}

void syncRelease(Warp& warp, std::uint64_t key) {
  if (BlockRaces* races = racesOf(warp)) races->release(warp, key);
  if (ProxyOrder* proxies = proxiesOf(*warp.block)) proxies->release(key);
}
void syncAcquire(Warp& warp, std::uint64_t key) {
  if (BlockRaces* races = racesOf(warp)) races->acquire(warp, key);
  if (ProxyOrder* proxies = proxiesOf(*warp.block)) proxies->acquire(warp.index, key);
}
void clusterRelease(Warp& warp, std::uint64_t key) {
  syncRelease(warp, key);
  if (BlockRaces* races = racesOf(warp)) races->releaseCluster(warp);
}
void clusterAcquire(Warp& warp, std::uint64_t key) {
  syncAcquire(warp, key);
  if (BlockRaces* races = racesOf(warp)) races->acquireCluster(warp);
  acquireFromCluster(warp);
}
void strongRelease(Warp& warp, std::uint64_t key, Ordering ordering) {
  if (BlockRaces* races = racesOf(warp)) races->strongWrite(warp, key, ordering);
  if (ProxyOrder* proxies = proxiesOf(*warp.block)) proxies->release(key);
}
void strongAcquire(Warp& warp, std::uint64_t key, Ordering ordering) {
  if (BlockRaces* races = racesOf(warp)) races->strongRead(warp, key, ordering);
  if (ProxyOrder* proxies = proxiesOf(*warp.block)) proxies->acquire(warp.index, key);
  acquireFromCluster(warp);
}
void threadFence(Warp& warp, Ordering ordering) {
  if (BlockRaces* races = racesOf(warp)) races->fence(warp, ordering);
}
void syncWarp(Warp& warp) {
  if (BlockRaces* races = racesOf(warp)) races->collective(warp);
}

}  // namespace cnn::emu
