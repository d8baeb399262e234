#include "driver/driver.h"

#include "machine/counters.h"

#include <atomic>
#include <cstdlib>

namespace cnn::emu::driver {
namespace {

std::atomic<Driver*> theDriver{nullptr};

}  // namespace

Driver* Driver::instance() { return theDriver.load(std::memory_order_acquire); }

Driver& Driver::initialise() {
  static std::mutex once;
  const std::lock_guard lock(once);
  if (Driver* existing = instance()) return *existing;
  Driver* created = new Driver(Settings::fromEnvironment());
  theDriver.store(created, std::memory_order_release);
  std::atexit([] { Profile::instance().writeRequested(); });
  return *created;
}

Driver::Driver(Settings chosen)
    : settings(std::move(chosen)), memory(settings.model.totalMemory), lastActivity_(std::chrono::steady_clock::now()),
      random_(settings.seed) {
  defaultPool = std::make_shared<Pool>();
  defaultPool->isDefault = true;
  pools.add(defaultPool);
  currentPool = defaultPool;
  // Memory of graphs stays reserved until cuDeviceGraphMemTrim.
  graphPool = std::make_shared<Pool>();
  graphPool->isDefault = true;
  graphPool->releaseThreshold = UINT64_MAX;
  pools.add(graphPool);
}

}  // namespace cnn::emu::driver
