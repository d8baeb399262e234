// Collectives of a warp: shfl, vote, match, redux, activemask, bar.warp.sync.
#include "machine/checks.h"
#include "machine/lanes.h"

#include <bit>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

// The member mask of the executing lanes. A lane that executes must be named, and all must name the same members.
bool membersOf(Warp& warp, const Instruction* i, std::uint32_t mask, std::uint32_t slot, std::uint32_t& members) {
  const auto* const m = warp.lanes<const std::uint32_t>(slot);
  members = m[std::countr_zero(mask)];
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    if (m[l] != members) return warp.fault(i, statusIllegalInstruction, "lanes name different members", int(l)), false;
    if (!inMask(members, l))
      return warp.fault(i, statusIllegalInstruction, "lane " + std::to_string(l) + " executes a collective that does not name it", int(l)), false;
  }
  return true;
}

// In place of the slot of the member mask: the forms without .sync, of whichever lanes come together.
constexpr std::uint32_t unnamed = ~0u;
std::uint32_t membersSlot(Decoder& d, std::size_t operand) {
  if (d.has("sync")) return d.source(d.operand(operand), Type::b32);
  if (d.sm() >= 70 && d.ptxVersion() >= 64) d.error("needs .sync for .target sm_70 and higher, from PTX version 6.4 on");
  return unnamed;
}

// The modifier that stands behind .sync, or without it in its place.
std::string_view modeOf(const Decoder& d) { return d.word(d.has("sync") ? 1 : 0); }

// What every collective does first. `stop` is what the handler returns unless it may go on.
struct Meeting {
  bool ready = false;
  const Instruction* stop = nullptr;
  std::uint32_t mask = 0, members = 0;

  Meeting(Warp& warp, const Instruction* i, std::uint32_t membersSlot) : mask(warp.mask(i)) {
    if (mask == 0) {
      stop = i + 1;
      return;
    }
    if (membersSlot == unnamed) {
      members = mask;
      ready = true;
      return;
    }
    if (!membersOf(warp, i, mask, membersSlot, members)) return;
    if (!warp.gathered(members)) {
      stop = warp.await(i, members);
      return;
    }
    if ((members & warp.live & ~mask) != 0) {
      stop = warp.fault(i, statusIllegalInstruction, "lanes of the member mask skip the collective by its guard");
      return;
    }
    ready = true;
    if (warp.instrumented) syncWarp(warp);
  }
};

// ---- shfl: slot d, a, b, c, members, p ---------------------------------------------------------------------------
enum class Shuffle { up, down, bfly, idx };

// What is read from a lane that does not take part is undefined: something that is noticed, also as a number.
constexpr std::uint32_t nobodysValue = 0x7ff0deadu;

struct Source {
  unsigned lane;
  bool inRange;
};
template <Shuffle Mode> [[gnu::always_inline]] inline Source sourceLane(unsigned lane, std::uint32_t b, std::uint32_t c) {
  const std::uint32_t offset = b & 31, clamp = c & 31, segment = c >> 8 & 31;
  const std::uint32_t most = (lane & segment) | (clamp & ~segment), least = lane & segment;
  int j = 0;
  bool inRange = false;
  if (Mode == Shuffle::up) {
    j = int(lane) - int(offset);
    inRange = j >= int(most);
  } else if (Mode == Shuffle::down) {
    j = int(lane + offset);
    inRange = j <= int(most);
  } else if (Mode == Shuffle::bfly) {
    j = int(lane ^ offset);
    inRange = j <= int(most);
  } else {
    j = int(least | (offset & ~segment));
    inRange = j <= int(most);
  }
  return {inRange ? unsigned(j) : lane, inRange};
}

template <Shuffle Mode> [[gnu::noinline]] const Instruction* shuffle(Warp& warp, const Instruction* i) {
  const Meeting meeting(warp, i, i->slot[4]);
  if (!meeting.ready) return meeting.stop;
  const auto *const a = warp.lanes<const std::uint32_t>(i->slot[1]), *const b = warp.lanes<const std::uint32_t>(i->slot[2]);
  const auto* const c = warp.lanes<const std::uint32_t>(i->slot[3]);
  std::uint32_t result[warpLanes], inRange = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    const Source source = sourceLane<Mode>(l, b[l], c[l]);
    result[l] = inMask(meeting.mask, source.lane) ? a[source.lane] : nobodysValue;
    inRange |= std::uint32_t(source.inRange) << l;
  }
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(meeting.mask, l)) d[l] = result[l];
  std::uint32_t& p = warp.predicate(i->slot[5]);
  p = (p & ~meeting.mask) | (inRange & meeting.mask);
  return i + 1;
}

void decodeShuffle(Decoder& d, Instruction& out) {
  const ptx::Operand& target = d.operand(0);
  const ptx::Operand none;
  const bool two = target.kind == ptx::Operand::Kind::pair;
  out.slot[0] = d.destination(two ? target.parts[0] : target, Type::b32);
  out.slot[5] = d.predicate(two ? &target.parts[1] : &none);
  for (unsigned n = 1; n < 4; ++n) out.slot[n] = d.source(d.operand(n), Type::b32);
  out.slot[4] = membersSlot(d, 4);
  const std::string_view mode = modeOf(d);
  out.function = mode == "up" ? shuffle<Shuffle::up> : mode == "down" ? shuffle<Shuffle::down>
                 : mode == "bfly" ? shuffle<Shuffle::bfly> : shuffle<Shuffle::idx>;
}

// ---- vote: slot d, predicate, members; flags the kind, count the flip ---------------------------------------------
enum Vote : std::uint32_t { all, any, uni, ballot };

const Instruction* vote(Warp& warp, const Instruction* i) {
  const Meeting meeting(warp, i, i->slot[2]);
  if (!meeting.ready) return meeting.stop;
  const std::uint32_t votes = (warp.predicate(i->slot[1]) ^ i->count) & meeting.mask;
  if (i->flags == ballot) {
    auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
    for (unsigned l = 0; l < warpLanes; ++l)
      if (inMask(meeting.mask, l)) d[l] = votes;
    return i + 1;
  }
  const bool holds = i->flags == all ? votes == meeting.mask : i->flags == any ? votes != 0 : votes == 0 || votes == meeting.mask;
  std::uint32_t& d = warp.predicate(i->slot[0]);
  d = holds ? d | meeting.mask : d & ~meeting.mask;
  return i + 1;
}
void decodeVote(Decoder& d, Instruction& out) {
  const std::string_view kind = modeOf(d);
  out.flags = kind == "all" ? all : kind == "any" ? any : kind == "uni" ? uni : ballot;
  out.slot[0] = out.flags == ballot ? d.destination(d.operand(0), Type::b32) : d.predicate(&d.operand(0));
  out.slot[1] = d.predicate(&d.operand(1), &out.count);
  out.slot[2] = membersSlot(d, 2);
  out.function = vote;
}

// ---- match: slot d, a, members, p ---------------------------------------------------------------------------------
template <class T, bool All> const Instruction* match(Warp& warp, const Instruction* i) {
  const Meeting meeting(warp, i, i->slot[2]);
  if (!meeting.ready) return meeting.stop;
  const auto* const a = warp.lanes<const T>(i->slot[1]);
  std::uint32_t equal[warpLanes] = {};
  for (unsigned l = 0; l < warpLanes; ++l)
    for (unsigned m = 0; m < warpLanes; ++m) equal[l] |= std::uint32_t(inMask(meeting.mask, m) && a[m] == a[l]) << m;
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  const bool same = equal[std::countr_zero(meeting.mask)] == meeting.mask;
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(meeting.mask, l)) d[l] = All ? (same ? meeting.mask : 0) : equal[l];
  std::uint32_t& p = warp.predicate(i->slot[3]);
  if (All) p = same ? p | meeting.mask : p & ~meeting.mask;
  return i + 1;
}
void decodeMatch(Decoder& d, Instruction& out) {
  const ptx::Operand& target = d.operand(0);
  const ptx::Operand none;
  const bool two = target.kind == ptx::Operand::Kind::pair, isAll = d.word(0) == "all";
  out.slot[0] = d.destination(two ? target.parts[0] : target, Type::b32);
  out.slot[3] = d.predicate(two ? &target.parts[1] : &none);
  out.slot[1] = d.source(d.operand(1), d.last());
  out.slot[2] = d.source(d.operand(2), Type::b32);
  if (ptx::bits(d.last()) == 64) out.function = isAll ? match<std::uint64_t, true> : match<std::uint64_t, false>;
  else out.function = isAll ? match<std::uint32_t, true> : match<std::uint32_t, false>;
}

// ---- redux: slot d, a, members ------------------------------------------------------------------------------------
struct Sum { template <class T> T operator()(T a, T b) const { return T(std::uint32_t(a) + std::uint32_t(b)); } };
struct Least { template <class T> T operator()(T a, T b) const { return a < b ? a : b; } };
struct Greatest { template <class T> T operator()(T a, T b) const { return a < b ? b : a; } };
struct AllBits { std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return a & b; } };
struct AnyBits { std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return a | b; } };
struct OddBits { std::uint32_t operator()(std::uint32_t a, std::uint32_t b) const { return a ^ b; } };

template <class Op, class T> const Instruction* redux(Warp& warp, const Instruction* i) {
  const Meeting meeting(warp, i, i->slot[2]);
  if (!meeting.ready) return meeting.stop;
  const auto* const a = warp.lanes<const T>(i->slot[1]);
  std::uint32_t rest = meeting.mask;
  T value = a[std::countr_zero(rest)];
  for (rest &= rest - 1; rest != 0; rest &= rest - 1) value = T(Op{}(value, a[std::countr_zero(rest)]));
  auto* const d = warp.lanes<T>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(meeting.mask, l)) d[l] = value;
  return i + 1;
}
void decodeRedux(Decoder& d, Instruction& out) {
  plainOperands(d, out, Type::b32, Type::b32);
  const std::string_view op = d.word(1);
  const bool isSigned = d.last() == Type::s32;
  using U = std::uint32_t;
  using S = std::int32_t;
  if (op == "add") out.function = redux<Sum, U>;
  else if (op == "min") out.function = isSigned ? redux<Least, S> : redux<Least, U>;
  else if (op == "max") out.function = isSigned ? redux<Greatest, S> : redux<Greatest, U>;
  else out.function = op == "and" ? redux<AllBits, U> : op == "or" ? redux<AnyBits, U> : redux<OddBits, U>;
}

const Instruction* activeMask(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  auto* const d = warp.lanes<std::uint32_t>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = mask;
  return i + 1;
}
void decodeActiveMask(Decoder& d, Instruction& out) {
  out.slot[0] = d.destination(d.operand(0), Type::b32);
  out.function = activeMask;
}

const Instruction* syncLanes(Warp& warp, const Instruction* i) {
  const Meeting meeting(warp, i, i->slot[0]);
  return meeting.ready ? i + 1 : meeting.stop;
}
void decodeSyncLanes(Decoder& d, Instruction& out) {
  out.slot[0] = d.source(d.operand(0), Type::b32);
  out.function = syncLanes;
}

}  // namespace

std::span<const Entry> warp_collective() {
  constexpr Class c = Class::warp;
  static const Entry entries[] = {
      {"shfl.{sync}.{up|down|bfly|idx}.b32", "=T|pred T b32 b32 b32", 60, 30, c, 0, decodeShuffle},
      {"shfl.{up|down|bfly|idx}.b32", "=T|pred T b32 b32", 30, 30, c, 0, decodeShuffle},
      {"vote.{all|any|uni}.pred", "=pred pred", 12, 12, c, 0, decodeVote},
      {"vote.{ballot}.b32", "=T pred", 20, 20, c, 0, decodeVote},
      {"vote.{sync}.{all|any|uni}.pred", "=pred pred b32", 60, 30, c, 0, decodeVote},
      {"vote.{sync}.{ballot}.b32", "=T pred b32", 60, 30, c, 0, decodeVote},
      {"match.{any}.sync.{b32|b64}", "=b32 T b32", 60, 70, c, 0, decodeMatch},
      {"match.{all}.sync.{b32|b64}", "=b32|pred T b32", 60, 70, c, 0, decodeMatch},
      {"redux.{sync}.{add|min|max}.{u32|s32}", "=T T b32", 70, 80, c, 0, decodeRedux},
      {"redux.{sync}.{and|or|xor}.b32", "=T T b32", 70, 80, c, 0, decodeRedux},
      {"activemask.b32", "=T", 62, 30, c, 0, decodeActiveMask},
      {"bar.warp.sync", "b32", 60, 30, c, 0, decodeSyncLanes},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
