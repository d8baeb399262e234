// mma.sync and wmma: products of one warp. Operands are small whole numbers, so that sums are exact in any order and in half
// precision, and the result is bit for bit.
#include "whole_block.h"

#include <algorithm>
#include <tuple>

namespace cnn::conformance {
namespace {

// D = A B + C with A m x k row by row and B k x 8 column by column, in fragments as the PTX ISA lays them over the lanes:
// group = lane / 4, place = lane % 4.
struct Product {
  std::string opcode;
  int m, k;
  Type a, b, sum;
  int sm = 80, ptx = 80;
};

int perRegister(Type type) { return 32 / bitsOf(type); }
unsigned registersOf(int rows, int columns, Type type) { return unsigned(rows * columns / 32 / perRegister(type)); }
unsigned sumRegisters(const Product& p) { return registersOf(p.m, 8, p.sum); }

double valueOf(Type type, std::uint64_t bits) {
  if (const Format* f = formatOf(type)) return double(decode(*f, bits));
  const int width = bitsOf(type);
  return type == Type::s8 || type == Type::s32 ? double(signExtend(bits, width)) : double(bits & mask(width));
}

// The element number `e` of register i of a lane stands at (row, column) of A, or at (column, row) of B.
struct Place {
  unsigned index, row, column;  // index: of the element in an operand [register][thread]
};
template <class Visit> void eachElement(unsigned registers, Type type, bool isA, unsigned rowBlocks, Visit visit) {
  const unsigned packed = unsigned(perRegister(type));
  for (unsigned i = 0; i < registers; ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned e = 0; e < packed; ++e) {
        const unsigned outer = lane / 4 + (isA ? 8 * (i % rowBlocks) : 0), depth = lane % 4 * packed + e + (isA ? i / rowBlocks : i) * 4 * packed;
        visit(Place{(i * threads + lane) * packed + e, outer, depth});
      }
}

Column expectedOf(const Product& p, const Columns& in) {
  double a[16][32] = {}, b[8][32] = {};
  const unsigned registersA = registersOf(p.m, p.k, p.a), registersB = registersOf(8, p.k, p.b), rowBlocks = unsigned(p.m / 8), packed = unsigned(perRegister(p.sum));
  eachElement(registersA, p.a, true, rowBlocks, [&](Place at) { a[at.row][at.column] = valueOf(p.a, in[0][at.index]); });
  eachElement(registersB, p.b, false, 1, [&](Place at) { b[at.row][at.column] = valueOf(p.b, in[1][at.index]); });
  Column out(sumRegisters(p) * 32);
  for (unsigned i = 0; i < sumRegisters(p); ++i)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned h = 0; h < packed; ++h) {
        const unsigned element = i * packed + h, row = lane / 4 + 8 * (element / 2), column = lane % 4 * 2 + element % 2;
        double sum = valueOf(p.sum, in[2][(i * threads + lane) * packed + h]);
        for (int k = 0; k < p.k; ++k) sum += a[row][k] * b[column][k];
        const std::uint64_t bits = formatOf(p.sum) ? encode(*formatOf(p.sum), {Wide(sum)}) : std::uint64_t(std::int64_t(sum)) & mask(32);
        out[i * 32 + lane] |= bits << (h * unsigned(bitsOf(p.sum)));
      }
  return out;
}

// Loads `count` registers [register][thread] of an operand.
std::string loadRegisters(const std::string& operand, const std::string& prefix, unsigned first, unsigned count) {
  std::string text = "mad.wide.u32 %d8, %r1, 4, " + operand + "; ";
  for (unsigned i = 0; i < count; ++i) text += "ld.global.b32 " + prefix + std::to_string(first + i) + ", [%d8+" + std::to_string(512 * i) + "]; ";
  return text + "\n  ";
}

// out[register][lane], by the first warp.
std::string storeRegisters(const std::string& prefix, unsigned first, unsigned count) {
  std::string text = "setp.lt.u32 %p1, %r1, 32; mad.wide.u32 %d8, %r1, 4, %out; ";
  for (unsigned i = 0; i < count; ++i) text += "@%p1 st.global.b32 [%d8+" + std::to_string(128 * i) + "], " + prefix + std::to_string(first + i) + "; ";
  return text;
}

void addProduct(Corpus& corpus, const Product& p) {
  const unsigned registersA = registersOf(p.m, p.k, p.a), registersB = registersOf(8, p.k, p.b), sums = sumRegisters(p);
  const std::string kind = p.sum == Type::f32 ? "%f" : "%r";
  const auto operand = [](Type type, unsigned registers) { return Operand{type, Range::small, registers * threads * std::size_t(perRegister(type))}; };
  const std::string body = loadRegisters("%in0", "%r", 20, registersA) + loadRegisters("%in1", "%r", 30, registersB) + loadRegisters("%in2", kind, 40, sums) + p.opcode + " "
                           + vectorOf(kind, 50, sums) + ", " + vectorOf("%r", 20, registersA) + ", " + vectorOf("%r", 30, registersB) + ", " + vectorOf(kind, 40, sums) + ";\n  "
                           + storeRegisters(kind, 50, sums);
  Case& test = addWhole(corpus, "matrix/" + p.opcode, body, Type::u32, sums * 32, {operand(p.a, registersA), operand(p.b, registersB), operand(p.sum, sums)},
                        [p](const Columns& in) { return expectedOf(p, in); });
  test.sm = p.sm;
  test.ptx = p.ptx;
}

std::string shapeOf(int m, int k) { return "mma.sync.aligned.m" + std::to_string(m) + "n8k" + std::to_string(k) + ".row.col."; }

void addProducts(Corpus& corpus) {
  for (const int k : {8, 16}) {
    addProduct(corpus, {shapeOf(16, k) + "f32.f16.f16.f32", 16, k, Type::f16, Type::f16, Type::f32});
    addProduct(corpus, {shapeOf(16, k) + "f16.f16.f16.f16", 16, k, Type::f16, Type::f16, Type::f16});
    addProduct(corpus, {shapeOf(16, k) + "f32.bf16.bf16.f32", 16, k, Type::bf16, Type::bf16, Type::f32});
  }
  for (const int k : {4, 8}) addProduct(corpus, {shapeOf(16, k) + "f32.tf32.tf32.f32", 16, k, Type::f32, Type::f32, Type::f32});
  struct Named { const char* name; Type type; };
  for (const Named& a : {Named{"u8", Type::u8}, {"s8", Type::s8}})
    for (const Named& b : {Named{"u8", Type::u8}, {"s8", Type::s8}})
      for (const std::string saturate : {"", "satfinite."}) {
        const std::string types = saturate + "s32." + a.name + "." + b.name + ".s32";
        addProduct(corpus, {shapeOf(8, 16) + types, 8, 16, a.type, b.type, Type::s32});
        for (const int k : {16, 32}) addProduct(corpus, {shapeOf(16, k) + types, 16, k, a.type, b.type, Type::s32});
      }
  for (const Named& a : {Named{"e4m3", Type::e4m3}, {"e5m2", Type::e5m2}})
    for (const Named& b : {Named{"e4m3", Type::e4m3}, {"e5m2", Type::e5m2}}) {
      const std::string types = std::string(a.name) + "." + b.name;
      addProduct(corpus, {shapeOf(16, 32) + "f32." + types + ".f32", 16, 32, a.type, b.type, Type::f32, 89, 84});
      addProduct(corpus, {shapeOf(16, 32) + "f16." + types + ".f16", 16, 32, a.type, b.type, Type::f16, 89, 87});
    }
}

// ---- wmma: matrices in memory, row by row or column by column; how the lanes hold them is not documented ---------------

struct Warp {
  int m, n, k;
  const char *name, *types;       // of A and B; of the product
  Type element, c, d;
  unsigned registersA, registersB;
};

unsigned warpSums(Type type, const Warp& w) { return type == Type::f16 ? 4 : unsigned(w.m * w.n / 32); }

void addWarpProduct(Corpus& corpus, const Warp& w, bool rowA, bool rowB, bool rowC, bool rowD, const std::string& space) {
  const std::string shape = "m" + std::to_string(w.m) + "n" + std::to_string(w.n) + "k" + std::to_string(w.k);
  const auto name = [](Type type) -> std::string { return type == Type::f16 ? "f16" : type == Type::f32 ? "f32" : type == Type::f64 ? "f64" : "s32"; };
  const auto order = [](bool row) -> std::string { return row ? ".row." : ".col."; };
  const auto prefix = [](Type type) -> std::string { return type == Type::f32 ? "%f" : type == Type::f64 ? "%e" : "%r"; };
  const std::string element = w.element == Type::f64 ? "%e" : "%r";
  // Rows, or columns, begin at multiples of 16 bytes.
  const auto pitchOf = [](bool row, int rows, int columns, Type type) { return std::max(row ? columns : rows, 128 / bitsOf(type)); };
  const auto pitch = [=](bool row, int rows, int columns, Type type) { return std::to_string(pitchOf(row, rows, columns, type)); };
  const std::string a = vectorOf(element, 8, w.registersA), b = vectorOf(element, 16, w.registersB), c = vectorOf(prefix(w.c), 24 - (w.c == Type::f64 ? 4 : 0), warpSums(w.c, w)),
                    d = vectorOf(prefix(w.d), 40 - (w.d == Type::f64 ? 16 : 0), warpSums(w.d, w));
  // Operands in global memory, or copied to shared memory before.
  const bool global = space == ".global";
  const auto extent = [=](bool row, int rows, int columns, Type type) { return std::size_t((row ? rows : columns) * pitchOf(row, rows, columns, type)); };
  const std::size_t sizeA = extent(rowA, w.m, w.k, w.element), sizeB = extent(rowB, w.k, w.n, w.element), sizeC = extent(rowC, w.m, w.n, w.c);
  const auto bytes = [](std::size_t count, Type type) { return unsigned((count * std::size_t(bitsOf(type)) / 8 + 511) / 512 * 512); };
  const auto counted = [&](std::size_t count, Type type) { return Operand{type, Range::small, std::max(count, bytes(count, type) * 8 / std::size_t(bitsOf(type)))}; };
  std::string text;
  if (!global)
    text = fillShared("matrixA", "%in0", bytes(sizeA, w.element)) + fillShared("matrixB", "%in1", bytes(sizeB, w.element)) + fillShared("matrixC", "%in2", bytes(sizeC, w.c))
           + "mov.u32 %r3, matrixA; mov.u32 %r4, matrixB; mov.u32 %r5, matrixC;\n  ";
  text += "setp.ge.u32 %p1, %r1, 32; @%p1 bra end;\n  ";
  text += "wmma.load.a.sync.aligned" + order(rowA) + shape + space + "." + w.name + " " + a + ", [" + (global ? "%in0" : "%r3") + "], " + pitch(rowA, w.m, w.k, w.element) + ";\n  ";
  text += "wmma.load.b.sync.aligned" + order(rowB) + shape + space + "." + w.name + " " + b + ", [" + (global ? "%in1" : "%r4") + "], " + pitch(rowB, w.k, w.n, w.element) + ";\n  ";
  text += "wmma.load.c.sync.aligned" + order(rowC) + shape + space + "." + name(w.c) + " " + c + ", [" + (global ? "%in2" : "%r5") + "], " + pitch(rowC, w.m, w.n, w.c) + ";\n  ";
  text += "wmma.mma.sync.aligned" + order(rowA) + order(rowB).substr(1) + shape + "." + w.types + " " + d + ", " + a + ", " + b + ", " + c + ";\n  ";
  text += "wmma.store.d.sync.aligned" + order(rowD) + shape + ".global." + name(w.d) + " [%out], " + d + ", " + pitch(rowD, w.m, w.n, w.d) + "; end:";
  const std::size_t sizeD = extent(rowD, w.m, w.n, w.d);
  Case& test = addWhole(corpus, "matrix/wmma" + order(rowA) + order(rowB).substr(1) + shape + "." + w.types + " of " + w.name + ", C" + order(rowC) + " D" + order(rowD) + space, text, w.d,
                        sizeD, {counted(sizeA, w.element), counted(sizeB, w.element), counted(sizeC, w.c)}, [=](const Columns& in) {
    Column out(sizeD);
    const auto at = [=](bool row, int r, int c, int rows, int columns, Type type) { return std::size_t((row ? r : c) * pitchOf(row, rows, columns, type) + (row ? c : r)); };
    for (int m = 0; m < w.m; ++m)
      for (int n = 0; n < w.n; ++n) {
        double sum = valueOf(w.c, in[2][at(rowC, m, n, w.m, w.n, w.c)]);
        for (int k = 0; k < w.k; ++k) sum += valueOf(w.element, in[0][at(rowA, m, k, w.m, w.k, w.element)]) * valueOf(w.element, in[1][at(rowB, k, n, w.k, w.n, w.element)]);
        out[at(rowD, m, n, w.m, w.n, w.d)] = formatOf(w.d) ? encode(*formatOf(w.d), {Wide(sum)}) : std::uint64_t(std::int64_t(sum)) & mask(32);
      }
    return out;
  });
  test.declarations = ".shared .align 128 .b8 matrixA[1024];\n.shared .align 128 .b8 matrixB[1024];\n.shared .align 128 .b8 matrixC[1024];";
}

void addWarpProducts(Corpus& corpus) {
  std::vector<Warp> all;
  for (const auto& [m, n] : {std::pair{16, 16}, {32, 8}, {8, 32}}) {
    for (const auto& [types, c, d] : {std::tuple{"f16.f16", Type::f16, Type::f16}, {"f32.f16", Type::f16, Type::f32}, {"f16.f32", Type::f32, Type::f16}, {"f32.f32", Type::f32, Type::f32}})
      all.push_back({m, n, 16, "f16", types, Type::f16, c, d, 8, 8});
    all.push_back({m, n, 16, "bf16", "f32.bf16.bf16.f32", Type::bf16, Type::f32, Type::f32, unsigned(m / 4), unsigned(n / 4)});
    for (const std::string saturate : {"", ".satfinite"}) {
      all.push_back({m, n, 16, "u8", saturate.empty() ? "s32.u8.u8.s32" : "s32.u8.u8.s32.satfinite", Type::u8, Type::s32, Type::s32, unsigned(m / 8), unsigned(n / 8)});
      all.push_back({m, n, 16, "s8", saturate.empty() ? "s32.s8.s8.s32" : "s32.s8.s8.s32.satfinite", Type::s8, Type::s32, Type::s32, unsigned(m / 8), unsigned(n / 8)});
    }
  }
  all.push_back({16, 16, 8, "tf32", "f32.tf32.tf32.f32", Type::f32, Type::f32, Type::f32, 4, 4});
  all.push_back({8, 8, 4, "f64", "f64.f64.f64.f64", Type::f64, Type::f64, Type::f64, 1, 1});
  all.push_back({8, 8, 4, "f64", "rn.f64.f64.f64.f64", Type::f64, Type::f64, Type::f64, 1, 1});
  for (const Warp& w : all) {
    addWarpProduct(corpus, w, true, false, true, true, ".global");
    addWarpProduct(corpus, w, true, true, false, true, ".shared");
    addWarpProduct(corpus, w, false, true, true, false, ".shared::cta");
    addWarpProduct(corpus, w, false, false, false, false, ".global");
  }
}

// ---- double precision: an element to a register, made in place --------------------------------------------------------

// Matrices are functions of the place, so that every lane can make its fragment: (row * 5 + column * 3 + seed) & 7.
int valueA(int row, int column) { return ((row * 5 + column * 3) & 7) - 3; }
int valueB(int row, int column) { return ((row * 3 + column * 7 + 1) & 7) - 3; }

// %d(register) = the value of a matrix at (%r8 + row, %r9 + column).
std::string doubleAt(const std::string& target, bool isA, int row, int column) {
  const int perRow = isA ? 5 : 3, perColumn = isA ? 3 : 7, seed = row * perRow + column * perColumn + (isA ? 0 : 1);
  return "mul.lo.u32 %r10, %r8, " + std::to_string(perRow) + "; mad.lo.u32 %r10, %r9, " + std::to_string(perColumn) + ", %r10; add.u32 %r10, %r10, " + std::to_string(seed)
         + "; and.b32 %r10, %r10, 7; sub.s32 %r10, %r10, 3; cvt.rn.f64.s32 " + target + ", %r10; ";
}

std::string doubles(int first, int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += (i ? ", %e" : "%e") + std::to_string(first + i);
  return text + "}";
}

std::string doubleBody(int m, int k, int element) {
  const int blocks = m / 8;
  std::string text = "{ .reg .f64 %e<32>; and.b32 %r7, %r1, 31; shr.u32 %r8, %r7, 2; and.b32 %r9, %r7, 3; ";
  for (int r = 0; r < blocks * k / 4; ++r) text += doubleAt("%e" + std::to_string(r), true, 8 * (r % blocks), 4 * (r / blocks));
  text += "mov.u32 %r11, %r8; mov.u32 %r8, %r9; mov.u32 %r9, %r11; ";  // B by columns: k = place, column = group
  for (int r = 0; r < k / 4; ++r) text += doubleAt("%e" + std::to_string(8 + r), false, 4 * r, 0);
  for (int r = 0; r < m / 4; ++r) text += "cvt.rn.f64.u32 %e" + std::to_string(12 + r) + ", %r7; ";
  text += "mma.sync.aligned.m" + std::to_string(m) + "n8k" + std::to_string(k) + ".row.col.f64.f64.f64.f64 " + doubles(16, m / 4) + ", " + doubles(0, blocks * k / 4) + ", "
          + doubles(8, k / 4) + ", " + doubles(12, m / 4) + "; ";
  return text + "mov.f64 %o, %e" + std::to_string(16 + element) + "; }";
}

void addDouble(Corpus& corpus, int m, int k, int sm) {
  for (int element = 0; element < m / 4; ++element)
    corpus.addBody("matrix/mma.sync.aligned.m" + std::to_string(m) + "n8k" + std::to_string(k) + ".row.col.f64 element " + std::to_string(element), doubleBody(m, k, element),
                   Type::f64, {}, [=](const Columns&) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) {
        const int lane = int(t % 32), row = lane / 4 + 8 * (element / 2), column = lane % 4 * 2 + element % 2;
        int sum = lane;
        for (int i = 0; i < k; ++i) sum += valueA(row, i) * valueB(i, column);
        out[t] = encode(f64, {Wide(sum)});
      }
      return out;
    }).sm = sm;
}

}  // namespace

void addMatrix(Corpus& corpus) {
  addProducts(corpus);
  addWarpProducts(corpus);
  addDouble(corpus, 8, 4, 80);
  for (const int k : {4, 8, 16}) addDouble(corpus, 16, k, 90);
}

}  // namespace cnn::conformance
