// Memory pools: bookkeeping of what is in use and what is kept in reserve. Bytes come and go from the device memory
// itself, so that a use after free is seen even when a real pool would hand the same bytes out again.
#pragma once

#include "driver/call.h"

namespace cnn::emu::driver {

// A pool grows in steps of this many bytes.
constexpr std::size_t poolGranularity = std::size_t(2) << 20;

// Allocates from the pool and accounts for it; the address is not registered as an allocation. A pool of limited size
// waits for queued frees whose memory its attributes let this stream reuse.
std::uint64_t takeFromPool(Driver& driver, Pool& pool, std::size_t bytes, const Stream& stream, Lock& lock);
void returnToPool(Pool& pool, std::size_t bytes);
// What the emulator's pools can be, and who may use them.
void checkPoolProperties(Call& call, const CUmemPoolProps& properties);
void checkAccess(Call& call, const CUmemAccessDesc& access);
// Gives reserve above `keep` bytes back to the device.
void trimPool(Pool& pool, std::size_t keep);
void trimPools(Driver& driver);              // all of it, of every pool: the device runs out
void trimPoolsAfterWaiting(Driver& driver);  // what exceeds the release thresholds: somebody synchronised

}  // namespace cnn::emu::driver
