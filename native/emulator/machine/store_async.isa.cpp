// st.async and red.async: registers to the shared memory of a block of the cluster, counted in bytes by an mbarrier there.
#include "machine/bulk_delivery.h"
#include "machine/bulk_reduce.h"
#include "machine/family.h"

#include <array>
#include <cstring>

namespace cnn::emu::CNN_ISA {

namespace {

struct Operands {
  const char* name;
  LaneAddress target, barrier;
  uint32_t values[4];
  uint32_t count, elementBytes;
  Combine combine;          // null: a store
};

const Instruction* storeAsync(Warp& w, const Instruction* i) {
  const Operands& o = *static_cast<const Operands*>(i->extra);
  const uint32_t bytes = o.count * o.elementBytes;
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    Place to, barrier;
    if (!placeShared(w, i, o.name, o.target, lane, bytes, bytes, to)) return nullptr;
    if (!placeShared(w, i, o.name, o.barrier, lane, 8, 8, barrier)) return nullptr;
    if (to.block != barrier.block)
      return w.fault(i, statusIllegalInstruction, std::string(o.name) + ": destination and mbarrier lie in different blocks", lane);
    std::array<std::byte, 32> payload;
    for (uint32_t n = 0; n < o.count; ++n)
      std::memcpy(payload.data() + n * o.elementBytes, w.lanes<std::byte>(o.values[n]) + uint32_t(lane) * o.elementBytes, o.elementBytes);
    const auto write = [&o, bytes, payload](std::byte* host) {
      if (o.combine) o.combine(host, payload.data(), bytes);
      else std::memcpy(host, payload.data(), bytes);
    };
    if (!deliver({w, i, lane, o.name}, to, barrier, {bytes, bytes, o.combine == nullptr, write})) return nullptr;
  }
  return i + 1;
}

// [target], value, [mbarrier]
template <bool reduces> void decode(Decoder& decoder, Instruction& out) {
  Operands& o = *decoder.table<Operands>(1);
  const ptx::Type type = decoder.last();
  const ptx::Operand& value = decoder.operand(1);
  const bool vector = value.kind == ptx::Operand::Kind::vector;
  o.name = reduces ? "red.async" : "st.async";
  o.target = laneAddress(decoder, decoder.operand(0), true);
  o.barrier = laneAddress(decoder, decoder.operand(2), true);
  o.count = vector ? uint32_t(value.parts.size()) : 1;
  o.elementBytes = ptx::bytes(type);
  for (uint32_t n = 0; n < o.count; ++n) o.values[n] = decoder.source(vector ? value.parts[n] : value, type);
  if constexpr (reduces) o.combine = combination(reductionOf(decoder.statement()), elementType(type));
  out.extra = &o;
  out.function = storeAsync;
}

}  // namespace

#define CNN_RED_ASYNC "red.async.relaxed.cluster[.shared::cluster].mbarrier::complete_tx::bytes"

std::span<const Entry> store_async() {
  static const Entry entries[] = {
      {"st.async[.weak][.shared::cluster].mbarrier::complete_tx::bytes[.v2|.v4].{b32|b64|u32|u64|s32|s64|f32|f64}", "[] T*v []", 81, 90,
       Class::async, 0, decode<false>},
      {CNN_RED_ASYNC ".add.{u32|s32|u64}", "[] T []", 81, 90, Class::async, 0, decode<true>},
      {CNN_RED_ASYNC ".{min|max}.{u32|s32}", "[] T []", 81, 90, Class::async, 0, decode<true>},
      {CNN_RED_ASYNC ".{inc|dec}.u32", "[] T []", 81, 90, Class::async, 0, decode<true>},
      {CNN_RED_ASYNC ".{and|or|xor}.b32", "[] T []", 81, 90, Class::async, 0, decode<true>},
  };
  return entries;
}

#undef CNN_RED_ASYNC

}  // namespace cnn::emu::CNN_ISA
