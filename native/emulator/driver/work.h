// What a stream or a graph can be asked to do. A piece of work is plain data: it is queued as an Operation, stored in a
// graph as a Node, and copied between the two.
#pragma once

#include "driver/abi.h"
#include "driver/order.h"
#include "machine/launch.h"

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace cnn::emu::driver {

struct Context;
struct Event;
struct Graph;
struct LoadedFunction;
struct Pool;
struct GraphAllocation;

struct KernelWork {
  std::shared_ptr<LoadedFunction> function;
  Dim3 grid, block, cluster;
  unsigned dynamicShared = 0;
  bool cooperative = false;
  bool clusterGiven = false;  // by the launch, not by the code
  std::vector<std::byte> parameters;
};

// One side of a copy: rows of `pitch` bytes, slices of `slice` bytes.
struct Place {
  bool device = false;
  std::uint64_t address = 0;
  std::size_t pitch = 0, slice = 0;
};

struct CopyWork {
  Place destination, source;
  std::size_t width = 0, height = 1, depth = 1;  // bytes, rows, slices
  // A pageable source is read when the call is made; the copy then comes from here.
  std::shared_ptr<std::vector<std::byte>> staged;
};

struct FillWork {
  std::uint64_t address = 0;
  std::size_t pitch = 0, width = 0, height = 1;  // width in elements
  unsigned value = 0, elementSize = 1;
};

struct HostWork {
  CUhostFn function = nullptr;
  void* data = nullptr;
  // cuStreamAddCallback: called with its stream and the status instead.
  CUstreamCallback callback = nullptr;
  CUstream stream = nullptr;
};

struct EmptyWork {};

struct RecordWork {
  std::shared_ptr<Event> event;
};

struct WaitWork {
  std::shared_ptr<Event> event;
};

// Values of 4 or 8 bytes; the condition is a CU_STREAM_WAIT_VALUE.
struct WaitValueWork {
  std::uint64_t address = 0, value = 0;
  unsigned condition = 0, bytes = 4;
};

struct WriteValueWork {
  std::uint64_t address = 0, value = 0;
  unsigned bytes = 4;
};

// Allocation in stream order: the address is known when the call is made, the bytes are usable afterwards.
struct AllocateWork {
  std::shared_ptr<GraphAllocation> memory;
};

struct FreeWork {
  std::uint64_t address = 0;
  std::shared_ptr<GraphAllocation> memory;  // set when a node of a graph has allocated it
};

struct ChildWork {
  std::shared_ptr<Graph> graph;
};

using Work = std::variant<EmptyWork, KernelWork, CopyWork, FillWork, HostWork, RecordWork, WaitWork, AllocateWork, FreeWork, ChildWork,
                          WaitValueWork, WriteValueWork>;

// Queued work. It may run once everything in `after` is done; it need not run before somebody waits for it.
struct Operation {
  enum class State { waiting, running, done };

  std::uint64_t sequence = 0;
  Context* context = nullptr;
  Work work;
  std::vector<std::shared_ptr<Operation>> after;
  When when;
  Clock clock;  // what is done before it, and itself
  State state = State::waiting;
  std::uint64_t stamp = 0;  // the device's operation count when it was done

  bool done() const { return state == State::done; }
};
using OperationPtr = std::shared_ptr<Operation>;

}  // namespace cnn::emu::driver
