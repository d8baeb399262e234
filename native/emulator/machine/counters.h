// What kernels did, summed over the launches of one kernel name: counts of lanes (threads), not of warps, unless said.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::emu {

// The class of an instruction, for counting.
enum class Class : std::uint8_t {
  integer, floating, half, conversion, move, control, globalLoad, globalStore, sharedLoad, sharedStore, otherMemory,
  atomic, warp, barrier, tensor, async, special, count
};
std::string_view name(Class c);

// What is counted of memory accesses: nothing; sectors and wavefronts of each request; and the distinct sectors of a block.
enum class Detail : std::uint8_t { none, requests, blocks };

struct Counters {
  std::uint64_t launches = 0, blocks = 0, warps = 0, threads = 0;
  std::uint64_t nanoseconds = 0;
  std::uint64_t instructions[std::size_t(Class::count)] = {};      // executed by threads
  std::uint64_t warpInstructions = 0;                              // issued by warps
  std::uint64_t flops = 0;                                         // a fused multiply-add is two
  std::uint64_t barriers = 0;                                      // block-wide, per block
  std::uint64_t branches = 0, divergentBranches = 0;               // per warp
  // From Detail::requests on.
  std::uint64_t globalLoadRequests = 0, globalLoadSectors = 0, globalLoadBytes = 0;   // per warp instruction
  std::uint64_t globalStoreRequests = 0, globalStoreSectors = 0, globalStoreBytes = 0;
  std::uint64_t globalAtomicRequests = 0, globalAtomicSectors = 0;
  std::uint64_t sharedLoadRequests = 0, sharedLoadWavefronts = 0, sharedLoadBytes = 0;
  std::uint64_t sharedStoreRequests = 0, sharedStoreWavefronts = 0, sharedStoreBytes = 0;
  std::uint64_t sharedIdealWavefronts = 0;                         // what the same accesses need without bank conflicts
  std::uint64_t maxSharedConflict = 0;                             // most wavefronts of one request for one it needs at least
  std::uint64_t widestGlobalAccess = 0, widestSharedAccess = 0;    // bytes per thread
  // From Detail::blocks on: distinct sectors of each block, summed over the blocks. Bulk copies pass L1 by and count as often as they ask.
  std::uint64_t globalLoadBlockSectors = 0, globalStoreBlockSectors = 0;
  void add(const Counters& other);
};

// Process-wide record of the launches. Thread safe.
class Profile {
 public:
  static Profile& instance();
  Detail detail() const;
  void setDetail(Detail detail);
  void record(std::string_view kernel, const Counters& counters);
  bool find(std::string_view kernel, Counters& found) const;
  std::vector<std::string> kernels() const;
  void reset();
  std::string table() const;
  std::string json() const;
  // Writes what CNN_EMULATOR_PROFILE asks for (json:FILE, table on stderr); the driver calls it at exit.
  void writeRequested() const;

 private:
  Profile();
  struct State;
  State& state() const;
};

}  // namespace cnn::emu
