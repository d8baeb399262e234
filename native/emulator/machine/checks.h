// The checks that cost time, chosen by CNN_EMULATOR_CHECK=race,init,async,nc or all.
#pragma once

#include "machine/access.h"
#include "machine/ordering.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace cnn::emu {

struct Block;
struct Warp;

enum Check : unsigned { checkRace = 1, checkInit = 2, checkAsync = 4, checkNc = 8, checkAll = 15 };

// The checks asked for by the environment, or by setChecks. An unknown word is reported on stderr and ends the process,
// because a check that silently does not run is worse than none.
unsigned requestedChecks();
void setChecks(unsigned checks);

// ---- for asynchronous families; all do nothing unless checkAsync is on -----------------------------------------
// [address, address + bytes) of shared memory (a .shared address of this block) is being written by an asynchronous
// operation: any access by a thread before asyncWriteEnd is a fault. `what` names the operation in the report.
void asyncWriteBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what);
void asyncWriteEnd(Block& block, std::uint32_t address, std::uint32_t bytes);
// It is being read by one (wgmma operand, bulk store): a write by a thread before asyncReadEnd is a fault.
void asyncReadBegin(Block& block, std::uint32_t address, std::uint32_t bytes, const char* what);
void asyncReadEnd(Block& block, std::uint32_t address, std::uint32_t bytes);
// The mbarrier there is no more.
void mbarrierEnds(Block& block, std::uint32_t address);
// An asynchronous write has given the bytes a value (for the init check), an asynchronous operation reads them now.
void asyncInitialised(Block& block, std::uint32_t address, std::uint32_t bytes);

// The order between threads and the asynchronous proxy, proxy_order.h and global_proxies.h; .shared addresses of this block.
// A thread has written by other means than an observed store; the proxy has written; fence.proxy.async; the proxy is about to
// read for a thread of this warp: false if it might not see what threads have written, and then the warp has faulted.
void threadWrote(Block& block, std::uint32_t warp, std::uint32_t address, std::uint32_t bytes);
void proxyWrote(Block& block, std::uint32_t address, std::uint32_t bytes);
void proxyFenceShared(Warp& warp);
bool proxyReads(Warp& warp, const Instruction* i, std::uint32_t address, std::uint32_t bytes, const char* what, int lane);
void proxyWroteGlobal(Block& block, std::uint64_t address, std::uint32_t bytes);
void proxyFenceGlobal(Warp& warp);
bool proxyReadsGlobal(Warp& warp, const Instruction* i, std::uint64_t address, std::uint32_t bytes, const char* what, int lane);

// ---- for whatever synchronises, so that the race check knows ------------------------------------------------------
// All do nothing unless checkRace or checkAsync is on.
// The warp hands its past over through `key` (an mbarrier's address, a barrier's number), or takes over what others have
// handed over; and the same to and from other blocks of its cluster.
void syncRelease(Warp& warp, std::uint64_t key);
void syncAcquire(Warp& warp, std::uint64_t key);
void clusterRelease(Warp& warp, std::uint64_t key);
void clusterAcquire(Warp& warp, std::uint64_t key);
// An atomic or strong write, before it is made, and read, after it has been. Other threads of the launch may see its
// effect as soon as it has one.
void strongRelease(Warp& warp, std::uint64_t key, Ordering ordering);
void strongAcquire(Warp& warp, std::uint64_t key, Ordering ordering);
void threadFence(Warp& warp, Ordering ordering);
// The lanes of the warp have met (bar.warp.sync, shfl.sync, ...).
void syncWarp(Warp& warp);

// A barrier of a block as a key: apart from all addresses.
inline std::uint64_t barrierKey(std::uint32_t number, std::uint32_t phase) { return std::uint64_t(1) << 63 | std::uint64_t(phase) << 4 | number; }

}  // namespace cnn::emu
