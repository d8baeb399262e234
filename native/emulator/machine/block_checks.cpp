#include "machine/block_checks.h"

#include "machine/checks.h"

#include <algorithm>
#include <bit>
#include <cstdio>

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

}  // namespace

BlockChecks::BlockChecks(unsigned checks, const Block& block) : checks_(checks), initialised_(block.sharedBytes) {
  if (checks & emu::checkAsync) proxies_ = std::make_unique<ProxyOrder>(block.sharedBytes);
  if (checks & checkRace) races_ = std::make_unique<BlockRaces>(*block.launch->races, block.sharedBytes);
}

void BlockChecks::start(const Block& block) {
  std::fill(initialised_.begin(), initialised_.end(), std::uint8_t(0));
  inFlight_.clear();
  if (proxies_) proxies_->start();
  const Dim3& grid = block.launch->request->grid;
  if (races_) races_->start(block.index.x + grid.x * (block.index.y + std::uint64_t(grid.y) * block.index.z), block.warps.size());
}

bool BlockChecks::access(Warp& warp, const Instruction* i, const Access& access) {
  if (checks_ & emu::checkAsync && !checkInFlight(warp, i, access)) return false;
  if (proxies_) noteWrite(warp, access);
  if (checks_ & checkInit && !checkInitialised(warp, i, access)) return false;
  if (checks_ & checkNc && !checkNonCoherent(warp, i, access)) return false;
  if (!races_) return true;
  const auto race = races_->access(warp, i, access);
  return !race || fail(warp, i, std::uint32_t(std::countr_zero(access.lanes)), "race: this " + std::string(stores(access) ? "write" : "read") + " of " +
                           std::string(ptx::name(access.space)) + " memory is not ordered with " + *race);
}

// Writes into the own block only: what another block of the cluster writes is not followed.
void BlockChecks::noteWrite(const Warp& warp, const Access& access) {
  if (access.space != ptx::Space::shared || (!stores(access) && access.kind != AccessKind::atomic)) return;
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const std::uint64_t address = access.addresses[std::countr_zero(rest)];
    if (address >> sharedRankShift == 0) proxies_->threadWrites(warp.index, std::uint32_t(address), access.bytes);
  }
}

bool BlockChecks::checkInitialised(Warp& warp, const Instruction* i, const Access& access) {
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const auto lane = std::uint32_t(std::countr_zero(rest));
    const std::uint64_t address = access.addresses[lane];
    std::uint8_t* known = nullptr;
    if (access.space == ptx::Space::shared) {
      // Of another block of the cluster: its checks know.
      const Block* owner = warp.block;
      if (const auto rank = std::uint32_t(address) >> sharedRankShift; rank != 0) owner = owner->cluster[rank - 1];
      known = owner->checks->initialised_.data() + (address & ((1u << sharedRankShift) - 1));
    } else if (access.space == ptx::Space::global) {
      Memory::Range range;
      if (!warp.block->launch->memory->range(address, range) || !range.initialised) continue;
      known = range.initialised + (address - range.base);
    } else {
      continue;
    }
    if (stores(access)) {
      std::fill_n(known, access.bytes, std::uint8_t(1));
    } else if (std::find(known, known + access.bytes, 0) != known + access.bytes) {
      return fail(warp, i, lane, "uninitialised: load of " + std::to_string(access.bytes) + " bytes of " + std::string(ptx::name(access.space)) +
                      " memory at " + at(address) + ", which nothing has written");
    }
  }
  return true;
}

bool BlockChecks::checkInFlight(Warp& warp, const Instruction* i, const Access& access) {
  if (access.space != ptx::Space::shared || inFlight_.empty()) return true;
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const auto lane = std::uint32_t(std::countr_zero(rest));
    const std::uint64_t begin = access.addresses[lane], end = begin + access.bytes;
    for (const InFlight& flight : inFlight_) {
      const bool conflict = flight.writes || stores(access) || access.kind == AccessKind::atomic;
      if (conflict && begin < flight.end && end > flight.begin)
        return fail(warp, i, lane, "asynchronous: shared memory at " + at(begin) + " is being " +
                        (flight.writes ? "written" : "read") + " by " + flight.what + ", which has not been waited for");
    }
  }
  return true;
}

// Memory read through the non-coherent path must not be written during the launch.
bool BlockChecks::checkNonCoherent(Warp& warp, const Instruction* i, const Access& access) {
  if (access.space != ptx::Space::global) return true;
  LaunchRaces& launch = *warp.block->launch->races;
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const auto lane = std::uint32_t(std::countr_zero(rest));
    const std::uint64_t address = access.addresses[lane];
    LaunchRaces::Shard& shard = launch.nonCoherent(address);
    const std::lock_guard lock(shard.mutex);
    for (std::uint64_t byte = address; byte < address + access.bytes; ++byte) {
      Cell& cell = shard.cells[byte];
      const bool reads = access.kind == AccessKind::loadNonCoherent, plain = access.kind == AccessKind::load || access.kind == AccessKind::strongLoad;
      if (reads && cell.write.block != 0)
        return fail(warp, i, lane, "non-coherent: ld.global.nc of " + at(byte) + ", which this launch has written");
      if (!reads && !plain && cell.nonCoherentRead)
        return fail(warp, i, lane, "non-coherent: write of " + at(byte) + ", which this launch reads by ld.global.nc");
      if (reads) cell.nonCoherentRead = true;
      else if (!plain) cell.write.block = 1;
    }
  }
  return true;
}

void BlockChecks::initialised(std::uint32_t address, std::uint32_t bytes) {
  if (address + bytes <= initialised_.size()) std::fill_n(initialised_.begin() + address, bytes, std::uint8_t(1));
}

void BlockChecks::asyncBegin(std::uint32_t address, std::uint32_t bytes, bool writes, const char* what) {
  inFlight_.push_back({address, address + bytes, writes, what});
}

void BlockChecks::asyncEnd(std::uint32_t address, std::uint32_t bytes, bool writes) {
  const auto found = std::find_if(inFlight_.begin(), inFlight_.end(), [&](const InFlight& f) {
    return f.begin == address && f.end == address + bytes && f.writes == writes;
  });
  if (found != inFlight_.end()) inFlight_.erase(found);
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
  if (BlockChecks* checks = checksFor(owner, checkAsync)) checks->asyncBegin(address, bytes, writes, what);
}

void end(Block& block, std::uint32_t address, std::uint32_t bytes, bool writes) {
  Block& owner = ownerOf(block, address);
  if (BlockChecks* checks = checksFor(owner, checkAsync)) checks->asyncEnd(address, bytes, writes);
}

ProxyOrder* proxiesOf(Block& block) { return block.checks ? block.checks->proxies() : nullptr; }

BlockRaces* racesOf(Warp& warp) { return warp.block->checks ? warp.block->checks->races() : nullptr; }

}  // namespace

void asyncWriteBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what) { begin(block, address, bytes, true, what); }
void asyncWriteEnd(Block& block, std::uint32_t address, std::uint32_t bytes) { end(block, address, bytes, true); }
void asyncReadBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what) { begin(block, address, bytes, false, what); }
void asyncReadEnd(Block& block, std::uint32_t address, std::uint32_t bytes) { end(block, address, bytes, false); }

void threadWrote(Block& block, std::uint32_t warp, std::uint32_t address, std::uint32_t bytes) {
  if (ProxyOrder* proxies = proxiesOf(block)) proxies->threadWrites(warp, address, bytes);
}
void proxyWrote(Block& block, std::uint32_t address, std::uint32_t bytes) {
  if (ProxyOrder* proxies = proxiesOf(block)) proxies->proxyWrites(address, bytes);
}
void proxyFence(Warp& warp) {
  if (ProxyOrder* proxies = proxiesOf(*warp.block)) proxies->fence(warp.index);
}
bool proxyReads(Warp& warp, const Instruction* i, std::uint32_t address, std::uint32_t bytes, const char* what, int lane) {
  const ProxyOrder* proxies = proxiesOf(*warp.block);
  const auto unfenced = proxies ? proxies->proxyReads(warp.index, address, bytes) : std::nullopt;
  if (!unfenced) return true;
  warp.fault(i, statusLaunchFailed, "asynchronous: " + std::string(what) + " reads shared memory at " + at(unfenced->address) + ", which warp " +
                 std::to_string(unfenced->warp) + " has written, without a fence.proxy.async between", lane);
  return false;
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
void syncStrong(Warp& warp, std::uint64_t address) {
  if (ProxyOrder* proxies = proxiesOf(*warp.block)) {
    proxies->acquire(warp.index, address);
    proxies->release(address);
  }
  BlockRaces* races = racesOf(warp);
  if (!races) return;
  races->acquire(warp, address);
  races->release(warp, address);
  races->strong();
}
void syncWarp(Warp& warp) {
  if (BlockRaces* races = racesOf(warp)) races->collective(warp);
}

}  // namespace cnn::emu
