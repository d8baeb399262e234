// The state of the whole driver: one device, its memory, the live objects, and the queue of work. One mutex guards all
// of it; it is released while an operation runs. The one instance is never destroyed, because its threads may outlive main.
#pragma once

#include "driver/handles.h"
#include "driver/objects.h"
#include "driver/ordered_memory.h"
#include "driver/settings.h"
#include "machine/memory.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>

namespace cnn::emu::driver {

using Lock = std::unique_lock<std::mutex>;

class Driver {
 public:
  // Null before cuInit.
  static Driver* instance();
  static Driver& initialise();  // cuInit; throws what Settings throws

  const Settings settings;
  Memory memory;
  std::mutex mutex;

  HandleTable<CUcontext, Context, Kind::context> contexts;
  HandleTable<CUmodule, LoadedModule, Kind::module> modules;
  HandleTable<CUfunction, LoadedFunction, Kind::function> functions;
  HandleTable<CUlibrary, Library, Kind::library> libraries;
  HandleTable<CUkernel, Kernel, Kind::kernel> kernels;
  HandleTable<CUstream, Stream, Kind::stream> streams;
  HandleTable<CUevent, Event, Kind::event> events;
  HandleTable<CUgraph, Graph, Kind::graph> graphs;
  HandleTable<CUgraphNode, Node, Kind::node> nodes;
  HandleTable<CUgraphExec, GraphExec, Kind::graphExec> graphExecs;
  HandleTable<CUmemoryPool, Pool, Kind::pool> pools;

  std::shared_ptr<Pool> defaultPool, currentPool, graphPool;
  std::map<std::uint64_t, std::weak_ptr<GraphAllocation>> graphMemory;  // by address
  std::map<std::uint64_t, Allocation> allocations;  // by address
  OrderedMemory orderedMemory;                      // what of it exists for which operation
  std::vector<std::shared_ptr<Capture>> captures;   // in progress
  std::uint64_t nextId = 1;                         // of contexts, streams, captures, allocations

  struct Primary {
    CUcontext context = nullptr;
    unsigned references = 0, flags = 0;
  } primary;

  const DeviceModel& model() const { return settings.model; }

  // Contexts (context.cpp).
  std::shared_ptr<Context> createContext(unsigned flags, bool isPrimary);
  void destroyContext(const std::shared_ptr<Context>& context, Lock& lock);

  // Queue (queue.cpp). `add` only queues; whoever adds calls `settle` when its bookkeeping is done, because that may
  // run work and so release the lock.
  OperationPtr add(Context& context, Work work, std::vector<OperationPtr> after, When when, Clock clock);
  void settle(Context& context, Lock& lock);
  OperationPtr addToStream(Stream& stream, Work work, Lock& lock, std::vector<OperationPtr> after = {});
  // What the next operation of the stream comes after, with the rules of the legacy stream.
  std::vector<OperationPtr> streamOrder(const Stream& stream) const;
  void finish(const OperationPtr& target, Lock& lock);
  void finishAll(Context& context, Lock& lock);
  void advance(Context& context, Lock& lock);  // one operation, as if time had passed
  std::uint64_t completed() const { return completed_; }

  // What comes before what (order.cpp).
  Clock orderOf(const Stream& stream) const;                     // what is done before the next operation of the stream
  Moment extend(Stream& stream, const Clock& also = {});         // by that operation, or an allocation; `also` comes before it
  Clock doneWith(const Stream& stream) const;                    // what a host that has waited for the stream has waited for
  void hostLearns(const Clock& clock);                           // the host has waited for an operation with this clock
  void hostLearnsAll(Context& context);
  const Clock& hostClock() const { return host_; }
  void retire(Stream& stream);                                   // it is about to be destroyed

  // Memory (allocation.cpp).
  std::uint64_t allocate(std::size_t bytes, const char* label, Lock& lock);
  Allocation& registerAllocation(std::uint64_t address, Allocation allocation);
  const std::pair<const std::uint64_t, Allocation>* findAllocation(std::uint64_t address) const;
  void release(std::uint64_t address);  // of a live allocation, now
  std::size_t reservedBytes() const;    // what the pools keep besides what is in use

  // The context is lost (queue.cpp).
  void fail(Context& context, const Fault& fault);
  std::string lastReport;  // of the newest fault

 private:
  explicit Driver(Settings chosen);
  void start(const OperationPtr& operation, Lock& lock);
  void run(const OperationPtr& operation, Lock& lock);
  void complete(const OperationPtr& operation);
  std::vector<OperationPtr> collect(const OperationPtr& target);
  void finishInOrder(const std::vector<OperationPtr>& order, Lock& lock);
  bool ready(const Operation& operation) const;
  void helpAlong(Lock& lock);
  OperationPtr anyReady(const Context* only = nullptr);
  void startThreads();
  void idleLoop();
  void hostLoop();

  std::condition_variable changed_, hostWork_;
  std::deque<OperationPtr> hostQueue_;
  bool busy_ = false, threads_ = false;
  std::uint64_t sequence_ = 0, completed_ = 0;
  Clock host_;  // what the host knows to be done
  std::chrono::steady_clock::time_point lastActivity_;
  std::mt19937_64 random_;
};

// Does the work, without the driver's lock (operation.cpp).
std::optional<Fault> execute(const Operation& operation, Driver& driver);

}  // namespace cnn::emu::driver
