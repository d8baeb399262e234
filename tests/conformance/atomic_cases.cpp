// Atomics whose result does not depend on the order of the threads: each thread of a pair updates its pair's word, and
// both read what is left.
#include "corpus.h"

#include <algorithm>

namespace cnn::conformance {
namespace {

using Combine = std::uint64_t (*)(std::uint64_t, std::uint64_t);

// Words start at 7.
void addOne(Corpus& corpus, const std::string& form, Type type, Combine combine, const std::string& space) {
  const std::string bits = std::to_string(bitsOf(type)), bytes = std::to_string(bitsOf(type) / 8);
  const std::string base = space == "shared" ? "mov.u64 %d7, buffer; " : "mov.u64 %d7, storage; ";
  const std::string word = bits == "64" ? "%d10" : "%r10";
  for (const std::string opcode : {"atom", "red"}) {
    const std::string update = opcode == "atom" ? "atom." + space + "." + form + " " + word + ", [%d8], %a; " : "red." + space + "." + form + " [%d8], %a; ";
    corpus.addBody("atomic/" + opcode + "." + space + "." + form,
                   base + "shr.u32 %r8, %r1, 1; mul.wide.u32 %d8, %r8, " + bytes + "; add.s64 %d8, %d7, %d8; st." + space + ".b" + bits + " [%d8], 7; bar.sync 0; "
                   + update + "bar.sync 0; ld." + space + ".b" + bits + " %o, [%d8];",
                   type, {{type}}, [combine](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = combine(combine(7, in[0][t & ~1u]), in[0][t | 1]);
      return out;
    }).declarations = ".shared .align 16 .b8 buffer[1024];\n.global .align 16 .b8 storage[1024];";
  }
}

std::int64_t s32(std::uint64_t x) { return signExtend(x, 32); }

}  // namespace

void addAtomic(Corpus& corpus) {
  for (const std::string space : {"global", "shared"}) {
    addOne(corpus, "add.u32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return (a + b) & mask(32); }, space);
    addOne(corpus, "add.s32", Type::s32, [](std::uint64_t a, std::uint64_t b) { return (a + b) & mask(32); }, space);
    addOne(corpus, "add.u64", Type::u64, [](std::uint64_t a, std::uint64_t b) { return a + b; }, space);
    addOne(corpus, "min.u32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return std::min(a, b); }, space);
    addOne(corpus, "max.u32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); }, space);
    addOne(corpus, "min.s32", Type::s32, [](std::uint64_t a, std::uint64_t b) { return s32(a) < s32(b) ? a : b; }, space);
    addOne(corpus, "max.s32", Type::s32, [](std::uint64_t a, std::uint64_t b) { return s32(a) < s32(b) ? b : a; }, space);
    addOne(corpus, "and.b32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return a & b; }, space);
    addOne(corpus, "or.b32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return a | b; }, space);
    addOne(corpus, "xor.b32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return a ^ b; }, space);
    // The words of threads 2i and 2i+1 swap through exchange and compare-and-swap, one thread after the other.
    const std::string base = space == "shared" ? "mov.u64 %d7, buffer; " : "mov.u64 %d7, storage; ";
    const std::string own = base + "mul.wide.u32 %d8, %r1, 4; add.s64 %d8, %d7, %d8; st." + space + ".b32 [%d8], %a; bar.sync 0; xor.b32 %r8, %r1, 1; "
                            "mul.wide.u32 %d9, %r8, 4; add.s64 %d9, %d7, %d9; ";
    const char* storage = ".shared .align 16 .b8 buffer[1024];\n.global .align 16 .b8 storage[1024];";
    corpus.addBody("atomic/atom." + space + ".exch.b32", own + "atom." + space + ".exch.b32 %o, [%d9], 5;", Type::u32, {{Type::u32}}, [](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = in[0][t ^ 1];
      return out;
    }).declarations = storage;
    // Succeeds where the value is the one compared with: the word becomes 9.
    corpus.addBody("atomic/atom." + space + ".cas.b32", own + "atom." + space + ".cas.b32 %r9, [%d8], %b, 9; ld." + space + ".b32 %o, [%d8];", Type::u32,
                   {{Type::u32}, {Type::u32}}, [](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = in[0][t] == in[1][t] ? 9 : in[0][t];
      return out;
    }).declarations = storage;
    for (const bool up : {true, false})
      corpus.addBody("atomic/atom." + space + (up ? ".inc.u32" : ".dec.u32"),
                     own + "atom." + space + (up ? ".inc" : ".dec") + ".u32 %r9, [%d8], %b; ld." + space + ".b32 %o, [%d8];", Type::u32, {{Type::u32}, {Type::u32}},
                     [up](const Columns& in) {
        Column out(threads);
        for (unsigned t = 0; t < threads; ++t) {
          const std::uint64_t old = in[0][t], bound = in[1][t];
          out[t] = up ? (old >= bound ? 0 : old + 1) : (old == 0 || old > bound ? bound : old - 1);
        }
        return out;
      }).declarations = storage;
    // Sums of floats that are exact in any order.
    corpus.addBody("atomic/atom." + space + ".add.f32", base + "shr.u32 %r8, %r1, 1; mul.wide.u32 %d8, %r8, 4; add.s64 %d8, %d7, %d8; st." + space
                   + ".b32 [%d8], 0; bar.sync 0; and.b32 %r9, %a, 1023; cvt.rn.f32.u32 %r10, %r9; atom." + space + ".add.f32 %r11, [%d8], %r10; bar.sync 0; ld."
                   + space + ".b32 %o, [%d8];", Type::f32, {{Type::u32}}, [](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = encode(f32, {Wide((in[0][t & ~1u] & 1023) + (in[0][t | 1] & 1023))});
      return out;
    }).declarations = storage;
  }
}

}  // namespace cnn::conformance
