// cp.async: copies of 4, 8 or 16 bytes from global to shared memory that a thread waits for by group.
#include "machine/async_state.h"
#include "machine/checks.h"
#include "machine/copy_checks.h"
#include "machine/family.h"
#include "machine/mbarrier.h"
#include "machine/operand_address.h"

#include <algorithm>
#include <cstring>

namespace cnn::emu::CNN_ISA {

namespace {

struct Operands {
  LaneAddress destination, source;
  uint32_t bytes;
  uint32_t sourceBytes;   // slot, when sized
  bool sized;
  uint32_t ignore, flip;  // predicate, when ignorable
  bool ignorable;
};

// A source may have any number of bytes up to the copy's, and what lies beyond it is not read: it is seen as accesses of
// 16, 8, 4, 2 and 1 bytes, each aligned, which is all that the checks and counters know.
bool observeReads(Warp& w, const Instruction* i, const CopyRecord& record, uint32_t reading, const uint64_t* addresses) {
  for (unsigned piece = 16; piece > 0; piece /= 2) {
    uint32_t lanes = 0;
    uint64_t at[warpLanes] = {};
    for (uint32_t rest = reading; rest; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      const unsigned bytes = record.taken[lane];
      if (!(bytes & piece)) continue;
      lanes |= rest & -rest;
      at[lane] = addresses[lane] + (bytes & ~(2 * piece - 1));
    }
    if (lanes && !observe(w, i, {ptx::Space::global, AccessKind::load, piece, lanes, at})) return false;
  }
  return true;
}

const Instruction* copy(Warp& w, const Instruction* i) {
  const Operands& o = *static_cast<const Operands*>(i->extra);
  const uint32_t mask = w.mask(i);
  if (mask == 0) return i + 1;
  CopyRecord record;
  record.lanes = mask;
  record.bytes = uint8_t(o.bytes);
  if (!sharedLanes(w, i, "cp.async", o.destination, mask, o.bytes, o.bytes, record.destination, record.host)) return nullptr;
  WarpAsync& state = WarpAsync::of(w);
  uint64_t addresses[warpLanes] = {};
  uint32_t reading = 0;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    uint32_t taken = o.sized ? w.lanes<uint32_t>(o.sourceBytes)[lane] : o.bytes;
    if (taken > o.bytes)
      return w.fault(i, statusIllegalInstruction, "cp.async: the source size " + std::to_string(taken)
                                                      + " is larger than the copy size " + std::to_string(o.bytes), lane);
    if (o.ignorable && ((w.predicate(o.ignore) ^ o.flip) >> lane & 1)) taken = 0;
    record.taken[lane] = uint8_t(taken);
    record.group[lane] = state.copyGroup[lane];
    record.source[lane] = record.host[lane];
    addresses[lane] = o.source.generic(w, lane);
    if (taken == 0) continue;
    if (addresses[lane] % o.bytes != 0) return misaligned(w, i, "cp.async", addresses[lane], o.bytes, lane);
    record.source[lane] = globalAt(w, addresses[lane], taken);
    if (!record.source[lane]) return outsideGlobal(w, i, "cp.async", addresses[lane], taken, lane);
    reading |= 1u << lane;
  }
  if (w.instrumented) {
    if (!observeReads(w, i, record, reading, addresses)) return nullptr;
    if (!observeShared(w, i, AccessKind::store, o.bytes, mask, record.destination)) return nullptr;
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      asyncWriteBegin(*w.block, record.destination[std::countr_zero(rest)], o.bytes, "cp.async");
  }
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    std::byte* const host = record.host[std::countr_zero(rest)];
    if (o.bytes == 16) std::memset(host, poison, 16);  // a store, not a call
    else std::memset(host, poison, o.bytes);
  }
  record.serial = state.copySerial++;
  state.copies.push_back(record);
  return i + 1;
}

const Instruction* commit(Warp& w, const Instruction* i) {
  WarpAsync& state = WarpAsync::of(w);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) ++state.copyGroup[std::countr_zero(rest)];
  return i + 1;
}

// All but the latest `immediate` groups; -1: also what has not been committed.
const Instruction* wait(Warp& w, const Instruction* i) {
  WarpAsync& state = WarpAsync::of(w);
  uint32_t limit[warpLanes];
  for (unsigned lane = 0; lane < warpLanes; ++lane)
    limit[lane] = i->immediate < 0 ? ~0u : state.copyGroup[lane] - std::min<uint32_t>(state.copyGroup[lane], uint32_t(i->immediate));
  if (!state.copies.empty()) state.completeCopies(*w.block, w.mask(i), limit, ~uint64_t(0));
  return i + 1;
}

// Arrives when all earlier copies of the thread are done. Without .noinc the pending count grows by one before.
const Instruction* arrive(Warp& w, const Instruction* i) {
  const LaneAddress& operand = *static_cast<const LaneAddress*>(i->extra);
  const uint32_t mask = w.mask(i);
  uint32_t addresses[warpLanes];
  std::byte* hosts[warpLanes];
  if (!sharedLanes(w, i, "cp.async.mbarrier.arrive", operand, mask, 8, 8, addresses, hosts)) return nullptr;
  WarpAsync& state = WarpAsync::of(w);
  const VectorClock issued = w.instrumented ? copyIssued(w) : VectorClock{};
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    if (!i->flags) {
      const auto error = changeMbarrier(hosts[lane], [](MbarrierWord& word) {
        if (word.pending == MbarrierWord::maxCount) return MbarrierWord::Error::countRange;
        ++word.pending;
        return MbarrierWord::Error::none;
      });
      if (error != MbarrierWord::Error::none) return mbarrierFault(w, i, "cp.async.mbarrier.arrive", error, lane);
    }
    CopyEngine::of(*w.block).enqueue([&w, &state, lane, host = hosts[lane], serial = state.copySerial, issued, address = addresses[lane]]() -> std::string {
      uint32_t limit[warpLanes];
      std::fill(limit, limit + warpLanes, ~0u);
      state.completeCopies(*w.block, 1u << lane, limit, serial);
      if (w.instrumented) copyCompleted(*w.block, issued, *w.block, address);
      const auto error = changeMbarrier(host, [](MbarrierWord& word) { return word.arrive(1); });
      return error == MbarrierWord::Error::none ? "" : std::string("cp.async.mbarrier.arrive: ") + describe(error);
    });
  }
  return i + 1;
}

// ---- decoding ---------------------------------------------------------------------------------------------------

void decodeCopy(Decoder& decoder, Instruction& out) {
  Operands& o = *decoder.table<Operands>(1);
  o.destination = laneAddress(decoder, decoder.operand(0), true);
  o.source = laneAddress(decoder, decoder.operand(1), true);
  o.bytes = uint32_t(decoder.constant(decoder.operand(2)));
  const bool bypass = decoder.has("cg");
  if (bypass ? o.bytes != 16 : o.bytes != 4 && o.bytes != 8 && o.bytes != 16)
    decoder.error(bypass ? "cp.async.cg copies 16 bytes" : "cp.async.ca copies 4, 8 or 16 bytes");
  const std::size_t extras = decoder.count() - 3 - decoder.has("L2::cache_hint");
  if (extras == 1 && decoder.declared(decoder.operand(3)) == ptx::Type::pred) {
    o.ignorable = true;
    o.ignore = decoder.predicate(&decoder.operand(3), &o.flip);
  } else if (extras == 1) {
    o.sized = true;
    o.sourceBytes = decoder.source(decoder.operand(3), ptx::Type::b32);
  }
  out.extra = &o;
  out.function = copy;
}

void decodeCommit(Decoder&, Instruction& out) { out.function = commit; }

void decodeWait(Decoder& decoder, Instruction& out) {
  out.immediate = decoder.count() == 0 ? -1 : decoder.constant(decoder.operand(0));
  if (decoder.count() != 0 && out.immediate < 0) decoder.error("cp.async.wait_group takes a count of groups, 0 or more");
  out.function = wait;
}

void decodeArrive(Decoder& decoder, Instruction& out) {
  LaneAddress& a = *decoder.table<LaneAddress>(1);
  a = laneAddress(decoder, decoder.operand(0), decoder.has("shared") || decoder.has("shared::cta"));
  out.extra = &a;
  out.flags = decoder.has("noinc");
  out.function = arrive;
}

}  // namespace

std::span<const Entry> cp_async() {
  // The optional fourth operand is the source size or the predicate that ignores the source.
#define CNN_CP_ASYNC_FORM(hint, operands, ptx)                                                                              \
  {"cp.async.{ca|cg}.{shared|shared::cta}.global" hint "[.L2::64B|L2::128B|L2::256B]", operands, ptx, 80, Class::async, \
   0, decodeCopy},
#define CNN_CP_ASYNC(hint, policy)                       \
  CNN_CP_ASYNC_FORM(hint, "[] [] imm" policy, 70)            \
  CNN_CP_ASYNC_FORM(hint, "[] [] imm b32" policy, 70)        \
  CNN_CP_ASYNC_FORM(hint, "[] [] imm pred" policy, 75)
  static const Entry entries[] = {
      CNN_CP_ASYNC("", "")
      CNN_CP_ASYNC(".L2::cache_hint", " b64")
      {"cp.async.commit_group", "", 70, 80, Class::async, 0, decodeCommit},
      {"cp.async.wait_group", "imm", 70, 80, Class::async, 0, decodeWait},
      {"cp.async.wait_all", "", 70, 80, Class::async, 0, decodeWait},
      {"cp.async.mbarrier.arrive[.noinc][.shared|shared::cta].b64", "[]", 70, 80, Class::async, 0, decodeArrive},
  };
#undef CNN_CP_ASYNC
#undef CNN_CP_ASYNC_FORM
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
