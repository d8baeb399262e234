// printf and assert in kernels, as compilers call them.
#include "kernel.h"

#include <unistd.h>

#include <cstdio>
#include <functional>

using namespace cnn::test;

namespace {

const char* const declarations = R"(
.extern .func (.param .b32 result) vprintf (.param .b64 format, .param .b64 arguments);
.extern .func __assertfail (.param .b64 message, .param .b64 file, .param .b32 line, .param .b64 function, .param .b64 size);
)";

// A string of the module, and its name.
std::string text(const std::string& name, const std::string& value) {
  std::string bytes;
  for (const char c : value) bytes += std::to_string(int(static_cast<unsigned char>(c))) + ", ";
  return ".global .align 1 .b8 " + name + "[" + std::to_string(value.size() + 1) + "] = {" + bytes + "0};\n";
}

std::string address(const char* to, const std::string& name) { return " mov.u64 " + std::string(to) + ", " + name + ";\n cvta.global.u64 " + std::string(to) + ", " + to + ";\n"; }

// What `run` writes to standard output.
std::string outputOf(const std::function<void()>& run) {
  std::fflush(stdout);
  std::FILE* file = std::tmpfile();
  const int saved = dup(1);
  dup2(fileno(file), 1);
  run();
  std::fflush(stdout);
  dup2(saved, 1);
  close(saved);
  std::string out(std::size_t(std::ftell(file)), '\0');
  std::rewind(file);
  REQUIRE_EQ(std::fread(out.data(), 1, out.size(), file), out.size());
  std::fclose(file);
  return out;
}

}  // namespace

TEST(printf_formats_its_arguments) {
  const std::string module = moduleText(std::string(declarations) + text("format", "%d|%5.2f|%s|%lld|%-4u|%c|%x|100%%\n") + text("word", "seven") + R"(
.visible .entry k(.param .u64 out)
{
 .local .align 8 .b8 depot[56];
 .reg .b32 %r<4>; .reg .b64 %d<8>; .reg .pred %p;
 ld.param.u64 %d1, [out]; mov.u32 %r1, %tid.x; setp.ne.u32 %p, %r1, 0; @%p bra DONE;
 mov.u64 %d2, depot; cvta.local.u64 %d3, %d2;
 st.local.u32 [%d2], -7; st.local.f64 [%d2+8], 0d400921FB54442D18;
)" + address("%d4", "word") + R"(
 st.local.u64 [%d2+16], %d4; st.local.u64 [%d2+24], -5000000000; st.local.u32 [%d2+32], 42; st.local.u32 [%d2+36], 65; st.local.u32 [%d2+40], 255;
)" + address("%d5", "format") + R"(
 { .param .b64 p0; st.param.b64 [p0], %d5; .param .b64 p1; st.param.b64 [p1], %d3; .param .b32 r0;
   call.uni (r0), vprintf, (p0, p1); ld.param.b32 %r2, [r0]; }
 st.global.u32 [%d1], %r2;
DONE: ret;
}
)");
  Device device;
  const std::uint64_t out = device.zeros<std::uint32_t>(1);
  Program program(device, module);
  CHECK_EQ(outputOf([&] { program.run("k", {1}, {32}, 0, out); }), std::string("-7| 3.14|seven|-5000000000|42  |A|ff|100%\n"));
  CHECK_EQ(device.download<std::uint32_t>(out, 1)[0], 7u);
}

TEST(assert_fails_with_its_message) {
  const std::string module = moduleText(std::string(declarations) + text("message", "n < limit") + text("file", "kernel.cu") + text("function", "void k(int)") + R"(
.visible .entry k(.param .u32 limit)
{
 .reg .b32 %r<4>; .reg .b64 %d<8>; .reg .pred %p;
 ld.param.u32 %r1, [limit]; mov.u32 %r2, %tid.x; setp.lt.u32 %p, %r2, %r1; @%p bra DONE;
)" + address("%d1", "message") + address("%d2", "file") + address("%d3", "function") + R"(
 { .param .b64 p0; st.param.b64 [p0], %d1; .param .b64 p1; st.param.b64 [p1], %d2; .param .b32 p2; st.param.b32 [p2], 12;
   .param .b64 p3; st.param.b64 [p3], %d3; .param .b64 p4; st.param.b64 [p4], 1; call.uni __assertfail, (p0, p1, p2, p3, p4); }
DONE: ret;
}
)");
  Device device;
  Program program(device, module);
  CHECK(!program.tryRun("k", {1}, {32}, 0, 32u));
  const auto fault = program.tryRun("k", {1}, {32}, 0, 20u);
  REQUIRE(fault.has_value());
  CHECK_EQ(fault->code, 710);
  CHECK(contains(fault->report, "kernel.cu:12: void k(int): assertion `n < limit` failed"));
  CHECK(contains(fault->report, "20"));
}

TEST(other_functions_without_a_body_stay_unresolved) {
  CHECK(contains(loadError(moduleText(".extern .func malloc2 (.param .b64 size);\n.visible .entry k()\n{\n { .param .b64 p; st.param.b64 [p], 1; call malloc2, (p); }\n ret;\n}\n")),
                 "unresolved extern function `malloc2`"));
  CHECK(contains(loadError(moduleText(".visible .entry k()\n{\n @vprintf;\n ret;\n}\n")), "not a predicate"));
}
