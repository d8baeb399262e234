// What watches memory accesses: the detailed counters, then the checks.
#include "machine/access.h"
#include "machine/block.h"
#include "machine/block_checks.h"

#include <algorithm>
#include <array>
#include <bit>

namespace cnn::emu {
namespace {

using ptx::Space;

// Distinct 32-byte sectors of one request, address / 32 each.
struct Sectors {
  std::array<std::uint64_t, warpLanes * 2> at;
  std::size_t count = 0;
};

Sectors sectorsOf(const Access& access) {
  Sectors s;
  for (std::uint32_t rest = access.lanes; rest != 0; rest &= rest - 1) {
    const std::uint64_t address = access.addresses[std::countr_zero(rest)];
    s.at[s.count++] = address / 32;
    if ((address + access.bytes - 1) / 32 != address / 32) s.at[s.count++] = address / 32 + 1;
  }
  const auto end = s.at.begin() + std::ptrdiff_t(s.count);
  std::sort(s.at.begin(), end);
  s.count = std::size_t(std::unique(s.at.begin(), end) - s.at.begin());
  return s;
}

// How many of them this block has not touched before.
std::uint64_t insert(SectorSet& known, const Sectors& sectors) {
  std::uint64_t fresh = 0;
  for (std::size_t n = 0; n < sectors.count; ++n) fresh += known.insert(sectors.at[n]);
  return fresh;
}

struct Wavefronts {
  std::uint64_t needed = 0, ideal = 0;
};

// 32 banks of 4 bytes. Accesses of 8 and 16 bytes go by halves and quarters of the warp; lanes that read the same word
// share it.
Wavefronts wavefrontsOf(const Access& access) {
  const unsigned words = std::max(1u, access.bytes / 4), lanesPerPass = warpLanes / words;
  Wavefronts total;
  for (unsigned begin = 0; begin < warpLanes; begin += lanesPerPass) {
    std::array<std::uint64_t, warpLanes> touched;
    std::size_t count = 0;
    for (unsigned l = begin; l < begin + lanesPerPass; ++l) {
      if (!(access.lanes >> l & 1)) continue;
      for (unsigned w = 0; w < words; ++w) touched[count++] = access.addresses[l] / 4 + w;
    }
    if (count == 0) continue;
    std::sort(touched.begin(), touched.begin() + std::ptrdiff_t(count));
    const auto end = std::unique(touched.begin(), touched.begin() + std::ptrdiff_t(count));
    std::array<std::uint64_t, 32> perBank{};
    for (auto word = touched.begin(); word != end; ++word) ++perBank[*word % 32];
    total.needed += *std::max_element(perBank.begin(), perBank.end());
    ++total.ideal;
  }
  return total;
}

void countGlobal(Block& block, const Access& access, std::uint64_t bytes) {
  Counters& c = block.counters;
  const Sectors sectors = sectorsOf(access);
  c.widestGlobalAccess = std::max<std::uint64_t>(c.widestGlobalAccess, access.bytes);
  if (access.kind == AccessKind::atomic) {
    ++c.globalAtomicRequests;
    c.globalAtomicSectors += sectors.count;
  } else if (isStore(access.kind)) {
    ++c.globalStoreRequests;
    c.globalStoreSectors += sectors.count;
    c.globalStoreBytes += bytes;
    if (block.sectors) c.globalStoreBlockSectors += insert(block.sectors->stored, sectors);
  } else {
    ++c.globalLoadRequests;
    c.globalLoadSectors += sectors.count;
    c.globalLoadBytes += bytes;
    if (block.sectors) c.globalLoadBlockSectors += insert(block.sectors->loaded, sectors);
  }
}

void countShared(Counters& c, const Access& access, std::uint64_t bytes) {
  const Wavefronts waves = wavefrontsOf(access);
  c.widestSharedAccess = std::max<std::uint64_t>(c.widestSharedAccess, access.bytes);
  c.sharedIdealWavefronts += waves.ideal;
  c.maxSharedConflict = std::max(c.maxSharedConflict, (waves.needed + waves.ideal - 1) / waves.ideal);
  const bool stores = isStore(access.kind) || isAtomic(access.kind);
  ++(stores ? c.sharedStoreRequests : c.sharedLoadRequests);
  (stores ? c.sharedStoreWavefronts : c.sharedLoadWavefronts) += waves.needed;
  (stores ? c.sharedStoreBytes : c.sharedLoadBytes) += bytes;
}

void count(Block& block, const Access& access) {
  const auto bytes = std::uint64_t(std::popcount(access.lanes)) * access.bytes;
  if (access.space == Space::global) countGlobal(block, access, bytes);
  else if (access.space == Space::shared) countShared(block.counters, access, bytes);
}

}  // namespace

bool observe(Warp& warp, const Instruction* i, const Access& access) {
  Block& block = *warp.block;
  if (block.launch->detail != Detail::none) count(block, access);
  return !block.checks || block.checks->access(warp, i, access);
}

}  // namespace cnn::emu
