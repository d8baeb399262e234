// mbarrier: barriers in shared memory that count arrivals and bytes of asynchronous copies.
#include "machine/async_state.h"
#include "machine/checks.h"
#include "machine/family.h"
#include "machine/mbarrier.h"
#include "machine/operand_address.h"

#include <cstring>

namespace cnn::emu::CNN_ISA {

namespace {

using Error = MbarrierWord::Error;

struct Operands {
  LaneAddress address;
  uint32_t result;     // slot of the state (8 bytes) or the predicate
  uint32_t value;      // slot of the count, bytes, state or parity
  const char* name;
  bool hasResult, hasValue, relaxed;
};

const Operands& operands(const Instruction* i) { return *static_cast<const Operands*>(i->extra); }

uint64_t wordAt(const std::byte* host) {
  uint64_t bits;
  std::memcpy(&bits, host, sizeof bits);
  return bits;
}

// For the race check: an arrival hands the past of the warp over to those who wait. Other blocks of the cluster may arrive
// or wait here too. A relaxed one orders only what a fence stands before, or behind.
void handOver(Warp& w, const Operands& o, uint32_t address, bool waits) {
  if (!w.instrumented) return;
  const bool alone = w.block->cluster.size() == 1;
  if (o.relaxed) waits ? strongAcquire(w, address, {Scope::cluster}) : strongRelease(w, address, {Scope::cluster});
  else if (waits) (alone ? syncAcquire : clusterAcquire)(w, address);
  else (alone ? syncRelease : clusterRelease)(w, address);
}

// Lanes one after the other, as the hardware would in some order.
template <class Body> const Instruction* eachLane(Warp& w, const Instruction* i, AccessKind kind, Body body) {
  const Operands& o = operands(i);
  const uint32_t mask = w.mask(i);
  uint32_t addresses[warpLanes];
  std::byte* hosts[warpLanes];
  if (!sharedLanes(w, i, o.name, o.address, mask, 8, 8, addresses, hosts)) return nullptr;
  if (mask && !observeShared(w, i, kind, 8, mask, addresses)) return nullptr;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const Error error = body(o, lane, hosts[lane], addresses[lane]);
    if (error != Error::none) return mbarrierFault(w, i, o.name, error, lane);
  }
  return i + 1;
}

const Instruction* init(Warp& w, const Instruction* i) {
  return eachLane(w, i, AccessKind::mbarrierInit, [&](const Operands& o, int lane, std::byte* host, uint32_t) {
    MbarrierWord word;
    const Error error = MbarrierWord::init(w.lanes<uint32_t>(o.value)[lane], word);
    const uint64_t bits = word.encode();
    if (error == Error::none) std::memcpy(host, &bits, sizeof bits);
    return error;
  });
}

const Instruction* invalidate(Warp& w, const Instruction* i) {
  return eachLane(w, i, AccessKind::mbarrier, [&](const Operands&, int, std::byte* host, uint32_t address) {
    if (!MbarrierWord::valid(wordAt(host))) return Error::notInitialised;
    std::memset(host, 0, 8);
    mbarrierEnds(*w.block, address);
    return Error::none;
  });
}

// Any change of the word whose result is the state before it.
template <class Change> const Instruction* update(Warp& w, const Instruction* i, Change change) {
  return eachLane(w, i, AccessKind::mbarrier, [&](const Operands& o, int lane, std::byte* host, uint32_t address) {
    handOver(w, o, address, false);
    const uint64_t before = wordAt(host);
    const uint32_t value = o.hasValue ? w.lanes<uint32_t>(o.value)[lane] : 1;
    const Error error = changeMbarrier(host, [&](MbarrierWord& word) { return change(word, value); });
    w.signalled = true;
    if (error == Error::none && o.hasResult) w.lanes<uint64_t>(o.result)[lane] = before;
    return error;
  });
}

const Instruction* expect(Warp& w, const Instruction* i) {
  return update(w, i, [](MbarrierWord& word, uint32_t bytes) { return word.expect(int32_t(bytes)); });
}

const Instruction* complete(Warp& w, const Instruction* i) {
  return update(w, i, [](MbarrierWord& word, uint32_t bytes) { return word.complete(int32_t(bytes)); });
}

const Instruction* arrive(Warp& w, const Instruction* i) {
  return update(w, i, [](MbarrierWord& word, uint32_t count) { return word.arrive(count); });
}

const Instruction* drop(Warp& w, const Instruction* i) {
  return update(w, i, [](MbarrierWord& word, uint32_t count) { return word.drop(count); });
}

template <bool dropping> const Instruction* arriveExpect(Warp& w, const Instruction* i) {
  return update(w, i, [](MbarrierWord& word, uint32_t bytes) {
    const Error error = word.expect(int32_t(bytes));
    return error != Error::none ? error : dropping ? word.drop(1) : word.arrive(1);
  });
}

template <bool dropping> const Instruction* arriveNoComplete(Warp& w, const Instruction* i) {
  return update(w, i, [](MbarrierWord& word, uint32_t count) {
    const bool parity = word.parity;
    const Error error = dropping ? word.drop(count) : word.arrive(count);
    return error == Error::none && word.parity != parity ? Error::completedByNoComplete : error;
  });
}

// Whether the phase of the state, or the phase of the parity, is over. A failed try_wait gives up the processor, so that
// the copies and the warps it waits for get on; a failed test_wait goes on at once, but in a shorter turn: the loop round
// it can do nothing to end the phase.
template <bool parity, bool suspends> const Instruction* poll(Warp& w, const Instruction* i) {
  uint32_t done = 0;
  const Instruction* after = eachLane(w, i, AccessKind::mbarrier, [&](const Operands& o, int lane, std::byte* host, uint32_t address) {
    const uint64_t bits = wordAt(host);
    if (!MbarrierWord::valid(bits)) return Error::notInitialised;
    const bool waited = parity ? w.lanes<uint32_t>(o.value)[lane] & 1
                               : MbarrierWord::decode(w.lanes<uint64_t>(o.value)[lane]).parity;
    if (!MbarrierWord::decode(bits).completed(waited)) return Error::none;
    done |= 1u << lane;
    handOver(w, o, address, true);
    return Error::none;
  });
  if (!after) return nullptr;
  const uint32_t mask = w.mask(i);
  uint32_t& result = w.predicate(operands(i).result);
  result = (result & ~mask) | done;
  if (done == mask) return after;
  if (suspends) return w.idle(i, "an mbarrier");
  w.shortenTurn();
  return after;
}

const Instruction* pendingCount(Warp& w, const Instruction* i) {
  const Operands& o = operands(i);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const uint64_t state = w.lanes<uint64_t>(o.value)[lane];
    if (!MbarrierWord::valid(state)) return mbarrierFault(w, i, o.name, Error::notInitialised, lane);
    w.lanes<uint32_t>(o.result)[lane] = MbarrierWord::decode(state).pending;
  }
  return i + 1;
}

// ---- decoding: result, address, value, in the positions of the form ----------------------------------------------

bool namesSpace(const Decoder& d) { return d.has("shared") || d.has("shared::cta") || d.has("shared::cluster"); }

Operands& prepare(Decoder& decoder, Instruction& out, const char* name, Handler handler, std::size_t address) {
  Operands& o = *decoder.table<Operands>(1);
  o.name = name;
  o.relaxed = decoder.has("relaxed");
  o.address = laneAddress(decoder, decoder.operand(address), namesSpace(decoder));
  out.extra = &o;
  out.function = handler;
  return o;
}

void value(Decoder& decoder, Operands& o, std::size_t n, ptx::Type type) {
  o.hasValue = decoder.count() > n;
  if (o.hasValue) o.value = decoder.source(decoder.operand(n), type);
}

// [address], value
template <Handler handler> void decodeChange(Decoder& decoder, Instruction& out) {
  value(decoder, prepare(decoder, out, "mbarrier", handler, 0), 1, ptx::Type::u32);
}

// state, [address], value
template <Handler handler> void decodeArrive(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, "mbarrier.arrive", handler, 1);
  const bool sink = decoder.operand(0).kind == ptx::Operand::Kind::sink;
  if (decoder.has("shared::cluster") && !sink) decoder.error("an arrival with .shared::cluster gives no state: write _");
  o.hasResult = !sink;
  if (o.hasResult) o.result = decoder.destination(decoder.operand(0), ptx::Type::b64);
  value(decoder, o, 2, ptx::Type::u32);
}

// p, [address], state or parity
template <Handler handler, bool parity> void decodePoll(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, "mbarrier wait", handler, 1);
  o.result = decoder.predicate(&decoder.operand(0));
  value(decoder, o, 2, parity ? ptx::Type::u32 : ptx::Type::b64);
}

void decodePending(Decoder& decoder, Instruction& out) {
  Operands& o = *decoder.table<Operands>(1);
  o.name = "mbarrier.pending_count";
  o.result = decoder.destination(decoder.operand(0), ptx::Type::b32);
  o.value = decoder.source(decoder.operand(1), ptx::Type::b64);
  out.extra = &o;
  out.function = pendingCount;
}

#define CNN_HERE "[.shared|shared::cta].b64"
#define CNN_ANYWHERE "[.shared|shared::cta|shared::cluster].b64"
// With a memory order: .relaxed came later than .release and .acquire.
#define CNN_ORDERED(opcode, order, space, operands, decode)                                                  \
  {opcode "[." order "][.cta|cluster]" space, operands, 80, 90, Class::async, 0, decode},                    \
  {opcode ".relaxed[.cta|cluster]" space, operands, 86, 90, Class::async, 0, decode},
#define CNN_ARRIVALS(opcode, plain, expecting, incomplete)                                                   \
  {opcode CNN_HERE, "=b64 []", 70, 80, Class::async, 0, decodeArrive<plain>},                                \
  {opcode CNN_HERE, "=b64 [] u32", 78, 90, Class::async, 0, decodeArrive<plain>},                            \
  CNN_ORDERED(opcode, "release", CNN_HERE, "=b64 [] u32?", decodeArrive<plain>)                              \
  CNN_ORDERED(opcode, "release", ".shared::cluster.b64", "=b64 [] u32?", decodeArrive<plain>)                \
  CNN_ORDERED(opcode ".expect_tx", "release", CNN_ANYWHERE, "=b64 [] u32", decodeArrive<expecting>)          \
  {opcode ".noComplete[.release][.cta]" CNN_HERE, "=b64 [] u32", 70, 80, Class::async, 0, decodeArrive<incomplete>},

}  // namespace

std::span<const Entry> mbarrier() {
  static const Entry entries[] = {
      {"mbarrier.init" CNN_HERE, "[] u32", 70, 80, Class::async, 0, decodeChange<init>},
      {"mbarrier.inval" CNN_HERE, "[]", 70, 80, Class::async, 0, decodeChange<invalidate>},
      {"mbarrier.expect_tx[.relaxed][.cta|cluster]" CNN_ANYWHERE, "[] u32", 80, 90, Class::async, 0, decodeChange<expect>},
      {"mbarrier.complete_tx[.relaxed][.cta|cluster]" CNN_ANYWHERE, "[] u32", 80, 90, Class::async, 0, decodeChange<complete>},

      CNN_ARRIVALS("mbarrier.arrive", arrive, arriveExpect<false>, arriveNoComplete<false>)
      CNN_ARRIVALS("mbarrier.arrive_drop", drop, arriveExpect<true>, arriveNoComplete<true>)

      {"mbarrier.test_wait" CNN_HERE, "=pred [] b64", 70, 80, Class::async, 0, decodePoll<poll<false, false>, false>},
      {"mbarrier.test_wait.parity" CNN_HERE, "=pred [] u32", 71, 80, Class::async, 0, decodePoll<poll<true, false>, true>},
      CNN_ORDERED("mbarrier.test_wait", "acquire", CNN_HERE, "=pred [] b64", (decodePoll<poll<false, false>, false>))
      CNN_ORDERED("mbarrier.test_wait.parity", "acquire", CNN_HERE, "=pred [] u32", (decodePoll<poll<true, false>, true>))
      {"mbarrier.try_wait" CNN_HERE, "=pred [] b64 u32?", 78, 90, Class::async, 0, decodePoll<poll<false, true>, false>},
      {"mbarrier.try_wait.parity" CNN_HERE, "=pred [] u32 u32?", 78, 90, Class::async, 0, decodePoll<poll<true, true>, true>},
      CNN_ORDERED("mbarrier.try_wait", "acquire", CNN_HERE, "=pred [] b64 u32?", (decodePoll<poll<false, true>, false>))
      CNN_ORDERED("mbarrier.try_wait.parity", "acquire", CNN_HERE, "=pred [] u32 u32?", (decodePoll<poll<true, true>, true>))

      {"mbarrier.pending_count.b64", "=u32 b64", 70, 80, Class::async, 0, decodePending},
  };
  return entries;
}

#undef CNN_HERE
#undef CNN_ANYWHERE
#undef CNN_ORDERED
#undef CNN_ARRIVALS

}  // namespace cnn::emu::CNN_ISA
