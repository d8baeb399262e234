// Modifiers, directives and special registers that came later than what they belong to: each is refused one version or one
// target too early, and taken where it begins. The numbers are those that ptxas 12.4 asks for.
#include "kernel.h"

using namespace cnn::test;

namespace {

struct Header {
  const char *version, *target;
};

struct Form {
  const char* text;
  Header early, right;
};

constexpr Header any{"8.3", "sm_90"};

constexpr Form instructions[] = {
    {"ld.relaxed.gpu.u32 %r0, [%d0];", {"5.0", "sm_60"}, {"6.0", "sm_70"}},
    {"st.release.sys.u32 [%d0], %r0;", {"8.3", "sm_62"}, {"6.0", "sm_70"}},
    {"ld.weak.u32 %r0, [%d0];", {"8.3", "sm_61"}, {"6.0", "sm_70"}},
    {"atom.gpu.add.u32 %r0, [%d0], %r1;", {"4.0", "sm_50"}, {"5.0", "sm_60"}},
    {"atom.acq_rel.gpu.add.u32 %r0, [%d0], %r1;", {"5.0", "sm_60"}, {"6.0", "sm_70"}},
    {"atom.cas.b16 %h0, [%d0], %h1, %h2;", {"6.2", "sm_70"}, {"6.3", "sm_70"}},
    {"atom.add.noftz.f16 %h0, [%d0], %h1;", {"8.3", "sm_62"}, {"6.3", "sm_70"}},
    {"ld.acquire.cluster.u32 %r0, [%d0];", {"8.3", "sm_89"}, {"7.8", "sm_90"}},
    {"atom.relaxed.cluster.global.add.u32 %r0, [%d0], %r1;", {"7.7", "sm_80"}, {"7.8", "sm_90"}},
    {"ld.shared::cta.u32 %r0, [%r1];", {"7.7", "sm_80"}, {"7.8", "sm_80"}},
    {"ld.shared::cluster.u32 %r0, [%r1];", {"7.8", "sm_80"}, {"7.8", "sm_90"}},
    {"isspacep.shared::cluster %p0, %d0;", {"8.3", "sm_80"}, {"7.8", "sm_90"}},
    {"mbarrier.arrive.shared::cta.b64 %d0, [%r0];", {"7.7", "sm_80"}, {"7.8", "sm_80"}},
    {"ldmatrix.sync.aligned.m8n8.x1.shared::cta.b16 {%r0}, [%r1];", {"7.7", "sm_80"}, {"7.8", "sm_80"}},
    {"ld.param::entry.u64 %d0, [p];", {"8.0", "sm_80"}, {"8.3", "sm_80"}},
    {"ld.global.L1::no_allocate.u32 %r0, [%d0];", {"7.3", "sm_80"}, {"7.4", "sm_70"}},
    {"ld.global.L2::128B.u32 %r0, [%d0];", {"7.3", "sm_80"}, {"7.4", "sm_75"}},
    {"ld.global.L2::256B.u32 %r0, [%d0];", {"7.4", "sm_75"}, {"7.4", "sm_80"}},
    {"cp.async.ca.shared.global.L2::128B [%r0], [%d0], 4;", {"7.3", "sm_80"}, {"7.4", "sm_80"}},
    {"cp.async.ca.shared.global [%r0], [%d0], 4, %p0;", {"7.4", "sm_80"}, {"7.5", "sm_80"}},
    {"bar.cta.sync 0;", {"7.7", "sm_80"}, {"7.8", "sm_50"}},
    {"isspacep.param %p0, %d0;", {"7.6", "sm_80"}, {"7.7", "sm_70"}},
    {"cvta.param.u64 %d0, %d1;", {"7.7", "sm_62"}, {"7.7", "sm_70"}},
    {"min.NaN.f32 %f0, %f1, %f2;", {"6.5", "sm_75"}, {"7.0", "sm_80"}},
    {"min.xorsign.abs.f32 %f0, %f1, %f2;", {"7.1", "sm_86"}, {"7.2", "sm_86"}},
    {"set.eq.u16.f16 %h0, %h1, %h2;", {"6.4", "sm_75"}, {"6.5", "sm_53"}},
    {"cvt.rna.satfinite.tf32.f32 %r0, %f0;", {"8.0", "sm_80"}, {"8.1", "sm_80"}},
    {"mov.u32 %r0, %cluster_ctarank;", {"8.3", "sm_80"}, {"7.8", "sm_90"}},
    {"mov.u32 %r0, %clusterid.x;", {"7.7", "sm_80"}, {"7.8", "sm_90"}},
    {"mov.pred %p0, %is_explicit_cluster;", {"8.3", "sm_80"}, {"7.8", "sm_90"}},
    {"mov.u32 %r0, %aggr_smem_size;", {"8.0", "sm_90"}, {"8.1", "sm_90"}},
    {"mov.u32 %r0, %clock_hi;", {"4.1", "sm_50"}, {"5.0", "sm_50"}},
    {"mov.u32 %r0, %total_smem_size;", {"4.0", "sm_50"}, {"4.1", "sm_50"}},
};

constexpr Form directives[] = {
    {".reqnctapercluster 2", {"8.3", "sm_80"}, {"7.8", "sm_90"}},
    {".explicitcluster .reqnctapercluster 2", {"7.7", "sm_80"}, {"7.8", "sm_90"}},
    {".maxclusterrank 4", {"7.7", "sm_80"}, {"7.8", "sm_90"}},
};

std::string text(const Header& header, const char* directive, const char* instruction) {
  return moduleText(std::string(".visible .entry k(.param .u64 p) ") + directive + "\n{\n .reg .pred %p<4>;\n .reg .b16 %h<4>;\n .reg .b32 %r<4>;\n"
                    " .reg .b64 %d<4>;\n .reg .f32 %f<4>;\n " + instruction + "\n ret;\n}\n", header.version, header.target);
}

void refused(const std::string& text, const char* what) {
  Device device;
  std::string info;
  const auto result = cnn::emu::Module::load(text, device.model, device.memory, info);
  const auto* error = std::get_if<cnn::emu::LoadError>(&result);
  const bool named = error && (contains(error->log, "needs PTX version") || contains(error->log, "needs .target"));
  if (!named) FAIL(std::string(what) + (error ? " gives " + error->log : std::string(" is taken too early")));
}

}  // namespace

TEST(modifiers_begin_with_their_version_and_target) {
  for (const Form& form : instructions) {
    refused(text(form.early, "", form.text), form.text);
    Device device;
    Program program(device, text(form.right, "", form.text));
    CHECK(program.module().find("k") != nullptr);
  }
}

TEST(directives_of_clusters_begin_with_them) {
  for (const Form& form : directives) {
    refused(text(form.early, form.text, ""), form.text);
    Device device;
    Program program(device, text(form.right, form.text, ""));
    CHECK(program.module().find("k") != nullptr);
  }
}

TEST(a_target_needs_the_version_that_introduced_it) {
  for (const Header& header : {Header{"6.0", "sm_80"}, {"7.0", "sm_90a"}, {"7.8", "sm_90a"}, {"7.7", "sm_90"}, {"7.3", "sm_89"}, {"7.0", "sm_86"}, {"6.2", "sm_75"}})
    CHECK(contains(loadError(text(header, "", "")), "needs PTX version"));
  for (const Header& header : {Header{"8.99999", "sm_90"}, {"8.10", "sm_90"}, {"8.9", "sm_90"}, {"5.1", "sm_60"}, {"8", "sm_90"}, {"8.3", "sm_55"}, {"8.3", "sm_80a"}})
    CHECK(!loadError(text(header, "", "")).empty());
  for (const Header& header : {Header{"8.0", "sm_90a"}, {"7.8", "sm_90"}, {"7.0", "sm_80"}, {"4.0", "sm_50"}, any}) {
    Device device;
    Program program(device, text(header, "", ""));
  }
}
