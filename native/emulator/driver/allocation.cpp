// Device memory as the driver accounts for it: what is allocated, by whom, and what the pools keep in reserve.
#include "driver/driver.h"

#include "driver/pool.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace cnn::emu::driver {
namespace {

// Fresh memory holds whatever was there before. All ones is a NaN in every floating-point format, so a program that
// counts on zeros notices. Large allocations get it at both ends only, to stay cheap.
void poison(Memory& memory, std::uint64_t address, std::size_t bytes) {
  constexpr std::size_t most = 1 << 18;
  const std::size_t part = std::min(bytes, most);
  std::memset(memory.resolve(address, part), 0xff, part);
  if (bytes > most) std::memset(memory.resolve(address + bytes - part, part), 0xff, part);
}

}  // namespace

std::uint64_t Driver::allocate(std::size_t bytes, const char* label, Lock& lock) {
  const auto attempt = [&]() -> std::uint64_t {
    const std::size_t taken = memory.used() + reservedBytes();
    return bytes <= memory.total() && taken <= memory.total() - bytes ? memory.allocate(bytes, 256, label) : 0;
  };
  std::uint64_t address = attempt();
  if (!address) {
    trimPools(*this);
    address = attempt();
  }
  if (!address && captures.empty()) {
    // Queued frees may make room, as they would after a moment on a GPU.
    std::vector<std::shared_ptr<Context>> all;
    contexts.each([&](const Context& context) { all.push_back(contexts.find(context.handle)); });
    for (const auto& context : all) finishAll(*context, lock);
    trimPools(*this);
    address = attempt();
  }
  if (!address)
    driver::fail(CUDA_ERROR_OUT_OF_MEMORY, std::to_string(bytes) + " bytes asked for, " + std::to_string(memory.used()) + " of "
                                       + std::to_string(memory.total()) + " in use");
  poison(memory, address, bytes);
  return address;
}

Allocation& Driver::registerAllocation(std::uint64_t address, Allocation allocation) {
  allocation.id = nextId++;
  return allocations[address] = std::move(allocation);
}

const std::pair<const std::uint64_t, Allocation>* Driver::findAllocation(std::uint64_t address) const {
  auto found = allocations.upper_bound(address);
  if (found == allocations.begin()) return nullptr;
  --found;
  return address - found->first < std::max<std::size_t>(found->second.bytes, 1) ? &*found : nullptr;
}

void Driver::release(std::uint64_t address) {
  const auto found = allocations.find(address);
  if (found == allocations.end()) return;
  const Allocation allocation = std::move(found->second);
  allocations.erase(found);
  switch (allocation.source) {
    case Allocation::Source::host:
      memory.unmapHost(reinterpret_cast<void*>(address));
      std::free(reinterpret_cast<void*>(address));
      break;
    case Allocation::Source::registered:
      memory.unmapHost(reinterpret_cast<void*>(address));
      break;
    default:
      if (allocation.graphMemory) break;  // stays with the graph
      memory.free(address);
      orderedMemory.release(address);
      if (allocation.pool) returnToPool(*allocation.pool, allocation.bytes);
  }
}

std::size_t Driver::reservedBytes() const {
  std::size_t idle = 0;
  pools.each([&](const Pool& pool) { idle += pool.reserved - std::min(pool.reserved, pool.used); });
  return idle;
}

}  // namespace cnn::emu::driver
