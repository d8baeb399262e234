// Branches, tables of branches, calls, and the ways to end a thread.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

Case& add(Corpus& corpus, const std::string& name, const std::string& body, std::uint64_t (*expected)(std::uint64_t value, unsigned thread)) {
  return addWhole(corpus, "control/" + name, "mad.wide.u32 %d8, %r1, 4, %in0; ld.global.b32 %r8, [%d8]; mov.u32 %r9, 0;\n  " + body, Type::u32, threads, {{Type::u32}},
                  [expected](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = expected(in[0][t], t);
    return out;
  });
}

std::uint64_t byParity(std::uint64_t value, unsigned) { return value & 1 ? 100 : 200; }
std::uint64_t byFours(std::uint64_t value, unsigned) { return 10 + (value & 3); }

// Half of the threads end early; what they have stored stays.
void addEnd(Corpus& corpus, const std::string& end) {
  add(corpus, end, keep("%r8", 0) + "and.b32 %r10, %r1, 1; setp.eq.u32 %p1, %r10, 0; @%p1 " + end + "; add.u32 %r8, %r8, 1;\n  " + keep("%r8", 0),
      [](std::uint64_t value, unsigned t) { return t % 2 ? (value + 1) & mask(32) : value; });
}

}  // namespace

void addControl(Corpus& corpus) {
  add(corpus, "bra", "and.b32 %r10, %r8, 1; setp.eq.u32 %p1, %r10, 0; @%p1 bra even; mov.u32 %r9, 100; bra met; even: mov.u32 %r9, 200; met:\n  " + keep("%r9", 0), byParity);
  add(corpus, "@!p bra", "and.b32 %r10, %r8, 1; setp.ne.u32 %p1, %r10, 0; @!%p1 bra even; mov.u32 %r9, 100; bra met; even: mov.u32 %r9, 200; met:\n  " + keep("%r9", 0), byParity);
  // Uniform in the warp: its number decides.
  add(corpus, "bra.uni", "and.b32 %r10, %r1, 32; setp.ne.u32 %p1, %r10, 0; @%p1 bra.uni second; mov.u32 %r9, 7; bra.uni met; second: mov.u32 %r9, 8; met:\n  " + keep("%r9", 0),
      [](std::uint64_t, unsigned t) -> std::uint64_t { return t & 32 ? 8 : 7; });
  // A loop as long as the operand's low bits say.
  add(corpus, "bra backwards", "and.b32 %r10, %r8, 15; again: setp.eq.u32 %p1, %r10, 0; @%p1 bra met; add.u32 %r9, %r9, %r10; sub.u32 %r10, %r10, 1; bra again; met:\n  " + keep("%r9", 0),
      [](std::uint64_t value, unsigned) { return (value & 15) * ((value & 15) + 1) / 2; });
  const std::string targets = "targets: .branchtargets to0, to1, to2, to3;\n  ";
  const std::string cases = "to0: mov.u32 %r9, 10; bra met; to1: mov.u32 %r9, 11; bra met; to2: mov.u32 %r9, 12; bra met; to3: mov.u32 %r9, 13; met:\n  ";
  add(corpus, "brx.idx", targets + "and.b32 %r10, %r8, 3; brx.idx %r10, targets;\n  " + cases + keep("%r9", 0), byFours);
  add(corpus, "brx.idx.uni", targets + "shr.u32 %r10, %r1, 5; brx.idx.uni %r10, targets;\n  " + cases + keep("%r9", 0),
      [](std::uint64_t, unsigned t) -> std::uint64_t { return 10 + t / 32; });
  Case& call = add(corpus, "call", "{ .param .b32 given; .param .b32 got; st.param.b32 [given], %r8; call.uni (got), threeTimes, (given); ld.param.b32 %r9, [got]; }\n  " + keep("%r9", 0),
                   [](std::uint64_t value, unsigned) { return 3 * value & mask(32); });
  call.declarations = ".func (.param .b32 result) threeTimes(.param .b32 value) {\n  .reg .b32 %v;\n  ld.param::func.b32 %v, [value];\n  mul.lo.u32 %v, %v, 3;\n"
                      "  st.param::func.b32 [result], %v;\n  ret;\n}";
  call.ptx = 83;
  for (const std::string end : {"ret", "exit"}) addEnd(corpus, end);
  add(corpus, "ret.uni", keep("%r8", 0) + "ret.uni;", [](std::uint64_t value, unsigned) { return value; });
  add(corpus, "pmevent", "pmevent 7;\n  " + keep("%r8", 0), [](std::uint64_t value, unsigned) { return value; });
  add(corpus, "nanosleep.u32", "nanosleep.u32 100; mov.u32 %r10, 50; nanosleep.u32 %r10;\n  " + keep("%r8", 0), [](std::uint64_t value, unsigned) { return value; });
}

}  // namespace cnn::conformance
