// The objects behind the handles.
#pragma once

#include "driver/work.h"
#include "machine/module.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <thread>

namespace cnn::emu::driver {

struct Node;
struct Capture;
struct GraphExec;

constexpr int greatestPriority = -5;  // of streams; the least is 0, lower numbers come first

struct StreamHints {
  CUaccessPolicyWindow window{};
  CUsynchronizationPolicy policy = CU_SYNC_POLICY_AUTO;
  unsigned char defaultDomain = 0, remoteDomain = 1;
  int domain = 0;
};

struct Stream {
  CUstream handle = nullptr;
  Context* context = nullptr;
  unsigned flags = CU_STREAM_DEFAULT;
  int priority = 0;
  StreamHints hints;
  std::uint64_t id = 0;
  OperationPtr last;                 // the newest operation; the stream is idle when it is done
  std::shared_ptr<Chain> chain;      // its operations and allocations
  Clock clock;                       // what is done when all of them are
  std::shared_ptr<Capture> capture;  // set while the stream is being captured
  std::vector<Node*> tail;           // what the next captured node depends on

  bool blocking() const { return !(flags & CU_STREAM_NON_BLOCKING); }
  bool isLegacy() const { return handle == CU_STREAM_LEGACY; }
  void begin();        // when the handle is known
  Moment end() const;  // of what has been given to it so far
};

struct Event {
  CUevent handle = nullptr;
  Context* context = nullptr;
  unsigned flags = 0;
  OperationPtr recorded;             // the newest record, null before the first
  std::shared_ptr<Capture> capture;  // set when the newest record was captured
  std::vector<Node*> tail;
};

struct LoadedModule {
  CUmodule handle = nullptr;
  Context* context = nullptr;  // null for a library's module, which serves every context
  std::unique_ptr<emu::Module> module;
  std::map<std::string, CUfunction, std::less<>> functions;
};

struct LoadedFunction {
  CUfunction handle = nullptr;
  std::shared_ptr<LoadedModule> module;
  emu::Function* function = nullptr;
};

struct Library {
  CUlibrary handle = nullptr;
  std::shared_ptr<LoadedModule> module;
  std::map<std::string, CUkernel, std::less<>> kernels;
};

struct Kernel {
  CUkernel handle = nullptr;
  Library* library = nullptr;
  std::shared_ptr<LoadedFunction> function;
};

struct Node {
  CUgraphNode handle = nullptr;
  Graph* graph = nullptr;
  Work work;
  std::vector<Node*> dependencies, dependents;
  std::vector<void*> arguments;  // into the kernel's parameters, for a program that asks for them
};

struct Graph {
  CUgraph handle = nullptr;
  std::vector<std::shared_ptr<Node>> nodes;           // in the order of their creation
  std::map<CUgraphNode, CUgraphNode> clonedFrom;      // original node -> the node here
  bool child = false;                                 // owned by a child-graph node
  std::weak_ptr<GraphExec> executable;                // the newest one made from it
};

// Memory that an allocation node of a graph names. It lives as long as a graph or an executable graph refers to it.
struct GraphAllocation {
  GraphAllocation(std::shared_ptr<Pool> pool, std::size_t bytes);
  ~GraphAllocation();
  GraphAllocation(const GraphAllocation&) = delete;
  std::shared_ptr<Pool> pool;
  std::uint64_t address = 0;
  std::size_t bytes = 0;
  std::weak_ptr<Graph> owner, freedIn;  // where the nodes are that allocate and free it
};

struct GraphExec {
  struct Step {
    CUgraphNode node;  // of the graph it was made from; null for the inner steps of a child graph
    Work work;
    std::vector<std::size_t> after;
    bool enabled = true;
    std::shared_ptr<Chain> chain;  // its path through the graph, from layChains
  };
  CUgraphExec handle = nullptr;
  std::uint64_t id = 0;
  Context* context = nullptr;
  cuuint64_t flags = 0;
  std::vector<Step> steps;  // a step comes after those it depends on
  OperationPtr last;        // end of the newest launch: launches of one executable graph never overlap
};

struct Capture {
  std::uint64_t id = 0;
  CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
  std::thread::id thread;
  std::shared_ptr<Graph> graph;
  bool intoExistingGraph = false;
  Stream* origin = nullptr;
  std::set<Stream*> streams;
  bool valid = true;
};

struct Pool {
  CUmemoryPool handle = nullptr;
  bool isDefault = false;
  std::size_t maxSize = 0;  // 0: bounded by the device
  std::uint64_t releaseThreshold = 0;
  std::array<int, 3> reuse{1, 1, 1};
  std::size_t used = 0, usedHigh = 0, reserved = 0, reservedHigh = 0;
};

struct Allocation {
  enum class Source { device, pool, host, registered };
  std::size_t bytes = 0;
  Source source = Source::device;
  unsigned flags = 0;
  std::uint64_t id = 0;
  Context* owner = nullptr;
  std::shared_ptr<Pool> pool;
  std::shared_ptr<GraphAllocation> graphMemory;  // memory of a graph's allocation node, alive after its launch
  bool freeing = false;                          // a free is queued
};

struct Context {
  CUcontext handle = nullptr;
  bool primary = false;
  unsigned flags = 0;
  std::uint64_t id = 0;
  CUresult sticky = CUDA_SUCCESS;  // once set, every later call returns it
  std::shared_ptr<Stream> legacy;
  std::map<std::thread::id, std::shared_ptr<Stream>> perThread;
  std::set<Stream*> streams;                       // created ones and the per-thread ones, not the legacy one
  Clock departed, departedBlocking;                // what destroyed streams were given and the host has not waited for
  std::map<std::uint64_t, OperationPtr> pending;   // by sequence
  std::array<std::size_t, 7> limits{1024, 1 << 20, 8 << 20, 2, 2048, 64, 0};
  int cacheConfig = 0, sharedConfig = 1;
};

}  // namespace cnn::emu::driver
