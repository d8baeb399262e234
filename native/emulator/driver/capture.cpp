#include "driver/capture.h"

#include "driver/graph.h"

#include <algorithm>

namespace cnn::emu::driver {
namespace {

[[noreturn]] void spoil(Capture& capture, CUresult code, const char* reason) {
  capture.valid = false;
  fail(code, reason);
}

void requireValid(const Capture& capture) {
  require(capture.valid, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "an earlier call spoiled the capture");
}

// Work on the legacy stream would have to wait for every blocking stream, a captured one among them.
void refuseImplicitDependency(Call& call, const Stream& stream) {
  if (&stream != stream.context->legacy.get()) return;
  for (const auto& capture : call.driver.captures)
    for (const Stream* captured : capture->streams)
      if (captured->context == stream.context && captured->blocking())
        spoil(*capture, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the legacy stream would depend on a captured stream");
}

void append(Call& call, Stream& stream, Work work) {
  requireValid(*stream.capture);
  Node* node = addNode(call.driver, *stream.capture->graph, std::move(work), stream.tail);
  stream.tail = {node};
}

void leave(Capture& capture) {
  for (Stream* stream : capture.streams) {
    stream->capture.reset();
    stream->tail.clear();
  }
}

// Every stream that joined must have been waited for by the origin.
bool joined(const Capture& capture) {
  std::set<const Node*> reached;
  std::vector<const Node*> open(capture.origin->tail.begin(), capture.origin->tail.end());
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (!reached.insert(node).second) continue;
    open.insert(open.end(), node->dependencies.begin(), node->dependencies.end());
  }
  return std::all_of(capture.streams.begin(), capture.streams.end(), [&](const Stream* stream) {
    return std::all_of(stream->tail.begin(), stream->tail.end(), [&](const Node* node) { return reached.contains(node); });
  });
}

}  // namespace

OperationPtr submit(Call& call, Stream& stream, Work work) {
  if (stream.capture) {
    append(call, stream, std::move(work));
    return nullptr;
  }
  refuseImplicitDependency(call, stream);
  return call.driver.addToStream(stream, std::move(work), call.lock);
}

void recordEvent(Call& call, Stream& stream, const std::shared_ptr<Event>& event, bool external) {
  require(event->context == stream.context, CUDA_ERROR_INVALID_HANDLE, "the event and the stream belong to different contexts");
  if (stream.capture && !external) {
    requireValid(*stream.capture);
    event->capture = stream.capture;
    event->tail = stream.tail;
    return;
  }
  OperationPtr recorded = submit(call, stream, RecordWork{event});
  if (!recorded) return;
  event->capture.reset();
  event->tail.clear();
  event->recorded = std::move(recorded);
}

void waitForEvent(Call& call, Stream& stream, const std::shared_ptr<Event>& event, bool external) {
  if (stream.capture && external) {
    append(call, stream, WaitWork{event});
    return;
  }
  if (event->capture) {
    Capture& capture = *event->capture;
    requireValid(capture);
    require(!stream.capture || stream.capture == event->capture, CUDA_ERROR_STREAM_CAPTURE_MERGE,
            "the stream and the event belong to different captures");
    require(std::ranges::any_of(call.driver.captures, [&](const auto& open) { return open == event->capture; }),
            CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture that has ended");
    require(&stream != stream.context->legacy.get(), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the legacy stream cannot be captured");
    if (!stream.capture) {
      stream.capture = event->capture;
      capture.streams.insert(&stream);
    }
    for (Node* node : event->tail)
      if (std::ranges::find(stream.tail, node) == stream.tail.end()) stream.tail.push_back(node);
    return;
  }
  if (stream.capture) spoil(*stream.capture, CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "a captured stream may not wait for uncaptured work");
  if (!event->recorded) return;
  if (event->recorded->done() && !stream.isLegacy()) {
    call.driver.extend(stream, event->recorded->clock);
    return;
  }
  refuseImplicitDependency(call, stream);
  call.driver.addToStream(stream, EmptyWork{}, call.lock, {event->recorded});
}

void beginCapture(Call& call, const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode,
                  std::shared_ptr<Graph> into, std::vector<Node*> after) {
  requireValue(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED, "no such capture mode");
  require(stream != stream->context->legacy, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the legacy stream cannot be captured");
  require(!stream->capture, CUDA_ERROR_ILLEGAL_STATE, "the stream is being captured already");
  auto capture = std::make_shared<Capture>();
  capture->id = call.driver.nextId++;
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->intoExistingGraph = into != nullptr;
  capture->graph = into ? std::move(into) : std::make_shared<Graph>();
  capture->origin = stream.get();
  capture->streams.insert(stream.get());
  stream->capture = capture;
  stream->tail = std::move(after);
  call.driver.captures.push_back(std::move(capture));
}

std::shared_ptr<Graph> endCapture(Call& call, Stream& stream) {
  require(stream.capture != nullptr, CUDA_ERROR_ILLEGAL_STATE, "the stream is not being captured");
  const std::shared_ptr<Capture> capture = stream.capture;
  require(capture->origin == &stream, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture began on another stream");
  require(capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED || capture->thread == std::this_thread::get_id(),
          CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture began in another thread");
  const bool complete = joined(*capture);
  std::erase(call.driver.captures, capture);
  leave(*capture);
  const bool valid = capture->valid && complete;
  capture->valid = false;
  if (valid) return capture->graph;
  if (!capture->intoExistingGraph) discardNodes(call.driver, *capture->graph);
  if (!complete) fail(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "a stream that joined the capture was not waited for by its origin");
  fail(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "an earlier call spoiled the capture");
}

void abandonCapture(Driver& driver, Stream& stream) {
  const std::shared_ptr<Capture> capture = stream.capture;
  capture->valid = false;
  if (capture->origin != &stream) {
    capture->streams.erase(&stream);
    return;
  }
  std::erase(driver.captures, capture);
  leave(*capture);
  if (!capture->intoExistingGraph) discardNodes(driver, *capture->graph);
}

void refuseWhileCapturing(Call&, const Stream& stream) {
  if (stream.capture) spoil(*stream.capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream is being captured");
}

void refuseWhileCapturing(Call&, const Event& event) {
  if (!event.capture) return;
  event.capture->valid = false;
  fail(CUDA_ERROR_CAPTURED_EVENT, "the event was recorded in a capture");
}

// Calls that may wait for the device are forbidden while a capture that could see them is in progress: a global one
// anywhere, a thread-local one in this thread, unless this thread has declared itself relaxed.
Context& Call::contextForUnsafeCall() {
  Context& current = context();
  const CUstreamCaptureMode own = threadState().captureMode;
  for (const auto& capture : driver.captures) {
    const bool here = capture->thread == std::this_thread::get_id();
    const bool global = capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL && own == CU_STREAM_CAPTURE_MODE_GLOBAL;
    const bool local = here && capture->mode != CU_STREAM_CAPTURE_MODE_RELAXED && own != CU_STREAM_CAPTURE_MODE_RELAXED;
    if (global || local) spoil(*capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "not permitted while a stream is captured");
  }
  return current;
}

}  // namespace cnn::emu::driver
