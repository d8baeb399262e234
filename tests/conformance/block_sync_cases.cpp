// Barriers of a block: all threads, half of them, arrivals without waiting, reductions; and of the lanes of a warp.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

const std::string declarations = ".shared .align 16 .b8 tile[1024];";
// %r8: this thread's word, %r9: that of the thread 64 further on; %p1: threads 64 to 127; %p2: bit 0 of the operand.
const std::string prepare = "mov.u32 %r10, tile; mad.lo.u32 %r8, %r1, 4, %r10; xor.b32 %r11, %r1, 64; mad.lo.u32 %r9, %r11, 4, %r10; setp.ge.u32 %p1, %r1, 64; "
                            "mad.wide.u32 %d8, %r1, 4, %in0; ld.global.b32 %r12, [%d8]; and.b32 %r13, %r12, 1; setp.ne.u32 %p2, %r13, 0;\n  ";

Case& add(Corpus& corpus, const std::string& name, const std::string& body, std::function<std::uint64_t(const Column&, unsigned)> expected) {
  Case& test = addWhole(corpus, "block_sync/" + name, prepare + body, Type::u32, threads, {{Type::u32}}, [expected](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = expected(in[0], t);
    return out;
  });
  test.declarations = declarations;
  return test;
}

void addSync(Corpus& corpus, const std::string& sync, const std::string& arrive) {
  const auto other = [](const Column& in, unsigned t) { return in[t ^ 64]; };
  for (const std::string operands : {" 0", " 1, 128", " %r14, %r15"})
    add(corpus, sync + operands, "mov.u32 %r14, 3; mov.u32 %r15, 128; st.shared.b32 [%r8], %r12; " + sync + operands + "; ld.shared.b32 %r16, [%r9];\n  " + keep("%r16", 0), other);
  // Two barriers of 64 threads each, one for every half: threads meet their neighbours only.
  add(corpus, sync + " in halves", "selp.u32 %r14, 1, 2, %p1; xor.b32 %r11, %r1, 32; mad.lo.u32 %r9, %r11, 4, %r10; st.shared.b32 [%r8], %r12; " + sync
      + " %r14, 64; ld.shared.b32 %r16, [%r9];\n  " + keep("%r16", 0), [](const Column& in, unsigned t) { return in[t ^ 32]; });
  // The first half writes and arrives; the second one waits and reads.
  add(corpus, arrive, "mov.u32 %r16, 5; @%p1 bra reader; st.shared.b32 [%r8], %r12; " + arrive + " 1, 128; bra met;\n  reader: " + sync + " 1, 128; ld.shared.b32 %r16, [%r9]; met:\n  "
      + keep("%r16", 0), [](const Column& in, unsigned t) { return t < 64 ? 5 : in[t - 64]; });
}

std::uint64_t odd(const Column& in) {
  std::uint64_t count = 0;
  for (const std::uint64_t value : in) count += value & 1;
  return count;
}

// `mostly` sets the predicate of all threads but 77, `rarely` of that one only.
void addReductions(Corpus& corpus, const std::string& opcode, const std::string& aligned) {
  for (const std::string count : {"", ", 128"}) {
    const std::string popc = opcode + ".red.popc" + aligned + ".u32";
    add(corpus, popc + count, popc + " %r16, 2" + count + ", %p2;\n  " + keep("%r16", 0), [](const Column& in, unsigned) { return odd(in); });
    add(corpus, popc + count + " negated", popc + " %r16, 2" + count + ", !%p2;\n  " + keep("%r16", 0), [](const Column& in, unsigned) { return threads - odd(in); });
    for (const bool all : {true, false})
      for (const std::string which : {"ne.u32 %p3, %r1, 77", "eq.u32 %p3, %r1, 77", "lt.u32 %p3, %r1, 128", "ge.u32 %p3, %r1, 128"}) {
        const std::string form = opcode + ".red." + (all ? "and" : "or") + aligned + ".pred";
        const bool holds = all ? which.starts_with("lt") : !which.starts_with("ge");
        add(corpus, form + count + " of " + which.substr(0, 2), "setp." + which + "; " + form + " %p4, 2" + count + ", %p3; selp.u32 %r16, 1, 0, %p4;\n  " + keep("%r16", 0),
            [holds](const Column&, unsigned) { return std::uint64_t(holds); });
      }
  }
}

// Lanes of one half of each warp exchange words.
void addWarpSync(Corpus& corpus) {
  add(corpus, "bar.warp.sync", "xor.b32 %r11, %r1, 1; mad.lo.u32 %r9, %r11, 4, %r10; mov.u32 %r16, 9; st.shared.b32 [%r8], %r12; bar.warp.sync 0xffffffff; and.b32 %r17, %r1, 16; "
      "setp.ne.u32 %p3, %r17, 0; @%p3 bra met; add.u32 %r12, %r12, 1; st.shared.b32 [%r8], %r12; bar.warp.sync 0xffff; ld.shared.b32 %r16, [%r9]; met:\n  " + keep("%r16", 0),
      [](const Column& in, unsigned t) { return t & 16 ? 9 : (in[t ^ 1] + 1) & mask(32); });
}

}  // namespace

void addBlockSync(Corpus& corpus) {
  for (const std::string cta : {"", ".cta"}) {
    addSync(corpus, "bar" + cta + ".sync", "bar" + cta + ".arrive");
    addReductions(corpus, "bar" + cta, "");
    for (const std::string aligned : {"", ".aligned"}) {
      addSync(corpus, "barrier" + cta + ".sync" + aligned, "barrier" + cta + ".arrive" + aligned);
      addReductions(corpus, "barrier" + cta, aligned);
    }
  }
  addWarpSync(corpus);
}

}  // namespace cnn::conformance
