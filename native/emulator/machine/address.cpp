#define CNN_ISA common
#include "machine/address.h"

#include "machine/program.h"

#include <cstdio>

namespace cnn::emu {
namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string access(unsigned bytes, bool writes) {
  return std::string(writes ? "store" : "load") + " of " + std::to_string(bytes) + " bytes";
}

std::byte* fail(Warp& warp, const Instruction* i, int code, const std::string& message, unsigned lane) {
  warp.fault(i, code, message, int(lane));
  return nullptr;
}

std::byte* resolveGlobal(Warp& warp, const Instruction* i, std::uint64_t address, unsigned bytes, unsigned lane, bool writes) {
  RangeCache& ranges = warp.block->ranges;
  const Memory::Range* range = ranges.find(address, address, bytes);
  if (!range) range = ranges.learn(*warp.block->launch->memory, address, address, bytes);
  if (!range)
    return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at " + hex(address) + ", " +
                                                   warp.block->launch->memory->describe(address), lane);
  if (writes && range->readOnly)
    return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at " + hex(address) + ", a constant", lane);
  return reinterpret_cast<std::byte*>(address + std::uint64_t(range->delta));
}

std::byte* resolveShared(Warp& warp, const Instruction* i, std::uint64_t address, unsigned bytes, unsigned lane, bool writes) {
  Block& block = *warp.block;
  const std::uint64_t rank = address >> sharedRankShift;
  if (rank != 0 && rank <= block.cluster.size() && block.cluster[rank - 1]->liveThreads == 0)
    return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at shared address " + hex(address) +
                                                   " of block " + std::to_string(rank - 1) + " of the cluster, which has ended", lane);
  std::byte* host = address <= ~0u ? block.sharedAt(std::uint32_t(address), bytes) : nullptr;
  if (host) return host;
  return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at shared address " + hex(address) +
                                                 ", the block has " + std::to_string(warp.block->sharedBytes) + " bytes", lane);
}

// By .shared or .shared::cta: the block's own.
std::byte* resolveOwnShared(Warp& warp, const Instruction* i, std::uint64_t address, unsigned bytes, unsigned lane, bool writes) {
  const std::uint64_t rank = address >> sharedRankShift;
  if (rank != 0 && rank <= warp.block->cluster.size() && rank - 1 != warp.block->clusterRank)
    return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at shared address " + hex(address) +
                                                   " of another block of the cluster, which takes .shared::cluster", lane);
  return resolveShared(warp, i, address, bytes, lane, writes);
}

std::byte* resolveConstant(Warp& warp, const Instruction* i, std::uint64_t address, unsigned bytes, unsigned lane) {
  std::byte* host = resolveGlobal(warp, i, address, bytes, lane, false);
  if (!host || warp.block->ranges.find(address, address, bytes)->readOnly) return host;
  return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, false) + " at " + hex(address) + ", which is not constant memory", lane);
}

std::byte* resolveLocal(Warp& warp, const Instruction* i, std::uint64_t address, unsigned bytes, unsigned lane, bool writes) {
  const std::size_t size = warp.block->launch->program->localBytes;
  if (address <= size && size - address >= bytes) return warp.local + lane * warp.localStride + address;
  return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at local address " + hex(address) +
                                                 ", the thread has " + std::to_string(size) + " bytes", lane);
}

std::byte* resolveParameter(Warp& warp, const Instruction* i, std::uint64_t address, unsigned bytes, unsigned lane, bool writes) {
  std::vector<std::byte>& parameters = warp.block->launch->parameters;
  if (writes) return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " into the kernel's parameters", lane);
  if (address <= parameters.size() && parameters.size() - address >= bytes) return parameters.data() + address;
  return fail(warp, i, statusIllegalAddress, "illegal address: " + access(bytes, writes) + " at parameter offset " + hex(address) +
                                                 ", the kernel has " + std::to_string(parameters.size()) + " bytes of parameters", lane);
}

}  // namespace

std::byte* resolveLane(Warp& warp, const Instruction* i, ptx::Space space, std::uint64_t address, unsigned bytes, unsigned lane,
                       bool writes, ptx::Space& actual) {
  using ptx::Space;
  if (space == Space::generic) {
    space = Space::global;
    if (address - sharedWindow < sharedWindowBytes) {
      space = Space::sharedCluster;
      address -= sharedWindow;
    } else if (address - localWindow < localWindowBytes) {
      space = Space::local;
      address -= localWindow;
    } else if (address - parameterWindow < parameterWindowBytes) {
      space = Space::param;
      address -= parameterWindow;
    }
  }
  if (address % bytes != 0)
    return fail(warp, i, statusMisalignedAddress, "misaligned address: " + access(bytes, writes) + " at " + hex(address), lane);
  actual = space == Space::sharedCluster ? Space::shared : space;
  switch (space) {
    case Space::shared: return resolveOwnShared(warp, i, address, bytes, lane, writes);
    case Space::sharedCluster: return resolveShared(warp, i, address, bytes, lane, writes);
    case Space::constant: return resolveConstant(warp, i, address, bytes, lane);
    case Space::local: return resolveLocal(warp, i, address, bytes, lane, writes);
    case Space::param: return resolveParameter(warp, i, address, bytes, lane, writes);
    default: return resolveGlobal(warp, i, address, bytes, lane, writes);
  }
}

bool resolveLanes(Warp& warp, const Instruction* i, ptx::Space space, const std::uint64_t* addresses, unsigned bytes,
                  std::uint32_t lanes, AccessKind kind, std::byte** hosts, Scope scope) {
  using ptx::Space;
  const bool writes = isStore(kind) || kind == AccessKind::atomic;
  std::uint64_t inSpace[warpLanes];
  std::uint32_t global = 0, shared = 0, local = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!(lanes >> l & 1)) continue;
    Space actual{};
    hosts[l] = resolveLane(warp, i, space, addresses[l], bytes, l, writes, actual);
    if (!hosts[l]) return false;
    inSpace[l] = addresses[l];
    if (actual == Space::shared) {
      shared |= 1u << l;
      if (space == Space::generic) inSpace[l] -= sharedWindow;
    } else if (actual == Space::local) {
      local |= 1u << l;
      if (space == Space::generic) inSpace[l] -= localWindow;
    } else if (actual != Space::param && space != Space::constant) {
      global |= 1u << l;
    }
  }
  if (!warp.instrumented) return true;
  if (global && !observe(warp, i, {Space::global, kind, bytes, global, inSpace, scope})) return false;
  if (shared && !observe(warp, i, {Space::shared, kind, bytes, shared, inSpace, scope})) return false;
  return !local || observe(warp, i, {Space::local, kind, bytes, local, inSpace, scope});
}

}  // namespace cnn::emu
