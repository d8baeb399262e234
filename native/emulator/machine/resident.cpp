#include "machine/resident.h"

#include <algorithm>
#include <cstring>

namespace cnn::emu {
namespace {

constexpr int garbage = 0xff;  // a NaN in every floating-point format

constexpr std::uint32_t laneMask(std::uint32_t lanes) { return lanes >= warpLanes ? allLanes : (1u << lanes) - 1; }

bool differsByLane(Special s) {
  return s <= Special::tidZ || s == Special::laneId || (s >= Special::laneMaskEq && s <= Special::laneMaskGt);
}

}  // namespace

ResidentBlock::ResidentBlock(LaunchState& launch, std::uint64_t* blockCounts)
    : launch_(launch), program_(*launch.program) {
  const LaunchRequest& request = *launch.request;
  const auto threads = std::uint32_t(request.block.count());
  const std::uint32_t warps = (threads + warpLanes - 1) / warpLanes;
  block_.launch = &launch;
  block_.sharedBytes = std::uint32_t(program_.staticShared) + request.dynamicShared;
  // Shared memory may be aligned for bulk copies with swizzle (1024 bytes).
  shared_ = allocateAligned(block_.sharedBytes + 1024);
  block_.shared = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(shared_.get()) + 1023) & ~std::uintptr_t(1023));
  localStride_ = (program_.localBytes + 15) / 16 * 16;
  local_ = allocateAligned(localStride_ * warps * warpLanes);
  // An odd number of cache lines, so that the same slot of different warps does not fall into the same cache set.
  frameStride_ = ((program_.frameBytes + 63) / 64 | 1) * 64;
  frames_ = allocateAligned(frameStride_ * warps);
  block_.warps.resize(warps);
  for (std::uint32_t w = 0; w < warps; ++w) {
    Warp& warp = block_.warps[w];
    warp.block = &block_;
    warp.index = w;
    warp.frame = frames_.get() + frameStride_ * w;
    warp.local = local_.get() + localStride_ * warpLanes * w;
    warp.localStride = localStride_;
    warp.localBytes = program_.localBytes;
    warp.blockCounts = blockCounts;
    warp.instrumented = launch.checks != 0 || launch.detail != Detail::none;
    fillConstants(warp);
    fillLaneSpecials(warp);
  }
  if (launch.detail == Detail::blocks) block_.sectors = std::make_unique<BlockSectors>();
  if (launch.checks == 0) return;
  checks_ = std::make_unique<BlockChecks>(launch.checks, block_);
  block_.checks = checks_.get();
}

void ResidentBlock::fillConstants(Warp& warp) {
  warp.predicate(program_.onesSlot) = allLanes;
  for (const Program::Constant& constant : program_.constants) {
    if (constant.wide) std::fill_n(warp.lanes<std::uint64_t>(constant.slot), warpLanes, constant.value);
    else std::fill_n(warp.lanes<std::uint32_t>(constant.slot), warpLanes, std::uint32_t(constant.value));
  }
}

std::uint32_t ResidentBlock::special(Special which, const Warp& warp, std::uint32_t lane) const {
  const LaunchRequest& r = *launch_.request;
  const std::uint32_t thread = warp.index * warpLanes + lane;
  const Dim3 &b = r.block, &g = r.grid, &c = r.cluster, &at = block_.index;
  switch (which) {
    case Special::tidX: return thread % b.x;
    case Special::tidY: return thread / b.x % b.y;
    case Special::tidZ: return thread / b.x / b.y;
    case Special::ntidX: return b.x;
    case Special::ntidY: return b.y;
    case Special::ntidZ: return b.z;
    case Special::ctaidX: return at.x;
    case Special::ctaidY: return at.y;
    case Special::ctaidZ: return at.z;
    case Special::nctaidX: return g.x;
    case Special::nctaidY: return g.y;
    case Special::nctaidZ: return g.z;
    case Special::laneId: return lane;
    case Special::warpId: return warp.index;
    case Special::nwarpId: return std::uint32_t(launch_.device->threadsPerMultiprocessor) / warpLanes;
    case Special::smId: return (at.x + g.x * (at.y + g.y * at.z)) % std::uint32_t(launch_.device->multiprocessors);
    case Special::nsmId: return std::uint32_t(launch_.device->multiprocessors);
    case Special::gridId: return std::uint32_t(launch_.gridId);
    case Special::environment: return 0;
    case Special::workspaceLow: return std::uint32_t(launch_.workspace);
    case Special::workspaceHigh: return std::uint32_t(launch_.workspace >> 32);
    case Special::laneMaskEq: return 1u << lane;
    case Special::laneMaskLt: return laneMask(lane);
    case Special::laneMaskLe: return laneMask(lane + 1);
    case Special::laneMaskGt: return ~laneMask(lane + 1);
    case Special::laneMaskGe: return ~laneMask(lane);
    case Special::dynamicShared: return r.dynamicShared;
    case Special::totalShared: return block_.sharedBytes;
    case Special::aggregateShared: return block_.sharedBytes;
    case Special::clusterIdX: return at.x / c.x;
    case Special::clusterIdY: return at.y / c.y;
    case Special::clusterIdZ: return at.z / c.z;
    case Special::nclusterIdX: return g.x / c.x;
    case Special::nclusterIdY: return g.y / c.y;
    case Special::nclusterIdZ: return g.z / c.z;
    case Special::clusterCtaidX: return at.x % c.x;
    case Special::clusterCtaidY: return at.y % c.y;
    case Special::clusterCtaidZ: return at.z % c.z;
    case Special::clusterNctaidX: return c.x;
    case Special::clusterNctaidY: return c.y;
    case Special::clusterNctaidZ: return c.z;
    case Special::clusterRank: return block_.clusterRank;
    case Special::clusterNctaRank: return std::uint32_t(c.count());
    case Special::explicitCluster: return c.count() > 1;
    default: return 0;  // clocks are not kept in slots
  }
}

// What differs between lanes stays the same from block to block; the rest is one value.
void ResidentBlock::fillLaneSpecials(Warp& warp) {
  for (const Program::SpecialSlot& slot : program_.specials) {
    if (!differsByLane(slot.special)) continue;
    for (std::uint32_t lane = 0; lane < warpLanes; ++lane) {
      const std::uint32_t value = special(slot.special, warp, lane);
      if (slot.wide) warp.lanes<std::uint64_t>(slot.slot)[lane] = value;
      else warp.lanes<std::uint32_t>(slot.slot)[lane] = value;
    }
  }
}

void ResidentBlock::fillBlockSpecials(Warp& warp) {
  for (const Program::SpecialSlot& slot : program_.specials) {
    if (differsByLane(slot.special)) continue;
    const std::uint32_t value = special(slot.special, warp, 0);
    if (slot.wide) std::fill_n(warp.lanes<std::uint64_t>(slot.slot), warpLanes, value);
    else std::fill_n(warp.lanes<std::uint32_t>(slot.slot), warpLanes, value);
  }
}

void ResidentBlock::start(std::uint64_t index) {
  const LaunchRequest& request = *launch_.request;
  const Dim3 &g = request.grid, &c = request.cluster;
  block_.index = {std::uint32_t(index % g.x), std::uint32_t(index / g.x % g.y), std::uint32_t(index / g.x / g.y)};
  block_.clusterRank = block_.index.x % c.x + c.x * (block_.index.y % c.y + c.y * (block_.index.z % c.z));
  block_.random = (launch_.seed + 1) * 0x9e3779b97f4a7c15ull ^ (index + 1) * 0xbf58476d1ce4e5b9ull;
  if (block_.random == 0) block_.random = 1;
  const auto threads = std::uint32_t(request.block.count());
  block_.liveThreads = threads;
  // As a GPU leaves it: no zeros to rely on.
  std::memset(block_.shared, garbage, block_.sharedBytes);
  std::memset(local_.get(), garbage, localStride_ * warpLanes * block_.warps.size());
  for (NamedBarrier& barrier : block_.barriers) barrier = {};
  block_.async.reset();
  block_.attachments.clear();
  for (Warp& warp : block_.warps) {
    warp.live = laneMask(threads - std::min(threads, warp.index * warpLanes));
    warp.groupCount = 1;
    warp.groups[0] = {program_.code, warp.live, 0, Standing::ready, false};
    warp.arrivedLanes = 0;
    warp.tensor = nullptr;
    warp.stop = Stop::yielded;
    warp.waitingFor = "";
    fillBlockSpecials(warp);
  }
  if (block_.sectors) block_.sectors->clear();
  if (checks_) checks_->start(block_);
}

}  // namespace cnn::emu
