// atom and red on two, four or eight floats (sm_90): each element is updated by itself, the elements together are not.
#include "machine/atomic_access.h"
#include "machine/cache_hint.h"
#include "machine/flushed_sum.h"
#include "machine/half_combination.h"
#include "machine/operand_address.h"

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Type;

constexpr unsigned mostElements = 8;

// Where the elements are in the frame.
struct Vector {
  unsigned count;
  bool returns;                           // atom
  LaneAddress address;
  ptx::Space space;                       // global or generic
  Ordering ordering;
  std::uint32_t old[mostElements], operand[mostElements];
};

template <class T, T (*combine)(T, T)> const Instruction* updateVector(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  if (mask == 0) return i + 1;
  const Vector& v = *static_cast<const Vector*>(i->extra);
  LaneAddresses a;
  for (unsigned l = 0; l < warpLanes; ++l) a.at[l] = v.address.generic(warp, int(l));
  std::byte* hosts[warpLanes];
  if (!resolveLanes(warp, i, v.space, a.at, unsigned(sizeof(T)) * v.count, mask, AccessKind::atomic, hosts, v.ordering.scope)) return nullptr;
  const StrongAccess order(warp, mask, a, AccessKind::atomic, v.ordering);
  for (std::uint32_t rest = mask; rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    // A register may be operand of one element and result of another.
    T given[mostElements];
    for (unsigned n = 0; n < v.count; ++n) given[n] = fromLane<T>(warp.lanes<Storage<T>>(v.operand[n])[lane]);
    for (unsigned n = 0; n < v.count; ++n) {
      const T before = exchange<T>(hosts[lane] + sizeof(T) * n, [&](T value) { return combine(value, given[n]); });
      if (v.returns) warp.lanes<Storage<T>>(v.old[n])[lane] = toLane<T>(before);
    }
  }
  return i + 1;
}

template <bool isBfloat, Combination how> Handler byWidth(Type type) {
  return ptx::bits(type) == 32 ? Handler(updateVector<std::uint32_t, combinePairs<isBfloat, how>>) : Handler(updateVector<std::uint16_t, combineHalves<isBfloat, how>>);
}

template <bool isBfloat> Handler byOperation(const Decoder& d, Type type) {
  if (d.has("min")) return byWidth<isBfloat, Combination::least>(type);
  return d.has("max") ? byWidth<isBfloat, Combination::greatest>(type) : byWidth<isBfloat, Combination::sum>(type);
}

Handler choose(const Decoder& d, Type type) {
  if (type == Type::f32) return updateVector<float, flushedSum>;
  return type == Type::bf16 || type == Type::bf16x2 ? byOperation<true>(d, type) : byOperation<false>(d, type);
}

template <bool returns> void decodeVector(Decoder& d, Instruction& out) {
  const Type type = d.last();
  constexpr std::size_t address = returns, operand = address + 1;
  Vector& v = *d.table<Vector>(1);
  const auto& parts = d.operand(operand).parts;
  v.count = unsigned(parts.size());
  v.returns = returns;
  for (unsigned n = 0; n < v.count; ++n) {
    v.operand[n] = d.source(parts[n], type);
    if (returns) v.old[n] = d.destination(d.operand(0).parts[n], type);
  }
  checkCacheHint(d, operand + 1);
  v.address = laneAddress(d, d.operand(address), d.has("global"));
  v.space = d.has("global") ? ptx::Space::global : d.address(d.operand(address)).space;
  v.ordering = orderingOf(d, Scope::device);
  out.extra = &v;
  out.function = choose(d, type);
}

}  // namespace

#define CNN_ATOM "atom[.relaxed|acquire|release|acq_rel][.cta|cluster|gpu|sys][.global]"
#define CNN_RED "red[.relaxed|release][.cta|cluster|gpu|sys][.global]"
#define CNN_HINT "[.L2::cache_hint]"

std::span<const Entry> atomic_vectors() {
  constexpr Class c = Class::atomic;
  static const Entry entries[] = {
      {CNN_ATOM ".add" CNN_HINT ".{v2|v4}.f32", "=T*v [] T*v b64?", 81, 90, c, 1, decodeVector<true>},
      {CNN_ATOM ".{add|min|max}.noftz" CNN_HINT ".{v2|v4|v8}.{f16|bf16}", "=T*v [] T*v b64?", 81, 90, c, 1, decodeVector<true>},
      {CNN_ATOM ".{add|min|max}.noftz" CNN_HINT ".{v2|v4}.{f16x2|bf16x2}", "=T*v [] T*v b64?", 81, 90, c, 1, decodeVector<true>},
      {CNN_RED ".add" CNN_HINT ".{v2|v4}.f32", "[] T*v b64?", 81, 90, c, 1, decodeVector<false>},
      {CNN_RED ".{add|min|max}.noftz" CNN_HINT ".{v2|v4|v8}.{f16|bf16}", "[] T*v b64?", 81, 90, c, 1, decodeVector<false>},
      {CNN_RED ".{add|min|max}.noftz" CNN_HINT ".{v2|v4}.{f16x2|bf16x2}", "[] T*v b64?", 81, 90, c, 1, decodeVector<false>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
