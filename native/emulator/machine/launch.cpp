#include "machine/launch.h"

#include "machine/checks.h"
#include "machine/environment.h"
#include "machine/global_proxies.h"
#include "machine/program.h"
#include "machine/non_coherent.h"
#include "machine/race.h"
#include "machine/scheduler.h"
#include "machine/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <numeric>
#include <thread>

namespace cnn::emu {
namespace {

std::string text(const Dim3& d) {
  return "(" + std::to_string(d.x) + "," + std::to_string(d.y) + "," + std::to_string(d.z) + ")";
}

std::optional<Fault> refuse(int code, const Function& function, const std::string& message) {
  return Fault{code, "launch of `" + function.name + "`: " + message};
}

std::optional<Fault> checkShape(const LaunchRequest& r, const DeviceModel& device) {
  const Function& f = *r.function;
  const unsigned block[3] = {r.block.x, r.block.y, r.block.z}, grid[3] = {r.grid.x, r.grid.y, r.grid.z};
  for (int i = 0; i < 3; ++i) {
    if (block[i] == 0 || block[i] > device.maxBlock[i])
      return refuse(statusInvalidValue, f, "block " + text(r.block) + " is empty or larger than the device allows");
    if (grid[i] == 0 || grid[i] > device.maxGrid[i])
      return refuse(statusInvalidValue, f, "grid " + text(r.grid) + " is empty or larger than the device allows");
  }
  const std::uint64_t threads = r.block.count();
  if (threads > std::uint64_t(device.threadsPerBlock))
    return refuse(statusInvalidValue, f, "block " + text(r.block) + " has more than " + std::to_string(device.threadsPerBlock) + " threads");
  if (f.requiredThreads[0] && (block[0] != f.requiredThreads[0] || block[1] != f.requiredThreads[1] || block[2] != f.requiredThreads[2]))
    return refuse(statusInvalidValue, f, "block " + text(r.block) + " is not what .reqntid requires");
  if (f.maxThreads[0] && threads > std::uint64_t(f.maxThreads[0]) * f.maxThreads[1] * f.maxThreads[2])
    return refuse(statusInvalidValue, f, "block " + text(r.block) + " has more threads than .maxntid allows");
  if (threads * std::uint64_t(f.registers) > std::uint64_t(device.registersPerBlock))
    return refuse(statusLaunchOutOfResources, f, "too many registers for " + std::to_string(threads) + " threads");
  return {};
}

std::optional<Fault> checkMemory(const LaunchRequest& r, const DeviceModel& device) {
  const Function& f = *r.function;
  const std::size_t allowed = std::max(f.maxDynamicShared, device.sharedPerBlock - std::min(f.staticShared, device.sharedPerBlock));
  if (r.dynamicShared > allowed)
    return refuse(statusInvalidValue, f, std::to_string(r.dynamicShared) + " bytes of dynamic shared memory, allowed are " +
                                             std::to_string(allowed) + " (see MAX_DYNAMIC_SHARED_SIZE_BYTES)");
  if (f.staticShared + r.dynamicShared > device.sharedPerBlockOptin)
    return refuse(statusInvalidValue, f, std::to_string(f.staticShared + r.dynamicShared) + " bytes of shared memory, the device has " +
                                             std::to_string(device.sharedPerBlockOptin));
  if (r.parameters.size() != f.parameterBytes)
    return refuse(statusInvalidValue, f, std::to_string(r.parameters.size()) + " bytes of parameters given, it takes " + std::to_string(f.parameterBytes));
  return {};
}

std::uint64_t residentLimit(const LaunchRequest& r, const DeviceModel& device) {
  const Function& f = *r.function;
  const std::uint64_t threads = (r.block.count() + warpLanes - 1) / warpLanes * warpLanes;
  const std::uint64_t shared = f.staticShared + r.dynamicShared + device.sharedReservedPerBlock;
  const std::uint64_t perMultiprocessor =
      std::min({std::uint64_t(device.blocksPerMultiprocessor), std::uint64_t(device.threadsPerMultiprocessor) / threads,
                std::uint64_t(device.registersPerMultiprocessor) / (threads * std::uint64_t(f.registers)),
                std::uint64_t(device.sharedPerMultiprocessor) / shared});
  return perMultiprocessor * std::uint64_t(device.multiprocessors);
}

std::optional<Fault> checkGroups(const LaunchRequest& r, const DeviceModel& device) {
  const Function& f = *r.function;
  const unsigned* wanted = f.requiredCluster;
  if (wanted[0] && (r.cluster.x != wanted[0] || r.cluster.y != wanted[1] || r.cluster.z != wanted[2]))
    return refuse(statusInvalidValue, f, "cluster " + text(r.cluster) + " is not what .reqnctapercluster requires");
  const std::uint64_t blocks = r.cluster.count();
  if (blocks == 0 || r.grid.x % r.cluster.x || r.grid.y % r.cluster.y || r.grid.z % r.cluster.z)
    return refuse(statusInvalidValue, f, "grid " + text(r.grid) + " is not a multiple of the cluster " + text(r.cluster));
  const std::uint64_t most = f.nonPortableClusterAllowed && device.maxClusterBlocks ? 16 : std::uint64_t(std::max(device.maxClusterBlocks, 1));
  if (blocks > most) return refuse(statusInvalidValue, f, "cluster " + text(r.cluster) + " has more than " + std::to_string(most) + " blocks");
  if (r.cooperative && r.grid.count() > residentLimit(r, device))
    return refuse(statusCooperativeLaunchTooLarge, f, "grid " + text(r.grid) + " cannot be resident at once");
  return {};
}

// The order in which clusters start: a seeded stride through all of them.
class ClusterOrder {
 public:
  ClusterOrder(std::uint64_t count, std::uint64_t seed) : count_(count) {
    if (seed == 0 || count < 2) return;
    start_ = seed * 0x9e3779b97f4a7c15ull % count;
    stride_ = 1 + seed * 0xbf58476d1ce4e5b9ull % (count - 1);
    while (std::gcd(stride_, count) != 1) ++stride_;
  }
  std::uint64_t operator[](std::uint64_t i) const {
    return std::uint64_t((start_ + static_cast<unsigned __int128>(i) * stride_) % count_);
  }

 private:
  std::uint64_t count_, start_ = 0, stride_ = 1;
};

// Where the blocks of a cooperative grid meet: its size in bytes, then the word of its barrier, which begins as zero. The layout is
// that of the cooperative groups of CUDA (grid_group::sync), which find it by %envreg1 and 2.
class GridWorkspace {
 public:
  GridWorkspace(Memory& memory, bool wanted) : memory_(memory), wanted_(wanted) {
    if (!wanted) return;
    constexpr std::uint32_t words[4] = {16};
    address_ = memory.allocate(sizeof words, 256, "the workspace of a cooperative grid");
    if (address_) memory.copyIn(address_, words, sizeof words);
  }
  ~GridWorkspace() {
    if (address_) memory_.free(address_);
  }
  GridWorkspace(const GridWorkspace&) = delete;
  GridWorkspace& operator=(const GridWorkspace&) = delete;

  bool missing() const { return wanted_ && address_ == 0; }
  std::uint64_t address() const { return address_; }

 private:
  Memory& memory_;
  bool wanted_;
  std::uint64_t address_ = 0;
};

// One launch over its threads.
class Launch {
 public:
  Launch(const LaunchRequest& request, Memory& memory, const DeviceModel& device) : request_(request), view_(memory, request.admission), workspace_(memory, request.cooperative) {
    static std::atomic<std::uint64_t> grids{0};
    state_.program = &request.function->program();
    state_.request = &request;
    state_.memory = &view_;
    state_.device = &device;
    state_.parameters.assign(request.parameters.begin(), request.parameters.end());
    state_.gridId = ++grids;
    state_.seed = environmentNumber("CNN_EMULATOR_SEED", 0);
    state_.checks = requestedChecks();
    if (state_.checks & checkRace) races_ = std::make_unique<LaunchRaces>();
    if (state_.checks & checkNc) coherence_ = std::make_unique<PageTable<CoherencePage>>();
    if (state_.checks & checkAsync && state_.program->copiesFromGlobal) proxies_ = std::make_unique<GlobalProxies>();
    state_.races = races_.get();
    state_.proxies = proxies_.get();
    state_.coherence = coherence_.get();
    state_.detail = Profile::instance().detail();
    perCluster_ = request.cluster.count();
    clusters_ = request.grid.count() / perCluster_;
  }

  std::optional<Fault> run() {
    if (workspace_.missing()) return Fault{statusOutOfMemory, "no device memory is left for the workspace of a cooperative grid"};
    state_.workspace = workspace_.address();
    const auto begin = std::chrono::steady_clock::now();
    const ClusterOrder order(clusters_, state_.seed);
    const auto threads = int(std::min<std::uint64_t>(clusters_, std::uint64_t(launchThreads())));
    runParallel(threads, [&](int thread) { work(order, thread, threads); });
    const auto elapsed = std::chrono::steady_clock::now() - begin;
    state_.counters.launches = 1;
    state_.counters.nanoseconds = std::uint64_t(std::chrono::nanoseconds(elapsed).count());
    Profile::instance().record(state_.program->name, state_.counters);
    return std::move(state_.fault);
  }

 private:
  void work(const ClusterOrder& order, int thread, int threads) {
    std::vector<std::uint64_t> blockCounts(2 * state_.program->blocks.size());
    Counters counters;
    if (request_.cooperative) {
      std::vector<std::unique_ptr<ResidentBlock>> places;
      for (std::uint64_t c = std::uint64_t(thread); c < clusters_; c += std::uint64_t(threads)) addCluster(places, order[c], blockCounts);
      runPlaces(places, counters);
    } else {
      std::vector<std::unique_ptr<ResidentBlock>> places;
      for (std::uint64_t c; (c = next_.fetch_add(1, std::memory_order_relaxed)) < clusters_;) {
        if (state_.stopped.load(std::memory_order_relaxed)) break;
        if (places.empty()) addCluster(places, order[c], blockCounts);
        else startCluster(places, 0, order[c]);
        runPlaces(places, counters);
      }
    }
    addStatic(counters, blockCounts);
    const std::lock_guard lock(state_.mutex);
    state_.counters.add(counters);
  }

  void addCluster(std::vector<std::unique_ptr<ResidentBlock>>& places, std::uint64_t cluster, std::vector<std::uint64_t>& counts) {
    const std::size_t first = places.size();
    for (std::uint64_t i = 0; i < perCluster_; ++i) places.push_back(std::make_unique<ResidentBlock>(state_, counts.data()));
    startCluster(places, first, cluster);
  }

  void startCluster(std::vector<std::unique_ptr<ResidentBlock>>& places, std::size_t first, std::uint64_t cluster) {
    const Dim3 &g = request_.grid, &c = request_.cluster;
    const std::uint64_t across = g.x / c.x, down = g.y / c.y;
    const std::uint64_t cx = cluster % across, cy = cluster / across % down, cz = cluster / across / down;
    std::vector<Block*> members;
    for (std::uint64_t i = 0; i < perCluster_; ++i) {
      const std::uint64_t x = cx * c.x + i % c.x, y = cy * c.y + i / c.x % c.y, z = cz * c.z + i / c.x / c.y;
      places[first + i]->start(x + g.x * (y + g.y * z));
      members.push_back(&places[first + i]->block());
    }
    clusterBarriers(members);
    for (Block* block : members) block->cluster = members;
  }

  // The barrier of a cluster lives in its first block.
  static void clusterBarriers(const std::vector<Block*>& members) {
    members[0]->ownClusterBarrier = {};
    for (Block* block : members) block->clusterBarrier = &members[0]->ownClusterBarrier;
  }

  void runPlaces(const std::vector<std::unique_ptr<ResidentBlock>>& places, Counters& counters) {
    std::vector<ResidentBlock*> blocks;
    for (const auto& place : places) blocks.push_back(place.get());
    runResident(state_, blocks);
    for (ResidentBlock* place : blocks) {
      counters.add(place->block().counters);
      place->block().counters = {};
      ++counters.blocks;
      counters.warps += place->block().warps.size();
      counters.threads += request_.block.count();
    }
  }

  // Execution counts of control-flow blocks times what stands in them.
  void addStatic(Counters& counters, const std::vector<std::uint64_t>& blockCounts) const {
    for (std::size_t b = 0; b < state_.program->blocks.size(); ++b) {
      const BlockMix& mix = state_.program->blocks[b];
      for (std::size_t c = 0; c < mix.instructions.size(); ++c) {
        counters.instructions[c] += blockCounts[2 * b] * mix.instructions[c];
        counters.warpInstructions += blockCounts[2 * b + 1] * mix.instructions[c];
      }
      counters.flops += blockCounts[2 * b] * mix.flops;
    }
  }

  const LaunchRequest& request_;
  const MemoryView view_;
  const GridWorkspace workspace_;
  LaunchState state_;
  std::unique_ptr<LaunchRaces> races_;
  std::unique_ptr<GlobalProxies> proxies_;
  std::unique_ptr<PageTable<CoherencePage>> coherence_;
  std::uint64_t perCluster_ = 1, clusters_ = 0;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace

int launchThreads() {
  static const int threads = int(std::max<std::uint64_t>(
      1, environmentNumber("CNN_EMULATOR_THREADS", std::max(1u, std::thread::hardware_concurrency()))));
  return threads;
}

std::optional<Fault> launch(const LaunchRequest& request, Memory& memory, const DeviceModel& device) {
  if (auto fault = checkShape(request, device)) return fault;
  if (auto fault = checkMemory(request, device)) return fault;
  if (auto fault = checkGroups(request, device)) return fault;
  return Launch(request, memory, device).run();
}

}  // namespace cnn::emu
