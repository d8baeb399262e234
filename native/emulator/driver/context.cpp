#include "driver/capture.h"

namespace cnn::emu::driver {

std::shared_ptr<Context> Driver::createContext(unsigned flags, bool isPrimary) {
  auto context = std::make_shared<Context>();
  context->primary = isPrimary;
  context->flags = flags;
  context->id = nextId++;
  context->legacy = std::make_shared<Stream>();
  context->legacy->context = context.get();
  context->legacy->handle = CU_STREAM_LEGACY;
  context->legacy->id = nextId++;
  context->legacy->begin();
  contexts.add(context);
  return context;
}

// Everything that lives in the context goes with it: streams, events, modules, executable graphs, memory.
void Driver::destroyContext(const std::shared_ptr<Context>& context, Lock& lock) {
  finishAll(*context, lock);
  if (!contexts.find(context->handle)) return;  // another thread was faster
  for (const Stream* stream : context->streams) stream->chain->ended = true;
  context->legacy->chain->ended = true;
  hostLearnsAll(*context);
  contexts.remove(context->handle);
  const Context* gone = context.get();
  const auto open = captures;
  for (const auto& capture : open)
    if (capture->origin->context == gone) abandonCapture(*this, *capture->origin);
  streams.removeIf([&](const Stream& stream) { return stream.context == gone; });
  events.removeIf([&](const Event& event) { return event.context == gone; });
  graphExecs.removeIf([&](const GraphExec& exec) { return exec.context == gone; });
  functions.removeIf([&](const LoadedFunction& function) { return function.module->context == gone; });
  modules.removeIf([&](const LoadedModule& module) { return module.context == gone; });
  std::vector<std::uint64_t> owned;
  for (const auto& [address, allocation] : allocations)
    if (allocation.owner == gone) owned.push_back(address);
  for (const std::uint64_t address : owned) release(address);
}

}  // namespace cnn::emu::driver
