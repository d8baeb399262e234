// cuStream* but capture
#include "driver/capture.h"
#include "driver/pool.h"

#include <algorithm>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

CUresult create(const char* name, CUstream* handle, unsigned flags, int priority) {
  return call(name, [&](Call& c) {
    requirePointers(handle);
    requireValue(flags <= CU_STREAM_NON_BLOCKING, "no such stream flags");
    Context& context = c.context();
    auto stream = std::make_shared<Stream>();
    stream->context = &context;
    stream->flags = flags;
    stream->priority = std::clamp(priority, greatestPriority, 0);
    stream->id = c.driver.nextId++;
    context.streams.insert(stream.get());
    *handle = c.driver.streams.add(stream);
    stream->begin();
  });
}

}  // namespace

CNN_EXPORT CUresult cuStreamCreate(CUstream* stream, unsigned flags) { return create("cuStreamCreate", stream, flags, 0); }

CNN_EXPORT CUresult cuStreamCreateWithPriority(CUstream* stream, unsigned flags, int priority) {
  return create("cuStreamCreateWithPriority", stream, flags, priority);
}

// Work that is queued still runs: it stays with the context.
CNN_EXPORT CUresult cuStreamDestroy_v2(CUstream handle) {
  return call("cuStreamDestroy_v2", [&](Call& c) {
    const auto stream = c.driver.streams.get(handle);
    c.requireHealthy(*stream->context);
    if (stream->capture) abandonCapture(c.driver, *stream);
    c.driver.retire(*stream);
    stream->context->streams.erase(stream.get());
    c.driver.streams.remove(handle);
  });
}

CNN_EXPORT CUresult cuStreamQuery(CUstream handle) {
  return call("cuStreamQuery", [&](Call& c) {
    const auto stream = c.stream(handle);
    refuseWhileCapturing(c, *stream);
    c.contextForUnsafeCall();
    Context& context = *stream->context;
    for (const OperationPtr& last : c.driver.streamOrder(*stream)) {
      if (!last || last->done()) continue;
      c.driver.advance(context, c.lock);
      c.requireHealthy(context);
      return CUDA_ERROR_NOT_READY;
    }
    c.driver.hostLearns(c.driver.doneWith(*stream));
    return CUDA_SUCCESS;
  });
}

CNN_EXPORT CUresult cuStreamSynchronize(CUstream handle) {
  return call("cuStreamSynchronize", [&](Call& c) {
    const auto stream = c.stream(handle);
    refuseWhileCapturing(c, *stream);
    c.contextForUnsafeCall();
    const Clock done = c.driver.doneWith(*stream);
    for (const OperationPtr& last : c.driver.streamOrder(*stream)) c.driver.finish(last, c.lock);
    c.driver.hostLearns(done);
    trimPoolsAfterWaiting(c.driver);
    c.requireHealthy(*stream->context);
  });
}

CNN_EXPORT CUresult cuStreamWaitEvent(CUstream handle, CUevent event, unsigned flags) {
  return call("cuStreamWaitEvent", [&](Call& c) {
    requireValue(flags <= CU_EVENT_WAIT_EXTERNAL, "no such flags");
    const auto stream = c.stream(handle);
    waitForEvent(c, *stream, c.event(event), flags == CU_EVENT_WAIT_EXTERNAL);
  });
}

CNN_EXPORT CUresult cuStreamGetPriority(CUstream handle, int* priority) {
  return call("cuStreamGetPriority", [&](Call& c) {
    requirePointers(priority);
    *priority = c.stream(handle)->priority;
  });
}

CNN_EXPORT CUresult cuStreamGetFlags(CUstream handle, unsigned* flags) {
  return call("cuStreamGetFlags", [&](Call& c) {
    requirePointers(flags);
    *flags = c.stream(handle)->flags;
  });
}

CNN_EXPORT CUresult cuStreamGetCtx(CUstream handle, CUcontext* context) {
  return call("cuStreamGetCtx", [&](Call& c) {
    requirePointers(context);
    *context = c.stream(handle)->context->handle;
  });
}

CNN_EXPORT CUresult cuStreamGetId(CUstream handle, unsigned long long* id) {
  return call("cuStreamGetId", [&](Call& c) {
    requirePointers(id);
    *id = c.stream(handle)->id;
  });
}

CNN_EXPORT CUresult cuStreamGetDevice(CUstream handle, CUdevice* device) {
  return call("cuStreamGetDevice", [&](Call& c) {
    requirePointers(device);
    c.stream(handle);
    *device = 0;
  });
}

CNN_EXPORT CUresult cuStreamDestroy(CUstream stream) { return cuStreamDestroy_v2(stream); }
