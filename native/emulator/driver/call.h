// Every exported function is one `call(name, body)`: it counts the call, injects a failure if asked, takes the driver's
// lock, checks that the driver is initialised, and turns exceptions into statuses.
#pragma once

#include "driver/driver.h"

#include <new>
#include <type_traits>

namespace cnn::emu::driver {

struct Call {
  Driver& driver;
  Lock lock;
  std::vector<std::shared_ptr<Context>> held;  // contexts this call has looked at stay alive until it returns

  // The context of this thread. Fails with CUDA_ERROR_INVALID_CONTEXT, or with the context's own sticky error.
  Context& context();
  // As above, and none of the captures in progress forbids calls that may wait.
  Context& contextForUnsafeCall();

  std::shared_ptr<Stream> stream(CUstream handle);  // null, the two special handles, or a live one
  std::shared_ptr<Event> event(CUevent handle) { return driver.events.get(handle); }
  std::shared_ptr<LoadedFunction> function(CUfunction handle);  // also a CUkernel
  void requireDevice(CUdevice device) { require(device == 0, CUDA_ERROR_INVALID_DEVICE, "the emulator has one device, 0"); }
  // Waiting for work ends with this: a fault of the work is the result of the call. Called before the wait as well, it
  // keeps the context alive meanwhile.
  void requireHealthy(const Context& context);
};

// What a thread carries: its stack of current contexts, how it treats captures, whether it runs a host function now.
struct ThreadState {
  std::vector<CUcontext> contexts;
  CUstreamCaptureMode captureMode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  bool inHostFunction = false;
  std::string message;  // reason of the newest failed call
};
ThreadState& threadState();

CUresult beginCall(const char* name);                                   // counts; the injected failure, if it is its turn
CUresult failed(const char* name, CUresult code, const std::string& reason);
CUresult functionFailure(const char* name);                             // the injected failure of this function, if it is its turn
std::uint64_t failFunction(const char* name, std::uint64_t call, CUresult code);  // its call-th call from now; 0: none
void failCall(std::uint64_t call, CUresult code);                       // the call-th from now; 0: none
std::uint64_t callCount();

template <class Body>
CUresult guarded(const char* name, Body&& body) noexcept {
  try {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return CUDA_SUCCESS;
    } else {
      return body();
    }
  } catch (const Failure& failure) {
    return failed(name, failure.code, failure.reason);
  } catch (const std::bad_alloc&) {
    return failed(name, CUDA_ERROR_OUT_OF_MEMORY, "the host is out of memory");
  } catch (const std::exception& error) {
    return failed(name, CUDA_ERROR_UNKNOWN, error.what());
  } catch (...) {
    return failed(name, CUDA_ERROR_UNKNOWN, "unknown exception");
  }
}

template <class Body>
CUresult call(const char* name, Body&& body) noexcept {
  return guarded(name, [&]() -> CUresult {
    if (const CUresult injected = beginCall(name)) fail(injected, "injected failure");
    require(!threadState().inHostFunction, CUDA_ERROR_NOT_PERMITTED, "a host function may not call the driver");
    Driver* driver = Driver::instance();
    require(driver != nullptr, CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
    Call current{*driver, Lock(driver->mutex), {}};
    if constexpr (std::is_void_v<decltype(body(current))>) {
      body(current);
      return CUDA_SUCCESS;
    } else {
      return body(current);
    }
  });
}

}  // namespace cnn::emu::driver
