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

// Each thread has a word of its own: every operation in every type, with orders, scopes and spaces in turn. `atom` gives the
// word as it was, `red` shows what it became.
struct Own {
  std::string operation;  // add.u32
  Type type;
  Range range;
  Combine combine;
  int sm = 80;
  bool onlyAtom = false;
};

std::uint64_t sum(const Format& f, std::uint64_t a, std::uint64_t b) { return encode(f, add(decode(f, a), decode(f, b), Rounding::nearest)); }

std::vector<Own> ownOperations() {
  std::vector<Own> all = {
      {"add.u32", Type::u32, Range::any, [](std::uint64_t a, std::uint64_t b) { return (a + b) & mask(32); }},
      {"add.s32", Type::s32, Range::any, [](std::uint64_t a, std::uint64_t b) { return (a + b) & mask(32); }},
      {"add.u64", Type::u64, Range::any, [](std::uint64_t a, std::uint64_t b) { return a + b; }},
      {"add.f32", Type::f32, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return sum(f32, a, b); }},
      {"add.f64", Type::f64, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return sum(f64, a, b); }},
      {"add.noftz.f16", Type::f16, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return sum(f16, a, b); }},
      {"add.noftz.f16x2", Type::f16x2, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return sum(f16, a & 0xffff, b & 0xffff) | sum(f16, a >> 16, b >> 16) << 16; }},
      {"add.noftz.bf16", Type::bf16, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return sum(bf16, a, b); }, 90},
      {"add.noftz.bf16x2", Type::bf16x2, Range::moderate, [](std::uint64_t a, std::uint64_t b) { return sum(bf16, a & 0xffff, b & 0xffff) | sum(bf16, a >> 16, b >> 16) << 16; }, 90},
      {"inc.u32", Type::u32, Range::any, [](std::uint64_t old, std::uint64_t bound) { return old >= bound ? 0 : old + 1; }},
      {"dec.u32", Type::u32, Range::any, [](std::uint64_t old, std::uint64_t bound) { return old == 0 || old > bound ? bound : old - 1; }},
      {"min.s32", Type::s32, Range::any, [](std::uint64_t a, std::uint64_t b) { return s32(a) < s32(b) ? a : b; }},
      {"max.s32", Type::s32, Range::any, [](std::uint64_t a, std::uint64_t b) { return s32(a) < s32(b) ? b : a; }},
      {"min.s64", Type::s64, Range::any, [](std::uint64_t a, std::uint64_t b) { return std::int64_t(a) < std::int64_t(b) ? a : b; }},
      {"max.s64", Type::s64, Range::any, [](std::uint64_t a, std::uint64_t b) { return std::int64_t(a) < std::int64_t(b) ? b : a; }},
  };
  for (const auto& [type, suffix] : {std::pair{Type::u32, "32"}, {Type::u64, "64"}}) {
    all.push_back({std::string("min.u") + suffix, type, Range::any, [](std::uint64_t a, std::uint64_t b) { return std::min(a, b); }});
    all.push_back({std::string("max.u") + suffix, type, Range::any, [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); }});
    all.push_back({std::string("and.b") + suffix, type, Range::any, [](std::uint64_t a, std::uint64_t b) { return a & b; }});
    all.push_back({std::string("or.b") + suffix, type, Range::any, [](std::uint64_t a, std::uint64_t b) { return a | b; }});
    all.push_back({std::string("xor.b") + suffix, type, Range::any, [](std::uint64_t a, std::uint64_t b) { return a ^ b; }});
    all.push_back({std::string("exch.b") + suffix, type, Range::any, [](std::uint64_t, std::uint64_t b) { return b; }, 80, true});
  }
  return all;
}

void addOwn(Corpus& corpus, const Own& o) {
  struct Form { const char* opcode; const char* order; const char* space; int sm; };
  for (const Form& form : {Form{"atom", ".relaxed.cta", ".shared::cta", 80}, {"atom", ".acquire.gpu", ".global", 80}, {"atom", ".release.sys", ".global", 80},
                           {"atom", ".acq_rel.cluster", ".shared::cluster", 90}, {"atom", "", "", 80}, {"red", ".relaxed.cta", ".shared::cta", 80}, {"red", ".release.gpu", ".global", 80},
                           {"red", ".relaxed.sys", ".global", 80}, {"red", ".release.cluster", ".shared::cluster", 90}, {"red", "", "", 80}}) {
    const bool atom = form.opcode[0] == 'a', shared = std::string(form.space).starts_with(".shared");
    if (o.onlyAtom && !atom) continue;
    const std::string bits = std::to_string(bitsOf(o.type)), word = bits == "64" ? "%d10" : bits == "16" ? "%h10" : "%r10", space = form.space;
    const std::string instruction = std::string(form.opcode) + form.order + space + "." + o.operation;
    const std::string base = std::string("mov.u64 %d7, ") + (shared ? "buffer" : "storage") + "; mul.wide.u32 %d8, %r1, " + std::to_string(bitsOf(o.type) / 8) + "; add.s64 %d8, %d7, %d8; "
                             + (space.empty() ? "cvta.global.u64 %d8, %d8; " : "") + "st" + space + ".b" + bits + " [%d8], %a; ";
    Case& test = corpus.addBody("atomic/" + instruction + " alone", base + instruction + (atom ? " %o, [%d8], %b;" : " [%d8], %b; ld" + space + ".b" + bits + " " + word + ", [%d8]; mov.b" + bits + " %o, " + word + ";"),
                                o.type, {{o.type, o.range}, {o.type, o.range}}, [combine = o.combine, atom](const Columns& in) {
      Column out = in[0];
      for (unsigned t = 0; t < threads && !atom; ++t) out[t] = combine(in[0][t], in[1][t]);
      return out;
    });
    test.declarations = ".shared .align 16 .b8 buffer[1024];\n.global .align 16 .b8 storage[1024];";
    test.sm = std::max(form.sm, o.sm);
  }
}

}  // namespace

void addAtomic(Corpus& corpus) {
  for (const Own& o : ownOperations()) addOwn(corpus, o);
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
    // The lower half of the word of each thread, compared with half of another number.
    corpus.addBody("atomic/atom." + space + ".cas.b16", own + "cvt.u16.u32 %h8, %b; mov.b16 %h9, 9; atom." + space + ".cas.b16 %h10, [%d8], %h8, %h9; ld." + space + ".b32 %o, [%d8];",
                   Type::u32, {{Type::u32}, {Type::u32}}, [](const Columns& in) {
      Column out(threads);
      for (unsigned t = 0; t < threads; ++t) out[t] = (in[0][t] & mask(16)) == (in[1][t] & mask(16)) ? (in[0][t] & ~mask(16)) | 9 : in[0][t];
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
    // One sum per word, of any bits: in global memory subnormal numbers are zeros, in shared memory they are themselves.
    const bool flushes = space == "global";
    for (const std::string& opcode : {"atom." + space + ".add.f32 %r9, [%d8], %b;", "red." + space + ".add.f32 [%d8], %b;"})
      corpus.addBody("atomic/" + opcode.substr(0, opcode.find(' ')) + ".subnormal", own + opcode + " ld." + space + ".b32 %o, [%d8];", Type::f32,
                     {{Type::f32}, {Type::f32}}, [flushes](const Columns& in) {
        Column out(threads);
        for (unsigned t = 0; t < threads; ++t) {
          Wide v[2];
          for (int i = 0; i < 2; ++i) v[i] = decode(f32, flushes ? flushed(f32, in[i][t]) : in[i][t]);
          out[t] = encode(f32, add(v[0], v[1], Rounding::nearest), Rounding::nearest, flushes, false);
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
