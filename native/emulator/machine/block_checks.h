// The checks of one block while it runs: values of shared memory, asynchronous operations in flight, races.
#pragma once

#include "machine/access.h"
#include "machine/block.h"
#include "machine/in_flight.h"
#include "machine/live_mbarriers.h"
#include "machine/non_coherent.h"
#include "machine/proxy_order.h"
#include "machine/race.h"
#include "machine/spans.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace cnn::emu {

class BlockChecks {
 public:
  BlockChecks(unsigned checks, const Block& block);
  void start(const Block& block);  // another block takes the place

  bool access(Warp& warp, const Instruction* i, const Access& access);

  void initialised(std::uint32_t address, std::uint32_t bytes);
  // Of these bytes of shared memory, with the init check.
  std::optional<std::uint32_t> firstWithoutValue(std::uint32_t address, std::uint32_t bytes) const;
  // A bulk copy writes global memory: false if the launch reads it by ld.global.nc, and then the warp has faulted.
  bool copyKeepsCoherence(Warp& warp, const Instruction* i, std::uint64_t address, std::uint32_t bytes);
  LiveMbarriers& mbarriers() { return mbarriers_; }
  InFlight& inFlight() { return inFlight_; }
  BlockRaces* races() { return races_.get(); }
  ProxyOrder* proxies() { return proxies_.get(); }  // null unless the async check is on
  unsigned enabled() const { return checks_; }

 private:
  void noteWrite(const Warp& warp, const Access& access, const Spans& spans);
  bool checkInitialised(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);
  bool checkLocal(Warp& warp, const Instruction* i, const Access& access);
  static std::uint8_t* flagsOf(Warp& warp, const Access& access, std::uint64_t address, std::uint32_t bytes);
  bool checkInFlight(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);
  bool checkMbarriers(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);
  bool checkNonCoherent(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);

  unsigned checks_;
  std::vector<std::uint8_t> initialised_;  // per byte of shared memory
  std::vector<std::uint8_t> local_;        // per byte of local memory, thread after thread
  InFlight inFlight_;
  LiveMbarriers mbarriers_;
  std::unique_ptr<BlockRaces> races_;
  std::unique_ptr<NonCoherentReads> nonCoherent_;
  std::unique_ptr<ProxyOrder> proxies_;
};

}  // namespace cnn::emu
