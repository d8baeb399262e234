// PTX that no compiler writes: it must be refused or run, whatever it says, and in a time that grows with its length.
#include "kernel.h"

#include <ctime>

using namespace cnn::test;

namespace {

std::string kernel(std::string_view body, std::string_view before = "") {
  return moduleText(std::string(before) + "\n.visible .entry k(.param .u64 out, .param .align 4 .b8 bytes[12])\n{\n .reg .pred %p<4>;\n .reg .b32 %r<8>;\n .reg .b64 %d<8>;\n" +
                    std::string(body) + "\n ret;\n}\n");
}

std::string lines(int count, auto&& line) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line(i);
  return text;
}

double secondsToLoad(const std::string& text) {
  const std::clock_t begin = std::clock();  // of this process: other work on the machine does not count
  Device device;
  Program program(device, text);
  return double(std::clock() - begin) / CLOCKS_PER_SEC;
}

std::string label(int i) { return "L" + std::to_string(i); }

}  // namespace

TEST(parameter_accesses_stay_inside_their_variable) {
  for (const char* wrong : {"ld.param.u64 %d1, [out+8];", "ld.param.u32 %r1, [out+1000000000];", "ld.param.u32 %r1, [out+-4];",
                            "ld.param.v4.u64 {%d1,%d2,%d3,%d4}, [out];", "ld.param.u32 %r1, [bytes+12];", "ld.param.u64 %d1, [out+4];",
                            "ld.param.u32 %r1, [bytes+2];", "ld.param.b64 %d1, [out+9223372036854775807];",
                            "{ .param .b32 a; st.param.b32 [a+4], %r1; }", "{ .param .b32 a; ld.param.b64 %d1, [a]; }",
                            "{ .param .align 8 .b8 a[16]; st.param.v2.b64 [a+8], {%d1, %d2}; }", "st.param.u64 [out], %d1;"})
    if (!contains(loadError(kernel(wrong)), "line 10")) FAIL(std::string(wrong) + " is taken");
  Device device;
  Program right(device, kernel("ld.param.u32 %r1, [out+4]; ld.param.u32 %r2, [bytes+8]; ld.param.u8 %r3, [bytes+11];\n"
                               "{ .param .align 16 .b8 a[16]; st.param.v2.b64 [a], {%d1, %d2}; ld.param.b32 %r1, [a+12]; }"));
}

TEST(branches_without_a_label_are_refused) {
  for (const char* wrong : {"bra;", "bra %r1;", "bra 5;", "bra [%d1];", "bra A, A; A:", "brx.idx;", "brx.idx %r1;", "brx.idx %r1, 5;",
                            "A: brx.idx %r1, A;", "T: .branchtargets A; A: bra T;"})
    if (!contains(loadError(kernel(wrong)), "line 10")) FAIL(std::string(wrong) + " is taken");
}

TEST(deep_nesting_ends_in_an_error_of_loading) {
  constexpr int many = 30'000;
  const std::string loops = lines(many, [](int i) { return label(i) + ":\n add.u32 %r3, %r3, 1;\n"; }) +
                            lines(many, [](int i) { return " @%p1 bra " + label(many - 1 - i) + ";\n"; });
  CHECK(contains(loadError(kernel(loops)), "nested too deeply"));
  const std::string chain = lines(20'000, [](int i) {
    return ".func f" + std::to_string(i) + "() { " + (i ? "call f" + std::to_string(i - 1) + ";" : "") + " ret; }\n";
  });
  CHECK(contains(loadError(kernel("call f19999;", chain)), "calls are nested"));
  const std::string doubling = lines(40, [](int i) {
    const std::string call = i ? " call f" + std::to_string(i - 1) + ";" : "";
    return ".func f" + std::to_string(i) + "() {" + call + call + " ret; }\n";
  });
  CHECK(contains(loadError(kernel("call f39;", doubling)), "more than 500000 instructions"));
  const std::string tangle = lines(many, [](int i) { return label(i) + ": @%p1 bra " + label(int(i * 7919ll % many)) + ";\n"; });
  CHECK(contains(loadError(kernel(tangle)), "nested too deeply"));
}

TEST(loading_takes_seconds_for_ten_thousands_of_branches) {
  constexpr int many = 30'000;
  const std::string chain = lines(many, [](int i) { return " @%p1 bra " + label(i) + ";\n add.u32 %r3, %r3, 1;\n" + label(i) + ":\n"; });
  CHECK(secondsToLoad(kernel(chain)) < 10);
  const std::string nest = lines(many, [](int i) { return " @%p1 bra " + label(i) + ";\n add.u32 %r3, %r3, 1;\n"; }) +
                           lines(many, [](int i) { return label(many - 1 - i) + ":\n add.u32 %r3, %r3, 1;\n"; });
  CHECK(secondsToLoad(kernel(nest)) < 10);
  const std::string live = " .reg .b32 %z<" + std::to_string(many + 1) + ">;\n" + lines(many, [](int i) {
    return " @%p1 bra " + label(i) + ";\n add.u32 %z" + std::to_string(i + 1) + ", %z" + std::to_string(i) + ", 1;\n" + label(i) + ":\n";
  });
  CHECK(secondsToLoad(kernel(live)) < 10);
}
