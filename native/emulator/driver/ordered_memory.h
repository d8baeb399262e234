// Memory that is allocated and freed in stream order. For other streams it exists from where they are ordered behind the allocation
// to where the free is ordered behind them. What has used it is noted, so that a missing order is found in whichever order the
// work happens to run: by the use if the free is known by then, else by the free.
#pragma once

#include "driver/order.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cnn::emu::driver {

// What allocates, uses or frees memory: "its allocation on stream 0x..", "kernel `add` on stream 0x..".
struct Actor {
  std::string name;
  const When& when;
  const Clock& clock;
};

// Under the driver's lock. A problem is the end of a report that begins with the address.
class OrderedMemory {
 public:
  using Problem = std::optional<std::string>;

  // By the host: everything comes behind it.
  void allocate(std::uint64_t address, std::size_t bytes) { begin(address, bytes).state = State::everywhere; }
  void allocate(std::uint64_t address, std::size_t bytes, const Actor& actor);
  // For a node of a graph, which allocates it launch by launch.
  void reserve(std::uint64_t address, std::size_t bytes) { begin(address, bytes); }
  Problem allocateReserved(std::uint64_t address, const Actor& node);

  Problem use(std::uint64_t address, const Actor& user);
  Problem objection(std::uint64_t address, const Actor& user);
  Problem free(std::uint64_t address, const Actor& free);
  // The bytes are gone; what is known about them stays for a while, for reports.
  void release(std::uint64_t address);

 private:
  enum class State { reserved, everywhere, ordered, freed };
  struct Use {
    When when;
    std::string name;
  };
  struct Life {
    std::size_t bytes = 0;
    State state = State::reserved;
    bool released = false;
    When allocated;
    std::string allocator, freer;
    Clock beforeFree;
    std::vector<Use> uses;  // the latest of each chain
  };

  Life& begin(std::uint64_t address, std::size_t bytes);
  Life* find(std::uint64_t address);
  static void note(Life& life, const Actor& user);
  static Problem unorderedUse(const Life& life, const Actor& end);

  std::map<std::uint64_t, Life> lives_;  // by address
  std::deque<std::uint64_t> released_;   // oldest first
};

}  // namespace cnn::emu::driver
