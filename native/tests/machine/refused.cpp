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
