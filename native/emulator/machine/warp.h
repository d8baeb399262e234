// A warp: its frame of registers, its lanes, and the groups of lanes that have gone different ways.
#pragma once

#include "machine/fault.h"
#include "machine/instruction.h"
#include "machine/memory.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace cnn::emu {

struct Block;

enum class Standing : std::uint8_t {
  ready,     // runs when its order is the lowest
  deferred,  // may run, but lets the others have their turn first (spins)
  blocked,   // its instruction has to be tried again after others have run
};

// Lanes that wait at an instruction while other lanes of the warp run.
struct Group {
  const Instruction* at;
  std::uint32_t lanes;
  std::uint32_t order;      // of the control-flow block: the lowest runs first
  Standing standing;
  bool retried = false;     // was blocked at this instruction before
};

// What the warp stopped for, when a handler returned null.
enum class Stop : std::uint8_t {
  exited,    // no lane left
  blocked,   // every group waits: try again
  idle,      // gave up the processor after a wait that failed; may go on
  yielded,   // gave up the processor after many back edges; may go on
  faulted,
};

// State that a family attaches to a warp or a block (cp.async groups, wgmma accumulators in flight).
struct Attachment {
  virtual ~Attachment() = default;
};

struct Warp {
  std::byte* frame = nullptr;
  std::uint32_t active = 0;          // lanes of the running group
  std::uint32_t parkedOrder = ~0u;   // lowest order among the ready groups that are parked
  std::uint64_t* blockCounts = nullptr;  // per control-flow block: lanes that entered, then warps that did
  Block* block = nullptr;
  std::uint32_t live = 0;            // lanes that have not exited
  std::uint32_t index = 0;           // in the block
  std::uint32_t spins = 0;           // back edges left before the running group lets others have their turn
  std::uint32_t carry = 0;           // per lane, see carry.isa.cpp
  std::uint32_t groupCount = 0;
  Stop stop = Stop::exited;
  bool progressed = false;           // something but a failed wait happened since the scheduler came by
  bool signalled = false;            // an mbarrier was changed since then: whoever waits for it may go on
  std::uint8_t instrumented = 0;     // checks or detailed counters watch memory accesses
  const Instruction* resumedAt = nullptr;  // where the running group was blocked before, until it enters another block
  const char* waitingFor = "";       // for the report of a deadlock
  Group groups[warpLanes];           // parked
  std::byte* local = nullptr;        // local memory: lane l at local + l * localStride
  std::size_t localStride = 0, localBytes = 0;
  std::uint32_t arrivedLanes = 0;    // wait at a barrier where they have been counted
  std::uint32_t ticket[warpLanes];   // per lowest lane of a group that has arrived: the phase it waits to end
  Attachment* tensor = nullptr;      // owned by the block, see Block::attach

  template <class T> T* lanes(std::uint32_t slot) const { return reinterpret_cast<T*>(frame + slot); }
  std::uint32_t& predicate(std::uint32_t slot) const { return *reinterpret_cast<std::uint32_t*>(frame + slot); }
  // Active lanes whose guard holds.
  std::uint32_t mask(const Instruction* i) const { return active & (predicate(i->guard) ^ i->flip); }

  // Something was asked for in vain: half of the back edges that were left remain.
  void shortenTurn() { spins = (spins + 1) / 2; }

  // ---- how a handler stops; each is used as `return warp.wait(...)` -------------------------------------------
  // The lanes cannot go on yet: the same instruction is tried again after others have run. Nothing may have changed.
  const Instruction* wait(const Instruction* i, const char* waitingFor);
  // A wait with a result has failed (mbarrier.try_wait): go on with the next instruction, after others have run.
  const Instruction* idle(const Instruction* i, const char* waitingFor);
  // Ends the launch. `lane` is the lane to name in the report, or -1 for the first active one.
  const Instruction* fault(const Instruction* i, int code, std::string message, int lane = -1);
  // For collectives: true when all live lanes of `members` are active now. Otherwise returns false, and the handler must
  // `return warp.await(i, members)`: lanes that arrive later at the same instruction join; if they never do, it faults.
  bool gathered(std::uint32_t members) const { return (members & live & ~active) == 0; }
  const Instruction* await(const Instruction* i, std::uint32_t members);

  // ---- control flow ------------------------------------------------------------------------------------------
  // The head of a block while other lanes are parked: joins those parked here, or lets an earlier block run first.
  const Instruction* arrive(const Instruction* head);
  // Parks lanes of the running group at another instruction; they stay active until the caller clears them.
  void park(const Instruction* at, std::uint32_t lanes, Standing standing);
  // After a branch that split the group has parked all its lanes: runs the group whose turn it is.
  const Instruction* diverged();
  // After many back edges.
  const Instruction* yield(const Instruction* at);
  // The lanes are gone. Goes on at `following` with the rest.
  const Instruction* exit(const Instruction* following, std::uint32_t lanes);

  // Runs until the warp stops; the scheduler's entry.
  Stop run();

 private:
  std::uint32_t orderAt(const Instruction* at) const;
  const Instruction* take();   // makes the ready group with the lowest order the running one; null if there is none
  void resetSpins();
  void joinAt(const Instruction* at);
};

}  // namespace cnn::emu
