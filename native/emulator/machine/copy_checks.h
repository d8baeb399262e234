// What bulk copies and wgmma do to memory, for the checks of races, values and non-coherent reads. All do nothing where the
// check is off; those that give false have found something, and the warp has faulted.
#pragma once

#include "machine/history.h"
#include "machine/instruction.h"

#include <cstdint>

namespace cnn::emu {

struct Block;
struct Warp;

// The instruction, and the lane that it works for; -1: the whole warp.
struct CopyIssue {
  Warp& warp;
  const Instruction* at;
  int lane;
  const char* what;
};

// Shared memory of the block by the offset in it.
bool copyReadsShared(const CopyIssue& issue, Block& owner, std::uint32_t offset, std::uint32_t bytes);
bool copyWritesShared(const CopyIssue& issue, Block& owner, std::uint32_t offset, std::uint32_t bytes, bool reduces);
bool copyReadsGlobal(const CopyIssue& issue, std::uint64_t address, std::uint32_t bytes);
bool copyWritesGlobal(const CopyIssue& issue, std::uint64_t address, std::uint32_t bytes, bool reduces);
// A product, whose operands are free again for all when one warp has waited for it: a read that is not kept in mind.
bool productReadsShared(const CopyIssue& issue, std::uint32_t offset, std::uint32_t bytes);
// Whether the bytes have a value; `known`: one flag per byte, null if nobody keeps them.
bool copiesValues(const CopyIssue& issue, Block& owner, std::uint32_t offset, std::uint32_t bytes);
bool copiesValues(const CopyIssue& issue, std::uint64_t address, std::uint32_t bytes, const std::uint8_t* known);

// What the warp knows as it has issued a copy, which it hands over when the copy completes on an mbarrier.
VectorClock copyIssued(Warp& warp);
void copyCompleted(Block& issuer, const VectorClock& issued, Block& owner, std::uint32_t mbarrier);

}  // namespace cnn::emu
