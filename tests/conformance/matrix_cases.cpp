// mma.sync: one product per warp, every element of the result in turn. The operands are drawn small, so that the sums are
// exact in any order and the result is bit for bit.
#include "corpus.h"

#include <array>

namespace cnn::conformance {
namespace {

// A 16 x 8 result D = A B + C with A 16 x k row by row and B k x 8 column by column, as the PTX ISA lays the fragments
// over the lanes: group = lane / 4, place = lane % 4.
struct Shape {
  const char* instruction;
  int k, perRegister;             // elements of A and B in one 32-bit register
  int registersA, registersB;
  bool integer;
  std::uint64_t (*element)(unsigned value);  // a small number in the element's format; the value is 0..7, minus 3
  int sm = 80, ptx = 80;
};

std::uint64_t asF16(unsigned v) { return encode(f16, {Wide(int(v) - 3)}); }
std::uint64_t asBf16(unsigned v) { return encode(bf16, {Wide(int(v) - 3)}); }
std::uint64_t asTf32(unsigned v) { return encode(f32, {Wide(int(v) - 3)}); }
std::uint64_t asS8(unsigned v) { return std::uint64_t(int(v) - 3) & 255; }

// -3 to 4, in formats with 3 and 2 bits of fraction.
constexpr std::uint64_t magnitudesE4m3[] = {0, 0x38, 0x40, 0x44, 0x48}, magnitudesE5m2[] = {0, 0x3c, 0x40, 0x42, 0x44};
std::uint64_t asE4m3(unsigned v) { return v < 3 ? 0x80 | magnitudesE4m3[3 - v] : magnitudesE4m3[v - 3]; }
std::uint64_t asE5m2(unsigned v) { return v < 3 ? 0x80 | magnitudesE5m2[3 - v] : magnitudesE5m2[v - 3]; }

constexpr Shape shapes[] = {
    {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 16, 2, 4, 2, false, asF16},
    {"mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", 8, 2, 2, 1, false, asF16},
    {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, 2, 4, 2, false, asBf16},
    {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 8, 1, 4, 2, false, asTf32},
    {"mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", 32, 4, 4, 2, true, asS8},
    {"mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32", 16, 4, 2, 1, true, asS8},
    {"mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32", 32, 4, 4, 2, false, asE4m3, 89, 84},
    {"mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32", 32, 4, 4, 2, false, asE5m2, 89, 84},
};

// Matrices are functions of the place, so that every lane can make its fragment: value (row * 5 + column * 3 + seed) & 7.
int valueA(int row, int column) { return ((row * 5 + column * 3) & 7) - 3; }
int valueB(int row, int column) { return ((row * 3 + column * 7 + 1) & 7) - 3; }

// The fragment register i of A: rows alternate fastest, then the halves of k.
void placeA(const Shape& s, int lane, int i, int e, int& row, int& column) {
  row = lane / 4 + 8 * (i % 2);
  column = lane % 4 * s.perRegister + e + i / 2 * (4 * s.perRegister);
}
void placeB(const Shape& s, int lane, int i, int e, int& row, int& column) {
  row = lane % 4 * s.perRegister + e + i * (4 * s.perRegister);
  column = lane / 4;
}

// Fragments as a constant table: [lane][register].
std::string table(const Shape& s, bool isA) {
  std::string text;
  const int count = isA ? s.registersA : s.registersB;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < count; ++i) {
      std::uint64_t packed = 0;
      for (int e = 0; e < s.perRegister; ++e) {
        int row, column;
        (isA ? placeA : placeB)(s, lane, i, e, row, column);
        packed |= s.element(unsigned((isA ? valueA(row, column) : valueB(row, column)) + 3)) << (32 / s.perRegister * e);
      }
      text += (text.empty() ? "" : ", ") + std::to_string(packed);
    }
  return text;
}

std::string registers(int first, int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += (i ? ", %r" : "%r") + std::to_string(first + i);
  return text + "}";
}

std::string body(const Shape& s, int element) {
  std::string text = "and.b32 %r7, %r1, 31; mov.u64 %d7, fragmentsA; mul.wide.u32 %d8, %r7, " + std::to_string(4 * s.registersA) + "; add.s64 %d7, %d7, %d8; ";
  for (int i = 0; i < s.registersA; ++i) text += "ld.const.b32 %r" + std::to_string(8 + i) + ", [%d7+" + std::to_string(4 * i) + "]; ";
  text += "mov.u64 %d7, fragmentsB; mul.wide.u32 %d8, %r7, " + std::to_string(4 * s.registersB) + "; add.s64 %d7, %d7, %d8; ";
  for (int i = 0; i < s.registersB; ++i) text += "ld.const.b32 %r" + std::to_string(16 + i) + ", [%d7+" + std::to_string(4 * i) + "]; ";
  // C is the lane number in every place.
  text += s.integer ? "mov.u32 %r20, %r7; " : "cvt.rn.f32.u32 %r20, %r7; ";
  text += std::string(s.instruction) + " " + registers(24, 4) + ", " + registers(8, s.registersA) + ", " + registers(16, s.registersB) + ", {%r20, %r20, %r20, %r20}; ";
  return text + "mov.b32 %o, %r" + std::to_string(24 + element) + ";";
}

// ---- double precision: an element to a register, made in place --------------------------------------------------------

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
  addDouble(corpus, 8, 4, 80);
  for (const int k : {4, 8, 16}) addDouble(corpus, 16, k, 90);
  for (const Shape& s : shapes)
    for (int element = 0; element < 4; ++element) {
      Case& test = corpus.addBody("matrix/" + std::string(s.instruction) + " element " + std::to_string(element), body(s, element), s.integer ? Type::s32 : Type::f32, {},
                     [s, element](const Columns&) {
        Column out(threads);
        for (unsigned t = 0; t < threads; ++t) {
          const int lane = int(t % 32), row = lane / 4 + 8 * (element / 2), column = lane % 4 * 2 + element % 2;
          int sum = lane;
          for (int k = 0; k < s.k; ++k) sum += valueA(row, k) * valueB(k, column);
          out[t] = s.integer ? std::uint64_t(std::uint32_t(sum)) : encode(f32, {Wide(sum)});
        }
        return out;
      });
      test.sm = s.sm;
      test.ptx = s.ptx;
      test.declarations = ".const .align 16 .b32 fragmentsA[" + std::to_string(32 * s.registersA) + "] = {" + table(s, true) + "};\n.const .align 16 .b32 fragmentsB["
                          + std::to_string(32 * s.registersB) + "] = {" + table(s, false) + "};";
    }
}

}  // namespace cnn::conformance
