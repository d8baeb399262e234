// wgmma: D = A B + D by a warpgroup (four warps), B and perhaps A in shared memory, described by matrix descriptors.
//
// Each warp computes its 16 rows of the 64 when it issues the instruction: the accumulators of a correct kernel are not
// looked at, and the operands not changed, before wgmma.wait_group. With the async check a write to an operand in flight
// is a fault, and so is a program that touches registers of a wgmma out of order (ptx/wgmma_order.h).
//
// The accumulator fragment is that of mma.sync for 8 columns, repeated for N / 8 blocks; A in registers is laid out as
// for mma.sync m16n8k16 (16-bit types) or m16n8k8 (tf32).
#include "machine/async_state.h"
#include "machine/checks.h"
#include "machine/collective.h"
#include "machine/copy_checks.h"
#include "machine/family.h"
#include "machine/jitter.h"
#include "machine/matrix_descriptor.h"
#include "machine/mma_fragments.h"
#include "machine/mma_math.h"
#include "machine/program.h"

#include <algorithm>

namespace cnn::emu::CNN_ISA {

namespace {

struct Operands {
  uint32_t n;
  uint32_t d[128];
  uint32_t a[4];            // registers, or the descriptor in a[0]
  uint32_t b;               // descriptor
  uint32_t scaleD, flip;    // predicate: false starts from zero
  float sign;               // product of imm-scale-a and imm-scale-b
  bool transposeA, transposeB;
};

constexpr const char* name = "wgmma.mma_async";

// The shared memory of the block as an operand: reads 16-byte units, remembers what lies outside.
struct Units {
  const std::byte* base;
  uint32_t bytes;
  std::vector<SharedRange>* record;
  uint32_t outside = 0;
  bool failed = false;

  const void* at(uint32_t address) {
    static constexpr std::byte zeros[16] = {};
    if (address > bytes || bytes - address < 16) {
      failed = true;
      outside = address;
      return zeros;
    }
    if (record) record->push_back({address, 16});
    return base + address;
  }
};

// The packed tile of the eight outer indices from `outer` on, K contiguous: one unit of each.
template <class Format> void readTile(Units& units, const MatrixDescriptor& d, uint32_t outer, uint32_t k, uint32_t* packed) {
  const uint32_t pitch = d.rowPitch(), bits = swizzleBits(d.swizzle);
  uint32_t address = d.unitKMajor(outer, k, Format::perUnit);
  for (uint32_t row = 0; row < 8; ++row, address += pitch) std::memcpy(packed + 4 * row, units.at(swizzleAddress(address, bits)), 16);
}

// Elements `outer` .. `outer` + 7 of index k, the outer index contiguous: 16-bit types only.
template <class Format> void readRow(Units& units, const MatrixDescriptor& d, uint32_t outer, uint32_t k, float* row) {
  uint16_t packed[8];
  std::memcpy(packed, units.at(d.unitOuterMajor(outer, k)), sizeof packed);
  for (int n = 0; n < 8; ++n) row[n] = Format::one(packed[n]);
}

template <class Format, int K> void readA(Units& units, const MatrixDescriptor& d, bool transposed, uint32_t firstRow, SpreadA<float, K>& a) {
  if constexpr (Format::perUnit == 8) {
    if (transposed) {
      alignas(64) float rows[K][16];
      for (uint32_t k = 0; k < K; ++k)
        for (uint32_t block = 0; block < 2; ++block) readRow<Format>(units, d, firstRow + 8 * block, k, rows[k] + 8 * block);
      return a.fill(rows);
    }
  }
  alignas(64) uint32_t packed[32];
  for (uint32_t block = 0; block < 2; ++block)
    for (uint32_t k = 0; k < K; k += Format::perUnit) {
      readTile<Format>(units, d, firstRow + 8 * block, k, packed);
      a.template fillTile<Format>(packed, int(k), int(block));
    }
}

template <class Format, int K> void readB(Units& units, const MatrixDescriptor& d, bool transposed, uint32_t column, BlockB<float, K>& b) {
  if constexpr (Format::perUnit == 8) {
    if (transposed) {
      for (uint32_t k = 0; k < K; ++k) {
        float row[8];
        readRow<Format>(units, d, column, k, row);
        for (int n = 0; n < 8; ++n) b.at[k][n % 2][n / 2] = row[n];
      }
      return;
    }
  }
  alignas(64) uint32_t packed[32];
  for (uint32_t k = 0; k < K; k += Format::perUnit) {
    readTile<Format>(units, d, column, k, packed);
    b.template fillTile<Format>(packed, int(k));
  }
}

// One descriptor for the whole warp, or a complaint.
const char* readDescriptor(const Warp& w, uint32_t slot, MatrixDescriptor& d) {
  const uint64_t* lanes = w.lanes<uint64_t>(slot);
  for (unsigned lane = 1; lane < warpLanes; ++lane)
    if (lanes[lane] != lanes[0]) return "the lanes have different matrix descriptors";
  d = MatrixDescriptor::decode(lanes[0]);
  return MatrixDescriptor::complaint(lanes[0]);
}

// Adds A times one block of B to its registers, from zero if `fresh`.
template <int K, bool half> void accumulate(Warp& w, const uint32_t* slots, const SpreadA<float, K>& a, const BlockB<float, K>& b, bool fresh) {
  if constexpr (half) {
    alignas(64) float sum[4][32] = {};
    float* d[4] = {sum[0], sum[1], sum[2], sum[3]};
    if (!fresh) widenHalves(w, slots, sum);
    multiplyBlock(a, b, d);
    narrowHalves(w, slots, sum);
  } else {
    float* d[4];
    for (int r = 0; r < 4; ++r) {
      d[r] = w.lanes<float>(slots[r]);
      if (fresh) std::fill(d[r], d[r] + warpLanes, 0.0f);
    }
    multiplyBlock(a, b, d);
  }
}

// Joins the units from `first` on that touch each other: a few ranges instead of hundreds.
void merge(std::vector<SharedRange>& ranges, std::size_t first) {
  if (first == ranges.size()) return;
  std::sort(ranges.begin() + std::ptrdiff_t(first), ranges.end(), [](const SharedRange& a, const SharedRange& b) { return a.address < b.address; });
  std::size_t last = first;
  for (std::size_t r = first + 1; r < ranges.size(); ++r) {
    const uint32_t end = ranges[last].address + ranges[last].bytes;
    if (ranges[r].address > end) ranges[++last] = ranges[r];
    else ranges[last].bytes = std::max(end, ranges[r].address + ranges[r].bytes) - ranges[last].address;
  }
  ranges.resize(last + 1);
}

// The checks of what an instruction reads: the ranges from `first` on. False: the warp has faulted.
bool readsMayBegin(Warp& w, const Instruction* i, std::vector<SharedRange>& ranges, std::size_t first) {
  merge(ranges, first);
  const CopyIssue issue{w, i, -1, name};
  for (std::size_t r = first; r < ranges.size(); ++r) {
    const auto [address, bytes] = ranges[r];
    if (!proxyReads(w, i, address, bytes, name, -1) || !productReadsShared(issue, address, bytes)) return false;
    if (!copiesValues(issue, *w.block, address, bytes)) return false;
    asyncReadBegin(*w.block, address, bytes, name);
  }
  return true;
}

template <class Format, int K, bool half, bool registers> const Instruction* multiply(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, name); !entry.ready) return entry.otherwise;
  const Operands& o = *static_cast<const Operands*>(i->extra);
  std::vector<SharedRange>* record = nullptr;
  const unsigned checks = w.block->launch->checks;
  if (checks & checkAsync) {
    if (const std::string& wrong = w.block->launch->program->wgmmaProblem; !wrong.empty())
      return w.fault(i, statusLaunchFailed, std::string(name) + ": " + wrong);
  }
  if (checks != 0) record = &WarpAsync::of(w).matrixReads.back();
  const std::size_t recorded = record ? record->size() : 0;
  Units units{w.block->shared, w.block->sharedBytes, record};

  MatrixDescriptor da{}, db{};
  const char* complaint = readDescriptor(w, o.b, db);
  if (!complaint && !registers) complaint = readDescriptor(w, o.a[0], da);
  if (complaint) return w.fault(i, statusIllegalInstruction, std::string(name) + ": " + complaint);
  const auto descriptor = [&w](uint32_t slot) { return *w.lanes<uint64_t>(slot); };
  if (!warpgroupMeets(w, i, name, registers ? 0 : descriptor(o.a[0]), descriptor(o.b))) return nullptr;
  const uint32_t scale = w.predicate(o.scaleD) ^ o.flip;
  if (scale != 0 && scale != allLanes) return w.fault(i, statusIllegalInstruction, std::string(name) + ": scale-d differs among the lanes");

  SpreadA<float, K> a;
  if constexpr (registers) fragmentA<Format>(w, o.a, a);
  else readA<Format>(units, da, o.transposeA, 16 * (w.index % 4), a);
  if (o.sign < 0)
    for (float& value : std::span(&a.at[0][0][0], sizeof a.at / sizeof(float))) value = -value;
  reorder(a.at, i->flags);
  const SumRounding rounding(i->flags);
  for (uint32_t column = 0; column < o.n; column += 8) {
    BlockB<float, K> b;
    readB<Format>(units, db, o.transposeB, column, b);
    reorder(b.at, i->flags);
    accumulate<K, half>(w, o.d + column / 8 * (half ? 2 : 4), a, b, scale == 0);
  }
  if (units.failed) return outsideShared(w, i, name, units.outside, 16, -1);
  return !record || readsMayBegin(w, i, *record, recorded) ? i + 1 : nullptr;
}

const Instruction* fence(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "wgmma.fence"); !entry.ready) return entry.otherwise;
  return warpgroupMeets(w, i, "wgmma.fence") ? i + 1 : nullptr;
}

const Instruction* commit(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "wgmma.commit_group"); !entry.ready) return entry.otherwise;
  if (!warpgroupMeets(w, i, "wgmma.commit_group")) return nullptr;
  ++WarpAsync::of(w).matrixGroups;
  if (w.block->launch->checks != 0) WarpAsync::of(w).matrixReads.emplace_back();
  return i + 1;
}

// Whether every warp of the warpgroup has come as far: the product is one of all four, so that one warp may tell others
// that the operands are free when its own wait has ended.
bool warpgroupHasCommitted(const Warp& w, uint32_t groups) {
  std::vector<Warp>& warps = w.block->warps;
  const std::size_t first = w.index / 4 * 4, end = std::min(first + 4, warps.size());
  return std::all_of(warps.begin() + std::ptrdiff_t(first), warps.begin() + std::ptrdiff_t(end), [&](Warp& peer) {
    return peer.live == 0 || (peer.tensor && WarpAsync::of(peer).matrixGroups >= groups);
  });
}

const Instruction* wait(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "wgmma.wait_group"); !entry.ready) return entry.otherwise;
  const uint32_t committed = WarpAsync::of(w).matrixGroups, open = uint32_t(i->immediate);
  if (committed > open && !warpgroupHasCommitted(w, committed - open)) return w.wait(i, "wgmma.wait_group");
  if (!warpgroupMeets(w, i, "wgmma.wait_group")) return nullptr;
  if (w.block->launch->checks == 0) return i + 1;
  auto& groups = WarpAsync::of(w).matrixReads;
  while (groups.size() > std::size_t(i->immediate) + 1) {
    for (const SharedRange& range : groups.front()) asyncReadEnd(*w.block, range.address, range.bytes);
    groups.erase(groups.begin());
  }
  return i + 1;
}

// ---- decoding ---------------------------------------------------------------------------------------------------

// {d}, a, b, scale-d, scale-a, scale-b [, trans-a (descriptor only), trans-b] : the transposes for 16-bit types only.
template <class Format, int K, bool half, bool registers> void decode(Decoder& decoder, Instruction& out) {
  Operands& o = *decoder.table<Operands>(1);
  const std::string_view shape = decoder.word(3);   // m64nNk16
  o.n = 0;
  for (const char c : shape.substr(4, shape.find('k') - 4)) o.n = o.n * 10 + uint32_t(c - '0');
  const auto& d = decoder.operand(0).parts;
  if (d.size() != o.n / (half ? 4 : 2))
    return decoder.error("D of " + std::string(shape) + " is a vector of " + std::to_string(o.n / (half ? 4 : 2)) + " registers, not "
                         + std::to_string(d.size()));
  for (std::size_t r = 0; r < d.size(); ++r) o.d[r] = decoder.destination(d[r], ptx::Type::b32);
  if constexpr (registers) {
    for (int r = 0; r < 4; ++r) o.a[r] = decoder.source(decoder.operand(1).parts[std::size_t(r)], ptx::Type::b32);
  } else {
    o.a[0] = decoder.source(decoder.operand(1), ptx::Type::b64);
  }
  o.b = decoder.source(decoder.operand(2), ptx::Type::b64);
  o.scaleD = decoder.predicate(&decoder.operand(3), &o.flip);
  const auto choice = [&](std::size_t n, std::int64_t low, const char* what) {
    const std::int64_t value = decoder.constant(decoder.operand(n));
    if (value != low && value != 1) decoder.error(std::string(what) + " must be " + std::to_string(low) + " or 1");
    return value;
  };
  o.sign = float(choice(4, -1, "imm-scale-a") * choice(5, -1, "imm-scale-b"));
  if constexpr (K == 16) {
    if constexpr (!registers) o.transposeA = choice(6, 0, "imm-trans-a") == 1;
    o.transposeB = choice(registers ? 6 : 7, 0, "imm-trans-b") == 1;
  }
  decoder.flops(int(2 * 64 * o.n * K / 128));
  out.extra = &o;
  out.flags = requestedJitter();
  out.function = multiply<Format, K, half, registers>;
}

void decodeFence(Decoder&, Instruction& out) { out.function = fence; }
void decodeCommit(Decoder&, Instruction& out) { out.function = commit; }

void decodeWait(Decoder& decoder, Instruction& out) {
  out.immediate = decoder.constant(decoder.operand(0));
  if (out.immediate < 0 || out.immediate > 7) decoder.error("wgmma.wait_group takes a count of groups in [0, 7]");
  out.function = wait;
}

// Opcode patterns with every legal N. They live as long as the program.
std::string_view pattern(int k, const char* types) {
  static std::vector<std::unique_ptr<std::string>> texts;
  auto text = std::make_unique<std::string>("wgmma.mma_async.sync.aligned.{");
  for (int n = 8; n <= 256; n += 8) *text += (n == 8 ? "m64n" : "|m64n") + std::to_string(n) + "k" + std::to_string(k);
  *text += "}." + std::string(types);
  texts.push_back(std::move(text));
  return *texts.back();
}

template <class Format, int K, bool half> void add(std::vector<Entry>& entries, const char* types) {
  const std::string_view opcode = pattern(K, types);
  const bool transposes = K == 16;
  const char* shared = half ? "+b32*n b64 b64 pred imm imm imm imm" : transposes ? "+f32*n b64 b64 pred imm imm imm imm" : "+f32*n b64 b64 pred imm imm";
  const char* inRegisters = half ? "+b32*n b32*4 b64 pred imm imm imm" : transposes ? "+f32*n b32*4 b64 pred imm imm imm" : "+f32*n b32*4 b64 pred imm imm";
  entries.push_back({opcode, shared, 80, ptx::exactly(90), Class::tensor, 0, decode<Format, K, half, false>});
  entries.push_back({opcode, inRegisters, 80, ptx::exactly(90), Class::tensor, 0, decode<Format, K, half, true>});
}

std::vector<Entry> makeEntries() {
  std::vector<Entry> entries = {
      {"wgmma.fence.sync.aligned", "", 80, ptx::exactly(90), Class::async, 0, decodeFence},
      {"wgmma.commit_group.sync.aligned", "", 80, ptx::exactly(90), Class::async, 0, decodeCommit},
      {"wgmma.wait_group.sync.aligned", "imm", 80, ptx::exactly(90), Class::async, 0, decodeWait},
  };
  add<Bf16, 16, false>(entries, "f32.bf16.bf16");
  add<F16, 16, false>(entries, "f32.f16.f16");
  add<F16, 16, true>(entries, "f16.f16.f16");
  add<Tf32, 8, false>(entries, "f32.tf32.tf32");
  return entries;
}

}  // namespace

std::span<const Entry> wgmma() {
  static const std::vector<Entry> entries = makeEntries();
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
