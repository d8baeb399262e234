// What the blocks of a launch have made known to each other, for the race check.
#pragma once

#include "machine/history.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace cnn::emu {

// A block publishes moments of its warps by a write that releases them, or that follows a fence. Another block knows of them
// if it acquires at a later time, whatever it reads: places are not told apart, so that no correct program is blamed.
class Publications {
 public:
  // Times of the launch, a new one for each call.
  std::uint64_t now() { return ++time_; }
  void publish(std::uint32_t block, Reach reach, const VectorClock& moments);
  // Whether the block had published this moment of its warp before the time.
  bool covers(std::uint32_t block, Reach reach, unsigned warp, std::uint32_t moment, std::uint64_t time);

 private:
  struct Publication {
    std::uint64_t time;
    VectorClock moments;  // with those of all earlier ones
  };
  std::atomic<std::uint64_t> time_{0};
  std::mutex mutex_;
  std::unordered_map<std::uint32_t, std::array<std::vector<Publication>, reaches.size()>> blocks_;
};

}  // namespace cnn::emu
