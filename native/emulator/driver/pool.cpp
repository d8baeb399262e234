#include "driver/pool.h"

#include <algorithm>

namespace cnn::emu::driver {
namespace {

std::size_t roundUp(std::size_t bytes, std::size_t step) { return (bytes + step - 1) / step * step; }

// Pools account in units of 512 bytes.
std::size_t accounted(std::size_t bytes) { return roundUp(std::max<std::size_t>(bytes, 1), 512); }

// A queued free in this stream makes room for it, one that the program has ordered before it if dependencies of events are
// followed, and any other one if the pool may make the stream wait for it.
bool mayReuse(const Driver& driver, const Pool& pool, const Operation& free, const Stream& stream) {
  if (free.when.own.chain == stream.chain || pool.reuse[CU_MEMPOOL_ATTR_REUSE_ALLOW_INTERNAL_DEPENDENCIES - 1]) return true;
  return pool.reuse[CU_MEMPOOL_ATTR_REUSE_FOLLOW_EVENT_DEPENDENCIES - 1] && driver.orderOf(stream).covers(free.when);
}

std::vector<OperationPtr> reusableFrees(const Driver& driver, const Pool& pool, const Stream& stream) {
  std::vector<OperationPtr> found;
  for (const auto& [sequence, operation] : stream.context->pending) {
    const auto* free = std::get_if<FreeWork>(&operation->work);
    if (!free || free->memory || driver.allocations.at(free->address).pool.get() != &pool) continue;
    if (mayReuse(driver, pool, *operation, stream)) found.push_back(operation);
  }
  return found;
}

void makeRoom(Driver& driver, const Pool& pool, std::size_t size, const Stream& stream, Lock& lock) {
  const auto full = [&] { return pool.maxSize && pool.used + size > pool.maxSize; };
  if (!full()) return;
  for (const OperationPtr& free : reusableFrees(driver, pool, stream))
    if (full()) driver.finish(free, lock);
}

}  // namespace

std::uint64_t takeFromPool(Driver& driver, Pool& pool, std::size_t bytes, const Stream& stream, Lock& lock) {
  const std::size_t size = accounted(bytes);
  makeRoom(driver, pool, size, stream, lock);
  if (pool.maxSize && pool.used + size > pool.maxSize) fail(CUDA_ERROR_OUT_OF_MEMORY, "the pool's maximum size is reached");
  // The reserve is about to serve this allocation: it must not count against it.
  const std::size_t before = pool.reserved;
  pool.reserved = std::max(pool.used, pool.reserved - std::min(pool.reserved - pool.used, size));
  std::uint64_t address;
  try {
    address = driver.allocate(bytes, "memory pool", lock);
  } catch (...) {
    pool.reserved = std::max(pool.used, std::min(pool.reserved, before));
    throw;
  }
  pool.used += size;
  pool.reserved = std::max({pool.reserved, before, roundUp(pool.used, poolGranularity)});
  const std::size_t free = driver.memory.total() - std::min(driver.memory.total(), driver.memory.used());
  pool.reserved = std::min(pool.reserved, pool.used + free);
  pool.usedHigh = std::max(pool.usedHigh, pool.used);
  pool.reservedHigh = std::max(pool.reservedHigh, pool.reserved);
  return address;
}

void checkPoolProperties(Call& call, const CUmemPoolProps& properties) {
  requireValue(properties.allocType == CU_MEM_ALLOCATION_TYPE_PINNED, "pools hold pinned device memory");
  requireValue(properties.location.type == CU_MEM_LOCATION_TYPE_DEVICE, "pools live on the device");
  call.requireDevice(properties.location.id);
  require(properties.handleTypes == 0, CUDA_ERROR_NOT_SUPPORTED, "the emulator does not share memory between processes");
}

void checkAccess(Call& call, const CUmemAccessDesc& access) {
  requireValue(access.location.type == CU_MEM_LOCATION_TYPE_DEVICE, "access is given to devices");
  call.requireDevice(access.location.id);
  requireValue(access.flags == CU_MEM_ACCESS_FLAGS_PROT_READWRITE, "a device keeps the access to its own pool");
}

void returnToPool(Pool& pool, std::size_t bytes) { pool.used -= accounted(bytes); }

void trimPool(Pool& pool, std::size_t keep) {
  const std::size_t needed = roundUp(pool.used, poolGranularity);
  pool.reserved = std::max(std::min(pool.reserved, needed), std::min<std::size_t>(pool.reserved, keep));
}

void trimPools(Driver& driver) {
  driver.pools.each([](Pool& pool) { pool.reserved = pool.used; });
}

void trimPoolsAfterWaiting(Driver& driver) {
  driver.pools.each([](Pool& pool) { trimPool(pool, pool.releaseThreshold); });
}

}  // namespace cnn::emu::driver
