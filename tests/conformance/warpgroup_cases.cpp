// wgmma: every type and every N, operands in registers and in shared memory, in each of the canonical layouts, transposed,
// negated, added to and not. The operands are small integers, so that sums are exact in any order and in half precision.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

// The layouts of PTX ISA's "matrix descriptor", in bytes of the swizzle.
enum class Swizzle { none = 0, bytes32 = 32, bytes64 = 64, bytes128 = 128 };

struct Form {
  const char* types;              // f32.bf16.bf16
  Type element;                   // of A and B in memory; f32 for tf32
  bool halfSum;
  int k;                          // of one instruction
};
constexpr Form forms[] = {{"f32.bf16.bf16", Type::bf16, false, 16}, {"f32.f16.f16", Type::f16, false, 16}, {"f16.f16.f16", Type::f16, true, 16}, {"f32.tf32.tf32", Type::f32, false, 8}};

struct Product {
  Form form;
  int n;
  Swizzle swizzle = Swizzle::bytes128;
  bool registersA = false, transposedA = false, transposedB = false;
  int scaleA = 1, scaleB = 1;
  bool accumulate = true, folded = false;
};

// Where the elements of an operand lie: `outer` is M or N. Tiles are laid out in core matrices of 8 rows of 16 bytes.
//   K innermost, no swizzle:  core matrix (outer / 8, k / core) at (outer / 8) * stride + (k / core) * leading, its rows one after the other
//   K innermost, swizzled:    rows of the swizzle's width, eight of them an atom, atoms along the outer dimension `stride` apart
//   outer innermost:          the same with the roles exchanged; atoms are `leading` apart along the outer dimension when
//                             swizzled and `stride` apart when not, and the other one along K
struct Layout {
  int elementBytes, width;        // bytes of a row of an atom, 16 without swizzle
  bool outerInnermost;
  unsigned leading, stride;

  Layout(const Form& form, Swizzle swizzle, bool transposed, int outerSize) : elementBytes(bitsOf(form.element) / 8), width(swizzle == Swizzle::none ? 16 : int(swizzle)), outerInnermost(transposed) {
    const unsigned atom = unsigned(8 * width);
    if (!outerInnermost && swizzle == Swizzle::none) leading = 128, stride = 256;
    else if (!outerInnermost) leading = 16, stride = atom;                       // leading: not used
    else if (swizzle == Swizzle::none) leading = unsigned(outerSize / 8) * atom, stride = atom;
    else stride = atom, leading = 2 * atom;
  }

  unsigned at(int outer, int k) const {
    const int perRow = width / elementBytes;
    if (!outerInnermost && width == 16) return unsigned(outer / 8) * stride + unsigned(k / perRow) * leading + unsigned(outer % 8 * 16 + k % perRow * elementBytes);
    if (!outerInnermost) return swizzled(unsigned(outer / 8) * stride + unsigned(outer % 8 * width + k * elementBytes));
    const unsigned alongOuter = width == 16 ? stride : leading, alongK = width == 16 ? leading : stride;
    return swizzled(unsigned(outer / perRow) * alongOuter + unsigned(k / 8) * alongK + unsigned(k % 8 * width + outer % perRow * elementBytes));
  }
  unsigned swizzled(unsigned byte) const {
    const unsigned kept = width == 128 ? 7 : width == 64 ? 3 : width == 32 ? 1 : 0;
    return byte ^ (byte >> 7 & kept) << 4;
  }
  std::uint64_t descriptor() const {
    const std::uint64_t mode = width == 128 ? 1 : width == 64 ? 2 : width == 32 ? 3 : 0;
    return mode << 62 | std::uint64_t(stride / 16) << 32 | std::uint64_t(leading / 16) << 16;
  }
};

constexpr unsigned bytesA = 8192, bytesB = 32768;

int accumulators(const Product& p) { return p.form.halfSum ? p.n / 4 : p.n / 2; }

std::string descriptorOf(const Layout& layout, const std::string& target, const std::string& array) {
  return "mov.u32 %r10, " + array + "; shr.u32 %r10, %r10, 4; and.b32 %r10, %r10, 0x3fff; cvt.u64.u32 " + target + ", %r10; or.b64 " + target + ", " + target + ", "
         + std::to_string(std::int64_t(layout.descriptor())) + ";\n  ";
}

std::string opcodeOf(const Product& p) {
  return "wgmma.mma_async.sync.aligned.m64n" + std::to_string(p.n) + "k" + std::to_string(p.form.k) + "." + p.form.types;
}

std::string nameOf(const Product& p) {
  std::string name = "warpgroup/" + opcodeOf(p) + " swizzle " + std::to_string(int(p.swizzle)) + (p.registersA ? ", A in registers" : "");
  if (p.transposedA) name += ", A transposed";
  if (p.transposedB) name += ", B transposed";
  if (p.scaleA < 0) name += ", -A";
  if (p.scaleB < 0) name += ", -B";
  return name + (p.accumulate ? "" : ", from zero");
}

// %r100.. or %f0..: the sums; %r240..%r243: A. Operand 2 holds the sums' start [register][thread], operand 0 A and 1 B.
std::string bodyOf(const Product& p) {
  const std::string sums = p.form.halfSum ? "%r" : "%f";
  const unsigned first = p.form.halfSum ? 100 : 0;
  std::string text = fillShared("matrixA", "%in0", bytesA) + fillShared("matrixB", "%in1", bytesB) + "fence.proxy.async; bar.sync 0; mad.wide.u32 %d8, %r1, 4, %in2;\n  ";
  for (int i = 0; i < accumulators(p); ++i) text += "ld.global.b32 " + sums + std::to_string(first + unsigned(i)) + ", [%d8+" + std::to_string(512 * i) + "];\n  ";
  if (p.registersA) {
    text += "mad.wide.u32 %d9, %r1, 4, %in0;\n  ";
    for (int i = 0; i < 4; ++i) text += "ld.global.b32 %r" + std::to_string(240 + i) + ", [%d9+" + std::to_string(512 * i) + "];\n  ";
  } else {
    text += descriptorOf(Layout(p.form, p.swizzle, p.transposedA, 64), "%d10", "matrixA");
  }
  text += descriptorOf(Layout(p.form, p.swizzle, p.transposedB, p.n), "%d11", "matrixB") + "mov.u32 %r9, " + (p.accumulate ? "1" : "0") + "; setp.ne.u32 %p1, %r9, 0;\n  "
          "wgmma.fence.sync.aligned;\n  " + opcodeOf(p) + " " + vectorOf(sums, first, unsigned(accumulators(p))) + ", " + (p.registersA ? vectorOf("%r", 240, 4) : "%d10")
          + ", %d11, %p1, " + std::to_string(p.scaleA) + ", " + std::to_string(p.scaleB);
  if (p.form.k == 16) text += (p.registersA ? "" : p.transposedA ? ", 1" : ", 0") + std::string(p.transposedB ? ", 1" : ", 0");
  text += ";\n  wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 0;\n  ";
  if (p.folded) text += "mov.u32 %r9, 0;\n  ";
  for (int i = 0; i < accumulators(p); ++i) {
    const std::string sum = sums + std::to_string(first + unsigned(i));
    text += p.folded ? "mov.b32 %r10, " + sum + "; mad.lo.u32 %r9, %r9, 31, %r10;\n  " : keep(sum, unsigned(i));
  }
  return text + (p.folded ? keep("%r9", 0) : "");
}

double elementAt(const Product& p, const std::vector<std::uint8_t>& bytes, unsigned at) {
  std::uint64_t bits = 0;
  for (int i = 0; i < bitsOf(p.form.element) / 8; ++i) bits |= std::uint64_t(bytes[at + unsigned(i)]) << (8 * i);
  return double(decode(*formatOf(p.form.element), bits));
}

// Element (m, k) of A in the registers of a warpgroup: 16 rows per warp, registers hold rows g and g + 8, then the next k.
double registerElement(const Product& p, const std::vector<std::uint8_t>& bytes, int m, int k) {
  const int size = bitsOf(p.form.element) / 8, perRegister = 4 / size;
  const int thread = m / 16 * 32 + m % 8 * 4 + k % (4 * perRegister) / perRegister, index = m % 16 / 8 + 2 * (k / (4 * perRegister));
  return elementAt(p, bytes, unsigned(4 * (index * int(threads) + thread) + k % perRegister * size));
}

// The two sums at (m, 2 c) and (m, 2 c + 1) stand in neighbouring registers, or in one of halves.
Column expectedOf(const Product& p, const Columns& in) {
  const auto a = bytesOf(in[0], p.form.element), b = bytesOf(in[1], p.form.element);
  const Layout layoutA(p.form, p.swizzle, p.transposedA, 64), layoutB(p.form, p.swizzle, p.transposedB, p.n);
  const Format& sumFormat = p.form.halfSum ? f16 : f32;
  const int bits = sumFormat.storageBits, perRegister = 32 / bits;
  Column out(std::size_t(accumulators(p)) * threads);
  for (int m = 0; m < 64; ++m)
    for (int n = 0; n < p.n; ++n) {
      const std::size_t thread = std::size_t(m / 16 * 32 + m % 8 * 4 + n % 8 / 2);
      const int element = n / 8 * 4 + m % 16 / 8 * 2 + n % 2, shift = element % perRegister * bits;
      const std::size_t place = std::size_t(element / perRegister) * threads + thread;
      const std::uint64_t start = in[2][place * std::size_t(perRegister) + std::size_t(element % perRegister)];
      double sum = p.accumulate ? double(decode(sumFormat, start)) : 0;
      for (int k = 0; k < p.form.k; ++k)
        sum += p.scaleA * p.scaleB * (p.registersA ? registerElement(p, a, m, k) : elementAt(p, a, layoutA.at(m, k))) * elementAt(p, b, layoutB.at(n, k));
      out[place] |= encode(sumFormat, {Wide(sum)}) << shift;
    }
  if (!p.folded) return out;
  Column fold(threads);
  for (std::size_t i = 0; i < out.size(); ++i) fold[i % threads] = (fold[i % threads] * 31 + out[i]) & mask(32);
  return fold;
}

void addProduct(Corpus& corpus, const Product& p) {
  const std::size_t size = std::size_t(bitsOf(p.form.element)) / 8, sums = std::size_t(accumulators(p)) * threads;
  const Operand start = p.form.halfSum ? Operand{Type::f16, Range::small, 2 * sums} : Operand{Type::f32, Range::small, sums};
  Case& test = addWhole(corpus, nameOf(p), bodyOf(p), Type::u32, p.folded ? threads : sums,
                        {{p.form.element, Range::small, bytesA / size}, {p.form.element, Range::small, bytesB / size}, start}, [p](const Columns& in) { return expectedOf(p, in); });
  test.declarations = ".shared .align 1024 .b8 matrixA[8192];\n.shared .align 1024 .b8 matrixB[32768];";
  test.sm = 90;
  test.specific = true;
}

// Two products on the same sums in two groups; the last group may stay open until the second wait.
void addGroups(Corpus& corpus) {
  const Product p{forms[0], 8};
  std::string body = bodyOf(p);
  const std::string once = body.substr(body.find("wgmma.mma_async"), body.find("wgmma.commit") - body.find("wgmma.mma_async"));
  body.replace(body.find("wgmma.commit"), std::string("wgmma.commit_group.sync.aligned; ").size(),
               "wgmma.commit_group.sync.aligned;\n  " + once + "wgmma.commit_group.sync.aligned; wgmma.wait_group.sync.aligned 1; ");
  Case& test = addWhole(corpus, "warpgroup/wgmma.commit_group and wait_group, two groups", body, Type::u32, 4 * threads,
                        {{Type::bf16, Range::small, bytesA / 2}, {Type::bf16, Range::small, bytesB / 2}, {Type::f32, Range::small, 4 * threads}}, [p](const Columns& in) {
    Columns again = in;
    again[2] = expectedOf(p, in);
    return expectedOf(p, again);
  });
  test.declarations = ".shared .align 1024 .b8 matrixA[8192];\n.shared .align 1024 .b8 matrixB[32768];";
  test.sm = 90;
  test.specific = true;
}

}  // namespace

void addWarpgroup(Corpus& corpus) {
  for (const Form& form : forms) {
    for (const bool registersA : {false, true})
      for (int n = 8; n <= 256; n += 8) addProduct(corpus, {.form = form, .n = n, .registersA = registersA, .folded = true});
    for (const Swizzle swizzle : {Swizzle::none, Swizzle::bytes32, Swizzle::bytes64, Swizzle::bytes128})
      for (const int transposes : {0, 1, 2, 3}) {
        if (transposes && form.k == 8) continue;  // 16-bit types only
        for (const bool registersA : {false, true}) {
          if (registersA && transposes & 1) continue;
          // The first one stands above.
          if (transposes || swizzle != Swizzle::bytes128)
            addProduct(corpus, {.form = form, .n = 64, .swizzle = swizzle, .registersA = registersA, .transposedA = (transposes & 1) != 0, .transposedB = (transposes & 2) != 0, .folded = true});
          addProduct(corpus, {.form = form, .n = 16, .swizzle = swizzle, .registersA = registersA, .transposedA = (transposes & 1) != 0, .transposedB = (transposes & 2) != 0, .accumulate = false});
        }
      }
    for (const int scaleA : {1, -1})
      for (const int scaleB : {1, -1})
        if (scaleA < 0 || scaleB < 0) addProduct(corpus, {.form = form, .n = 24, .scaleA = scaleA, .scaleB = scaleB});
  }
  addGroups(corpus);
}

}  // namespace cnn::conformance
