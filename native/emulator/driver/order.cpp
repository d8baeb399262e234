#include "driver/order.h"

#include "driver/driver.h"

#include <algorithm>
#include <cstdio>

namespace cnn::emu::driver {
namespace {

// Where the chain stands, or would stand.
template <class Moments>
auto placeOf(Moments& moments, const Moment& moment) {
  return std::ranges::lower_bound(moments, moment.chain, {}, &Moment::chain);
}

}  // namespace

Moment nextMoment(const std::shared_ptr<Chain>& chain) { return {chain, ++chain->length}; }

bool Clock::covers(const Moment& moment) const {
  if (!moment.chain) return false;
  if (unknown_ || moment.chain->settled) return true;
  const auto found = placeOf(latest_, moment);
  return found != latest_.end() && found->chain == moment.chain && found->number >= moment.number;
}

void Clock::add(const Moment& moment) {
  if (moment.chain->settled) return;
  const auto found = placeOf(latest_, moment);
  if (found == latest_.end() || found->chain != moment.chain) latest_.insert(found, moment);
  else found->number = std::max(found->number, moment.number);
}

void Clock::join(const Clock& other) {
  for (const Moment& moment : other.latest_) add(moment);
  unknown_ |= other.unknown_;
}

void Clock::leave(std::uint64_t graph) {
  std::erase_if(latest_, [&](const Moment& moment) { return moment.chain->graph == graph; });
}

void Clock::settle() {
  std::erase_if(latest_, [](const Moment& moment) {
    return moment.chain->settled |= moment.chain->ended && moment.number == moment.chain->length;
  });
}

// ---- the streams of the driver ----------------------------------------------------------------------------------

namespace {

std::string nameOf(const Stream& stream) {
  if (stream.isLegacy()) return "on the legacy stream";
  if (stream.handle == CU_STREAM_PER_THREAD) return "on the stream of a thread";
  char text[32];
  std::snprintf(text, sizeof text, "on stream %p", static_cast<void*>(stream.handle));
  return text;
}

// All that was ever given to the streams of the context.
Clock everything(const Context& context) {
  Clock all = context.departed;
  all.join(context.legacy->clock);
  for (const Stream* stream : context.streams) all.join(stream->clock);
  return all;
}

}  // namespace

void Stream::begin() { chain = std::make_shared<Chain>(nameOf(*this)); }

Moment Stream::end() const { return {chain, chain->length}; }

Clock Driver::orderOf(const Stream& stream) const {
  Clock before = host_;
  const auto follow = [&](const Stream& other) {
    if (!host_.covers(other.end())) before.join(other.clock);
  };
  follow(stream);
  const Stream& legacy = *stream.context->legacy;
  if (!stream.isLegacy() && stream.blocking()) follow(legacy);
  if (!stream.isLegacy()) return before;
  for (const Stream* other : stream.context->streams)
    if (other->blocking()) follow(*other);
  before.join(stream.context->departedBlocking);
  return before;
}

Moment Driver::extend(Stream& stream, const Clock& also) {
  stream.clock = orderOf(stream);
  stream.clock.join(also);
  stream.clock.add(nextMoment(stream.chain));
  return stream.end();
}

Clock Driver::doneWith(const Stream& stream) const { return stream.isLegacy() ? orderOf(stream) : stream.clock; }

void Driver::hostLearns(const Clock& clock) {
  host_.join(clock);
  if (clock.coversUnknown()) {
    contexts.each([&](const Context& context) { host_.join(everything(context)); });
    host_.coverUnknown(false);
  }
  host_.settle();
}

void Driver::hostLearnsAll(Context& context) {
  hostLearns(everything(context));
  context.departed = context.departedBlocking = {};
}

void Driver::retire(Stream& stream) {
  Context& context = *stream.context;
  stream.chain->ended = true;
  host_.settle();
  if (stream.chain->settled) return;
  context.departed.join(stream.clock);
  if (!stream.blocking()) return;
  // It still holds back later work of the legacy stream, and of no other.
  context.departedBlocking.join(stream.clock);
  if (stream.last && !stream.last->done()) context.legacy->last = add(context, EmptyWork{}, {context.legacy->last, stream.last}, {}, {});
}

}  // namespace cnn::emu::driver
