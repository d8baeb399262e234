// Runs queued work as late as is legal: only what a caller waits for, and what that depends on, in an order drawn from
// the seed. One device operation runs at a time. Host functions run on a thread of their own, because they may block
// until other work is done.
#include "driver/driver.h"

#include "driver/call.h"
#include "driver/stream_values.h"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <unordered_set>

namespace cnn::emu::driver {
namespace {

// The launch queue of a GPU is finite as well; beyond this many operations the oldest ones run.
constexpr std::size_t maxPending = 1024;

bool isNext(const Operation& operation) {
  return operation.state == Operation::State::waiting && std::ranges::all_of(operation.after, [](const auto& earlier) { return earlier->done(); });
}

// Somebody still has to write the value: other streams, or the host.
bool lacksValue(const Operation& operation, const Memory& memory) {
  const auto* wait = std::get_if<WaitValueWork>(&operation.work);
  return wait && !isThere(memory, *wait);
}

}  // namespace

OperationPtr Driver::add(Context& context, Work work, std::vector<OperationPtr> after, When when, Clock clock) {
  auto operation = std::make_shared<Operation>();
  operation->sequence = ++sequence_;
  operation->context = &context;
  operation->work = std::move(work);
  operation->when = std::move(when);
  operation->clock = std::move(clock);
  for (OperationPtr& earlier : after)
    if (earlier && !earlier->done()) operation->after.push_back(std::move(earlier));
  context.pending.emplace(operation->sequence, operation);
  return operation;
}

void Driver::settle(Context& context, Lock& lock) {
  lastActivity_ = std::chrono::steady_clock::now();
  startThreads();
  if (settings.streams == Settings::Streams::eager)
    while (OperationPtr next = anyReady(&context)) start(next, lock);
  while (context.pending.size() > maxPending) finish(OperationPtr(context.pending.begin()->second), lock);
}

std::vector<OperationPtr> Driver::streamOrder(const Stream& stream) const {
  std::vector<OperationPtr> order{stream.last};
  const Stream& legacy = *stream.context->legacy;
  if (&stream == &legacy) {
    for (const Stream* other : stream.context->streams)
      if (other->blocking()) order.push_back(other->last);
  } else if (stream.blocking()) {
    order.push_back(legacy.last);
  }
  return order;
}

OperationPtr Driver::addToStream(Stream& stream, Work work, Lock& lock, std::vector<OperationPtr> after) {
  Clock also;
  for (const OperationPtr& earlier : after) also.join(earlier->clock);
  const Moment moment = extend(stream, also);
  if (std::holds_alternative<WaitValueWork>(work)) stream.clock.coverUnknown();
  for (OperationPtr& earlier : streamOrder(stream)) after.push_back(std::move(earlier));
  OperationPtr operation = add(*stream.context, std::move(work), std::move(after), {moment, {}}, stream.clock);
  stream.last = operation;
  settle(*stream.context, lock);
  return operation;
}

// The target and all unfinished work it depends on, dependencies first. The order of independent work is random.
std::vector<OperationPtr> Driver::collect(const OperationPtr& target) {
  struct Visit {
    OperationPtr operation;
    std::vector<OperationPtr> left;
  };
  std::vector<OperationPtr> order;
  std::unordered_set<const Operation*> seen;
  std::vector<Visit> stack;
  const auto visit = [&](const OperationPtr& operation) {
    if (operation->done() || !seen.insert(operation.get()).second) return;
    Visit next{operation, operation->after};
    std::shuffle(next.left.begin(), next.left.end(), random_);
    stack.push_back(std::move(next));
  };
  visit(target);
  while (!stack.empty()) {
    if (stack.back().left.empty()) {
      order.push_back(std::move(stack.back().operation));
      stack.pop_back();
    } else {
      const OperationPtr next = std::move(stack.back().left.back());
      stack.back().left.pop_back();
      visit(next);
    }
  }
  return order;
}

void Driver::finishInOrder(const std::vector<OperationPtr>& order, Lock& lock) {
  for (const OperationPtr& operation : order) {
    while (!operation->done()) {
      if (ready(*operation) && (!busy_ || std::holds_alternative<HostWork>(operation->work))) start(operation, lock);
      else if (!busy_ && isNext(*operation)) helpAlong(lock);
      else changed_.wait(lock);
    }
  }
}

bool Driver::ready(const Operation& operation) const { return isNext(operation) && !lacksValue(operation, memory); }

// Something waits for a value: other work may write it, or the host.
void Driver::helpAlong(Lock& lock) {
  if (const OperationPtr next = anyReady()) start(next, lock);
  else changed_.wait_for(lock, std::chrono::milliseconds(1));
}

void Driver::finish(const OperationPtr& target, Lock& lock) {
  if (!target || target->done()) return;
  if (settings.streams == Settings::Streams::random)
    while (random_() % 2) advance(*target->context, lock);
  finishInOrder(collect(target), lock);
}

void Driver::finishAll(Context& context, Lock& lock) {
  while (!context.pending.empty()) {
    // A random one of the pending operations and what it needs, until nothing is left.
    auto pick = context.pending.begin();
    std::advance(pick, random_() % context.pending.size());
    finishInOrder(collect(OperationPtr(pick->second)), lock);
  }
}

void Driver::advance(Context& context, Lock& lock) {
  if (busy_) return;
  if (const OperationPtr next = anyReady(&context)) start(next, lock);
}

OperationPtr Driver::anyReady(const Context* only) {
  std::vector<OperationPtr> choices;
  contexts.each([&](const Context& context) {
    if (only && only != &context) return;
    for (const auto& [sequence, operation] : context.pending)
      if (ready(*operation)) choices.push_back(operation);
  });
  return choices.empty() ? nullptr : choices[random_() % choices.size()];
}

// A host function is handed to its thread; anything else is run here and now.
void Driver::start(const OperationPtr& operation, Lock& lock) {
  if (std::holds_alternative<HostWork>(operation->work)) {
    operation->state = Operation::State::running;
    hostQueue_.push_back(operation);
    hostWork_.notify_one();
    return;
  }
  changed_.wait(lock, [&] { return !busy_; });
  if (operation->state == Operation::State::waiting) run(operation, lock);
}

void Driver::run(const OperationPtr& operation, Lock& lock) {
  operation->state = Operation::State::running;
  busy_ = true;
  lock.unlock();
  std::optional<Fault> fault;
  try {
    fault = execute(*operation, *this);
  } catch (const std::exception& error) {
    fault = Fault{CUDA_ERROR_LAUNCH_FAILED, std::string("the emulator failed: ") + error.what()};
  }
  lock.lock();
  busy_ = false;
  complete(operation);
  if (fault) fail(*operation->context, *fault);
  lastActivity_ = std::chrono::steady_clock::now();
  changed_.notify_all();
}

void Driver::complete(const OperationPtr& operation) {
  // Memory of a graph stays with the graph.
  if (const auto* freed = std::get_if<FreeWork>(&operation->work); freed && !freed->memory) release(freed->address);
  operation->state = Operation::State::done;
  operation->stamp = ++completed_;
  operation->after.clear();
  operation->work = EmptyWork{};  // lets go of the kernel, the staged bytes, the event
  operation->context->pending.erase(operation->sequence);
}

// After a fault the context is lost: nothing more of it runs, except callbacks that were promised the status.
void Driver::fail(Context& context, const Fault& fault) {
  if (!context.sticky) {
    context.sticky = CUresult(fault.code);
    lastReport = fault.report;
    if (!settings.quiet) std::fprintf(stderr, "emulated CUDA: error %d\n%s\n", fault.code, fault.report.c_str());
  }
  changed_.notify_all();
  const auto pending = context.pending;
  for (const auto& [sequence, operation] : pending) {
    if (operation->state != Operation::State::waiting) continue;
    const auto* host = std::get_if<HostWork>(&operation->work);
    if (host && host->callback) {
      operation->state = Operation::State::running;
      hostQueue_.push_back(operation);
      hostWork_.notify_one();
    } else {
      operation->state = Operation::State::done;
      operation->after.clear();
      operation->work = EmptyWork{};
      context.pending.erase(sequence);
    }
  }
}

void Driver::startThreads() {
  if (threads_) return;
  threads_ = true;
  std::thread([this] { idleLoop(); }).detach();
  std::thread([this] { hostLoop(); }).detach();
}

// A GPU works while nobody waits for it; so does the emulator, but only after a long pause.
void Driver::idleLoop() {
  Lock lock(mutex);
  for (;;) {
    OperationPtr next;
    if (!busy_ && std::chrono::steady_clock::now() - lastActivity_ >= settings.idle) next = anyReady();
    if (!next) {
      changed_.wait_for(lock, std::max(settings.idle, std::chrono::milliseconds(1)));
      continue;
    }
    start(next, lock);
    // Once awake, go on until everything is done: what follows is due as well.
    lastActivity_ = std::chrono::steady_clock::now() - settings.idle;
  }
}

void Driver::hostLoop() {
  threadState().inHostFunction = true;
  Lock lock(mutex);
  for (;;) {
    hostWork_.wait(lock, [&] { return !hostQueue_.empty(); });
    OperationPtr operation = std::move(hostQueue_.front());
    hostQueue_.pop_front();
    const HostWork work = std::get<HostWork>(operation->work);
    const CUresult status = operation->context->sticky;
    hostLearns(operation->clock);  // it may tell any thread
    lock.unlock();
    if (work.callback) work.callback(work.stream, status, work.data);
    else work.function(work.data);
    lock.lock();
    complete(operation);
    operation.reset();
    changed_.notify_all();
  }
}

}  // namespace cnn::emu::driver
