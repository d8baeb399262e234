// cuGetProcAddress
#include "driver/call.h"
#include "driver/symbols.h"

using namespace cnn::emu::driver;

namespace {

constexpr cuuint64_t legacyStream = 1, perThreadStream = 2;

CUresult find(const char* name, void** function, int version, cuuint64_t flags, CUdriverProcAddressQueryResult* status) {
  return guarded("cuGetProcAddress", [&] {
    requirePointers(name, function);
    requireValue(flags <= perThreadStream, "no such flags");
    require(flags <= legacyStream, CUDA_ERROR_NOT_SUPPORTED, "pass CU_STREAM_PER_THREAD instead of asking for per-thread functions");
    const auto result = findSymbol(name, version, function);
    if (status) *status = result;
    require(result == CU_GET_PROC_ADDRESS_SUCCESS, CUDA_ERROR_NOT_FOUND, name);
  });
}

}  // namespace

CNN_EXPORT CUresult cuGetProcAddress_v2(const char* name, void** function, int version, cuuint64_t flags, CUdriverProcAddressQueryResult* status) {
  return find(name, function, version, flags, status);
}

CNN_EXPORT CUresult cuGetProcAddress(const char* name, void** function, int version, cuuint64_t flags) {
  return find(name, function, version, flags, nullptr);
}
