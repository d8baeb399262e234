#include "driver/copy.h"

#include "driver/capture.h"

#include <cstring>

namespace cnn::emu::driver {
namespace {

std::uint64_t number(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

bool isPinned(const Call& call, std::uint64_t address) {
  const auto* found = call.driver.findAllocation(address);
  return found && (found->second.source == Allocation::Source::host || found->second.source == Allocation::Source::registered);
}

bool isDevice(const Call& call, Side side, std::uint64_t address) {
  if (side != Side::unified) return side == Side::device;
  std::uint64_t base;
  std::size_t size;
  return !isPinned(call, address) && call.driver.memory.find(address, base, size);
}

bool isEmpty(const CopyWork& work) { return work.width == 0 || work.height == 0 || work.depth == 0; }

// Bytes from the first to behind the last one that rows of `width` touch.
std::size_t extent(const Place& place, std::size_t width, std::size_t height, std::size_t depth) {
  return (depth - 1) * place.slice + (height - 1) * place.pitch + width;
}

void requireDeviceRange(const Call& call, std::uint64_t address, std::size_t bytes) {
  std::uint64_t base;
  std::size_t size;
  if (!call.driver.memory.find(address, base, size)) fail(CUDA_ERROR_INVALID_VALUE, call.driver.memory.describe(address));
  if (bytes > size - (address - base))
    fail(CUDA_ERROR_INVALID_VALUE, std::to_string(bytes) + " bytes reach past the end: " + call.driver.memory.describe(address));
}

void check(const Call& call, const Place& place, const CopyWork& work) {
  requireValue(place.address != 0, "an address is null");
  if (place.device) requireDeviceRange(call, place.address, extent(place, work.width, work.height, work.depth));
}

CopyWork checked(const Call& call, CopyWork work) {
  if (isEmpty(work)) return work;
  check(call, work.destination, work);
  check(call, work.source, work);
  return work;
}

// One side of a strided copy, by the fields of either structure.
Place place(const Call& call, CUmemorytype type, const void* host, CUdeviceptr device, std::size_t x, std::size_t y, std::size_t z,
            std::size_t pitch, std::size_t rows, std::size_t width, std::size_t height) {
  require(type != CU_MEMORYTYPE_ARRAY, CUDA_ERROR_NOT_SUPPORTED, "the emulator has no arrays");
  requireValue(type == CU_MEMORYTYPE_HOST || type == CU_MEMORYTYPE_DEVICE || type == CU_MEMORYTYPE_UNIFIED, "no such memory type");
  requireValue(pitch == 0 || pitch >= width + x, "the pitch is smaller than a row");
  Place result;
  result.pitch = pitch ? pitch : width + x;
  result.slice = result.pitch * (rows ? rows : height);
  const std::uint64_t base = type == CU_MEMORYTYPE_HOST ? number(host) : device;
  requireValue(base != 0, "an address is null");
  result.device = isDevice(call, type == CU_MEMORYTYPE_HOST ? Side::host : type == CU_MEMORYTYPE_DEVICE ? Side::device : Side::unified, base);
  result.address = base + z * result.slice + y * result.pitch + x;
  return result;
}

// What a pageable source holds now, row by row.
std::shared_ptr<std::vector<std::byte>> snapshot(CopyWork& work) {
  auto bytes = std::make_shared<std::vector<std::byte>>(work.width * work.height * work.depth);
  std::byte* to = bytes->data();
  for (std::size_t z = 0; z < work.depth; ++z)
    for (std::size_t y = 0; y < work.height; ++y, to += work.width)
      std::memcpy(to, reinterpret_cast<const std::byte*>(work.source.address) + z * work.source.slice + y * work.source.pitch, work.width);
  work.source.pitch = work.width;
  work.source.slice = work.width * work.height;
  return bytes;
}

bool isPageable(const Call& call, const Place& place) { return !place.device && !isPinned(call, place.address); }

void waitFor(Call& call, Context& context, const OperationPtr& operation) {
  call.driver.finish(operation, call.lock);
  call.driver.hostLearns(operation->clock);
  call.requireHealthy(context);
}

}  // namespace

CopyWork linearCopy(Call& call, Side to, std::uint64_t destination, Side from, std::uint64_t source, std::size_t bytes) {
  CopyWork work;
  work.destination = {isDevice(call, to, destination), destination, bytes, bytes};
  work.source = {isDevice(call, from, source), source, bytes, bytes};
  work.width = bytes;
  return checked(call, std::move(work));
}

CopyWork stridedCopy(Call& call, const CUDA_MEMCPY2D& p) {
  CopyWork work;
  work.width = p.WidthInBytes;
  work.height = p.Height;
  if (isEmpty(work)) return work;
  work.source = place(call, p.srcMemoryType, p.srcHost, p.srcDevice, p.srcXInBytes, p.srcY, 0, p.srcPitch, 0, work.width, work.height);
  work.destination = place(call, p.dstMemoryType, p.dstHost, p.dstDevice, p.dstXInBytes, p.dstY, 0, p.dstPitch, 0, work.width, work.height);
  return checked(call, std::move(work));
}

CopyWork stridedCopy(Call& call, const CUDA_MEMCPY3D& p) {
  CopyWork work;
  work.width = p.WidthInBytes;
  work.height = p.Height;
  work.depth = p.Depth;
  if (isEmpty(work)) return work;
  requireValue(p.srcLOD == 0 && p.dstLOD == 0, "levels of detail must be 0");
  work.source = place(call, p.srcMemoryType, p.srcHost, p.srcDevice, p.srcXInBytes, p.srcY, p.srcZ, p.srcPitch, p.srcHeight, work.width, work.height);
  work.destination = place(call, p.dstMemoryType, p.dstHost, p.dstDevice, p.dstXInBytes, p.dstY, p.dstZ, p.dstPitch, p.dstHeight, work.width, work.height);
  return checked(call, std::move(work));
}

FillWork fill(Call& call, CUdeviceptr address, std::size_t pitch, unsigned value, unsigned elementSize, std::size_t width, std::size_t height) {
  requireValue(elementSize == 1 || elementSize == 2 || elementSize == 4, "elements have 1, 2 or 4 bytes");
  requireValue(address % elementSize == 0 && (height <= 1 || pitch % elementSize == 0), "the address or the pitch is misaligned");
  FillWork work{address, pitch, width, height, value, elementSize};
  if (width == 0 || height == 0) return work;
  requireValue(width <= SIZE_MAX / elementSize, "the width overflows");
  requireValue(height == 1 || pitch >= width * elementSize, "the pitch is smaller than a row");
  Place place;
  place.pitch = height == 1 ? 0 : pitch;
  requireDeviceRange(call, address, extent(place, width * elementSize, height, 1));
  return work;
}

void copyAsync(Call& call, Stream& stream, CopyWork work) {
  if (isEmpty(work)) return;
  const bool toPageable = isPageable(call, work.destination);
  if (!stream.capture && isPageable(call, work.source)) work.staged = snapshot(work);
  const OperationPtr operation = submit(call, stream, std::move(work));
  if (operation && toPageable) waitFor(call, *stream.context, operation);
}

// A copy from pageable memory may return once the bytes are staged, if there are few; a copy within the device returns
// at once; everything else is done when the call returns.
void copySync(Call& call, CopyWork work) {
  constexpr std::size_t mayBeStaged = 64 << 10;
  Context& context = call.contextForUnsafeCall();
  if (isEmpty(work)) return;
  const bool withinDevice = work.destination.device && work.source.device;
  const bool staged = work.destination.device && isPageable(call, work.source) && work.width * work.height * work.depth <= mayBeStaged;
  if (staged) work.staged = snapshot(work);
  const OperationPtr operation = submit(call, *context.legacy, std::move(work));
  if (operation && !withinDevice && !staged) waitFor(call, context, operation);
}

void fillSync(Call& call, FillWork work) {
  Context& context = call.contextForUnsafeCall();
  if (work.width == 0 || work.height == 0) return;
  const bool toHost = isPinned(call, work.address);
  const OperationPtr operation = submit(call, *context.legacy, std::move(work));
  if (operation && toHost) waitFor(call, context, operation);
}

}  // namespace cnn::emu::driver
