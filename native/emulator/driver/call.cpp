#include "driver/call.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <utility>

namespace cnn::emu::driver {
namespace {

std::atomic<std::uint64_t> calls{0};
std::atomic<std::uint64_t> failingCall{0};  // 0: none
std::atomic<int> failingCode{0};

// The failure of one function; the flag spares every other call the lock.
std::atomic<bool> functionFails{false};
std::mutex functionMutex;
std::string failingFunction;
std::uint64_t callsToFailure = 0;
CUresult functionCode = CUDA_SUCCESS;

}  // namespace

ThreadState& threadState() {
  static thread_local ThreadState state;
  return state;
}

CUresult beginCall(const char* name) {
  const std::uint64_t number = calls.fetch_add(1) + 1;
  if (const CUresult injected = functionFailure(name)) return injected;
  if (failingCall.load() != number) return CUDA_SUCCESS;
  failingCall = 0;
  return CUresult(failingCode.load());
}

CUresult failed(const char* name, CUresult code, const std::string& reason) {
  try {
    threadState().message = std::string(name) + ": " + reason;
  } catch (...) {
    // Out of host memory while explaining a failure: the status alone has to do.
  }
  const Driver* driver = Driver::instance();
  if (driver && driver->settings.log) std::fprintf(stderr, "emulated CUDA: %s failed with %d: %s\n", name, int(code), reason.c_str());
  return code;
}

CUresult functionFailure(const char* name) {
  if (!functionFails.load()) return CUDA_SUCCESS;
  const std::lock_guard lock(functionMutex);
  if (callsToFailure == 0 || failingFunction != name || --callsToFailure > 0) return CUDA_SUCCESS;
  functionFails = false;
  return functionCode;
}

std::uint64_t failFunction(const char* name, std::uint64_t call, CUresult code) {
  const std::lock_guard lock(functionMutex);
  const std::uint64_t waiting = std::exchange(callsToFailure, call);
  failingFunction = name ? name : "";
  functionCode = code;
  functionFails = call > 0;
  return waiting;
}

void failCall(std::uint64_t call, CUresult code) {
  failingCode = code;
  failingCall = call == 0 ? 0 : calls.load() + call;
}

std::uint64_t callCount() { return calls.load(); }

Context& Call::context() {
  const auto& stack = threadState().contexts;
  if (stack.empty() || !stack.back()) fail(CUDA_ERROR_INVALID_CONTEXT, "no context is current to this thread");
  const auto context = driver.contexts.find(stack.back());
  if (!context) fail(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context was destroyed");
  requireHealthy(*context);
  return *context;
}

void Call::requireHealthy(const Context& context) {
  const auto isThis = [&](const auto& known) { return known.get() == &context; };
  if (std::ranges::none_of(held, isThis))
    if (auto live = driver.contexts.find(context.handle)) held.push_back(std::move(live));
  if (context.sticky) fail(context.sticky, "an earlier operation of this context faulted");
}

std::shared_ptr<Stream> Call::stream(CUstream handle) {
  if (handle != nullptr && handle != CU_STREAM_LEGACY && handle != CU_STREAM_PER_THREAD) {
    auto stream = driver.streams.get(handle);
    requireHealthy(*stream->context);
    return stream;
  }
  Context& current = context();
  if (handle != CU_STREAM_PER_THREAD) return current.legacy;
  auto& stream = current.perThread[std::this_thread::get_id()];
  if (!stream) {
    stream = std::make_shared<Stream>();
    stream->handle = CU_STREAM_PER_THREAD;
    stream->context = &current;
    stream->id = driver.nextId++;
    stream->begin();
    current.streams.insert(stream.get());
  }
  return stream;
}

std::shared_ptr<LoadedFunction> Call::function(CUfunction handle) {
  if (auto function = driver.functions.find(handle)) return function;
  if (auto kernel = driver.kernels.find(reinterpret_cast<CUkernel>(handle))) return kernel->function;
  fail(CUDA_ERROR_INVALID_HANDLE, handle ? "the function is not loaded" : "the function is null");
}

}  // namespace cnn::emu::driver
