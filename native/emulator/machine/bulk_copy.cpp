#include "machine/bulk_copy.h"

#include "machine/fault.h"
#include "machine/swizzle.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cnn::emu {

namespace {

std::string hex(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

// Finds the host memory of a run, all of which must lie in `range`, the allocation that the copy starts from.
CopyProblem resolve(const BoxRun& run, const MemoryView& memory, bool writes, const Memory::Range& range, CopyPlan::Row& row) {
  row = {run, nullptr, nullptr};
  if (run.inside == 0) return {};
  if (run.global < range.base || run.global + run.inside > range.end)
    return {statusIllegalAddress, "bulk copy of " + std::to_string(run.inside) + " bytes of global memory at " + hex(run.global)
                                      + ", not inside the allocation it belongs to: " + memory.describe(run.global)};
  if (writes && range.readOnly)
    return {statusIllegalAddress, "bulk copy writes constant memory at " + hex(run.global)};
  row.global = reinterpret_cast<std::byte*>(run.global + std::uint64_t(range.delta));
  if (range.initialised) row.initialised = range.initialised + (run.global - range.base);
  return {};
}

// What the copy does to values on the way in: flushes subnormals (.ftz types), rounds to tf32.
void convert(TensorType type, std::byte* bytes, std::uint32_t count) {
  const bool flush = type == TensorType::f32ftz || type == TensorType::tf32ftz;
  const bool round = type == TensorType::tf32 || type == TensorType::tf32ftz;
  if (!flush && !round) return;
  for (std::uint32_t at = 0; at < count; at += 4) {
    std::uint32_t bits;
    std::memcpy(&bits, bytes + at, 4);
    if (flush && (bits & 0x7f800000u) == 0) bits &= 0x80000000u;
    if (round && (bits & 0x7f800000u) != 0x7f800000u) bits = (bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu;
    std::memcpy(bytes + at, &bits, 4);
  }
}

// The out-of-bounds value: zero, or the NaN with all of its mantissa set.
void fill(TensorType type, bool nan, std::byte* bytes, std::uint32_t count) {
  if (!nan) {
    std::memset(bytes, 0, count);
    return;
  }
  std::memset(bytes, 0xff, count);
  const unsigned size = elementBytes(type);
  for (std::uint32_t at = size - 1; at < count; at += size) bytes[at] = std::byte(0x7f);
}

}  // namespace

void CopyPlan::load(std::byte* shared, std::uint32_t address) const {
  for (const Row& row : rows) {
    const BoxRun& run = row.run;
    if (swizzle == Swizzle::none && run.inside == run.bytes) {
      std::memcpy(shared + run.shared, row.global, run.bytes);
      convert(type, shared + run.shared, run.bytes);
      continue;
    }
    std::byte line[256 * 8];
    if (run.inside != run.bytes) fill(type, fillNaN, line, run.bytes);
    if (run.inside) std::memcpy(line + run.before, row.global, run.inside);
    convert(type, line + run.before, run.inside);
    if (swizzle == Swizzle::none) {
      std::memcpy(shared + run.shared, line, run.bytes);
      continue;
    }
    for (std::uint32_t at = 0; at < run.bytes; at += 16)
      std::memcpy(shared + (swizzleAddress(address + run.shared + at, swizzle) - address), line + at, 16);
  }
}

void CopyPlan::store(const std::byte* shared, std::uint32_t address) const {
  for (const Row& row : rows) {
    const BoxRun& run = row.run;
    if (run.inside == 0) continue;
    std::byte line[256 * 8];
    const std::byte* from = shared + run.shared;
    if (swizzle != Swizzle::none) {
      for (std::uint32_t at = 0; at < run.bytes; at += 16)
        std::memcpy(line + at, shared + (swizzleAddress(address + run.shared + at, swizzle) - address), 16);
      from = line;
    }
    if (combine) {
      combine(row.global, from + run.before, run.inside);
      continue;
    }
    std::memcpy(row.global, from + run.before, run.inside);
    if (row.initialised) std::memset(row.initialised, 1, run.inside);
  }
}

CopyPlan::Traffic CopyPlan::traffic() const {
  Traffic sum;
  for (const Row& row : rows) {
    if (row.run.inside == 0) continue;
    sum.bytes += row.run.inside;
    sum.sectors += (row.run.global + row.run.inside + 31) / 32 - row.run.global / 32;
  }
  return sum;
}

CopyProblem planBox(const TensorMap& map, const BoxPosition& position, const MemoryView& memory, bool writes, CopyPlan& plan) {
  if (std::string wrong = checkWalk(map, position); !wrong.empty()) return {statusIllegalInstruction, wrong};
  plan.bytes = std::uint32_t(map.boxBytes());
  plan.footprint = std::uint32_t(map.footprint());
  plan.swizzle = map.swizzle;
  plan.type = map.type;
  plan.fillNaN = map.fillNaN;
  Memory::Range range;
  if (!memory.range(map.address, range))
    return {statusIllegalAddress, "the tensor at " + hex(map.address) + ": " + memory.describe(map.address)};
  CopyProblem problem;
  walkBox(map, position, [&](const BoxRun& run) {
    if (!problem.text.empty()) return;
    CopyPlan::Row row;
    problem = resolve(run, memory, writes, range, row);
    plan.rows.push_back(row);
  });
  return problem;
}

CopyProblem planBytes(std::uint64_t address, std::uint32_t bytes, const MemoryView& memory, bool writes, CopyPlan& plan) {
  plan.bytes = plan.footprint = bytes;
  if (bytes == 0) return {};
  Memory::Range range;
  memory.range(address, range);   // an empty range if there is none
  plan.rows.emplace_back();
  return resolve({0, bytes, 0, bytes, address}, memory, writes, range, plan.rows.back());
}

CopyProblem findTensorMap(const Block& block, std::uint64_t address, TensorMap& map) {
  if (address % 64 != 0)
    return {statusMisalignedAddress, "tensor map at " + hex(address) + ": no multiple of 64"};
  const std::byte* bytes = nullptr;
  const auto& parameters = block.launch->parameters;
  if (address >= parameterWindow && address - parameterWindow < parameterWindowBytes) {
    const std::uint64_t offset = address - parameterWindow;
    if (offset + sizeof(TensorMap) <= parameters.size()) bytes = parameters.data() + offset;
  } else {
    bytes = block.at(address, sizeof(TensorMap));
  }
  if (!bytes) return {statusIllegalAddress, "tensor map at " + hex(address) + ": no such memory"};
  const auto found = readTensorMap(bytes);
  if (!found)
    return {statusIllegalInstruction, "the 128 bytes at " + hex(address) + " were not made by cuTensorMapEncode*, or have changed since"};
  map = *found;
  return {};
}

}  // namespace cnn::emu
