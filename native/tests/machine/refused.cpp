// Forms that look legal and are not: ptxas 12.4 refuses each of the first and takes its twin.
#include "kernel.h"

using namespace cnn::test;

namespace {

struct Pair {
  const char *wrong, *right;
  const char* target = "sm_90";
};

constexpr Pair pairs[] = {
    {"cvt.sat.s32.s16 %r0, %h0;", "cvt.sat.s16.s32 %h0, %r0;"},
    {"cvt.sat.u64.u32 %d0, %r0;", "cvt.sat.u32.u64 %r0, %d0;"},
    {"cvt.sat.s64.u32 %d0, %r0;", "cvt.sat.s32.u32 %r0, %r1;"},
    {"cvt.sat.s32.s32 %r0, %r1;", "cvt.sat.u32.s32 %r0, %r1;"},
    {"cvt.rn.satfinite.f16x2.f32 %r0, %f0, %f1;", "cvt.rn.f16x2.f32 %r0, %f0, %f1;"},
    {"cvt.rna.satfinite.tf32.f32 %r0, %f0;", "cvt.rn.satfinite.e4m3x2.f32 %h0, %f0, %f1;"},
    {"setp.lt.b32 %p0, %r0, %r1;", "setp.eq.b32 %p0, %r0, %r1;"},
    {"setp.lo.s32 %p0, %r0, %r1;", "setp.lo.u32 %p0, %r0, %r1;"},
    {"set.hi.u32.s32 %r0, %r0, %r1;", "set.hi.u32.u32 %r0, %r0, %r1;"},
    {"min.xorsign.abs.f32 %f0, %f1, %f2;", "min.f32 %f0, %f1, %f2;", "sm_80"},
    {"max.NaN.xorsign.abs.f16 %h0, %h1, %h2;", "max.NaN.f16 %h0, %h1, %h2;", "sm_80"},
    {"ld.relaxed.u32 %r0, [%d0];", "ld.relaxed.gpu.u32 %r0, [%d0];"},
    {"ld.gpu.u32 %r0, [%d0];", "ld.u32 %r0, [%d0];"},
    {"ld.volatile.gpu.u32 %r0, [%d0];", "ld.volatile.u32 %r0, [%d0];"},
    {"st.cta.global.u32 [%d0], %r0;", "st.release.cta.global.u32 [%d0], %r0;"},
    {"ld.volatile.local.u32 %r0, [%d0];", "ld.volatile.shared.u32 %r0, [%d0];"},
    {"ld.relaxed.gpu.local.u32 %r0, [%d0];", "ld.local.u32 %r0, [%d0];"},
    {"ld.volatile.const.u32 %r0, [%d0];", "ld.const.u32 %r0, [%d0];"},
    {"ld.volatile.param.u64 %d0, [p];", "ld.param.u64 %d0, [p];"},
    {"ld.u64 %d0, [p];", "ld.param.u64 %d1, [p];"},
    {"min.xorsign.f32 %f0, %f1, %f2;", "min.xorsign.abs.f32 %f0, %f1, %f2;"},
    {"max.abs.f16 %h0, %h1, %h2;", "max.xorsign.abs.f16 %h0, %h1, %h2;"},
    {"max.xorsign.bf16x2 %r0, %r1, %r2;", "max.bf16x2 %r0, %r1, %r2;"},
    {"st.const.u32 [%d0], %r0;", "ld.const.u32 %r0, [%d0];"},
    {"st.param::entry.u32 [%d0], %r0;", "st.u32 [%d0], %r0;"},
    {"ld.global.v4.b64 {%d0,%d1,%d2,%d3}, [%d0];", "ld.global.v2.b64 {%d0,%d1}, [%d0];"},
    {"st.v4.f64 [%d0], {%d0,%d1,%d2,%d3};", "st.v4.f32 [%d0], {%r0,%r1,%r2,%r3};"},
    {"ld.volatile.ca.u32 %r0, [%d0];", "ld.ca.u32 %r0, [%d0];"},
    {"ld.volatile.L1::evict_last.u32 %r0, [%d0];", "ld.relaxed.gpu.L1::evict_last.u32 %r0, [%d0];"},
    {"st.relaxed.gpu.wb.u32 [%d0], %r0;", "st.wb.u32 [%d0], %r0;"},
    {"ld.shared.L1::evict_last.u32 %r0, [%r1];", "ld.global.L1::evict_last.u32 %r0, [%d1];"},
    {"ld.shared.L2::128B.u32 %r0, [%r1];", "ld.L2::128B.u32 %r0, [%d1];"},
    {"atom.shared.add.L2::cache_hint.u32 %r0, [%r1], %r2, %d0;", "atom.global.add.L2::cache_hint.u32 %r0, [%d1], %r2, %d0;"},
    {"mbarrier.arrive.release.b64 %d0, [%d1];", "mbarrier.arrive.release.cta.b64 %d0, [%d1];"},
    {"mbarrier.expect_tx.cta.b64 [%d1], %r0;", "mbarrier.expect_tx.relaxed.cta.b64 [%d1], %r0;"},
    {"mbarrier.pending_count.b64 _, %d0;", "mbarrier.pending_count.b64 %r0, %d0;"},
    {"bar.sync 16;", "bar.sync 15;"},
    {"barrier.arrive 1, 48;", "barrier.arrive 1, 64;"},
    {"pmevent 16;", "pmevent 15;"},
    {"discard.global.L2 [%d0], 64;", "discard.global.L2 [%d0], 128;"},
    {"mov.f16 %h0, %h1;", "mov.b16 %h0, %h1;"},
    {"cvt.rn.satfinite.tf32.f32 %r0, %f0;", "cvt.rn.tf32.f32 %r0, %f0;"},
    {"mov.u32 %r0, %is_explicit_cluster;", "mov.pred %p0, %is_explicit_cluster;"},
    {".reg .b32 %r<2>;", "{ .reg .b32 %r<2>; }"},
    {".reg .b32 %r1;", ".reg .b32 %x1;"},
    {".shared .align 4 .b32 s = 5;", ".shared .align 4 .b32 s;"},
};

std::string text(const Pair& pair, const char* instruction) {
  return std::string(".version 8.0\n.target ") + pair.target + "\n.address_size 64\n.visible .entry k(.param .u64 p)\n{\n .reg .pred %p<4>;\n .reg .b16 %h<4>;\n"
         " .reg .b32 %r<4>;\n .reg .b64 %d<4>;\n .reg .f32 %f<4>;\n " + instruction + "\n ret;\n}\n";
}

}  // namespace

TEST(forms_that_the_assembler_refuses) {
  for (const Pair& pair : pairs) {
    const std::string error = loadError(text(pair, pair.wrong));
    if (error.find("line 11") == std::string::npos) FAIL(std::string(pair.wrong) + " is taken: " + error);
    Device device;
    Program twin(device, text(pair, pair.right));
  }
}

TEST(declarations_that_no_module_has) {
  const std::string kernel = ".visible .entry k() { ret; }\n";
  for (const char* wrong : {".visible .entry k() { ret; }", ".global .u32 a; .global .u32 a;", ".global .u32 k;", ".extern .shared .align 16 .b8 d[100];",
                            ".shared .u32 s = 5;", ".func f() { ret; } .func f() { ret; }", ".visible .entry e() .reqntid 0 { ret; }",
                            ".visible .entry e() .maxntid 0 { ret; }", ".visible .entry e() .maxntid 32 .reqntid 32 { ret; }", ".visible .entry e() .minnctapersm 0 { ret; }",
                            ".visible .entry e() .maxnreg 0 { ret; }", ".visible .entry e() .noreturn { ret; }"})
    if (!contains(loadError(moduleText(kernel + wrong)), "line 5")) FAIL(std::string(wrong) + " is taken");
  Device device;
  Program right(device, moduleText(kernel + ".func f(); .func f() { ret; } .extern .shared .align 16 .b8 d[]; .visible .entry e() .maxntid 32 .minnctapersm 1 { ret; }"));
}
