// Tables from opaque handles to objects. A handle is a number that is never used twice and never a valid address, so a
// stale or invented one is recognised and a host dereference faults.
#pragma once

#include "driver/failure.h"

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace cnn::emu::driver {

enum class Kind : std::uint64_t { context = 1, module, function, library, kernel, stream, event, graph, node, graphExec, pool };

template <class Handle, class Object, Kind kind>
class HandleTable {
 public:
  // The object learns its handle through its `handle` member.
  Handle add(std::shared_ptr<Object> object) {
    const Handle handle = make(++last_);
    object->handle = handle;
    live_.emplace(handle, std::move(object));
    return handle;
  }

  std::shared_ptr<Object> find(Handle handle) const {
    const auto found = live_.find(handle);
    return found == live_.end() ? nullptr : found->second;
  }

  const std::shared_ptr<Object>& get(Handle handle) const {
    const auto found = live_.find(handle);
    if (found == live_.end()) fail(CUDA_ERROR_INVALID_HANDLE, handle ? "the handle is not live" : "the handle is null");
    return found->second;
  }

  std::shared_ptr<Object> remove(Handle handle) {
    std::shared_ptr<Object> object = get(handle);
    live_.erase(handle);
    return object;
  }

  template <class Predicate>
  void removeIf(Predicate&& predicate) {
    std::erase_if(live_, [&](const auto& entry) { return predicate(*entry.second); });
  }

  template <class Visitor>
  void each(Visitor&& visitor) const {
    for (const auto& [handle, object] : live_) visitor(*object);
  }

  // Puts an object back under the handle it had before it was removed.
  void restore(std::shared_ptr<Object> object) {
    const Handle handle = object->handle;
    live_.emplace(handle, std::move(object));
  }

 private:
  // Bits 63..48 are 0x00c0: not canonical on x86-64 or arm64, yet positive as a signed number.
  static Handle make(std::uint64_t number) {
    return reinterpret_cast<Handle>((std::uint64_t(0xc0) << 48) | (std::uint64_t(kind) << 40) | (number << 4));
  }

  std::uint64_t last_ = 0;
  std::unordered_map<Handle, std::shared_ptr<Object>> live_;
};

}  // namespace cnn::emu::driver
