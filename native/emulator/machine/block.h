// A block and the launch it belongs to, as handlers see them.
#pragma once

#include "machine/counters.h"
#include "machine/device_model.h"
#include "machine/launch.h"
#include "machine/memory_view.h"
#include "machine/range_cache.h"
#include "machine/sector_set.h"
#include "machine/warp.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cnn::emu {

struct Program;
class BlockChecks;
class GlobalProxies;
struct LaunchRaces;
struct CoherencePage;
template <class Page> class PageTable;

// Addresses. A .shared address is 32 bits: the offset in the own block, or (rank + 1) << 24 | offset for the block of
// that rank in the cluster. Generic addresses in these windows mean shared, local and parameter space.
inline constexpr std::uint32_t sharedRankShift = 24;
inline constexpr std::uint64_t sharedWindow = 0x0000'0100'0000'0000, sharedWindowBytes = 1ull << 32;
inline constexpr std::uint64_t localWindow = 0x0000'0200'0000'0000, localWindowBytes = 1ull << 32;
inline constexpr std::uint64_t parameterWindow = 0x0000'0300'0000'0000, parameterWindowBytes = 1ull << 20;

// Work that goes on beside the warps of a block (bulk copies): completed as late as is legal.
struct AsyncWork : Attachment {
  // Completes one operation; false when nothing is queued. Called when no warp can run, and at random moments.
  virtual bool advance() = 0;
  // The block has ended: what is still queued completes or faults.
  virtual std::optional<std::string> finish() { while (advance()) {} return {}; }
};

struct NamedBarrier {
  std::uint32_t arrived = 0;    // threads, in this phase
  std::uint32_t expected = 0;   // threads; 0: every live thread of the block (or cluster)
  std::uint32_t phase = 0;
  std::uint32_t count = 0;      // of barrier.red: threads whose predicate held
  std::uint32_t result[2] = {}, threads[2] = {};  // count and arrived of the two latest phases
};

// One launch, shared by its threads.
struct LaunchState {
  const Program* program;
  const LaunchRequest* request;
  const MemoryView* memory;
  const DeviceModel* device;
  std::vector<std::byte> parameters;
  std::uint64_t gridId = 0, seed = 0;
  std::uint64_t workspace = 0;            // where the blocks of a cooperative launch meet, else 0
  unsigned checks = 0;                    // Check bits, machine/checks.h
  Detail detail = Detail::none;
  LaunchRaces* races = nullptr;           // null unless the race check is on
  PageTable<CoherencePage>* coherence = nullptr;  // null unless the nc check is on
  GlobalProxies* proxies = nullptr;       // null unless the async check is on and the kernel has bulk copies
  std::atomic<bool> stopped{false};       // a fault: every warp ends soon
  std::mutex mutex;
  std::optional<Fault> fault;             // the first one
  Counters counters;                      // under mutex
};

struct Block {
  LaunchState* launch = nullptr;
  Dim3 index;                             // blockIdx
  std::uint32_t clusterRank = 0;          // in its cluster
  std::vector<Block*> cluster;            // all blocks of the cluster by rank, itself included
  std::byte* shared = nullptr;
  std::uint32_t sharedBytes = 0;          // static and dynamic
  RangeCache ranges;                      // global memory lately touched
  std::unique_ptr<BlockSectors> sectors;  // null unless they are counted
  std::vector<Warp> warps;
  std::uint32_t liveThreads = 0;
  NamedBarrier barriers[16];
  NamedBarrier ownClusterBarrier;         // used if this is the first block of its cluster
  NamedBarrier* clusterBarrier = nullptr; // shared by the cluster
  std::unique_ptr<AsyncWork> async;       // made by the first asynchronous instruction
  std::vector<std::unique_ptr<Attachment>> attachments;
  BlockChecks* checks = nullptr;          // null unless a check is on
  std::uint64_t random = 1;               // state of nextRandom
  Counters counters;

  // Host view of [address, address + bytes) of a .shared address, own or of the cluster; null when outside.
  std::byte* sharedAt(std::uint32_t address, std::uint32_t bytes) const;
  // Host view of a generic or .global address (not local, not parameters); null when outside.
  std::byte* at(std::uint64_t address, std::size_t bytes) const;
  std::uint32_t nextRandom();
  // Ends the launch with a report that names the kernel, this block, the thread and the instruction (null: none).
  void raise(int code, std::string message, const Instruction* i, std::uint32_t thread);
  std::string describeThread(std::uint32_t thread) const;  // "(3,0,0)"
  std::uint64_t number() const;           // in the grid, from 0
};

}  // namespace cnn::emu
