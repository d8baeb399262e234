// Where the shared side of an asynchronous copy lies, and how bytes come there together with their count on an mbarrier.
// Included by *.isa.cpp files only.
#pragma once

#include "machine/async_state.h"
#include "machine/bulk_copy.h"
#include "machine/checks.h"
#include "machine/copy_checks.h"
#include "machine/mbarrier.h"
#include "machine/operand_address.h"

#include <cstring>
#include <functional>
#include <string>
#include <utility>

namespace cnn::emu::CNN_ISA {

struct Place {
  Block* block = nullptr;
  std::uint32_t offset = 0;
};

// The block and offset a .shared address names; no block when it lies outside.
inline Place locate(Block& own, std::uint32_t address, std::uint32_t bytes) {
  const std::uint32_t rank = address >> sharedRankShift, offset = address & ((1u << sharedRankShift) - 1);
  if (rank > own.cluster.size()) return {};
  Block* block = rank == 0 ? &own : own.cluster[rank - 1];
  return {block->sharedAt(offset, bytes) ? block : nullptr, offset};
}

// Checks bounds and alignment. False: the warp has faulted.
inline bool placeShared(Warp& w, const Instruction* i, const char* name, const LaneAddress& operand, int lane, std::uint32_t bytes,
                        std::uint32_t alignment, Place& place) {
  const auto address = operand.shared(w, lane);
  if (!address) return outsideWindow(w, i, name, operand.generic(w, lane), lane), false;
  if (*address % alignment != 0) return misaligned(w, i, name, *address, alignment, lane), false;
  place = locate(*w.block, *address, bytes);
  return place.block || (outsideShared(w, i, name, *address, bytes, lane), false);
}

// What arrives in shared memory.
struct Delivery {
  std::uint32_t bytes, footprint;           // counted by the mbarrier; touched from the first byte on
  bool overwrites;                          // else it combines with what is there
  std::function<void(std::byte*)> write;    // to the host view of the destination
};

// Queues the delivery with the block that receives it; what it will overwrite is poison until then. False: the warp has
// faulted.
inline bool deliver(const CopyIssue& issue, const Place& to, const Place& barrier, Delivery delivery) {
  const bool instrumented = issue.warp.instrumented;
  if (instrumented && !copyWritesShared(issue, *to.block, to.offset, delivery.footprint, !delivery.overwrites)) return false;
  const VectorClock issued = instrumented ? copyIssued(issue.warp) : VectorClock{};
  std::byte* host = to.block->sharedAt(to.offset, delivery.footprint);
  std::byte* word = barrier.block->sharedAt(barrier.offset, 8);
  const bool checked = to.block->launch->checks && delivery.overwrites;
  if (delivery.overwrites) std::memset(host, poison, delivery.footprint);
  if (checked) asyncWriteBegin(*to.block, to.offset, delivery.footprint, issue.what);
  CopyEngine::of(*to.block).enqueue([issuer = issue.warp.block, issued, instrumented, barrier, to, host, word, checked, delivery = std::move(delivery)]() -> std::string {
    delivery.write(host);
    if (checked) {
      asyncWriteEnd(*to.block, to.offset, delivery.footprint);
      asyncInitialised(*to.block, to.offset, delivery.footprint);
      proxyWrote(*to.block, to.offset, delivery.footprint);
    }
    if (instrumented) copyCompleted(*issuer, issued, *barrier.block, barrier.offset);
    const auto error = changeMbarrier(word, [&](MbarrierWord& w) { return w.complete(std::int32_t(delivery.bytes)); });
    return error == MbarrierWord::Error::none ? "" : std::string("completion of a bulk copy: ") + describe(error);
  });
  return true;
}

}  // namespace cnn::emu::CNN_ISA
