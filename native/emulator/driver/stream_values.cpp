#include "driver/stream_values.h"

#include "driver/admission.h"

#include <atomic>
#include <type_traits>

namespace cnn::emu::driver {
namespace {

template <class T>
bool holds(const std::byte* memory, const WaitValueWork& work) {
  const T found = std::atomic_ref(*const_cast<T*>(reinterpret_cast<const T*>(memory))).load();
  const T value = T(work.value);
  switch (work.condition) {
    case CU_STREAM_WAIT_VALUE_GEQ: return std::make_signed_t<T>(T(found - value)) >= 0;
    case CU_STREAM_WAIT_VALUE_EQ: return found == value;
    case CU_STREAM_WAIT_VALUE_AND: return (found & value) != 0;
    default: return T(~(found | value)) != 0;
  }
}

// The host may look at the memory as well.
void tellHost(Driver& driver, const Operation& operation, std::uint64_t address) {
  const Lock lock(driver.mutex);
  const auto* found = driver.findAllocation(address);
  if (found && found->second.source >= Allocation::Source::host) driver.hostLearns(operation.clock);
}

}  // namespace

bool isThere(const Memory& memory, const WaitValueWork& work) {
  const std::byte* bytes = memory.resolve(work.address, work.bytes);
  return !bytes || (work.bytes == 8 ? holds<std::uint64_t>(bytes, work) : holds<std::uint32_t>(bytes, work));
}

std::optional<Fault> writeValue(Driver& driver, const Operation& operation, const WriteValueWork& work) {
  if (auto fault = touch(driver, operation, work.address)) return fault;
  tellHost(driver, operation, work.address);
  return driver.memory.copyIn(work.address, &work.value, work.bytes);
}

}  // namespace cnn::emu::driver
