#include "driver/admission.h"

namespace cnn::emu::driver {
namespace {

std::string sortOf(const Work& work) {
  if (const auto* kernel = std::get_if<KernelWork>(&work)) return "kernel `" + kernel->function->function->name + "`";
  if (const auto* copy = std::get_if<CopyWork>(&work)) return "a copy of " + std::to_string(copy->width * copy->height * copy->depth) + " bytes";
  if (const auto* fill = std::get_if<FillWork>(&work))
    return "a memset of " + std::to_string(fill->width * fill->height * fill->elementSize) + " bytes";
  if (std::holds_alternative<WaitValueWork>(work)) return "a wait for a value";
  if (std::holds_alternative<WriteValueWork>(work)) return "a write of a value";
  return std::holds_alternative<FreeWork>(work) ? "its free" : "its allocation";
}

Actor actorOf(const Operation& operation) {
  return {sortOf(operation.work) + " " + operation.when.own.chain->name, operation.when, operation.clock};
}

std::optional<Fault> fault(const Driver& driver, const std::string& name, std::uint64_t address, const OrderedMemory::Problem& problem) {
  if (!problem) return {};
  return Fault{CUDA_ERROR_ILLEGAL_ADDRESS, "illegal address: " + name + ", " + driver.memory.describe(address) + *problem};
}

// The next launch of a graph renames its chains.
Actor lockedActor(Driver& driver, const Operation& operation) {
  const Lock lock(driver.mutex);
  return actorOf(operation);
}

using Question = OrderedMemory::Problem (OrderedMemory::*)(std::uint64_t address, const Actor& actor);

std::optional<Fault> ask(Driver& driver, const Operation& operation, std::uint64_t address, Question question) {
  const Lock lock(driver.mutex);
  const Actor actor = actorOf(operation);
  return fault(driver, actor.name, address, (driver.orderedMemory.*question)(address, actor));
}

}  // namespace

KernelAdmission::KernelAdmission(Driver& driver, const Operation& operation)
    : driver_(driver), operation_(operation), actor_(lockedActor(driver, operation)) {}

bool KernelAdmission::admits(std::uint64_t base) {
  const Lock lock(driver_.mutex);
  const auto* found = driver_.findAllocation(base);
  // A kernel can tell the host how far it is through pinned memory.
  if (found && found->second.source >= Allocation::Source::host) driver_.hostLearns(operation_.clock);
  return !driver_.orderedMemory.use(base, actor_);
}

std::string KernelAdmission::remark(std::uint64_t address) {
  const Lock lock(driver_.mutex);
  return driver_.orderedMemory.objection(address, actor_).value_or("");
}

std::optional<Fault> touch(Driver& driver, const Operation& operation, std::uint64_t address) {
  return ask(driver, operation, address, &OrderedMemory::use);
}

std::optional<Fault> allocateReserved(Driver& driver, const Operation& operation, std::uint64_t address) {
  return ask(driver, operation, address, &OrderedMemory::allocateReserved);
}

std::optional<Fault> freeReserved(Driver& driver, const Operation& operation, std::uint64_t address) {
  return ask(driver, operation, address, &OrderedMemory::free);
}

void freeInOrder(Driver& driver, Context& context, std::uint64_t address, const std::string& name, const Clock& before) {
  const OrderedMemory::Problem problem = driver.orderedMemory.free(address, {name, {}, before});
  if (!problem) return;
  driver.fail(context, *fault(driver, name, address, problem));
  fail(CUDA_ERROR_ILLEGAL_ADDRESS, driver.lastReport);
}

}  // namespace cnn::emu::driver
