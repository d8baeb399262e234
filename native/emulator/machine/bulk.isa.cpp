// cp.async.bulk, cp.reduce.async.bulk and their .tensor forms: copies between global and shared memory by the tensor memory
// accelerator, and reductions of shared memory into global memory or into another block of the cluster.
//
// A load completes on an mbarrier in the destination block, as late as the engine likes; a store belongs to a bulk group
// of its thread and is made when the thread waits for the group. Every active lane issues its own copy.
#include "machine/bulk_delivery.h"
#include "machine/bulk_reduce.h"
#include "machine/family.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace cnn::emu::CNN_ISA {

namespace {

struct Operands {
  LaneAddress shared, global, barrier;   // global: of the bytes or of the tensor map
  uint32_t size, mask;                   // slots
  uint32_t coordinates[TensorMap::maxRank], offsets[TensorMap::maxRank - 2];
  int rank;                              // 0: no tensor
  bool im2col, hasOffsets, multicast;
  std::string_view reduction;            // its operation, or empty
  Combine combine;                       // of a reduction of bytes; that of a tensor depends on its map
};

const Operands& operands(const Instruction* i) { return *static_cast<const Operands*>(i->extra); }

constexpr const char* name = "cp.async.bulk";

// Fills the plan of this lane's copy. False: the warp has faulted.
bool plan(Warp& w, const Instruction* i, int lane, bool writes, CopyPlan& copy) {
  const Operands& o = operands(i);
  const uint64_t address = o.global.generic(w, lane);
  CopyProblem problem;
  if (o.rank == 0) {
    const uint32_t bytes = w.lanes<uint32_t>(o.size)[lane];
    if (bytes % 16 != 0) problem = {statusMisalignedAddress, "the size " + std::to_string(bytes) + " is no multiple of 16"};
    else if (address % 16 != 0) problem = {statusMisalignedAddress, "global address " + hexadecimal(address) + " is no multiple of 16"};
    else problem = planBytes(address, bytes, *w.block->launch->memory, writes, copy);
    copy.combine = o.combine;
  } else {
    TensorMap map;
    problem = findTensorMap(*w.block, address, map);
    BoxPosition position;
    for (int d = 0; d < o.rank; ++d) position.coordinates[d] = w.lanes<int32_t>(o.coordinates[d])[lane];
    if (o.hasOffsets)
      for (int d = 0; d < o.rank - 2; ++d) position.offsets[d] = uint16_t(w.lanes<uint32_t>(o.offsets[d])[lane]);
    if (problem.text.empty() && map.rank != o.rank)
      problem = {statusIllegalInstruction, "the instruction has " + std::to_string(o.rank) + " dimensions, the tensor map "
                                               + std::to_string(map.rank)};
    if (problem.text.empty() && (map.kind == TensorMapKind::im2col) != o.im2col)
      problem = {statusIllegalInstruction, "the instruction and the tensor map differ in their mode, tiled or im2col"};
    if (!o.reduction.empty() && !(copy.combine = combination(o.reduction, map.type)))
      problem = {statusIllegalInstruction, "no ." + std::string(o.reduction) + " for the element type of the tensor map"};
    if (problem.text.empty()) problem = planBox(map, position, *w.block->launch->memory, writes, copy);
  }
  if (problem.text.empty()) return true;
  w.fault(i, problem.code, std::string(name) + ": " + problem.text, lane);
  return false;
}

using Count = std::uint64_t Counters::*;

void countCopy(Warp& w, const CopyPlan& copy, Count requests, Count bytes, Count sectors, Count blockSectors) {
  const Detail detail = w.block->launch->detail;
  if (detail == Detail::none) return;
  Counters& c = w.block->counters;
  ++(c.*requests);
  const CopyPlan::Traffic traffic = copy.traffic();
  c.*bytes += traffic.bytes;
  c.*sectors += traffic.sectors;
  if (detail == Detail::blocks) c.*blockSectors += traffic.sectors;
}

// ---- the checks; false: the warp has faulted ----------------------------------------------------------------------

bool mayLoad(const CopyIssue& issue, const CopyPlan& copy) {
  if (!issue.warp.instrumented) return true;
  for (const CopyPlan::Row& row : copy.rows) {
    const auto [at, bytes] = std::pair(row.run.global, row.run.inside);
    if (bytes == 0) continue;
    if (!proxyReadsGlobal(issue.warp, issue.at, at, bytes, name, issue.lane)) return false;
    if (!copyReadsGlobal(issue, at, bytes) || !copiesValues(issue, at, bytes, row.initialised)) return false;
  }
  return true;
}

// Whether all that the copy takes from shared memory has a value. Where swizzling mixes its rows with what lies outside of
// the tensor, nothing is said.
bool hasValues(const CopyIssue& issue, const CopyPlan& copy, const Place& from) {
  if (copy.swizzle != Swizzle::none) {
    const bool whole = std::all_of(copy.rows.begin(), copy.rows.end(), [](const CopyPlan::Row& row) { return row.run.inside == row.run.bytes; });
    return !whole || copy.footprint != copy.bytes || copiesValues(issue, *from.block, from.offset, copy.footprint);
  }
  return std::all_of(copy.rows.begin(), copy.rows.end(), [&](const CopyPlan::Row& row) {
    return copiesValues(issue, *from.block, from.offset + row.run.shared + row.run.before, row.run.inside);
  });
}

bool mayStore(const CopyIssue& issue, const CopyPlan& copy, const Place& from) {
  if (!issue.warp.instrumented) return true;
  if (from.block == issue.warp.block && !proxyReads(issue.warp, issue.at, from.offset, copy.footprint, name, issue.lane)) return false;
  if (!copyReadsShared(issue, *from.block, from.offset, copy.footprint) || !hasValues(issue, copy, from)) return false;
  return std::all_of(copy.rows.begin(), copy.rows.end(), [&](const CopyPlan::Row& row) {
    return row.run.inside == 0 || copyWritesGlobal(issue, row.run.global, row.run.inside, copy.combine != nullptr);
  });
}

// A copy to global memory has been made.
void storeDone(Block& block, const CopyPlan& copy) {
  if (!block.launch->proxies) return;
  for (const CopyPlan::Row& row : copy.rows)
    if (row.run.inside != 0) proxyWroteGlobal(block, row.run.global, row.run.inside);
}

const Instruction* load(Warp& w, const Instruction* i) {
  const Operands& o = operands(i);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    auto copy = std::make_shared<CopyPlan>();
    if (!plan(w, i, lane, false, *copy)) return nullptr;
    Place to, barrier;
    if (!placeShared(w, i, name, o.shared, lane, copy->footprint, o.rank ? 128 : 16, to)) return nullptr;
    if (!placeShared(w, i, name, o.barrier, lane, 8, 8, barrier)) return nullptr;
    countCopy(w, *copy, &Counters::globalLoadRequests, &Counters::globalLoadBytes, &Counters::globalLoadSectors, &Counters::globalLoadBlockSectors);
    const CopyIssue issue{w, i, lane, name};
    if (!mayLoad(issue, *copy)) return nullptr;
    const Delivery delivery{copy->bytes, copy->footprint, true, [copy, offset = to.offset](std::byte* host) { copy->load(host, offset); }};
    if (!o.multicast) {
      if (to.block != barrier.block)
        return w.fault(i, statusIllegalInstruction, std::string(name) + ": destination and mbarrier lie in different blocks", lane);
      if (!deliver(issue, to, barrier, delivery)) return nullptr;
      continue;
    }
    // The same offsets in every block of the mask.
    const uint32_t mask = w.lanes<uint32_t>(o.mask)[lane] & 0xffff;
    if (mask >> w.block->cluster.size() || mask == 0)
      return w.fault(i, statusIllegalInstruction, std::string(name) + ": multicast mask " + hexadecimal(mask) + " in a cluster of "
                                                      + std::to_string(w.block->cluster.size()) + " blocks", lane);
    for (uint32_t ranks = mask; ranks; ranks &= ranks - 1) {
      Block* block = w.block->cluster[std::size_t(std::countr_zero(ranks))];
      if (!block->sharedAt(to.offset, copy->footprint) || !block->sharedAt(barrier.offset, 8))
        return outsideShared(w, i, name, to.offset, copy->footprint, lane);
      if (!deliver(issue, {block, to.offset}, {block, barrier.offset}, delivery)) return nullptr;
    }
  }
  return i + 1;
}

// Shared memory of this block to that of another block of the cluster, or reduced into it.
const Instruction* send(Warp& w, const Instruction* i) {
  const Operands& o = operands(i);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const uint32_t bytes = w.lanes<uint32_t>(o.size)[lane];
    if (bytes % 16 != 0)
      return w.fault(i, statusMisalignedAddress, std::string(name) + ": the size " + std::to_string(bytes) + " is no multiple of 16", lane);
    Place to, from, barrier;
    if (!placeShared(w, i, name, o.shared, lane, bytes, 16, to)) return nullptr;
    if (!placeShared(w, i, name, o.global, lane, bytes, 16, from)) return nullptr;
    if (!placeShared(w, i, name, o.barrier, lane, 8, 8, barrier)) return nullptr;
    if (to.block != barrier.block)
      return w.fault(i, statusIllegalInstruction, std::string(name) + ": destination and mbarrier lie in different blocks", lane);
    const CopyIssue issue{w, i, lane, name};
    if (from.block == w.block && !proxyReads(w, i, from.offset, bytes, name, lane)) return nullptr;
    if (w.instrumented && (!copyReadsShared(issue, *from.block, from.offset, bytes) || !copiesValues(issue, *from.block, from.offset, bytes))) return nullptr;
    const std::byte* source = from.block->sharedAt(from.offset, bytes);
    const auto write = [source, bytes, combine = o.combine](std::byte* host) {
      if (combine) combine(host, source, bytes);
      else std::memcpy(host, source, bytes);
    };
    if (!deliver(issue, to, barrier, {bytes, bytes, o.combine == nullptr, write})) return nullptr;
  }
  return i + 1;
}

const Instruction* storeBack(Warp& w, const Instruction* i) {
  const Operands& o = operands(i);
  WarpAsync& state = WarpAsync::of(w);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    auto copy = std::make_shared<CopyPlan>();
    if (!plan(w, i, lane, true, *copy)) return nullptr;
    Place from;
    if (!placeShared(w, i, name, o.shared, lane, copy->footprint, o.rank ? 128 : 16, from)) return nullptr;
    if (!mayStore({w, i, lane, name}, *copy, from)) return nullptr;
    countCopy(w, *copy, &Counters::globalStoreRequests, &Counters::globalStoreBytes, &Counters::globalStoreSectors, &Counters::globalStoreBlockSectors);
    if (w.block->launch->checks) asyncReadBegin(*from.block, from.offset, copy->footprint, name);
    CopyEngine::of(*w.block);   // completes at the end of the block what nobody waits for
    const auto taken = std::make_shared<std::vector<std::byte>>();
    const auto read = [copy, from, taken] {
      const std::byte* source = from.block->sharedAt(from.offset, copy->footprint);
      taken->assign(source, source + copy->footprint);
      if (from.block->launch->checks) asyncReadEnd(*from.block, from.offset, copy->footprint);
    };
    const auto write = [copy, from, taken] {
      copy->store(taken->data(), from.offset);
      if (from.block->launch->checks) storeDone(*from.block, *copy);
    };
    state.stores.push_back({lane, state.storeGroup[lane], read, write});
  }
  return i + 1;
}

// Checks what a copy would; moves nothing.
const Instruction* prefetch(Warp& w, const Instruction* i) {
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    CopyPlan copy;
    if (!plan(w, i, std::countr_zero(rest), false, copy)) return nullptr;
  }
  return i + 1;
}

const Instruction* commit(Warp& w, const Instruction* i) {
  WarpAsync& state = WarpAsync::of(w);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) ++state.storeGroup[std::countr_zero(rest)];
  return i + 1;
}

// flags: .read, after which shared memory may change, but global memory has not been written yet.
const Instruction* wait(Warp& w, const Instruction* i) {
  WarpAsync& state = WarpAsync::of(w);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const uint32_t groups = state.storeGroup[lane];
    const uint32_t limit = groups - std::min<uint32_t>(groups, uint32_t(i->immediate));
    i->flags ? state.readStores(lane, limit) : state.completeStores(lane, limit);
  }
  return i + 1;
}

// ---- decoding ---------------------------------------------------------------------------------------------------

Operands& prepare(Decoder& decoder, Instruction& out, Handler handler) {
  Operands& o = *decoder.table<Operands>(1);
  o.multicast = decoder.has("multicast::cluster");
  o.im2col = decoder.has("im2col") || decoder.has("im2col_no_offs");
  if (decoder.has("reduce")) {
    o.reduction = reductionOf(decoder.statement());
    o.combine = combination(o.reduction, elementType(decoder.last()));
  }
  out.extra = &o;
  out.function = handler;
  return o;
}

// [map, {coordinates}]
void tensor(Decoder& decoder, Operands& o, std::size_t n) {
  for (int rank = 1; rank <= TensorMap::maxRank; ++rank)
    if (decoder.has(std::to_string(rank) + "d")) o.rank = rank;
  const ptx::Operand& operand = decoder.operand(n);
  o.global = laneAddress(decoder, operand, true);
  const auto& parts = operand.parts[1].parts;
  if (int(parts.size()) != o.rank)
    return decoder.error("a copy of " + std::to_string(o.rank) + " dimensions has " + std::to_string(parts.size()) + " coordinates");
  if (o.im2col && o.rank < 3) return decoder.error("im2col needs at least three dimensions");
  for (int d = 0; d < o.rank; ++d) o.coordinates[d] = decoder.source(parts[std::size_t(d)], ptx::Type::s32);
}

void imOffsets(Decoder& decoder, Operands& o, std::size_t n) {
  const auto& parts = decoder.operand(n).parts;
  if (int(parts.size()) != o.rank - 2)
    return decoder.error("im2col in " + std::to_string(o.rank) + " dimensions takes " + std::to_string(o.rank - 2) + " offsets");
  o.hasOffsets = true;
  for (int d = 0; d < o.rank - 2; ++d) o.offsets[d] = decoder.source(parts[std::size_t(d)], ptx::Type::u16);
}

// [shared], [global], size, [mbarrier] {, mask}
void decodeLoad(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, load);
  o.shared = laneAddress(decoder, decoder.operand(0), true);
  o.global = laneAddress(decoder, decoder.operand(1), true);
  o.size = decoder.source(decoder.operand(2), ptx::Type::u32);
  o.barrier = laneAddress(decoder, decoder.operand(3), true);
  if (o.multicast) o.mask = decoder.source(decoder.operand(4), ptx::Type::u16);
}

void decodeSend(Decoder& decoder, Instruction& out) {
  decodeLoad(decoder, out);
  out.function = send;
}

// [shared], [map, {coordinates}], [mbarrier] {, {offsets}} {, mask}
void decodeTensorLoad(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, load);
  o.shared = laneAddress(decoder, decoder.operand(0), true);
  tensor(decoder, o, 1);
  o.barrier = laneAddress(decoder, decoder.operand(2), true);
  if (o.im2col) imOffsets(decoder, o, 3);
  if (o.multicast) o.mask = decoder.source(decoder.operand(o.im2col ? 4 : 3), ptx::Type::u16);
}

// [global], [shared], size
void decodeStore(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, storeBack);
  o.global = laneAddress(decoder, decoder.operand(0), true);
  o.shared = laneAddress(decoder, decoder.operand(1), true);
  o.size = decoder.source(decoder.operand(2), ptx::Type::u32);
}

// [map, {coordinates}], [shared]
void decodeTensorStore(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, storeBack);
  tensor(decoder, o, 0);
  o.shared = laneAddress(decoder, decoder.operand(1), true);
}

void decodePrefetch(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, prefetch);
  o.global = laneAddress(decoder, decoder.operand(0), true);
  o.size = decoder.source(decoder.operand(1), ptx::Type::u32);
}

void decodeTensorPrefetch(Decoder& decoder, Instruction& out) {
  Operands& o = prepare(decoder, out, prefetch);
  tensor(decoder, o, 0);
  if (o.im2col) imOffsets(decoder, o, 1);
}

void decodeCommit(Decoder&, Instruction& out) { out.function = commit; }

void decodeWait(Decoder& decoder, Instruction& out) {
  out.immediate = decoder.constant(decoder.operand(0));
  if (out.immediate < 0) decoder.error("cp.async.bulk.wait_group takes a count of groups, 0 or more");
  out.flags = decoder.has("read");
  out.function = wait;
}

// Looks at the map, so that a wrong one is found here already.
const Instruction* prefetchMap(Warp& w, const Instruction* i) {
  const LaneAddress& operand = *static_cast<const LaneAddress*>(i->extra);
  for (uint32_t rest = w.mask(i); rest; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    TensorMap map;
    const CopyProblem problem = findTensorMap(*w.block, operand.generic(w, lane), map);
    if (!problem.text.empty()) return w.fault(i, problem.code, "prefetch.tensormap: " + problem.text, lane);
  }
  return i + 1;
}

void decodePrefetchMap(Decoder& decoder, Instruction& out) {
  LaneAddress& a = *decoder.table<LaneAddress>(1);
  a = laneAddress(decoder, decoder.operand(0), true);
  out.extra = &a;
  out.function = prefetchMap;
}

#define CNN_DIMENSIONS "{1d|2d|3d|4d|5d}"
#define CNN_COMPLETE ".mbarrier::complete_tx::bytes"
#define CNN_HINT ".L2::cache_hint"
#define CNN_MANY ".multicast::cluster"

}  // namespace

std::span<const Entry> bulk() {
  static const Entry entries[] = {
      // Operands that a modifier adds stand at the end: the mask of a multicast, then the cache policy.
#define CNN_BULK_LOAD(opcode, operands, decode)                                           \
  {opcode, operands, 80, 90, Class::async, 0, decode},                                    \
  {opcode CNN_HINT, operands " b64", 80, 90, Class::async, 0, decode},                    \
  {opcode CNN_MANY, operands " u16", 80, 90, Class::async, 0, decode},                    \
  {opcode CNN_MANY CNN_HINT, operands " u16 b64", 80, 90, Class::async, 0, decode},
#define CNN_BULK_SINCE(version, opcode, operands, decode)           \
  {opcode, operands, version, 90, Class::async, 0, decode},         \
  {opcode CNN_HINT, operands " b64", version, 90, Class::async, 0, decode},
#define CNN_BULK_STORE(opcode, operands, decode) CNN_BULK_SINCE(80, opcode, operands, decode)
      CNN_BULK_LOAD("cp.async.bulk.shared::cluster.global" CNN_COMPLETE, "[] [] u32 []", decodeLoad)
      {"cp.async.bulk.shared::cluster.shared::cta" CNN_COMPLETE, "[] [] u32 []", 80, 90, Class::async, 0, decodeSend},
      CNN_BULK_STORE("cp.async.bulk.global.shared::cta.bulk_group", "[] [] u32", decodeStore)
      CNN_BULK_STORE("cp.async.bulk.prefetch.L2.global", "[] u32", decodePrefetch)
      CNN_BULK_SINCE(86, "cp.async.bulk.shared::cta.global" CNN_COMPLETE, "[] [] u32 []", decodeLoad)
      CNN_BULK_LOAD("cp.async.bulk.tensor." CNN_DIMENSIONS ".shared::cluster.global[.tile]" CNN_COMPLETE, "[] []+ []", decodeTensorLoad)
      CNN_BULK_LOAD("cp.async.bulk.tensor." CNN_DIMENSIONS ".shared::cluster.global.im2col" CNN_COMPLETE, "[] []+ [] u16*n", decodeTensorLoad)
      CNN_BULK_SINCE(86, "cp.async.bulk.tensor." CNN_DIMENSIONS ".shared::cta.global[.tile]" CNN_COMPLETE, "[] []+ []", decodeTensorLoad)
      CNN_BULK_SINCE(86, "cp.async.bulk.tensor." CNN_DIMENSIONS ".shared::cta.global.im2col" CNN_COMPLETE, "[] []+ [] u16*n", decodeTensorLoad)
      CNN_BULK_STORE("cp.async.bulk.tensor." CNN_DIMENSIONS ".global.shared::cta[.tile|im2col_no_offs].bulk_group", "[]+ []", decodeTensorStore)
      CNN_BULK_STORE("cp.async.bulk.prefetch.tensor." CNN_DIMENSIONS ".L2.global[.tile]", "[]+", decodeTensorPrefetch)
      CNN_BULK_STORE("cp.async.bulk.prefetch.tensor." CNN_DIMENSIONS ".L2.global.im2col", "[]+ u16*n", decodeTensorPrefetch)
#define CNN_REDUCE_GLOBAL(forms) CNN_BULK_REDUCE("", "", forms) CNN_BULK_REDUCE(CNN_HINT, " b64", forms)
#define CNN_BULK_REDUCE(hint, policy, forms) \
  {"cp.reduce.async.bulk.global.shared::cta.bulk_group" hint forms, "[] [] u32" policy, 80, 90, Class::async, 0, decodeStore},
#define CNN_REDUCE_CLUSTER(forms) \
  {"cp.reduce.async.bulk.shared::cluster.shared::cta" CNN_COMPLETE forms, "[] [] u32 []", 80, 90, Class::async, 0, decodeSend},
      CNN_REDUCE_GLOBAL(".add.{u32|s32|u64|f32|f64}")
      CNN_REDUCE_GLOBAL(".add.noftz.{f16|bf16}")
      CNN_REDUCE_GLOBAL(".{min|max}.{u32|s32|u64|s64|f16|bf16}")
      CNN_REDUCE_GLOBAL(".{inc|dec}.u32")
      CNN_REDUCE_GLOBAL(".{and|or|xor}.{b32|b64}")
      CNN_REDUCE_CLUSTER(".add.{u32|s32|u64}")
      CNN_REDUCE_CLUSTER(".{min|max}.{u32|s32}")
      CNN_REDUCE_CLUSTER(".{inc|dec}.u32")
      CNN_REDUCE_CLUSTER(".{and|or|xor}.b32")
#undef CNN_REDUCE_GLOBAL
#undef CNN_BULK_REDUCE
#undef CNN_REDUCE_CLUSTER
      CNN_BULK_STORE("cp.reduce.async.bulk.tensor." CNN_DIMENSIONS
                     ".global.shared::cta.{add|min|max|inc|dec|and|or|xor}[.tile|im2col_no_offs].bulk_group", "[]+ []", decodeTensorStore)
      {"cp.async.bulk.commit_group", "", 80, 90, Class::async, 0, decodeCommit},
      {"cp.async.bulk.wait_group[.read]", "imm", 80, 90, Class::async, 0, decodeWait},
      {"prefetch[.param|const].tensormap", "[]", 80, 90, Class::async, 0, decodePrefetchMap},
  };
#undef CNN_BULK_LOAD
#undef CNN_BULK_SINCE
#undef CNN_BULK_STORE
  return entries;
}

#undef CNN_DIMENSIONS
#undef CNN_COMPLETE
#undef CNN_HINT
#undef CNN_MANY

}  // namespace cnn::emu::CNN_ISA
