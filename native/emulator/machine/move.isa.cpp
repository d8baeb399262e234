// mov, address conversion and other ways to get a value into a register.
#include "machine/address.h"

#include "machine/special.h"

#include <chrono>

namespace cnn::emu::CNN_ISA {
namespace {

using ptx::Space;
using ptx::Type;

struct Copy { template <class T> T operator()(T a) const { return a; } };

const Instruction* movPredicate(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), value = warp.predicate(i->slot[1]) ^ std::uint32_t(i->immediate);
  std::uint32_t& d = warp.predicate(i->slot[0]);
  d = (d & ~mask) | (value & mask);
  return next(warp, i);
}

std::uint64_t readClock(Special which) {
  using namespace std::chrono;
  const auto now = std::uint64_t(duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count());
  return which == Special::clockHi || which == Special::globalTimerHi ? now >> 32 : now;
}
template <class T> const Instruction* movClock(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const T value = T(readClock(Special(i->immediate)));
  T* const d = warp.lanes<T>(i->slot[0]);
  for (unsigned l = 0; l < warpLanes; ++l)
    if (inMask(mask, l)) d[l] = value;
  return i + 1;
}

// %is_explicit_cluster, a special register that is a predicate: the same for all lanes.
const Instruction* movTruth(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i), truth = warp.lanes<std::uint32_t>(i->slot[1])[0] != 0 ? mask : 0;
  std::uint32_t& d = warp.predicate(i->slot[0]);
  d = (d & ~mask) | truth;
  return next(warp, i);
}
void decodeMov(Decoder& d, Instruction& out) {
  const Type type = d.last();
  if (type == Type::pred && d.operand(1).kind == ptx::Operand::Kind::special) {
    out.slot[0] = d.predicate(&d.operand(0));
    out.slot[1] = d.source(d.operand(1), Type::u32);
    out.function = movTruth;
    return;
  }
  if (type == Type::pred) {
    std::uint32_t flip = 0;
    out.slot[0] = d.predicate(&d.operand(0));
    out.slot[1] = d.predicate(&d.operand(1), &flip);
    out.immediate = flip;
    out.function = movPredicate;
    return;
  }
  const ptx::Operand& from = d.operand(1);
  if (from.kind == ptx::Operand::Kind::special)
    if (const auto info = specialNamed(from.name); info && isClock(info->special)) {
      out.slot[0] = d.destination(d.operand(0), type);
      out.immediate = std::int64_t(info->special);
      out.function = ptx::bits(type) == 64 ? movClock<std::uint64_t> : movClock<std::uint32_t>;
      return;
    }
  plainOperands(d, out, type, type);
  out.function = byBits(type, []<class T>(T) -> Handler { return map<Copy, T, T>; });
}

// ---- packing: d = {a, b, ...}, and {d, e, ...} = a; slot[0] and slot[1..4], Part in W ------------------------------
template <class W, class Part> const Instruction* pack(Warp& warp, const Instruction* i) {
  constexpr unsigned count = sizeof(W) / sizeof(Part);
  const std::uint32_t mask = warp.mask(i);
  auto* const d = warp.lanes<Storage<W>>(i->slot[0]);
  const std::uint32_t* p[4];
  for (unsigned n = 0; n < count; ++n) p[n] = warp.lanes<const std::uint32_t>(i->slot[1 + n]);
  CNN_EACH_LANE {
    Storage<W> value = 0;
    for (unsigned n = 0; n < count; ++n) value |= Storage<W>(Part(p[n][l])) << (8 * sizeof(Part) * n);
    d[l] = blend(mask, l, value, d[l]);
  }
  return next(warp, i);
}

template <class W, class Part> const Instruction* unpack(Warp& warp, const Instruction* i) {
  constexpr unsigned count = sizeof(W) / sizeof(Part);
  const std::uint32_t mask = warp.mask(i);
  const auto* const from = warp.lanes<const Storage<W>>(i->slot[0]);
  std::uint32_t* d[4];
  for (unsigned n = 0; n < count; ++n) d[n] = warp.lanes<std::uint32_t>(i->slot[1 + n]);
  CNN_EACH_LANE {
    const Storage<W> value = from[l];
    for (unsigned n = 0; n < count; ++n) d[n][l] = blend(mask, l, std::uint32_t(Part(value >> (8 * sizeof(Part) * n))), d[n][l]);
  }
  return next(warp, i);
}

template <class W, class Part> void decodePack(Decoder& d, Instruction& out) {
  const Type part = sizeof(Part) == 4 ? Type::b32 : sizeof(Part) == 2 ? Type::b16 : Type::b8;
  const bool packs = d.operand(1).kind == ptx::Operand::Kind::vector;
  const auto& parts = d.operand(packs ? 1 : 0).parts;
  out.slot[0] = packs ? d.destination(d.operand(0), d.last()) : d.source(d.operand(1), d.last());
  for (std::size_t n = 0; n < parts.size(); ++n) out.slot[1 + n] = packs ? d.source(parts[n], part) : d.destination(parts[n], part);
  out.function = packs ? pack<W, Part> : unpack<W, Part>;
}

// ---- addresses: generic = in the space + window -------------------------------------------------------------------
std::uint64_t window(std::string_view space) {
  if (space == "local") return localWindow;
  if (space == "param" || space == "param::entry") return parameterWindow;
  if (space == "shared" || space == "shared::cta" || space == "shared::cluster") return sharedWindow;
  return 0;
}

template <class From, class To> const Instruction* addWindow(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto* const a = warp.lanes<const Storage<From>>(i->slot[1]);
  auto* const d = warp.lanes<Storage<To>>(i->slot[0]);
  const auto distance = std::uint64_t(i->immediate);
  CNN_EACH_LANE d[l] = blend(mask, l, Storage<To>(a[l] + distance), d[l]);
  return next(warp, i);
}

// Without .to a source of 64 bits may hold a 32-bit address of the space; both forms exist in either size.
void decodeCvta(Decoder& d, Instruction& out) {
  const bool to = d.has("to"), wide = ptx::bits(d.last()) == 64;
  plainOperands(d, out, d.last(), d.last());
  const std::uint64_t base = window(d.word(to ? 1 : 0));
  if (!wide && base != 0) d.error("needs 64-bit addresses");
  out.immediate = std::int64_t(to ? 0 - base : base);
  out.function = wide ? addWindow<std::uint64_t, std::uint64_t> : addWindow<std::uint32_t, std::uint32_t>;
}

const Instruction* isSpace(Warp& warp, const Instruction* i) {
  const std::uint32_t mask = warp.mask(i);
  const auto* const a = warp.lanes<const std::uint64_t>(i->slot[1]);
  std::uint32_t bits = 0;
  for (unsigned l = 0; l < warpLanes; ++l) {
    const std::uint64_t address = a[l];
    const bool shared = address - sharedWindow < sharedWindowBytes, local = address - localWindow < localWindowBytes;
    const bool parameter = address - parameterWindow < parameterWindowBytes;
    // Own shared memory has rank 0 in the upper bits, or the own rank.
    const std::uint32_t rank = std::uint32_t(address - sharedWindow) >> sharedRankShift;
    const bool own = shared && (rank == 0 || rank == warp.block->clusterRank + 1);
    const bool kinds[] = {!shared && !local && !parameter, own, local, false, parameter, shared};
    bits |= std::uint32_t(kinds[i->immediate]) << l;
  }
  std::uint32_t& d = warp.predicate(i->slot[0]);
  d = (d & ~mask) | (bits & mask);
  return i + 1;
}

void decodeIsspacep(Decoder& d, Instruction& out) {
  const std::string_view space = d.word(0);
  out.slot[0] = d.predicate(&d.operand(0));
  out.slot[1] = d.source(d.operand(1), Type::u64);
  out.immediate = space == "global" ? 0 : space == "shared" || space == "shared::cta" ? 1 : space == "local" ? 2 : space == "const" ? 3
                  : space == "shared::cluster" ? 5 : 4;
  out.function = isSpace;
}

}  // namespace

std::span<const Entry> move() {
  constexpr Class c = Class::move;
  static const Entry entries[] = {
      {"mov.{b16|b32|b64|u16|u32|u64|s16|s32|s64|f32|f64}", "=T T", 10, 10, c, 0, decodeMov},
      {"mov.pred", "=T T", 10, 10, c, 0, decodeMov},
      {"mov.b16", "=T b8*2", 10, 10, c, 0, decodePack<std::uint16_t, std::uint8_t>},
      {"mov.b32", "=T b16*2", 10, 10, c, 0, decodePack<std::uint32_t, std::uint16_t>},
      {"mov.b32", "=T b8*4", 10, 10, c, 0, decodePack<std::uint32_t, std::uint8_t>},
      {"mov.b64", "=T b32*2", 10, 10, c, 0, decodePack<std::uint64_t, std::uint32_t>},
      {"mov.b64", "=T b16*4", 10, 10, c, 0, decodePack<std::uint64_t, std::uint16_t>},
      {"mov.b16", "=b8*2 T", 10, 10, c, 0, decodePack<std::uint16_t, std::uint8_t>},
      {"mov.b32", "=b16*2 T", 10, 10, c, 0, decodePack<std::uint32_t, std::uint16_t>},
      {"mov.b32", "=b8*4 T", 10, 10, c, 0, decodePack<std::uint32_t, std::uint8_t>},
      {"mov.b64", "=b32*2 T", 10, 10, c, 0, decodePack<std::uint64_t, std::uint32_t>},
      {"mov.b64", "=b16*4 T", 10, 10, c, 0, decodePack<std::uint64_t, std::uint16_t>},
      {"cvta.{global|shared|shared::cta|shared::cluster|local|const|param|param::entry}.{u32|u64}", "=T T", 20, 20, c, 0, decodeCvta},
      {"cvta.to.{global|shared|shared::cta|shared::cluster|local|const|param|param::entry}.{u32|u64}", "=T T", 20, 20, c, 0, decodeCvta},
      {"isspacep.{global|shared|shared::cta|shared::cluster|local|const|param|param::entry}", "=pred u64", 20, 20, c, 0, decodeIsspacep},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
