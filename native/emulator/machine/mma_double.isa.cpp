// mma.sync in double precision: one element to a register, every step fused, k ascending.
//
// Lane = 4 g + t. Of A register r holds row g + 8 (r & 1), k = t + 4 (r >> 1), and for m8n8k4 row g, k = t; of B k = t + 4 r,
// column g; of C and D columns 2 t and 2 t + 1 of row g, then of row g + 8.
#include "machine/collective.h"
#include "machine/family.h"
#include "machine/jitter.h"

#include <cmath>
#include <cstring>

namespace cnn::emu::CNN_ISA {

namespace {

struct Fragments {
  uint32_t d[4], a[8], b[4], c[4];
};

template <int M, int K> const Instruction* multiply(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "mma.sync"); !entry.ready) return entry.otherwise;
  const Fragments& f = *static_cast<const Fragments*>(i->extra);
  constexpr int blocks = M / 8;
  double a[M][K], b[K][8], sum[M][8];
  for (int lane = 0; lane < int(warpLanes); ++lane) {
    const int g = lane / 4, t = lane % 4;
    for (int r = 0; r < blocks * K / 4; ++r) a[g + 8 * (r % blocks)][t + 4 * (r / blocks)] = w.lanes<double>(f.a[r])[lane];
    for (int r = 0; r < K / 4; ++r) b[t + 4 * r][g] = w.lanes<double>(f.b[r])[lane];
    for (int r = 0; r < M / 4; ++r) sum[g + 8 * (r / 2)][2 * t + r % 2] = w.lanes<double>(f.c[r])[lane];
  }
  const int flip = int(i->flags / 2 % K);
  for (int row = 0; row < M; ++row)
    for (int k = 0; k < K; ++k)
      for (int column = 0; column < 8; ++column) sum[row][column] = std::fma(a[row][k ^ flip], b[k ^ flip][column], sum[row][column]);
  for (int lane = 0; lane < int(warpLanes); ++lane)
    for (int r = 0; r < M / 4; ++r) w.lanes<double>(f.d[r])[lane] = sum[lane / 4 + 8 * (r / 2)][lane % 4 * 2 + r % 2];
  return i + 1;
}

template <int M, int K> void decode(Decoder& decoder, Instruction& out) {
  Fragments& f = *decoder.table<Fragments>(1);
  const auto slots = [&](std::size_t n, uint32_t* to) {
    const ptx::Operand& operand = decoder.operand(n);
    const bool vector = operand.kind == ptx::Operand::Kind::vector;
    for (std::size_t r = 0; r < (vector ? operand.parts.size() : 1); ++r) {
      const ptx::Operand& part = vector ? operand.parts[r] : operand;
      to[r] = n == 0 ? decoder.destination(part, ptx::Type::f64) : decoder.source(part, ptx::Type::f64);
    }
  };
  slots(0, f.d);
  slots(1, f.a);
  slots(2, f.b);
  slots(3, f.c);
  out.extra = &f;
  out.flags = requestedJitter();
  out.function = multiply<M, K>;
}

}  // namespace

std::span<const Entry> mma_double() {
  constexpr Class c = Class::tensor;
  static const Entry entries[] = {
      {"mma.sync.aligned.m8n8k4.row.col[.rn].f64.f64.f64.f64", "=f64*2 f64*1 f64*1 f64*2", 70, 80, c, 16, decode<8, 4>},
      {"mma.sync.aligned.m16n8k4.row.col[.rn].f64.f64.f64.f64", "=f64*4 f64*2 f64*1 f64*4", 78, 90, c, 32, decode<16, 4>},
      {"mma.sync.aligned.m16n8k8.row.col[.rn].f64.f64.f64.f64", "=f64*4 f64*4 f64*2 f64*4", 78, 90, c, 64, decode<16, 8>},
      {"mma.sync.aligned.m16n8k16.row.col[.rn].f64.f64.f64.f64", "=f64*4 f64*8 f64*4 f64*4", 78, 90, c, 128, decode<16, 16>},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
