// cuEvent*
#include "driver/capture.h"
#include "driver/pool.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

constexpr unsigned eventFlags = CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS;

// The clock of events ticks once per finished operation: time here says nothing about speed, and cannot be taken for it,
// because every kernel and every copy takes exactly one second.
constexpr float millisecondsPerOperation = 1000.0f;

CUresult record(const char* name, CUevent handle, CUstream streamHandle, unsigned flags) {
  return call(name, [&](Call& c) {
    requireValue(flags <= CU_EVENT_RECORD_EXTERNAL, "no such flags");
    const std::shared_ptr<Event> event = c.event(handle);
    const auto stream = c.stream(streamHandle);
    recordEvent(c, *stream, event, flags == CU_EVENT_RECORD_EXTERNAL);
  });
}

void requireTimed(const Event& event) {
  require(!(event.flags & CU_EVENT_DISABLE_TIMING) && event.recorded, CUDA_ERROR_INVALID_HANDLE, "the event keeps no time or was not recorded");
}

}  // namespace

CNN_EXPORT CUresult cuEventCreate(CUevent* handle, unsigned flags) {
  return call("cuEventCreate", [&](Call& c) {
    requirePointers(handle);
    requireValue((flags & ~eventFlags) == 0, "no such event flags");
    requireValue(!(flags & CU_EVENT_INTERPROCESS) || (flags & CU_EVENT_DISABLE_TIMING), "an interprocess event keeps no time");
    Context& context = c.context();
    auto event = std::make_shared<Event>();
    event->context = &context;
    event->flags = flags;
    *handle = c.driver.events.add(std::move(event));
  });
}

CNN_EXPORT CUresult cuEventDestroy_v2(CUevent handle) {
  return call("cuEventDestroy_v2", [&](Call& c) { c.driver.events.remove(handle); });
}

CNN_EXPORT CUresult cuEventRecord(CUevent event, CUstream stream) { return record("cuEventRecord", event, stream, 0); }

CNN_EXPORT CUresult cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned flags) {
  return record("cuEventRecordWithFlags", event, stream, flags);
}

CNN_EXPORT CUresult cuEventQuery(CUevent handle) {
  return call("cuEventQuery", [&](Call& c) {
    const std::shared_ptr<Event> event = c.event(handle);
    refuseWhileCapturing(c, *event);
    c.contextForUnsafeCall();
    c.requireHealthy(*event->context);
    if (!event->recorded) return CUDA_SUCCESS;
    if (event->recorded->done()) {
      c.driver.hostLearns(event->recorded->clock);
      return CUDA_SUCCESS;
    }
    c.driver.advance(*event->context, c.lock);
    c.requireHealthy(*event->context);
    return CUDA_ERROR_NOT_READY;
  });
}

CNN_EXPORT CUresult cuEventSynchronize(CUevent handle) {
  return call("cuEventSynchronize", [&](Call& c) {
    const std::shared_ptr<Event> event = c.event(handle);
    refuseWhileCapturing(c, *event);
    c.contextForUnsafeCall();
    c.requireHealthy(*event->context);
    if (const OperationPtr recorded = event->recorded) {
      c.driver.finish(recorded, c.lock);
      c.driver.hostLearns(recorded->clock);
    }
    trimPoolsAfterWaiting(c.driver);
    c.requireHealthy(*event->context);
  });
}

static CUresult elapsedTime(const char* name, float* milliseconds, CUevent beginHandle, CUevent endHandle) {
  return call(name, [&](Call& c) {
    requirePointers(milliseconds);
    const auto begin = c.event(beginHandle), end = c.event(endHandle);
    refuseWhileCapturing(c, *begin);
    refuseWhileCapturing(c, *end);
    requireTimed(*begin);
    requireTimed(*end);
    c.requireHealthy(*end->context);
    if (!begin->recorded->done() || !end->recorded->done()) return CUDA_ERROR_NOT_READY;
    c.driver.hostLearns(begin->recorded->clock);
    c.driver.hostLearns(end->recorded->clock);
    *milliseconds = millisecondsPerOperation * (float(end->recorded->stamp) - float(begin->recorded->stamp));
    return CUDA_SUCCESS;
  });
}

CNN_EXPORT CUresult cuEventElapsedTime_v2(float* milliseconds, CUevent begin, CUevent end) {
  return elapsedTime("cuEventElapsedTime_v2", milliseconds, begin, end);
}
CNN_EXPORT CUresult cuEventElapsedTime(float* milliseconds, CUevent begin, CUevent end) {
  return elapsedTime("cuEventElapsedTime", milliseconds, begin, end);
}
CNN_EXPORT CUresult cuEventDestroy(CUevent event) { return cuEventDestroy_v2(event); }
