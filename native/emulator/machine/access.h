// A memory access of a warp as the checks and the counters see it.
#pragma once

#include "machine/instruction.h"
#include "machine/ordering.h"
#include "ptx/tree.h"

#include <cstdint>

namespace cnn::emu {

struct Warp;

// Strong accesses (.volatile, .relaxed, .acquire, .release) order threads, plain ones race.
// Those of an mbarrier are its own: to make one is to write, to use one is atomic.
enum class AccessKind : std::uint8_t { load, store, atomic, loadNonCoherent, strongLoad, strongStore, mbarrierInit, mbarrier };
inline bool isStore(AccessKind kind) { return kind == AccessKind::store || kind == AccessKind::strongStore || kind == AccessKind::mbarrierInit; }
inline bool isAtomic(AccessKind kind) { return kind == AccessKind::atomic || kind == AccessKind::mbarrier; }

struct Access {
  ptx::Space space;                  // global, shared, local (already told apart for generic addresses)
  AccessKind kind;
  unsigned bytes;                    // per lane
  std::uint32_t lanes;
  const std::uint64_t* addresses;    // per lane; .shared addresses for shared
  Scope scope = Scope::system;       // of an atomic or strong access
};

// Called after the bounds check and before the access when Warp::instrumented is set. False: it has faulted, and the
// handler must return null.
bool observe(Warp& warp, const Instruction* i, const Access& access);

}  // namespace cnn::emu
