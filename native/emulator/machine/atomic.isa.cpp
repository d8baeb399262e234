// atom and red: host atomics on the memory itself, lane after lane.
#include "machine/atomic_access.h"
#include "machine/cache_hint.h"
#include "machine/flushed_sum.h"
#include "machine/half_combination.h"

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Space;
using ptx::Type;

// slot[0]: d, slot[1]: b, slot[2]: c, slot[4]: address, slot[5]: ordering; flags: as for memory, space at bit 8, bit 2: no result
constexpr std::uint32_t noResult = 2;
constexpr unsigned spaceShift = 8;

struct Add { template <class T> T operator()(T a, T b, T) const { return T(a + b); } };
struct FloatAdd { template <class T> T operator()(T a, T b, T) const { return canonical(a + b); } };
struct And { template <class T> T operator()(T a, T b, T) const { return T(a & b); } };
struct Or { template <class T> T operator()(T a, T b, T) const { return T(a | b); } };
struct Xor { template <class T> T operator()(T a, T b, T) const { return T(a ^ b); } };
struct Exch { template <class T> T operator()(T, T b, T) const { return b; } };
struct Cas { template <class T> T operator()(T a, T b, T c) const { return a == b ? c : a; } };
struct Min { template <class T> T operator()(T a, T b, T) const { return a < b ? a : b; } };
struct Max { template <class T> T operator()(T a, T b, T) const { return a < b ? b : a; } };
struct Inc { template <class T> T operator()(T a, T b, T) const { return a >= b ? T(0) : T(a + 1); } };
struct Dec { template <class T> T operator()(T a, T b, T) const { return a == 0 || a > b ? b : T(a - 1); } };

// Halves in the bits of an integer.
template <bool Bfloat> struct HalfAdd {
  std::uint16_t operator()(std::uint16_t a, std::uint16_t b, std::uint16_t) const { return combineHalves<Bfloat, Combination::sum>(a, b); }
};
template <bool Bfloat> struct PairAdd {
  std::uint32_t operator()(std::uint32_t a, std::uint32_t b, std::uint32_t) const { return combinePairs<Bfloat, Combination::sum>(a, b); }
};

// combine(address, old value, b, c) is what a lane stores.
template <class T, class Combine> [[gnu::always_inline]] inline const Instruction* update(Warp& warp, const Instruction* i, Combine combine) {
  const std::uint32_t mask = warp.mask(i);
  if (mask == 0) return i + 1;
  LaneAddresses a;
  gatherAddresses(warp, i, i->slot[4], a);
  std::byte* hosts[warpLanes];
  const Ordering ordering = Ordering::unpack(i->slot[5]);
  if (!resolveLanes(warp, i, Space(i->flags >> spaceShift & 0xff), a.at, sizeof(T), mask, AccessKind::atomic, hosts, ordering.scope)) return nullptr;
  const StrongAccess order(warp, mask, a, AccessKind::atomic, ordering);
  const auto *const b = warp.lanes<const Storage<T>>(i->slot[1]), *const c = warp.lanes<const Storage<T>>(i->slot[2]);
  Storage<T> old[warpLanes];
  for (unsigned l = 0; l < warpLanes; ++l) {
    if (!inMask(mask, l)) continue;
    const T x = fromLane<T>(b[l]), y = fromLane<T>(c[l]);
    old[l] = toLane<T>(exchange<T>(hosts[l], [&](T before) { return combine(a.at[l], before, x, y); }));
  }
  if (i->flags & noResult) return i + 1;
  auto* const d = warp.lanes<Storage<T>>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = old[l];
  return i + 1;
}

template <class Op, class T> const Instruction* atomic(Warp& warp, const Instruction* i) {
  return update<T>(warp, i, [](std::uint64_t, T before, T x, T y) { return Op{}(before, x, y); });
}

// The sum in shared memory keeps subnormal numbers, the one in global memory does not.
const Instruction* addSingle(Warp& warp, const Instruction* i) {
  const auto space = Space(i->flags >> spaceShift & 0xff);
  return update<float>(warp, i, [space](std::uint64_t address, float before, float x, float) {
    const bool inShared = space == Space::shared || (space == Space::generic && address - sharedWindow < sharedWindowBytes);
    return inShared ? canonical(before + x) : flushedSum(before, x);
  });
}

template <class Op> Handler byAtomicType(Type type) {
  switch (type) {
    case Type::s32: return atomic<Op, std::int32_t>;
    case Type::s64: return atomic<Op, std::int64_t>;
    default: return ptx::bits(type) == 64 ? Handler(atomic<Op, std::uint64_t>) : Handler(atomic<Op, std::uint32_t>);
  }
}

Handler chooseAtomic(std::string_view op, Type type) {
  if (op == "exch") return ptx::bits(type) == 16 ? Handler(atomic<Exch, std::uint16_t>) : byAtomicType<Exch>(type);
  if (op == "cas") return ptx::bits(type) == 16 ? Handler(atomic<Cas, std::uint16_t>) : byAtomicType<Cas>(type);
  if (op == "and") return byAtomicType<And>(type);
  if (op == "or") return byAtomicType<Or>(type);
  if (op == "xor") return byAtomicType<Xor>(type);
  if (op == "min") return byAtomicType<Min>(type);
  if (op == "max") return byAtomicType<Max>(type);
  if (op == "inc") return atomic<Inc, std::uint32_t>;
  if (op == "dec") return atomic<Dec, std::uint32_t>;
  switch (type) {
    case Type::f32: return addSingle;
    case Type::f64: return atomic<FloatAdd, double>;
    case Type::f16: return atomic<HalfAdd<false>, std::uint16_t>;
    case Type::bf16: return atomic<HalfAdd<true>, std::uint16_t>;
    case Type::f16x2: return atomic<PairAdd<false>, std::uint32_t>;
    case Type::bf16x2: return atomic<PairAdd<true>, std::uint32_t>;
    default: return ptx::bits(type) == 64 ? Handler(atomic<Add, std::uint64_t>) : Handler(atomic<Add, std::uint32_t>);
  }
}

std::string_view operationOf(const Decoder& d) {
  for (const char* op : {"add", "exch", "cas", "and", "or", "xor", "min", "max", "inc", "dec"})
    if (d.has(op)) return op;
  return {};
}

void decodeAddress(Decoder& d, const ptx::Operand& operand, Instruction& out) {
  const AddressOperand address = d.address(operand);
  Space space = d.has("global")                            ? Space::global
                : d.has("shared::cluster")                 ? Space::sharedCluster
                : d.has("shared") || d.has("shared::cta") ? Space::shared
                                                           : Space::generic;
  if (space == Space::generic && address.space != Space::generic) space = address.space;
  out.slot[4] = address.slot;
  out.slot[5] = orderingOf(d, Scope::device).packed();
  out.immediate = address.offset;
  out.flags |= (address.wide ? wideAddress : 0) | std::uint32_t(space) << spaceShift;
}

void decodeAtom(Decoder& d, Instruction& out) {
  const Type type = d.last();
  out.slot[0] = d.destination(d.operand(0), type);
  out.slot[1] = d.source(d.operand(2), type);
  out.slot[2] = d.has("cas") ? d.source(d.operand(3), type) : out.slot[1];
  checkCacheHint(d, d.has("cas") ? 4 : 3);
  decodeAddress(d, d.operand(1), out);
  out.function = chooseAtomic(operationOf(d), type);
}
void decodeRed(Decoder& d, Instruction& out) {
  const Type type = d.last();
  out.slot[1] = out.slot[2] = d.source(d.operand(1), type);
  out.flags = noResult;
  checkCacheHint(d, 2);
  decodeAddress(d, d.operand(0), out);
  out.function = chooseAtomic(operationOf(d), type);
}

}  // namespace

#define CNN_HINT "[.L2::cache_hint]"  // its policy is the last operand
#define CNN_ATOM "[.relaxed|acquire|release|acq_rel][.cta|cluster|gpu|sys][.global|shared|shared::cta|shared::cluster]"
#define CNN_RED "[.relaxed|release][.cta|cluster|gpu|sys][.global|shared|shared::cta|shared::cluster]"

std::span<const Entry> atomics() {
  constexpr Class c = Class::atomic;
  static const Entry entries[] = {
      {"atom" CNN_ATOM ".add" CNN_HINT ".{u32|s32|u64|f32}", "=T [] T b64?", 12, 20, c, 1, decodeAtom},
      {"atom" CNN_ATOM ".add" CNN_HINT ".f64", "=T [] T b64?", 50, 60, c, 1, decodeAtom},
      {"atom" CNN_ATOM ".add.noftz" CNN_HINT ".f16x2", "=T [] T b64?", 62, 60, c, 1, decodeAtom},
      {"atom" CNN_ATOM ".add.noftz" CNN_HINT ".f16", "=T [] T b64?", 63, 70, c, 1, decodeAtom},
      {"atom" CNN_ATOM ".add.noftz" CNN_HINT ".{bf16|bf16x2}", "=T [] T b64?", 78, 90, c, 1, decodeAtom},
      {"atom" CNN_ATOM ".{and|or|xor}" CNN_HINT ".{b32|b64}", "=T [] T b64?", 12, 20, c, 0, decodeAtom},
      {"atom" CNN_ATOM ".{min|max}" CNN_HINT ".{u32|s32|u64|s64}", "=T [] T b64?", 12, 20, c, 0, decodeAtom},
      {"atom" CNN_ATOM ".{inc|dec}" CNN_HINT ".u32", "=T [] T b64?", 12, 20, c, 0, decodeAtom},
      {"atom" CNN_ATOM ".exch" CNN_HINT ".{b32|b64}", "=T [] T b64?", 12, 20, c, 0, decodeAtom},
      {"atom" CNN_ATOM ".cas" CNN_HINT ".{b32|b64}", "=T [] T T b64?", 12, 20, c, 0, decodeAtom},
      {"atom" CNN_ATOM ".cas.b16", "=T [] T T", 63, 70, c, 0, decodeAtom},
      {"red" CNN_RED ".add" CNN_HINT ".{u32|s32|u64|f32}", "[] T b64?", 12, 20, c, 1, decodeRed},
      {"red" CNN_RED ".add" CNN_HINT ".f64", "[] T b64?", 50, 60, c, 1, decodeRed},
      {"red" CNN_RED ".add.noftz" CNN_HINT ".f16x2", "[] T b64?", 62, 60, c, 1, decodeRed},
      {"red" CNN_RED ".add.noftz" CNN_HINT ".f16", "[] T b64?", 63, 70, c, 1, decodeRed},
      {"red" CNN_RED ".add.noftz" CNN_HINT ".{bf16|bf16x2}", "[] T b64?", 78, 90, c, 1, decodeRed},
      {"red" CNN_RED ".{and|or|xor}" CNN_HINT ".{b32|b64}", "[] T b64?", 12, 20, c, 0, decodeRed},
      {"red" CNN_RED ".{min|max}" CNN_HINT ".{u32|s32|u64|s64}", "[] T b64?", 12, 20, c, 0, decodeRed},
      {"red" CNN_RED ".{inc|dec}" CNN_HINT ".u32", "[] T b64?", 12, 20, c, 0, decodeRed},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
