// ld and st in all spaces and widths, with fast ways for the patterns that good kernels have.
#include "machine/address.h"
#include "machine/cache_hint.h"
#include "machine/strong_access.h"

#include <atomic>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Space;
using ptx::Type;

// Slots of a load or store: slot[0..3] the registers, slot[4] the address, slot[5] the ordering if it is strong; immediate the
// offset, flags below.
constexpr std::uint32_t nonCoherent = 2, wideRegister = 4, signExtended = 8, strong = 16;
constexpr unsigned spaceShift = 8, elementShift = 16;  // flags: the space, bytes of an element; count: elements

AccessKind loadKind(const Instruction* i) {
  return i->flags & nonCoherent ? AccessKind::loadNonCoherent : i->flags & strong ? AccessKind::strongLoad : AccessKind::load;
}
AccessKind storeKind(const Instruction* i) { return i->flags & strong ? AccessKind::strongStore : AccessKind::store; }

// ---- any space, any width, lane by lane -------------------------------------------------------------------------

std::uint64_t readElement(const std::byte* host, unsigned bytes, bool isSigned) {
  std::uint64_t value = 0;
  std::memcpy(&value, host, bytes);
  if (!isSigned) return value;
  const unsigned shift = 64 - 8 * bytes;
  return std::uint64_t(std::int64_t(value << shift) >> shift);
}

void setLane(Warp& warp, const Instruction* i, unsigned slot, unsigned lane, std::uint64_t value) {
  if (i->flags & wideRegister) warp.lanes<std::uint64_t>(i->slot[slot])[lane] = value;
  else warp.lanes<std::uint32_t>(i->slot[slot])[lane] = std::uint32_t(value);
}

std::uint64_t getLane(const Warp& warp, const Instruction* i, unsigned slot, unsigned lane) {
  return i->flags & wideRegister ? warp.lanes<std::uint64_t>(i->slot[slot])[lane] : warp.lanes<std::uint32_t>(i->slot[slot])[lane];
}

[[gnu::noinline]] const Instruction* loadSlowly(Warp& warp, const Instruction* i, std::uint32_t mask) {
  const unsigned element = i->flags >> elementShift;
  LaneAddresses a;
  gatherAddresses(warp, i, i->slot[4], a);
  std::byte* hosts[warpLanes];
  const auto space = Space(i->flags >> spaceShift & 0xff);
  const Ordering ordering = Ordering::unpack(i->slot[5]);
  if (!resolveLanes(warp, i, space, a.at, element * i->count, mask, loadKind(i), hosts, ordering.scope)) return nullptr;
  const StrongAccess order(warp, i->flags & strong ? mask : 0, a, loadKind(i), ordering);
  for (unsigned n = 0; n < i->count; ++n)
    for (unsigned l = 0; l < warpLanes; ++l)
      if (inMask(mask, l)) setLane(warp, i, n, l, readElement(hosts[l] + n * element, element, i->flags & signExtended));
  return i + 1;
}

[[gnu::noinline]] const Instruction* storeSlowly(Warp& warp, const Instruction* i, std::uint32_t mask) {
  const unsigned element = i->flags >> elementShift;
  LaneAddresses a;
  gatherAddresses(warp, i, i->slot[4], a);
  std::byte* hosts[warpLanes];
  const auto space = Space(i->flags >> spaceShift & 0xff);
  const Ordering ordering = Ordering::unpack(i->slot[5]);
  if (!resolveLanes(warp, i, space, a.at, element * i->count, mask, storeKind(i), hosts, ordering.scope)) return nullptr;
  const StrongAccess order(warp, i->flags & strong ? mask : 0, a, storeKind(i), ordering);
  for (unsigned l = 0; l < warpLanes; ++l)
    for (unsigned n = 0; n < i->count; ++n) {
      if (!inMask(mask, l)) continue;
      const std::uint64_t value = getLane(warp, i, n, l);
      std::memcpy(hosts[l] + n * element, &value, element);
    }
  return i + 1;
}

const Instruction* loadAny(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  return mask == 0 ? i + 1 : loadSlowly(warp, i, mask);
}
const Instruction* storeAny(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  return mask == 0 ? i + 1 : storeSlowly(warp, i, mask);
}

// Kernel parameters by name: the same for every lane. immediate: the offset.
template <class T> const Instruction* loadScalarParameter(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const T value = *reinterpret_cast<const T*>(warp.block->launch->parameters.data() + i->immediate);
  T* const d = warp.lanes<T>(i->slot[0]);
  if (mask == allLanes) {
    CNN_EACH_LANE d[l] = value;
  } else {
    CNN_EACH_LANE d[l] = blend(mask, l, value, d[l]);
  }
  return next(warp, i);
}
const Instruction* loadParameter(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const unsigned element = i->flags >> elementShift;
  const std::byte* from = warp.block->launch->parameters.data() + i->immediate;
  for (unsigned n = 0; n < i->count; ++n) {
    const std::uint64_t value = readElement(from + n * element, element, i->flags & signExtended);
    for (unsigned l = 0; l < warpLanes; ++l)
      if (inMask(mask, l)) setLane(warp, i, n, l, value);
  }
  return i + 1;
}

// ---- global and shared memory ------------------------------------------------------------------------------------
// E: the element in memory; D: the storage of its register; N: elements per lane.

template <class D> struct Registers {
  D* element[4];
  Registers(Warp& warp, const Instruction* i) {
    for (unsigned n = 0; n < 4; ++n) element[n] = warp.lanes<D>(i->slot[n]);
  }
};

// Lanes [first, first + Count): one after the other in memory.
template <class E, class D, unsigned N, unsigned Count>
[[gnu::always_inline]] inline void loadRow(const Registers<D>& d, unsigned first, const E* from) {
  CNN_INDEPENDENT for (unsigned l = 0; l < Count; ++l)
    for (unsigned n = 0; n < N; ++n) d.element[n][first + l] = widen<E, D>(from[l * N + n]);
}

template <class E, class D, unsigned N, unsigned Count>
[[gnu::always_inline]] inline void loadPlace(const Registers<D>& d, unsigned first, const E* from) {
  for (unsigned n = 0; n < N; ++n) {
    const D value = widen<E, D>(from[n]);
    for (unsigned l = 0; l < Count; ++l) d.element[n][first + l] = value;
  }
}

template <class E, class D, unsigned N>
[[gnu::always_inline]] inline void loadLanes(const Registers<D>& d, std::uint32_t mask, std::uint64_t base, const LaneAddresses& a) {
  for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1) {
    const unsigned l = unsigned(std::countr_zero(rest));
    const E* from = reinterpret_cast<const E*>(base + a.at[l]);
    for (unsigned n = 0; n < N; ++n) d.element[n][l] = widen<E, D>(from[n]);
  }
}

#if defined(__AVX512F__)
// ---- words, the most frequent element --------------------------------------------------------------------------
using Word = std::uint32_t;

// Some lanes of a row: bytes of other lanes are not touched.
[[gnu::always_inline]] inline void loadSomeOfRow(Word* d, std::uint32_t mask, const Word* from) {
  for (unsigned half = 0; half < warpLanes; half += 16) {
    const auto lanes = __mmask16(mask >> half);
    _mm512_mask_storeu_epi32(d + half, lanes, _mm512_maskz_loadu_epi32(lanes, from + half));
  }
}
[[gnu::always_inline]] inline void storeSomeOfRow(const Word* s, std::uint32_t mask, Word* to) {
  for (unsigned half = 0; half < warpLanes; half += 16)
    _mm512_mask_storeu_epi32(to + half, __mmask16(mask >> half), _mm512_loadu_si512(s + half));
}

// One element per lane from anywhere.
[[gnu::always_inline]] inline void gather(Word* d, std::uint32_t mask, std::uint64_t base, const LaneAddresses& a) {
  for (unsigned l = 0; l < warpLanes; l += 8) {
    const __m256i old = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(d + l));
    const __m256i value = _mm512_mask_i64gather_epi32(old, __mmask8(mask >> l), _mm512_load_si512(a.at + l), reinterpret_cast<const void*>(base), 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(d + l), value);
  }
}
[[gnu::always_inline]] inline void gather(std::uint64_t* d, std::uint32_t mask, std::uint64_t base, const LaneAddresses& a) {
  for (unsigned l = 0; l < warpLanes; l += 8)
    _mm512_storeu_si512(d + l, _mm512_mask_i64gather_epi64(_mm512_loadu_si512(d + l), __mmask8(mask >> l), _mm512_load_si512(a.at + l), reinterpret_cast<const void*>(base), 1));
}
// To anywhere, in the order of the lanes: where several write one place, the last one stays.
[[gnu::always_inline]] inline void scatter(const Word* s, std::uint32_t mask, std::uint64_t base, const LaneAddresses& a) {
  for (unsigned l = 0; l < warpLanes; l += 8)
    _mm512_mask_i64scatter_epi32(reinterpret_cast<void*>(base), __mmask8(mask >> l), _mm512_load_si512(a.at + l), _mm256_loadu_si256(reinterpret_cast<const __m256i*>(s + l)), 1);
}
[[gnu::always_inline]] inline void scatter(const std::uint64_t* s, std::uint32_t mask, std::uint64_t base, const LaneAddresses& a) {
  for (unsigned l = 0; l < warpLanes; l += 8)
    _mm512_mask_i64scatter_epi64(reinterpret_cast<void*>(base), __mmask8(mask >> l), _mm512_load_si512(a.at + l), _mm512_loadu_si512(s + l), 1);
}

// Four words per lane, eight lanes in a row: 8 x 4 becomes 4 x 8.
[[gnu::always_inline]] inline void loadRowOfQuads(const Registers<Word>& d, unsigned first, const Word* from) {
  const __m512i xy = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
  const __m512i zw = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
  const __m512i low = _mm512_loadu_si512(from), high = _mm512_loadu_si512(from + 16);
  const auto put = [&](unsigned n, __m256i value) __attribute__((always_inline)) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(d.element[n] + first), value);
  };
  const __m512i xs = _mm512_permutex2var_epi32(low, xy, high), zs = _mm512_permutex2var_epi32(low, zw, high);
  put(0, _mm512_castsi512_si256(xs));
  put(1, _mm512_extracti64x4_epi64(xs, 1));
  put(2, _mm512_castsi512_si256(zs));
  put(3, _mm512_extracti64x4_epi64(zs, 1));
}

// Four words per lane from anywhere, for 16 lanes: 4 x 4 blocks are transposed in registers.
[[gnu::always_inline]] inline void loadQuads(const Registers<Word>& d, unsigned first, std::uint64_t base, const LaneAddresses& a) {
  const auto quad = [&](unsigned lane) __attribute__((always_inline)) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(base + a.at[first + lane])); };
  __m512i row[4];
  for (unsigned n = 0; n < 4; ++n) {
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(quad(n)), quad(n + 4), 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(quad(n + 8)), quad(n + 12), 1);
    row[n] = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
  const __m512i xy01 = _mm512_unpacklo_epi32(row[0], row[1]), zw01 = _mm512_unpackhi_epi32(row[0], row[1]);
  const __m512i xy23 = _mm512_unpacklo_epi32(row[2], row[3]), zw23 = _mm512_unpackhi_epi32(row[2], row[3]);
  _mm512_storeu_si512(d.element[0] + first, _mm512_unpacklo_epi64(xy01, xy23));
  _mm512_storeu_si512(d.element[1] + first, _mm512_unpackhi_epi64(xy01, xy23));
  _mm512_storeu_si512(d.element[2] + first, _mm512_unpacklo_epi64(zw01, zw23));
  _mm512_storeu_si512(d.element[3] + first, _mm512_unpackhi_epi64(zw01, zw23));
}

template <class E, class D> inline constexpr bool words = std::is_same_v<E, Word> && std::is_same_v<D, Word>;
#else
template <class E, class D> inline constexpr bool words = false;
#endif

template <class E, class D, unsigned N>
[[gnu::always_inline]] inline void loadGroups(const Registers<D>& d, Pattern pattern, std::uint64_t base, const LaneAddresses& a) {
  for (unsigned first = 0; first < warpLanes; first += groupLanes) {
    const E* const from = reinterpret_cast<const E*>(base + a.at[first]);
    if (pattern == Pattern::places) {
      loadPlace<E, D, N, groupLanes>(d, first, from);
      continue;
    }
#if defined(__AVX512F__)
    if constexpr (words<E, D> && N == 4) {
      loadRowOfQuads(d, first, from);
      continue;
    }
#endif
    loadRow<E, D, N, groupLanes>(d, first, from);
  }
}

template <class E, class D, unsigned N>
[[gnu::always_inline]] inline void load(Warp& warp, const Instruction* i, std::uint32_t mask, std::uint64_t base,
                                        const LaneAddresses& a, const Extent& e) {
  const Registers<D> d(warp, i);
  if (e.pattern == Pattern::row && mask == allLanes && !(words<E, D> && N == 4))
    return loadRow<E, D, N, warpLanes>(d, 0, reinterpret_cast<const E*>(base + e.low));
  if (e.pattern == Pattern::place && mask == allLanes)
    return loadPlace<E, D, N, warpLanes>(d, 0, reinterpret_cast<const E*>(base + e.low));
  if (e.pattern != Pattern::scattered && mask == allLanes) return loadGroups<E, D, N>(d, e.pattern, base, a);
#if defined(__AVX512F__)
  if constexpr (words<E, D> && N == 1)
    if (e.pattern == Pattern::row)
      return loadSomeOfRow(d.element[0], mask, reinterpret_cast<const E*>(base + e.low - unsigned(std::countr_zero(mask)) * sizeof(E)));
  if constexpr (N == 1 && std::is_same_v<E, D>) return gather(d.element[0], mask, base, a);
  if constexpr (words<E, D> && N == 4)
    if (mask == allLanes) return loadQuads(d, 0, base, a), loadQuads(d, 16, base, a);
#endif
  loadLanes<E, D, N>(d, mask, base, a);
}

template <class E, class D, unsigned N>
[[gnu::always_inline]] inline void store(Warp& warp, const Instruction* i, std::uint32_t mask, std::uint64_t base, const LaneAddresses& a,
                                         const Extent& e) {
  const Registers<D> s(warp, i);
  if (e.pattern == Pattern::row && mask == allLanes) {
    E* const to = reinterpret_cast<E*>(base + e.low);
    CNN_EACH_LANE {
      for (unsigned n = 0; n < N; ++n) to[l * N + n] = E(s.element[n][l]);
    }
    return;
  }
#if defined(__AVX512F__)
  if constexpr (words<E, D> && N == 1)
    if (e.pattern == Pattern::row) return storeSomeOfRow(s.element[0], mask, reinterpret_cast<E*>(base + e.low - unsigned(std::countr_zero(mask)) * sizeof(E)));
  if constexpr (N == 1 && std::is_same_v<E, D>) return scatter(s.element[0], mask, base, a);
#endif
  for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1) {
    const unsigned l = unsigned(std::countr_zero(rest));
    E* const to = reinterpret_cast<E*>(base + a.at[l]);
    for (unsigned n = 0; n < N; ++n) to[n] = E(s.element[n][l]);
  }
}

// Shows the checks and counters what reach() has found; all lanes lie in one space.
template <Where W>
[[gnu::noinline]] bool watch(Warp& warp, const Instruction* i, AccessKind kind, unsigned bytes, std::uint32_t mask, const LaneAddresses& a) {
  if constexpr (W == Where::local) return observe(warp, i, {Space::local, kind, bytes, mask, a.at});
  if constexpr (W == Where::shared) return observe(warp, i, {Space::shared, kind, bytes, mask, a.at});
  if (Space(i->flags >> spaceShift & 0xff) == Space::constant) return true;
  if constexpr (W == Where::generic) {
    const std::uint64_t any = a.at[std::countr_zero(mask)];
    const bool isLocal = any - localWindow < localWindowBytes;
    if (isLocal || any - sharedWindow < sharedWindowBytes) {
      LaneAddresses inWindow;
      CNN_EACH_LANE inWindow.at[l] = a.at[l] - (isLocal ? localWindow : sharedWindow);
      return observe(warp, i, {isLocal ? Space::local : Space::shared, kind, bytes, mask, inWindow.at});
    }
  }
  return observe(warp, i, {Space::global, kind, bytes, mask, a.at});
}

enum class Watched { granted, refused, slowly };

// What the checks and counters say to an access, before it happens. It takes its own addresses: those of access() stay in
// registers as long as no call sees them.
template <Where W, unsigned Bytes, bool Writes>
[[gnu::noinline]] Watched watched(Warp& warp, const Instruction* i, std::uint32_t mask) {
  if (i->flags & strong) return Watched::slowly;
  LaneAddresses a;
  gatherAddresses(warp, i, i->slot[4], a);
  LaneAddresses stated = a;  // reach() moves those of local memory apart
  Extent e = measure<Bytes>(a, mask);
  std::uint64_t base;
  if (!e.aligned || !reach<W, Bytes, Writes>(warp, a, e, base)) return Watched::slowly;
  return watch<W>(warp, i, Writes ? AccessKind::store : loadKind(i), Bytes, mask, stated) ? Watched::granted : Watched::refused;
}

template <Where W, class E, class D, unsigned N, bool Writes> const Instruction* access(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  if (mask == 0) return next(warp, i);
  if (warp.instrumented) [[unlikely]] {
    const Watched answer = watched<W, sizeof(E) * N, Writes>(warp, i, mask);
    if (answer == Watched::refused) return nullptr;
    if (answer == Watched::slowly) return Writes ? storeSlowly(warp, i, mask) : loadSlowly(warp, i, mask);
  }
  LaneAddresses a;
  gatherAddresses(warp, i, i->slot[4], a);
  Extent e = measure<sizeof(E) * N>(a, mask);
  std::uint64_t base;
  if (!e.aligned || !reach<W, sizeof(E) * N, Writes>(warp, a, e, base)) [[unlikely]]
    return Writes ? storeSlowly(warp, i, mask) : loadSlowly(warp, i, mask);
  if constexpr (Writes) store<E, D, N>(warp, i, mask, base, a, e);
  else load<E, D, N>(warp, i, mask, base, a, e);
  return next(warp, i);
}

// ---- decode ------------------------------------------------------------------------------------------------------

template <Where W, class E, class D, bool Writes> Handler byCount(unsigned count) {
  if (count == 1) return access<W, E, D, 1, Writes>;
  if (count == 2) return access<W, E, D, 2, Writes>;
  if constexpr (sizeof(E) <= 4)
    if (count == 4) return access<W, E, D, 4, Writes>;
  return Writes ? storeAny : loadAny;
}

template <class E, class D, bool Writes> Handler fastHandler(Space space, unsigned count) {
  switch (space) {
    case Space::shared:
    case Space::sharedCluster: return byCount<Where::shared, E, D, Writes>(count);
    case Space::local: return byCount<Where::local, E, D, Writes>(count);
    case Space::generic: return byCount<Where::generic, E, D, Writes>(count);
    default: return byCount<Where::global, E, D, Writes>(count);
  }
}

template <bool Writes> Handler chooseHandler(Space space, Type type, bool wide, unsigned count) {
  if (space == Space::param || space == Space::constant) return Writes ? storeAny : loadAny;
  if (wide) {
    if (ptx::bits(type) == 64) return fastHandler<std::uint64_t, std::uint64_t, Writes>(space, count);
    return Writes ? storeAny : loadAny;
  }
  switch (ptx::bits(type)) {
    case 8: return !Writes && ptx::isSigned(type) ? fastHandler<std::int8_t, std::uint32_t, Writes>(space, count)
                                                  : fastHandler<std::uint8_t, std::uint32_t, Writes>(space, count);
    case 16: return !Writes && ptx::isSigned(type) ? fastHandler<std::int16_t, std::uint32_t, Writes>(space, count)
                                                   : fastHandler<std::uint16_t, std::uint32_t, Writes>(space, count);
    case 32: return fastHandler<std::uint32_t, std::uint32_t, Writes>(space, count);
    default: return Writes ? storeAny : loadAny;
  }
}

Space statedSpace(const Decoder& d) {
  if (d.has("global")) return Space::global;
  if (d.has("shared::cluster")) return Space::sharedCluster;
  if (d.has("shared") || d.has("shared::cta")) return Space::shared;
  if (d.has("local")) return Space::local;
  if (d.has("const")) return Space::constant;
  if (d.has("param") || d.has("param::entry") || d.has("param::func")) return Space::param;
  return Space::generic;
}

// A scope belongs to an order, relaxed, acquire and release need one; none of it is for memory that threads do not share.
void checkOrder(Decoder& d, Space space) {
  const bool isOrdered = d.has("relaxed") || d.has("acquire") || d.has("release");
  const bool hasScope = d.has("cta") || d.has("cluster") || d.has("gpu") || d.has("sys");
  if (isOrdered && !hasScope) d.error("needs a scope");
  if (hasScope && !isOrdered) d.error("has a scope, but no order that it belongs to");
  const bool isPrivate = space == Space::local || space == Space::param || space == Space::constant;
  if ((isOrdered || d.has("volatile")) && isPrivate) d.error("orders memory that threads do not share");
}

// Of the instruction and of the variable that it names.
bool disagree(Space stated, Space variable) {
  const auto plain = [](Space space) { return space == Space::sharedCluster ? Space::shared : space; };
  const auto isMemory = [](Space space) { return space == Space::global || space == Space::shared || space == Space::constant; };
  return isMemory(plain(stated)) && isMemory(plain(variable)) && plain(stated) != plain(variable);
}

// A 16-bit destination keeps its value zero extended, so only wider ones need the sign.
template <bool Writes> void decodeAccess(Decoder& d, Instruction& out) {
  checkCacheHint(d, 2);
  const Type type = d.last();
  const ptx::Operand& value = d.operand(Writes ? 1 : 0);
  const bool vector = value.kind == ptx::Operand::Kind::vector;
  const unsigned count = vector ? unsigned(value.parts.size()) : 1;
  bool wide = ptx::bits(type) == 64, narrow = false;
  for (unsigned n = 0; n < count; ++n) {
    const ptx::Operand& part = vector ? value.parts[n] : value;
    if (part.kind != ptx::Operand::Kind::reg) continue;
    wide = d.width(part) == 64;
    narrow = ptx::bits(d.declared(part)) <= 16;
  }
  const Type slotType = wide ? Type::b64 : type;
  for (unsigned n = 0; n < count; ++n) {
    const ptx::Operand& part = vector ? value.parts[n] : value;
    out.slot[n] = Writes ? d.source(part, slotType) : d.destination(part, slotType);
  }
  for (unsigned n = count; n < 4; ++n) out.slot[n] = out.slot[0];

  Space space = statedSpace(d);
  const AddressOperand address = d.address(d.operand(Writes ? 0 : 1));
  checkOrder(d, space);
  if (space == Space::generic && address.space == Space::param) d.error("names a parameter, but not .param");
  if (disagree(space, address.space)) d.error("names a variable of another state space");
  if (address.space == Space::local) space = Space::local;  // variables of a call sequence are .param by name only
  if (space == Space::generic && address.space != Space::generic) space = address.space;
  out.slot[4] = address.slot;
  out.immediate = address.offset;
  out.count = count;
  out.slot[5] = orderingOf(d, Scope::system).packed();
  const bool isStrong = d.has("volatile") || d.has("relaxed") || d.has("acquire") || d.has("release");
  const bool readsSigned = ptx::isSigned(type) && !(narrow && ptx::bits(type) == 16);
  out.flags = (address.wide ? wideAddress : 0) | (d.has("nc") ? nonCoherent : 0) | (isStrong ? strong : 0) | (wide ? wideRegister : 0) |
              (readsSigned ? signExtended : 0) | std::uint32_t(space) << spaceShift | ptx::bytes(type) << elementShift;
  out.function = chooseHandler<Writes>(space, readsSigned || !ptx::isSigned(type) ? type : Type::u16, wide, count);
  if (!Writes && space == Space::param && address.space == Space::param) {
    const bool plain = count == 1 && ptx::bits(type) >= 32 && wide == (ptx::bits(type) == 64);
    out.function = !plain ? loadParameter : wide ? loadScalarParameter<std::uint64_t> : loadScalarParameter<std::uint32_t>;
  }
  if (space == Space::global || space == Space::generic) d.counted(Writes ? Class::globalStore : Class::globalLoad);
  else if (space == Space::shared || space == Space::sharedCluster) d.counted(Writes ? Class::sharedStore : Class::sharedLoad);
}

const Instruction* fence(Warp& warp, const Instruction* i) {
  if (warp.mask(i) == 0) return i + 1;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (warp.instrumented) threadFence(warp, Ordering::unpack(i->slot[0]));
  return i + 1;
}
// One that does not say which half it is is both.
void decodeFence(Decoder& d, Instruction& out) {
  Ordering ordering = orderingOf(d, Scope::device);
  if (!ordering.acquires && !ordering.releases) ordering.acquires = ordering.releases = true;
  out.slot[0] = ordering.packed();
  out.function = fence;
}

const Instruction* prefetch(Warp& warp, const Instruction* i) { return next(warp, i); }
void decodePrefetch(Decoder&, Instruction& out) { out.function = prefetch; }

}  // namespace

#define CNN_ORDERED "[.weak|.relaxed|.acquire|.volatile][.cta|.cluster|.gpu|.sys]"
#define CNN_ORDERED_STORE "[.weak|.relaxed|.release|.volatile][.cta|.cluster|.gpu|.sys]"
#define CNN_SPACES "[.global|.shared|.shared::cta|.shared::cluster|.local|.const|.param|.param::entry|.param::func]"
#define CNN_HINTS "[.L1::evict_normal|.L1::evict_unchanged|.L1::evict_first|.L1::evict_last|.L1::no_allocate][.L2::cache_hint]"
#define CNN_PREFETCH "[.L2::64B|.L2::128B|.L2::256B]"
#define CNN_TYPES ".{b8|b16|b32|b64|u8|u16|u32|u64|s8|s16|s32|s64|f32|f64}"

std::span<const Entry> memory() {
  constexpr Class c = Class::otherMemory;
  static const Entry entries[] = {
      {"ld" CNN_ORDERED CNN_SPACES "[.ca|.cg|.cs|.lu|.cv]" CNN_HINTS CNN_PREFETCH "[.v2|.v4]" CNN_TYPES, "=T>*v [] b64?", 10, 10, c, 0, decodeAccess<false>},
      {"ld.global[.ca|.cg|.cs].nc" CNN_HINTS CNN_PREFETCH "[.v2|.v4]" CNN_TYPES, "=T>*v [] b64?", 31, 32, c, 0, decodeAccess<false>},
      {"ldu[.global][.v2|.v4]" CNN_TYPES, "=T>*v []", 20, 20, c, 0, decodeAccess<false>},
      {"st" CNN_ORDERED_STORE CNN_SPACES "[.wb|.cg|.cs|.wt]" CNN_HINTS "[.v2|.v4]" CNN_TYPES, "[] T>*v b64?", 10, 10, c, 0, decodeAccess<true>},
      {"membar.{cta|gl|sys}", "", 14, 10, c, 0, decodeFence},
      {"fence[.sc|.acq_rel].{cta|gpu|sys}", "", 60, 70, c, 0, decodeFence},
      {"fence[.sc|.acq_rel].cluster", "", 78, 90, c, 0, decodeFence},
      {"fence.{acquire|release}.{cta|gpu|sys}", "", 86, 70, c, 0, decodeFence},
      {"fence.{acquire|release}.cluster", "", 86, 90, c, 0, decodeFence},
      {"fence.acquire.sync_restrict::shared::cluster.cluster", "", 86, 90, c, 0, decodeFence},
      {"fence.release.sync_restrict::shared::cta.cluster", "", 86, 90, c, 0, decodeFence},
      {"prefetch.{global|local}.{L1|L2}", "[]", 20, 20, c, 0, decodePrefetch},
      {"prefetch.{L1|L2}", "[]", 20, 20, c, 0, decodePrefetch},
      {"prefetchu.L1", "[]", 20, 20, c, 0, decodePrefetch},
      {"discard.global.L2", "[] imm", 74, 80, c, 0, decodePrefetch},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
