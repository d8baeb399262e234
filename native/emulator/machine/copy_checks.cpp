#include "machine/copy_checks.h"

#include "machine/block_checks.h"

#include <cstdio>
#include <cstring>

namespace cnn::emu {
namespace {

using Touch = BlockRaces::Touch;

BlockRaces* racesOf(const Block& block) { return block.checks ? block.checks->races() : nullptr; }

bool touches(const CopyIssue& issue, const Block* owner, std::uint64_t address, std::uint32_t bytes, Touch touch, const char* kind, bool kept = true) {
  BlockRaces* races = racesOf(*issue.warp.block);
  if (!races || bytes == 0) return true;
  const auto race = races->copy(issue.warp, issue.at, issue.lane, {owner ? racesOf(*owner) : nullptr, address, bytes}, touch, kept);
  if (!race) return true;
  issue.warp.fault(issue.at, statusLaunchFailed, std::string("race: the ") + kind + " of " + (owner ? "shared" : "global") + " memory by " + issue.what +
                                                     " is not ordered with " + race->with, issue.lane);
  return false;
}

bool noValue(const CopyIssue& issue, const char* space, std::uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  issue.warp.fault(issue.at, statusLaunchFailed, std::string("uninitialised: ") + issue.what + " reads " + space + " memory at " + text +
                                                     ", which nothing has written", issue.lane);
  return false;
}

}  // namespace

bool copyReadsShared(const CopyIssue& issue, Block& owner, std::uint32_t offset, std::uint32_t bytes) {
  return touches(issue, &owner, offset, bytes, Touch::read, "read");
}
bool copyWritesShared(const CopyIssue& issue, Block& owner, std::uint32_t offset, std::uint32_t bytes, bool reduces) {
  return touches(issue, &owner, offset, bytes, reduces ? Touch::strongWrite : Touch::write, "write");
}
bool copyReadsGlobal(const CopyIssue& issue, std::uint64_t address, std::uint32_t bytes) {
  return touches(issue, nullptr, address, bytes, Touch::read, "read");
}
bool copyWritesGlobal(const CopyIssue& issue, std::uint64_t address, std::uint32_t bytes, bool reduces) {
  BlockChecks* checks = issue.warp.block->checks;
  if (checks && !checks->copyKeepsCoherence(issue.warp, issue.at, address, bytes)) return false;
  return touches(issue, nullptr, address, bytes, reduces ? Touch::strongWrite : Touch::write, "write");
}
bool productReadsShared(const CopyIssue& issue, std::uint32_t offset, std::uint32_t bytes) {
  return touches(issue, issue.warp.block, offset, bytes, Touch::read, "read", false);
}

bool copiesValues(const CopyIssue& issue, Block& owner, std::uint32_t offset, std::uint32_t bytes) {
  if (!owner.checks) return true;
  const auto missing = owner.checks->firstWithoutValue(offset, bytes);
  return !missing || noValue(issue, "shared", *missing);
}
bool copiesValues(const CopyIssue& issue, std::uint64_t address, std::uint32_t bytes, const std::uint8_t* known) {
  const void* missing = known ? std::memchr(known, 0, bytes) : nullptr;
  return !missing || noValue(issue, "global", address + std::uint64_t(static_cast<const std::uint8_t*>(missing) - known));
}

VectorClock copyIssued(Warp& warp) {
  BlockRaces* races = racesOf(*warp.block);
  return races ? races->handOver(warp) : VectorClock{};
}

void copyCompleted(Block& issuer, const VectorClock& issued, Block& owner, std::uint32_t mbarrier) {
  if (BlockRaces* races = racesOf(issuer)) races->complete(issued, *racesOf(owner), mbarrier);
}

}  // namespace cnn::emu
