// cuStreamWaitValue*, cuStreamWriteValue*, cuStreamBatchMemOp
#include "driver/capture.h"

#include <algorithm>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

constexpr unsigned mostInBatch = 256;

void requirePlace(const Call& c, CUdeviceptr address, unsigned bytes) {
  requireValue(address % bytes == 0, "the address is misaligned");
  if (!c.driver.memory.resolve(address, bytes)) fail(CUDA_ERROR_INVALID_VALUE, c.driver.memory.describe(address));
}

Work waitFor(const Call& c, CUdeviceptr address, std::uint64_t value, unsigned flags, unsigned bytes) {
  requirePlace(c, address, bytes);
  require(!(flags & CU_STREAM_WAIT_VALUE_FLUSH), CUDA_ERROR_NOT_SUPPORTED, "the device cannot flush remote writes");
  requireValue(flags <= CU_STREAM_WAIT_VALUE_NOR, "no such condition");
  return WaitValueWork{address, value, flags, bytes};
}

Work writeOf(const Call& c, CUdeviceptr address, std::uint64_t value, unsigned flags, unsigned bytes) {
  requirePlace(c, address, bytes);
  requireValue(flags <= CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER, "no such flags of a write");
  return WriteValueWork{address, value, bytes};
}

Work workOf(const Call& c, const CUstreamBatchMemOpParams& p) {
  switch (p.operation) {
    case CU_STREAM_MEM_OP_WAIT_VALUE_32: return waitFor(c, p.address, p.value, p.flags, 4);
    case CU_STREAM_MEM_OP_WAIT_VALUE_64: return waitFor(c, p.address, p.value64, p.flags, 8);
    case CU_STREAM_MEM_OP_WRITE_VALUE_32: return writeOf(c, p.address, p.value, p.flags, 4);
    case CU_STREAM_MEM_OP_WRITE_VALUE_64: return writeOf(c, p.address, p.value64, p.flags, 8);
    case CU_STREAM_MEM_OP_BARRIER: return EmptyWork{};  // work of a stream is ordered anyway
    case CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES: fail(CUDA_ERROR_NOT_SUPPORTED, "the device cannot flush remote writes");
  }
  fail(CUDA_ERROR_INVALID_VALUE, "no such operation");
}

template <class Make>
CUresult single(const char* name, CUstream handle, Make make, CUdeviceptr address, std::uint64_t value, unsigned flags, unsigned bytes) {
  return call(name, [&](Call& c) {
    const auto stream = c.stream(handle);
    refuseWhileCapturing(c, *stream);
    submit(c, *stream, make(c, address, value, flags, bytes));
  });
}

}  // namespace

CNN_EXPORT CUresult cuStreamWaitValue32_v2(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags) {
  return single("cuStreamWaitValue32_v2", stream, waitFor, address, value, flags, 4);
}
CNN_EXPORT CUresult cuStreamWaitValue64_v2(CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned flags) {
  return single("cuStreamWaitValue64_v2", stream, waitFor, address, value, flags, 8);
}
CNN_EXPORT CUresult cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned flags) {
  return single("cuStreamWriteValue32_v2", stream, writeOf, address, value, flags, 4);
}
CNN_EXPORT CUresult cuStreamWriteValue64_v2(CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned flags) {
  return single("cuStreamWriteValue64_v2", stream, writeOf, address, value, flags, 8);
}

// All is checked before any of it is queued.
CNN_EXPORT CUresult cuStreamBatchMemOp_v2(CUstream handle, unsigned count, CUstreamBatchMemOpParams* parameters, unsigned flags) {
  return call("cuStreamBatchMemOp_v2", [&](Call& c) {
    const auto stream = c.stream(handle);
    refuseWhileCapturing(c, *stream);
    requireValue(flags == 0 && count <= mostInBatch, "the flags must be 0, the operations at most 256");
    requireValue(count == 0 || parameters, "operations without their array");
    std::vector<Work> batch;
    for (unsigned i = 0; i < count; ++i) batch.push_back(workOf(c, parameters[i]));
    for (Work& work : batch) submit(c, *stream, std::move(work));
  });
}
