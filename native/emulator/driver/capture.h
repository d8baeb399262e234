// Where work goes when a program gives it to a stream: into the queue, or, while the stream is captured, into a graph.
#pragma once

#include "driver/call.h"

namespace cnn::emu::driver {

// Null when the work was captured.
OperationPtr submit(Call& call, Stream& stream, Work work);

// A captured event joins the waiting stream to the capture; any other event adds a dependency.
void recordEvent(Call& call, Stream& stream, const std::shared_ptr<Event>& event, bool external);
void waitForEvent(Call& call, Stream& stream, const std::shared_ptr<Event>& event, bool external);

void beginCapture(Call& call, const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode,
                  std::shared_ptr<Graph> into, std::vector<Node*> after);
std::shared_ptr<Graph> endCapture(Call& call, Stream& stream);
// The stream is about to be destroyed. Without its origin a capture is over.
void abandonCapture(Driver& driver, Stream& stream);

// Waiting for a stream or an event that is being captured can never end: it fails and spoils the capture.
void refuseWhileCapturing(Call& call, const Stream& stream);
void refuseWhileCapturing(Call& call, const Event& event);

}  // namespace cnn::emu::driver
