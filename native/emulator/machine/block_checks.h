// The checks of one block while it runs: values of shared memory, asynchronous operations in flight, races.
#pragma once

#include "machine/access.h"
#include "machine/block.h"
#include "machine/in_flight.h"
#include "machine/non_coherent.h"
#include "machine/proxy_order.h"
#include "machine/race.h"
#include "machine/spans.h"
#include "machine/warpgroup_order.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace cnn::emu {

class BlockChecks {
 public:
  BlockChecks(unsigned checks, const Block& block);
  void start(const Block& block);  // another block takes the place

  bool access(Warp& warp, const Instruction* i, const Access& access);

  void initialised(std::uint32_t address, std::uint32_t bytes);
  InFlight& inFlight() { return inFlight_; }
  BlockRaces* races() { return races_.get(); }
  ProxyOrder* proxies() { return proxies_.get(); }  // null unless the async check is on
  WarpgroupOrder& warpgroups() { return warpgroups_; }
  // All warps of the block have ended: false if that shows a fault, which has been raised.
  bool finish(Block& block) const;
  unsigned enabled() const { return checks_; }

 private:
  void noteWrite(const Warp& warp, const Access& access, const Spans& spans);
  bool checkInitialised(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);
  static std::uint8_t* flagsOf(Warp& warp, const Access& access, std::uint64_t address, std::uint32_t bytes);
  bool checkInFlight(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);
  bool checkNonCoherent(Warp& warp, const Instruction* i, const Access& access, const Spans& spans);

  unsigned checks_;
  std::vector<std::uint8_t> initialised_;  // per byte of shared memory
  InFlight inFlight_;
  std::unique_ptr<BlockRaces> races_;
  std::unique_ptr<NonCoherentReads> nonCoherent_;
  std::unique_ptr<ProxyOrder> proxies_;
  WarpgroupOrder warpgroups_;
};

}  // namespace cnn::emu
