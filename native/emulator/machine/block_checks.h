// The checks of one block while it runs: values of shared memory, asynchronous operations in flight, races.
#pragma once

#include "machine/access.h"
#include "machine/block.h"
#include "machine/proxy_order.h"
#include "machine/race.h"

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
  void asyncBegin(std::uint32_t address, std::uint32_t bytes, bool writes, const char* what);
  void asyncEnd(std::uint32_t address, std::uint32_t bytes, bool writes);
  BlockRaces* races() { return races_.get(); }
  ProxyOrder* proxies() { return proxies_.get(); }  // null unless the async check is on
  unsigned enabled() const { return checks_; }

 private:
  struct InFlight {
    std::uint32_t begin, end;
    bool writes;
    const char* what;
  };
  void noteWrite(const Warp& warp, const Access& access);
  bool checkInitialised(Warp& warp, const Instruction* i, const Access& access);
  bool checkInFlight(Warp& warp, const Instruction* i, const Access& access);
  bool checkNonCoherent(Warp& warp, const Instruction* i, const Access& access);

  unsigned checks_;
  std::vector<std::uint8_t> initialised_;  // per byte of shared memory
  std::vector<InFlight> inFlight_;
  std::unique_ptr<BlockRaces> races_;
  std::unique_ptr<ProxyOrder> proxies_;
};

}  // namespace cnn::emu
