// cuStreamBeginCapture and what belongs to it
#include "driver/capture.h"
#include "driver/graph.h"

#include <algorithm>

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

std::vector<Node*> nodesOf(Call& c, const Graph& graph, const CUgraphNode* handles, std::size_t count) {
  requireValue(count == 0 || handles != nullptr, "dependencies without their array");
  std::vector<Node*> found;
  for (std::size_t i = 0; i < count; ++i) {
    Node* node = c.driver.nodes.get(handles[i]).get();
    requireValue(node->graph == &graph, "a dependency is a node of another graph");
    found.push_back(node);
  }
  return found;
}

CUstreamCaptureStatus status(const Stream& stream) {
  if (!stream.capture) return CU_STREAM_CAPTURE_STATUS_NONE;
  return stream.capture->valid ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_INVALIDATED;
}

// The graph of a capture has a handle from the moment somebody asks for it.
CUgraph handleOf(Call& c, const std::shared_ptr<Graph>& graph) { return graph->handle ? graph->handle : c.driver.graphs.add(graph); }

void captureInfo(Call& c, CUstream handle, CUstreamCaptureStatus* out, cuuint64_t* id, CUgraph* graph, const CUgraphNode** tail, std::size_t* count) {
  // The dependency list stays valid until the next call on the stream that changes it; one per thread is enough.
  static thread_local std::vector<CUgraphNode> handles;
  requirePointers(out);
  const auto stream = c.stream(handle);
  *out = status(*stream);
  if (*out != CU_STREAM_CAPTURE_STATUS_ACTIVE) return;
  if (id) *id = stream->capture->id;
  if (graph) *graph = handleOf(c, stream->capture->graph);
  handles.clear();
  for (const Node* node : stream->tail) handles.push_back(node->handle);
  if (tail) *tail = handles.data();
  if (count) *count = handles.size();
}

void updateDependencies(Call& c, CUstream handle, const CUgraphNode* nodes, std::size_t count, unsigned flags) {
  requireValue(flags <= CU_STREAM_SET_CAPTURE_DEPENDENCIES, "no such flags");
  const auto stream = c.stream(handle);
  require(stream->capture != nullptr && stream->capture->valid, CUDA_ERROR_ILLEGAL_STATE, "the stream is not being captured");
  const std::vector<Node*> given = nodesOf(c, *stream->capture->graph, nodes, count);
  if (flags == CU_STREAM_SET_CAPTURE_DEPENDENCIES) stream->tail.clear();
  for (Node* node : given)
    if (std::ranges::find(stream->tail, node) == stream->tail.end()) stream->tail.push_back(node);
}

}  // namespace

CNN_EXPORT CUresult cuStreamBeginCapture_v2(CUstream handle, CUstreamCaptureMode mode) {
  return call("cuStreamBeginCapture_v2", [&](Call& c) { beginCapture(c, c.stream(handle), mode, nullptr, {}); });
}

CNN_EXPORT CUresult cuStreamBeginCapture(CUstream handle) { return cuStreamBeginCapture_v2(handle, CU_STREAM_CAPTURE_MODE_GLOBAL); }

CNN_EXPORT CUresult cuStreamBeginCaptureToGraph(CUstream handle, CUgraph graphHandle, const CUgraphNode* dependencies,
                                                const CUgraphEdgeData*, std::size_t count, CUstreamCaptureMode mode) {
  return call("cuStreamBeginCaptureToGraph", [&](Call& c) {
    const std::shared_ptr<Graph> graph = c.driver.graphs.get(graphHandle);
    beginCapture(c, c.stream(handle), mode, graph, nodesOf(c, *graph, dependencies, count));
  });
}

CNN_EXPORT CUresult cuStreamEndCapture(CUstream handle, CUgraph* graph) {
  return call("cuStreamEndCapture", [&](Call& c) {
    requirePointers(graph);
    *graph = nullptr;
    *graph = handleOf(c, endCapture(c, *c.stream(handle)));
  });
}

CNN_EXPORT CUresult cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus* out) {
  return call("cuStreamIsCapturing", [&](Call& c) {
    requirePointers(out);
    *out = status(*c.stream(handle));
  });
}

CNN_EXPORT CUresult cuStreamGetCaptureInfo(CUstream handle, CUstreamCaptureStatus* out, cuuint64_t* id) {
  return call("cuStreamGetCaptureInfo", [&](Call& c) { captureInfo(c, handle, out, id, nullptr, nullptr, nullptr); });
}

CNN_EXPORT CUresult cuStreamGetCaptureInfo_v2(CUstream handle, CUstreamCaptureStatus* out, cuuint64_t* id, CUgraph* graph,
                                              const CUgraphNode** dependencies, std::size_t* count) {
  return call("cuStreamGetCaptureInfo_v2", [&](Call& c) { captureInfo(c, handle, out, id, graph, dependencies, count); });
}

CNN_EXPORT CUresult cuStreamGetCaptureInfo_v3(CUstream handle, CUstreamCaptureStatus* out, cuuint64_t* id, CUgraph* graph,
                                              const CUgraphNode** dependencies, const CUgraphEdgeData** edges, std::size_t* count) {
  return call("cuStreamGetCaptureInfo_v3", [&](Call& c) {
    captureInfo(c, handle, out, id, graph, dependencies, count);
    if (edges) *edges = nullptr;  // every edge is a plain one
  });
}

CNN_EXPORT CUresult cuStreamUpdateCaptureDependencies(CUstream handle, CUgraphNode* nodes, std::size_t count, unsigned flags) {
  return call("cuStreamUpdateCaptureDependencies", [&](Call& c) { updateDependencies(c, handle, nodes, count, flags); });
}

CNN_EXPORT CUresult cuStreamUpdateCaptureDependencies_v2(CUstream handle, CUgraphNode* nodes, const CUgraphEdgeData*, std::size_t count,
                                                         unsigned flags) {
  return call("cuStreamUpdateCaptureDependencies_v2", [&](Call& c) { updateDependencies(c, handle, nodes, count, flags); });
}

CNN_EXPORT CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  return call("cuThreadExchangeStreamCaptureMode", [&](Call&) {
    requirePointers(mode);
    requireValue(*mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && *mode <= CU_STREAM_CAPTURE_MODE_RELAXED, "no such capture mode");
    std::swap(*mode, threadState().captureMode);
  });
}
