// mma.sync: D = A B + C by one warp, with the fragments in registers.
//
// Lane = 4 g + t. A, and C and D in f16: mma_fragments.h; C and D in f32 and s32: mma_math.h. 16-bit B: register r holds
// column g, k = 8 r + 2 t and the next. 8-bit operands: four k to a register (k = 4 t), 16 to a step. tf32: one k to a
// register (k = t), 4 to a step. A register of packed operands, read as memory, is a tile [g][k] of 8 x 8 or 8 x 16.
#include "machine/collective.h"
#include "machine/family.h"
#include "machine/jitter.h"
#include "machine/mma_fragments.h"
#include "machine/mma_math.h"
#include "machine/narrow.h"

#include <algorithm>
#include <limits>

namespace cnn::emu::CNN_ISA {

namespace {

struct Fragments {
  uint32_t d[4], a[4], b[2], c[4];
};

const Fragments& fragments(const Instruction* i) { return *static_cast<const Fragments*>(i->extra); }

// ---- operands from registers ------------------------------------------------------------------------------------

template <class Format, int K> void readB(const Warp& w, const Fragments& f, BlockB<float, K>& b) {
  constexpr int depth = 4 * Format::perWord;  // k of a register
  for (int r = 0; r < K / depth; ++r) b.template fillTile<Format>(w.lanes<uint32_t>(f.b[r]), depth * r);
}

// Eight-bit elements, and what they are summed in.
template <class Byte> struct Integer8 {
  using Sum = int32_t;
  static Sum widen(uint8_t byte) { return Byte(byte); }
};
struct E4m3 {
  using Sum = float;
  static Sum widen(uint8_t byte) { return widenE4m3(byte); }
};
struct E5m2 {
  using Sum = float;
  static Sum widen(uint8_t byte) { return widenE5m2(byte); }
};

// A transposed, out[k][row].
template <class Format, int M, int K> void readA8(const Warp& w, const Fragments& f, typename Format::Sum (*out)[16]) {
  constexpr int blocks = M / 8;
  for (int r = 0; r < blocks * K / 16; ++r) {
    const uint8_t* tile = w.lanes<uint8_t>(f.a[r]);
    for (int g = 0; g < 8; ++g)
      for (int k = 0; k < 16; ++k) out[16 * (r / blocks) + k][8 * (r % blocks) + g] = Format::widen(tile[16 * g + k]);
  }
}

template <class Format, int K> void readB8(const Warp& w, const Fragments& f, BlockB<typename Format::Sum, K>& b) {
  for (int r = 0; r < K / 16; ++r) {
    const uint8_t* tile = w.lanes<uint8_t>(f.b[r]);
    for (int n = 0; n < 8; ++n)
      for (int k = 0; k < 16; ++k) b.at[16 * r + k][n % 2][n / 2] = Format::widen(tile[16 * n + k]);
  }
}

// ---- the instruction --------------------------------------------------------------------------------------------

template <int K> void multiplyFloat(Warp& w, const Fragments& f, const SpreadA<float, K>& a, const BlockB<float, K>& b) {
  alignas(64) float sum[4][32];
  float* d[4];
  for (int r = 0; r < 4; ++r) {
    std::memcpy(sum[r], w.lanes<float>(f.c[r]), sizeof sum[r]);
    d[r] = sum[r];
  }
  multiplyBlock(a, b, d);
  for (int r = 0; r < 4; ++r) std::memcpy(w.lanes<float>(f.d[r]), sum[r], sizeof sum[r]);
}

template <int K> void multiplyHalf(Warp& w, const Fragments& f, const SpreadA<float, K>& a, const BlockB<float, K>& b) {
  alignas(64) float sum[4][32];
  float* d[4] = {sum[0], sum[1], sum[2], sum[3]};
  widenHalves(w, f.c, sum);
  multiplyBlock(a, b, d);
  narrowHalves(w, f.d, sum);
}

template <class Format, int K, bool half> const Instruction* mma(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "mma.sync"); !entry.ready) return entry.otherwise;
  const Fragments& f = fragments(i);
  SpreadA<float, K> a;
  BlockB<float, K> b;
  fragmentA<Format>(w, f.a, a);
  readB<Format>(w, f, b);
  reorder(a.at, i->flags);
  reorder(b.at, i->flags);
  const SumRounding rounding(i->flags);
  if constexpr (half) multiplyHalf(w, f, a, b);
  else multiplyFloat(w, f, a, b);
  return i + 1;
}

// Floats of eight bits: exact in f32, as are their products.
template <class A, class B, bool half> const Instruction* mmaFloat8(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "mma.sync"); !entry.ready) return entry.otherwise;
  constexpr int K = 32;
  const Fragments& f = fragments(i);
  SpreadA<float, K> a;
  BlockB<float, K> b;
  alignas(64) float transposed[K][16];
  readA8<A, 16, K>(w, f, transposed);
  readB8<B>(w, f, b);
  reorder(transposed, i->flags);
  reorder(b.at, i->flags);
  a.fill(transposed);
  const SumRounding rounding(i->flags);
  if constexpr (half) multiplyHalf(w, f, a, b);
  else multiplyFloat(w, f, a, b);
  return i + 1;
}

template <class A, class B, int M, int K, bool saturate> const Instruction* mma8(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "mma.sync"); !entry.ready) return entry.otherwise;
  const Fragments& f = fragments(i);
  SpreadA<int32_t, K> a;
  BlockB<int32_t, K> b;
  alignas(64) int32_t transposed[K][16] = {};
  readA8<Integer8<A>, M, K>(w, f, transposed);
  readB8<Integer8<B>>(w, f, b);
  a.fill(transposed);
  alignas(64) int32_t sum[4][32] = {};
  int32_t* d[4] = {sum[0], sum[1], sum[2], sum[3]};
  multiplyBlock<int32_t, K, M / 4>(a, b, d);
  // All of C before any of D: they may share registers in another order.
  alignas(64) int32_t addend[4][32];
  for (int r = 0; r < M / 4; ++r) std::memcpy(addend[r], w.lanes<int32_t>(f.c[r]), sizeof addend[r]);
  for (int r = 0; r < M / 4; ++r) {
    int32_t* to = w.lanes<int32_t>(f.d[r]);
    for (int lane = 0; lane < 32; ++lane) {
      const int64_t exact = int64_t(addend[r][lane]) + sum[r][lane];
      using Limits = std::numeric_limits<int32_t>;
      to[lane] = saturate ? int32_t(std::clamp<int64_t>(exact, Limits::min(), Limits::max())) : int32_t(uint32_t(exact));
    }
  }
  return i + 1;
}

// ---- decoding ---------------------------------------------------------------------------------------------------

template <Handler handler> void decode(Decoder& decoder, Instruction& out) {
  Fragments& f = *decoder.table<Fragments>(1);
  const auto slots = [&](int n, uint32_t* to, bool written) {
    const auto& vector = decoder.operand(n);
    // A fragment of one register may stand without braces.
    const std::size_t count = vector.kind == ptx::Operand::Kind::vector ? vector.parts.size() : 1;
    for (std::size_t k = 0; k < count; ++k) {
      const ptx::Operand& part = vector.kind == ptx::Operand::Kind::vector ? vector.parts[k] : vector;
      to[k] = written ? decoder.destination(part, ptx::Type::b32) : decoder.source(part, ptx::Type::b32);
    }
  };
  slots(1, f.a, false);
  slots(2, f.b, false);
  slots(3, f.c, false);
  slots(0, f.d, true);
  out.extra = &f;
  out.flags = requestedJitter();
  out.function = handler;
}

constexpr int flops(int m, int k) { return 2 * m * 8 * k / 32; }

template <class Format, int K, bool half> Entry entry16(const char* opcode, int ptx, int sm) {
  const char* operands = half ? (K == 8 ? "=b32*2 b32*2 b32*1 b32*2" : "=b32*2 b32*4 b32*2 b32*2")
                              : (K == 8 ? "=f32*4 b32*2 b32*1 f32*4" : "=f32*4 b32*4 b32*2 f32*4");
  return {opcode, operands, ptx, sm, Class::tensor, flops(16, K), decode<mma<Format, K, half>>};
}

template <class A, class B, bool saturate> void entries8(std::vector<Entry>& entries, const char* m8, const char* k16, const char* k32) {
  entries.push_back({m8, "=s32*2 b32*1 b32*1 s32*2", 65, 75, Class::tensor, flops(8, 16), decode<mma8<A, B, 8, 16, saturate>>});
  entries.push_back({k16, "=s32*4 b32*2 b32*1 s32*4", 70, 80, Class::tensor, flops(16, 16), decode<mma8<A, B, 16, 16, saturate>>});
  entries.push_back({k32, "=s32*4 b32*4 b32*2 s32*4", 70, 80, Class::tensor, flops(16, 32), decode<mma8<A, B, 16, 32, saturate>>});
}

template <class A, class B> void entriesFloat8(std::vector<Entry>& entries, const char* single, const char* half) {
  entries.push_back({single, "=f32*4 b32*4 b32*2 f32*4", 84, 89, Class::tensor, flops(16, 32), decode<mmaFloat8<A, B, false>>});
  entries.push_back({half, "=b32*2 b32*4 b32*2 b32*2", 87, 89, Class::tensor, flops(16, 32), decode<mmaFloat8<A, B, true>>});
}

#define CNN_MMA_FLOAT8(A, B, a, b)                                                             \
  entriesFloat8<A, B>(entries, "mma.sync.aligned.m16n8k32.row.col.f32." a "." b ".f32",        \
                      "mma.sync.aligned.m16n8k32.row.col.f16." a "." b ".f16")

#define CNN_MMA8(A, B, a, b)                                                                              \
  entries8<A, B, false>(entries, "mma.sync.aligned.m8n8k16.row.col.s32." a "." b ".s32",                  \
                        "mma.sync.aligned.m16n8k16.row.col.s32." a "." b ".s32",                          \
                        "mma.sync.aligned.m16n8k32.row.col.s32." a "." b ".s32");                         \
  entries8<A, B, true>(entries, "mma.sync.aligned.m8n8k16.row.col.satfinite.s32." a "." b ".s32",         \
                       "mma.sync.aligned.m16n8k16.row.col.satfinite.s32." a "." b ".s32",                 \
                       "mma.sync.aligned.m16n8k32.row.col.satfinite.s32." a "." b ".s32")

std::vector<Entry> makeEntries() {
  std::vector<Entry> entries = {
      entry16<F16, 8, false>("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", 65, 75),
      entry16<F16, 16, false>("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 70, 80),
      entry16<F16, 8, true>("mma.sync.aligned.m16n8k8.row.col.f16.f16.f16.f16", 65, 75),
      entry16<F16, 16, true>("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16", 70, 80),
      entry16<Bf16, 8, false>("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", 70, 80),
      entry16<Bf16, 16, false>("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 70, 80),
      {"mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", "=f32*4 b32*2 b32*1 f32*4", 70, 80, Class::tensor,
       flops(16, 4), decode<mma<Tf32, 4, false>>},
      {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", "=f32*4 b32*4 b32*2 f32*4", 70, 80, Class::tensor,
       flops(16, 8), decode<mma<Tf32, 8, false>>},
  };
  CNN_MMA8(uint8_t, uint8_t, "u8", "u8");
  CNN_MMA8(uint8_t, int8_t, "u8", "s8");
  CNN_MMA8(int8_t, uint8_t, "s8", "u8");
  CNN_MMA8(int8_t, int8_t, "s8", "s8");
  CNN_MMA_FLOAT8(E4m3, E4m3, "e4m3", "e4m3");
  CNN_MMA_FLOAT8(E4m3, E5m2, "e4m3", "e5m2");
  CNN_MMA_FLOAT8(E5m2, E4m3, "e5m2", "e4m3");
  CNN_MMA_FLOAT8(E5m2, E5m2, "e5m2", "e5m2");
  return entries;
}

#undef CNN_MMA8
#undef CNN_MMA_FLOAT8

}  // namespace

std::span<const Entry> mma() {
  static const std::vector<Entry> entries = makeEntries();
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
