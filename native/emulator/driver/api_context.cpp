// cuCtx*, cuDevicePrimaryCtx*
#include "driver/call.h"
#include "driver/pool.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

void requireFlags(unsigned flags) {
  requireValue((flags & ~unsigned(CU_CTX_FLAGS_MASK)) == 0 && (flags & CU_CTX_SCHED_MASK) != 3 && (flags & CU_CTX_SCHED_MASK) < 5,
               "no such context flags");
}

CUresult create(const char* name, CUcontext* handle, unsigned flags, CUdevice device) {
  return call(name, [&](Call& c) {
    requirePointers(handle);
    requireFlags(flags);
    c.requireDevice(device);
    *handle = c.driver.createContext(flags, false)->handle;
    threadState().contexts.push_back(*handle);
  });
}

std::shared_ptr<Context> named(Call& c, CUcontext handle) {
  auto context = c.driver.contexts.find(handle);
  require(context != nullptr, CUDA_ERROR_INVALID_CONTEXT, "no such context");
  return context;
}

void synchronise(Call& c, Context& context) {
  for (const Stream* stream : context.streams)
    if (stream->capture) {
      stream->capture->valid = false;
      fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a stream of the context is being captured");
    }
  c.driver.finishAll(context, c.lock);
  c.driver.hostLearnsAll(context);
  trimPoolsAfterWaiting(c.driver);
  c.requireHealthy(context);
}

// The primary context keeps its handle from one life to the next.
std::shared_ptr<Context> primaryContext(Call& c) {
  auto& primary = c.driver.primary;
  if (auto live = c.driver.contexts.find(primary.context)) return live;
  auto context = c.driver.createContext(primary.flags, true);
  if (primary.context) {
    c.driver.contexts.remove(context->handle);
    context->handle = primary.context;
    c.driver.contexts.restore(context);
  }
  primary.context = context->handle;
  return context;
}

void endPrimary(Call& c) {
  c.driver.primary.references = 0;
  if (auto live = c.driver.contexts.find(c.driver.primary.context)) c.driver.destroyContext(live, c.lock);
}

}  // namespace

CNN_EXPORT CUresult cuCtxCreate_v2(CUcontext* context, unsigned flags, CUdevice device) {
  return create("cuCtxCreate_v2", context, flags, device);
}

CNN_EXPORT CUresult cuCtxCreate_v3(CUcontext* context, void*, int affinities, unsigned flags, CUdevice device) {
  if (affinities != 0) return failed("cuCtxCreate_v3", CUDA_ERROR_NOT_SUPPORTED, "execution affinity");
  return create("cuCtxCreate_v3", context, flags, device);
}

CNN_EXPORT CUresult cuCtxCreate_v4(CUcontext* context, void* parameters, unsigned flags, CUdevice device) {
  if (parameters) return failed("cuCtxCreate_v4", CUDA_ERROR_NOT_SUPPORTED, "execution affinity and graphics sharing");
  return create("cuCtxCreate_v4", context, flags, device);
}

CNN_EXPORT CUresult cuCtxDestroy_v2(CUcontext handle) {
  return call("cuCtxDestroy_v2", [&](Call& c) {
    const auto context = named(c, handle);
    requireValue(!context->primary, "a primary context is released, not destroyed");
    c.driver.destroyContext(context, c.lock);
    auto& stack = threadState().contexts;
    if (!stack.empty() && stack.back() == handle) stack.pop_back();
  });
}

CNN_EXPORT CUresult cuCtxPushCurrent_v2(CUcontext handle) {
  return call("cuCtxPushCurrent_v2", [&](Call& c) {
    named(c, handle);
    threadState().contexts.push_back(handle);
  });
}

CNN_EXPORT CUresult cuCtxPopCurrent_v2(CUcontext* handle) {
  return call("cuCtxPopCurrent_v2", [&](Call&) {
    auto& stack = threadState().contexts;
    require(!stack.empty(), CUDA_ERROR_INVALID_CONTEXT, "the context stack of this thread is empty");
    if (handle) *handle = stack.back();
    stack.pop_back();
  });
}

CNN_EXPORT CUresult cuCtxSetCurrent(CUcontext handle) {
  return call("cuCtxSetCurrent", [&](Call& c) {
    auto& stack = threadState().contexts;
    if (handle) named(c, handle);
    if (!stack.empty()) stack.pop_back();
    if (handle) stack.push_back(handle);
  });
}

CNN_EXPORT CUresult cuCtxGetCurrent(CUcontext* handle) {
  return call("cuCtxGetCurrent", [&](Call&) {
    requirePointers(handle);
    const auto& stack = threadState().contexts;
    *handle = stack.empty() ? nullptr : stack.back();
  });
}

CNN_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
  return call("cuCtxGetDevice", [&](Call& c) {
    requirePointers(device);
    c.context();
    *device = 0;
  });
}

CNN_EXPORT CUresult cuCtxGetFlags(unsigned* flags) {
  return call("cuCtxGetFlags", [&](Call& c) {
    requirePointers(flags);
    *flags = c.context().flags;
  });
}

CNN_EXPORT CUresult cuCtxSetFlags(unsigned flags) {
  return call("cuCtxSetFlags", [&](Call& c) {
    requireFlags(flags);
    c.context().flags = flags;
  });
}

CNN_EXPORT CUresult cuCtxGetId(CUcontext handle, unsigned long long* id) {
  return call("cuCtxGetId", [&](Call& c) {
    requirePointers(id);
    *id = handle ? named(c, handle)->id : c.context().id;
  });
}

CNN_EXPORT CUresult cuCtxSynchronize() {
  return call("cuCtxSynchronize", [&](Call& c) { synchronise(c, c.contextForUnsafeCall()); });
}

CNN_EXPORT CUresult cuCtxSynchronize_v2(CUcontext handle) {
  return call("cuCtxSynchronize_v2", [&](Call& c) {
    if (!handle) return synchronise(c, c.contextForUnsafeCall());
    const auto context = named(c, handle);
    c.requireHealthy(*context);
    synchronise(c, *context);
  });
}

CNN_EXPORT CUresult cuCtxGetApiVersion(CUcontext handle, unsigned* version) {
  return call("cuCtxGetApiVersion", [&](Call& c) {
    requirePointers(version);
    if (handle) named(c, handle);
    else c.context();
    *version = 3020;
  });
}

CNN_EXPORT CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return call("cuCtxGetStreamPriorityRange", [&](Call& c) {
    c.context();
    if (least) *least = 0;
    if (greatest) *greatest = -5;
  });
}

CNN_EXPORT CUresult cuCtxGetLimit(std::size_t* value, CUlimit limit) {
  return call("cuCtxGetLimit", [&](Call& c) {
    requirePointers(value);
    Context& context = c.context();
    require(limit >= 0 && std::size_t(limit) < context.limits.size(), CUDA_ERROR_UNSUPPORTED_LIMIT, "no such limit");
    *value = context.limits[limit];
  });
}

CNN_EXPORT CUresult cuCtxSetLimit(CUlimit limit, std::size_t value) {
  return call("cuCtxSetLimit", [&](Call& c) {
    Context& context = c.context();
    require(limit >= 0 && std::size_t(limit) < context.limits.size(), CUDA_ERROR_UNSUPPORTED_LIMIT, "no such limit");
    context.limits[limit] = value;
  });
}

CNN_EXPORT CUresult cuCtxGetCacheConfig(int* config) {
  return call("cuCtxGetCacheConfig", [&](Call& c) {
    requirePointers(config);
    *config = c.context().cacheConfig;
  });
}

CNN_EXPORT CUresult cuCtxSetCacheConfig(int config) {
  return call("cuCtxSetCacheConfig", [&](Call& c) {
    requireValue(config >= 0 && config <= 3, "no such cache configuration");
    c.context().cacheConfig = config;
  });
}

CNN_EXPORT CUresult cuCtxResetPersistingL2Cache() {
  return call("cuCtxResetPersistingL2Cache", [&](Call& c) { c.context(); });
}

CNN_EXPORT CUresult cuDevicePrimaryCtxRetain(CUcontext* handle, CUdevice device) {
  return call("cuDevicePrimaryCtxRetain", [&](Call& c) {
    requirePointers(handle);
    c.requireDevice(device);
    *handle = primaryContext(c)->handle;
    ++c.driver.primary.references;
  });
}

CNN_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxRelease_v2", [&](Call& c) {
    c.requireDevice(device);
    require(c.driver.primary.references > 0, CUDA_ERROR_INVALID_CONTEXT, "the primary context is not retained");
    if (--c.driver.primary.references == 0) endPrimary(c);
  });
}

CNN_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxReset_v2", [&](Call& c) {
    c.requireDevice(device);
    endPrimary(c);
  });
}

CNN_EXPORT CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  return call("cuDevicePrimaryCtxSetFlags_v2", [&](Call& c) {
    c.requireDevice(device);
    requireFlags(flags);
    c.driver.primary.flags = flags;
    if (auto live = c.driver.contexts.find(c.driver.primary.context)) live->flags = flags;
  });
}

CNN_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  return call("cuDevicePrimaryCtxGetState", [&](Call& c) {
    requirePointers(flags, active);
    c.requireDevice(device);
    *flags = c.driver.primary.flags;
    *active = c.driver.primary.references > 0;
  });
}

// Names from before the current versions, with the same meaning.
CNN_EXPORT CUresult cuCtxDestroy(CUcontext context) { return cuCtxDestroy_v2(context); }
CNN_EXPORT CUresult cuCtxPushCurrent(CUcontext context) { return cuCtxPushCurrent_v2(context); }
CNN_EXPORT CUresult cuCtxPopCurrent(CUcontext* context) { return cuCtxPopCurrent_v2(context); }
CNN_EXPORT CUresult cuDevicePrimaryCtxRelease(CUdevice device) { return cuDevicePrimaryCtxRelease_v2(device); }
CNN_EXPORT CUresult cuDevicePrimaryCtxReset(CUdevice device) { return cuDevicePrimaryCtxReset_v2(device); }
CNN_EXPORT CUresult cuDevicePrimaryCtxSetFlags(CUdevice device, unsigned flags) { return cuDevicePrimaryCtxSetFlags_v2(device, flags); }
