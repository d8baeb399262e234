// Does the work of an operation. Runs without the driver's lock, one operation at a time.
#include "driver/admission.h"
#include "driver/stream_values.h"

#include <cstring>

namespace cnn::emu::driver {
namespace {

std::optional<Fault> copyRow(Memory& memory, const Place& to, const Place& from, std::size_t toOffset,
                             std::size_t fromOffset, std::size_t bytes) {
  const std::uint64_t destination = to.address + toOffset, source = from.address + fromOffset;
  if (to.device && from.device) return memory.copy(destination, source, bytes);
  if (to.device) return memory.copyIn(destination, reinterpret_cast<const void*>(source), bytes);
  if (from.device) return memory.copyOut(reinterpret_cast<void*>(destination), source, bytes);
  std::memmove(reinterpret_cast<void*>(destination), reinterpret_cast<const void*>(source), bytes);
  return std::nullopt;
}

struct Executor {
  Driver& driver;
  const Operation& operation;

  std::optional<Fault> operator()(const KernelWork& work) const {
    KernelAdmission admission(driver, operation);
    const LaunchRequest request{work.function->function, work.grid,        work.block,      work.cluster,
                                work.dynamicShared,      work.cooperative, work.parameters, &admission};
    return launch(request, driver.memory, driver.model());
  }

  std::optional<Fault> operator()(const CopyWork& work) const {
    Place source = work.source;
    for (const Place* place : {&work.destination, &work.source})
      if (place->device)
        if (auto fault = touch(driver, operation, place->address)) return fault;
    if (work.staged) source.address = reinterpret_cast<std::uint64_t>(work.staged->data());
    for (std::size_t z = 0; z < work.depth; ++z)
      for (std::size_t y = 0; y < work.height; ++y) {
        const std::size_t to = z * work.destination.slice + y * work.destination.pitch;
        const std::size_t from = z * source.slice + y * source.pitch;
        if (auto fault = copyRow(driver.memory, work.destination, source, to, from, work.width)) return fault;
      }
    return std::nullopt;
  }

  std::optional<Fault> operator()(const FillWork& work) const {
    if (auto fault = touch(driver, operation, work.address)) return fault;
    for (std::size_t y = 0; y < work.height; ++y)
      if (auto fault = driver.memory.fill(work.address + y * work.pitch, work.value, work.elementSize, work.width)) return fault;
    return std::nullopt;
  }

  // The bytes of a graph's memory are there all the time.
  std::optional<Fault> operator()(const AllocateWork& work) const { return allocateReserved(driver, operation, work.memory->address); }
  std::optional<Fault> operator()(const FreeWork& work) const {
    return work.memory ? freeReserved(driver, operation, work.address) : std::nullopt;
  }

  std::optional<Fault> operator()(const WaitValueWork& work) const { return touch(driver, operation, work.address); }
  std::optional<Fault> operator()(const WriteValueWork& work) const { return writeValue(driver, operation, work); }

  // Host functions have their own thread, the rest only orders other work.
  template <class Other>
  std::optional<Fault> operator()(const Other&) const {
    return std::nullopt;
  }
};

}  // namespace

std::optional<Fault> execute(const Operation& operation, Driver& driver) {
  return std::visit(Executor{driver, operation}, operation.work);
}

}  // namespace cnn::emu::driver
