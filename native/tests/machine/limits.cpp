// What a kernel declares and no launch could have is refused when it is loaded, with the kernel and the limit.
#include "kernel.h"

using namespace cnn::test;

namespace {

std::string module(const std::string& before, const std::string& parameters, const std::string& body, const char* version = "8.3", const char* target = "sm_90") {
  return moduleText(before + "\n.visible .entry k(" + parameters + ")\n{\n .reg .b32 %r<4>;\n .reg .b64 %d<4>;\n" + body + "\n ret;\n}\n", version, target);
}

std::string shared(int bytes) { return " .shared .align 4 .b8 s[" + std::to_string(bytes) + "];\n mov.u32 %r1, s;"; }
std::string local(int bytes) { return " .local .align 4 .b8 l[" + std::to_string(bytes) + "];\n mov.u64 %d1, l;"; }
std::string parameter(int bytes) { return ".param .align 4 .b8 p[" + std::to_string(bytes) + "]"; }
std::string constants(int bytes) { return ".const .align 4 .b8 c[" + std::to_string(bytes) + "];"; }

void loads(const std::string& text) {
  Device device;
  Program program(device, text);
  CHECK(program.module().find("k") != nullptr);
}

}  // namespace

TEST(memory_that_no_launch_could_have_is_refused) {
  CHECK(contains(loadError(module("", "", shared(49156))), "`k` has 49156 bytes of static shared memory, 49152 are the most"));
  loads(module("", "", shared(49152)));
  CHECK(contains(loadError(module("", "", local(524292))), "`k` has 524292 bytes of local memory per thread, 524288 are the most"));
  loads(module("", "", local(524288)));
  CHECK(contains(loadError(module(constants(65540), "", "")), "the module has 65540 bytes of constant memory, 65536 are the most"));
  CHECK(contains(loadError(module(constants(40000) + "\n.const .align 8 .b8 more[40000];", "", "")), "constant memory"));
  loads(module(constants(65536), "", ""));
}

TEST(parameters_have_a_limit_that_grew_with_the_version) {
  CHECK(contains(loadError(module("", parameter(4356), "", "8.0", "sm_90")), "`k` has 4356 bytes of parameters, 4352 are the most"));
  CHECK(contains(loadError(module("", parameter(4356), "", "8.3", "sm_61")), "4352 are the most"));
  CHECK(contains(loadError(module("", parameter(32768), "", "8.1", "sm_80")), "32764 are the most"));
  loads(module("", parameter(4352), "", "8.0", "sm_90"));
  loads(module("", parameter(32764), "", "8.1", "sm_80"));
}
