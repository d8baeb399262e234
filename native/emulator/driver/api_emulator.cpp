// cnnEmulator*: what tests need beside the CUDA driver API
#include "driver/call.h"
#include "driver/cnn_emulator.h"
#include "machine/counters.h"

#include <algorithm>
#include <cstring>

using namespace cnn::emu;
using namespace cnn::emu::driver;

#define CNN_EXPORT_C extern "C" __attribute__((visibility("default")))

namespace {

std::size_t give(const std::string& text, char* to, std::size_t size) {
  if (to && size > 0) {
    const std::size_t length = std::min(text.size(), size - 1);
    std::memcpy(to, text.data(), length);
    to[length] = 0;
  }
  return text.size();
}

template <class Table>
std::uint64_t count(const Table& table) {
  std::uint64_t result = 0;
  table.each([&](const auto&) { ++result; });
  return result;
}

cnnEmulatorCounters exported(const Counters& c) {
  const auto n = [&](Class which) { return c.instructions[std::size_t(which)]; };
  return {c.launches, c.blocks, c.warps, c.threads,
          n(Class::integer), n(Class::floating), n(Class::half), n(Class::conversion), n(Class::move), n(Class::control),
          n(Class::globalLoad), n(Class::globalStore), n(Class::sharedLoad), n(Class::sharedStore), n(Class::otherMemory),
          n(Class::atomic), n(Class::warp), n(Class::barrier), n(Class::tensor), n(Class::async), n(Class::special),
          c.warpInstructions, c.flops, c.barriers, c.branches, c.divergentBranches,
          c.globalLoadRequests, c.globalLoadSectors, c.globalLoadBytes,
          c.globalStoreRequests, c.globalStoreSectors, c.globalStoreBytes,
          c.globalAtomicRequests, c.globalAtomicSectors,
          c.sharedLoadRequests, c.sharedLoadWavefronts, c.sharedLoadBytes,
          c.sharedStoreRequests, c.sharedStoreWavefronts, c.sharedStoreBytes,
          c.sharedIdealWavefronts, c.maxSharedConflict, c.widestGlobalAccess, c.widestSharedAccess,
          c.globalLoadBlockSectors, c.globalStoreBlockSectors};
}

}  // namespace

CNN_EXPORT_C void cnnEmulatorFailCall(uint64_t number, int code) { failCall(number, CUresult(code)); }
CNN_EXPORT_C uint64_t cnnEmulatorFailFunction(const char* function, uint64_t number, int code) { return failFunction(function, number, CUresult(code)); }
CNN_EXPORT_C uint64_t cnnEmulatorCallCount() { return callCount(); }
CNN_EXPORT_C size_t cnnEmulatorLastMessage(char* text, size_t size) { return give(threadState().message, text, size); }

CNN_EXPORT_C size_t cnnEmulatorLastReport(char* text, size_t size) {
  Driver* driver = Driver::instance();
  if (!driver) return give("", text, size);
  const Lock lock(driver->mutex);
  return give(driver->lastReport, text, size);
}

CNN_EXPORT_C int cnnEmulatorLiveObjects(cnnEmulatorObjects* out) {
  return guarded("cnnEmulatorLiveObjects", [&] {
    requirePointers(out);
    *out = {};
    Driver* driver = Driver::instance();
    if (!driver) return;
    const Lock lock(driver->mutex);
    *out = {count(driver->contexts), count(driver->modules), count(driver->libraries), count(driver->streams), count(driver->events),
            count(driver->graphs), count(driver->graphExecs), count(driver->pools), 0, 0, 0, 0, 0};
    for (const auto& [address, allocation] : driver->allocations) {
      const bool host = allocation.source >= Allocation::Source::host;
      (host ? out->hostAllocations : out->allocations) += 1;
      (host ? out->hostBytes : out->allocatedBytes) += allocation.bytes;
    }
    driver->contexts.each([&](const Context& context) { out->pendingOperations += context.pending.size(); });
  });
}

CNN_EXPORT_C int cnnEmulatorProfileRead(const char* kernel, cnnEmulatorCounters* out) {
  return guarded("cnnEmulatorProfileRead", [&] {
    requirePointers(kernel, out);
    Counters counters;
    require(Profile::instance().find(kernel, counters), CUDA_ERROR_NOT_FOUND, "no kernel of this name has run");
    *out = exported(counters);
  });
}

CNN_EXPORT_C int cnnEmulatorProfileTotal(cnnEmulatorCounters* out) {
  return guarded("cnnEmulatorProfileTotal", [&] {
    requirePointers(out);
    Counters total;
    for (const std::string& kernel : Profile::instance().kernels()) {
      Counters counters;
      if (Profile::instance().find(kernel, counters)) total.add(counters);
    }
    *out = exported(total);
  });
}

CNN_EXPORT_C void cnnEmulatorProfileDetail(int detail) { Profile::instance().setDetail(Detail(std::clamp(detail, 0, 2))); }
CNN_EXPORT_C void cnnEmulatorProfileReset() { Profile::instance().reset(); }
CNN_EXPORT_C size_t cnnEmulatorProfileJson(char* text, size_t size) { return give(Profile::instance().json(), text, size); }
