// The tree: names, scopes, literals, declarations, and errors with their lines.
#include "check.h"

#include "ptx/flow.h"
#include "ptx/inline.h"
#include "ptx/literal.h"
#include "ptx/parser.h"

#include <cstring>
#include <deque>
#include <string>

using namespace cnn::emu::ptx;

namespace {

Tree parsed(const std::string& text) {
  Diagnostics diagnostics;
  auto tree = parse(text, diagnostics);
  if (!tree) FAIL("parse failed: " + diagnostics.log());
  REQUIRE(tree.has_value());
  return *tree;
}

std::string errorOf(const std::string& text) {
  Diagnostics diagnostics;
  const auto tree = parse(text, diagnostics);
  CHECK(!tree.has_value());
  return diagnostics.log();
}

const std::string head = ".version 8.3\n.target sm_90a\n.address_size 64\n";
bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST(module_header) {
  const std::string text = head + ".file 1 \"a.cu\"\n";
  const Tree tree = parsed(text);
  CHECK_EQ(tree.version, 83);
  CHECK_EQ(tree.target, 90);
  CHECK(tree.architectureSpecific);
  REQUIRE_EQ(tree.files.size(), 2u);
  CHECK(tree.files[1] == "a.cu");
}

TEST(literals) {
  const auto value = [](const char* text, bool negative = false) {
    const auto operand = parseNumber(text, negative);
    REQUIRE(operand.has_value());
    return operand->value;
  };
  CHECK_EQ(value("42"), 42);
  CHECK_EQ(value("42", true), -42);
  CHECK_EQ(value("0x1F"), 31);
  CHECK_EQ(value("017"), 15);
  CHECK_EQ(value("0b101"), 5);
  CHECK_EQ(value("7U"), 7);
  CHECK_EQ(value("0xffffffffffffffff"), -1);
  CHECK_EQ(value("0f3F800000"), 0x3f800000);
  CHECK_EQ(value("0f3F800000", true), 0xbf800000);
  CHECK_EQ(value("0d3FF0000000000000"), 0x3ff0000000000000);
  CHECK_EQ(value("1.5"), 0x3ff8000000000000);
  for (const char* bad : {"0f3F80", "0x", "12a", "99999999999999999999", "0b2", "1.5.2"}) CHECK(!parseNumber(bad, false).has_value());
}

TEST(variables_and_initialisers) {
  const std::string text = head +
                           ".global .align 8 .u32 words[3] = {1, 0x2};\n.const .f32 half = 0f3F000000;\n.global .u64 pointer = generic(words)+4;\n"
                           ".global .b8 grid[2][3] = {{1,2,3},{4,5,6}};\n.extern .shared .align 16 .b8 dynamic[];\n";
  const Tree tree = parsed(text);
  REQUIRE_EQ(tree.variables.size(), 5u);
  CHECK_EQ(tree.variables[0].size, 12u);
  CHECK_EQ(tree.variables[0].align, 8u);
  CHECK_EQ(tree.variables[0].initial.size(), 8u);
  CHECK_EQ(std::to_integer<int>(tree.variables[0].initial[4]), 2);
  CHECK(tree.variables[1].space == Space::constant);
  REQUIRE_EQ(tree.variables[2].addresses.size(), 1u);
  CHECK(tree.variables[2].addresses[0].generic);
  CHECK_EQ(tree.variables[2].addresses[0].addend, 4);
  CHECK_EQ(tree.variables[3].initial.size(), 6u);
  CHECK(tree.variables[4].isExtern);
  CHECK_EQ(tree.variables[4].size, 0u);
}

TEST(scopes_reuse_names) {
  const std::string text = head +
                           ".visible .entry k()\n{\n.reg .b32 %r<3>;\n{ .reg .pred p; setp.eq.u32 p, %r1, 0; L: @p bra L; }\n{ .reg .pred p; setp.eq.u32 p, %r2, 0; L: @!p bra L; bra OUT; }\nOUT:\nret;\n}\n";
  const Tree tree = parsed(text);
  REQUIRE_EQ(tree.functions.size(), 1u);
  const Function& f = tree.functions[0];
  REQUIRE_EQ(f.statements.size(), 7u);
  CHECK(f.statements[0].operands[0].reg != f.statements[2].operands[0].reg);
  CHECK_EQ(f.statements[1].operands[0].reg, 1u);
  CHECK_EQ(f.statements[3].operands[0].reg, 3u);
  CHECK_EQ(f.statements[4].operands[0].reg, 5u);
  CHECK(f.statements[3].guardNegated);
}

TEST(operands) {
  const std::string text = head +
                           ".visible .entry k(.param .u64 a, .param .align 4 .b8 s[12])\n{\n.reg .b32 %r<9>;\n.reg .b64 %x<3>;\n.reg .pred %p<2>;\n"
                           "ld.global.v2.b32 {%r1, _}, [%x1+-8];\nshfl.sync.down.b32 %r1|%p1, %r2, 1, 31, -1;\nld.param.u32 %r3, [s+8];\nmov.u32 %r4, %tid.x;\n}\n";
  const Tree tree = parsed(text);
  const Function& f = tree.functions[0];
  CHECK_EQ(f.parameters[1].size, 12u);
  CHECK_EQ(f.statements[0].operands[0].parts.size(), 2u);
  CHECK_EQ(f.statements[0].operands[1].value, -8);
  CHECK(f.statements[0].text == "ld.global.v2.b32");
  CHECK(f.statements[1].operands[0].kind == Operand::Kind::pair);
  CHECK_EQ(f.statements[2].operands[1].value, 8);
  CHECK(f.statements[3].operands[1].name == "%tid.x");
  CHECK(f.statements[4].opcode == "ret");
}

TEST(errors_have_lines) {
  CHECK(contains(errorOf(head + "\n\n???"), "line 6"));
  CHECK(contains(errorOf(head + ".visible .entry k()\n{\nbra X;\n}\n"), "label X is not defined"));
  CHECK(contains(errorOf(head + ".visible .entry k()\n{\nX:\nX:\nret;\n}\n"), "defined twice"));
  CHECK(contains(errorOf(head + ".visible .entry k()\n{\nadd.u32 %r1;\n"), "not closed"));
  CHECK(contains(errorOf(head + ".global .wrong x;\n"), ".wrong is not a type"));
  CHECK(contains(errorOf(head + "/* open"), "comment is not closed"));
  CHECK(contains(errorOf(".target sm_90\n"), "must begin with .version"));
}

TEST(recursion_is_refused) {
  const std::string text = head + ".func f()\n{\ncall f;\nret;\n}\n.visible .entry k()\n{\ncall f;\nret;\n}\n";
  const Tree tree = parsed(text);
  Diagnostics diagnostics;
  std::deque<std::string> names;
  inlineCalls(tree, tree.functions[1], names, diagnostics);
  CHECK(contains(diagnostics.log(), "calls itself"));
}

TEST(loops_come_before_what_follows_them) {
  const std::string text = head +
                           ".visible .entry k()\n{\n.reg .pred %p;\nEXIT_FIRST:\n@%p bra BODY;\nbra AFTER;\nAFTER:\nret;\nBODY:\n@%p bra AFTER;\nbra EXIT_FIRST;\n}\n";
  const Tree tree = parsed(text);
  Diagnostics diagnostics;
  const Flow flow = buildFlow(tree.functions[0], diagnostics);
  CHECK(diagnostics.empty());
  // Blocks: 0 head, 1 bra AFTER, 2 AFTER, 3 BODY, 4 back edge. The loop is {0, 3, 4}.
  REQUIRE(flow.blocks.size() >= 5u);
  CHECK(flow.blocks[3].order < flow.blocks[1].order);
  CHECK(flow.blocks[4].order < flow.blocks[1].order);
  CHECK(flow.blocks[1].order < flow.blocks[2].order);
}

TEST(constant_expressions_have_the_precedence_and_the_types_of_c) {
  const std::pair<const char*, std::int64_t> expressions[] = {
      {"1+2", 3}, {"(1<<4)|3", 19}, {"~0", -1}, {"2+3*4", 14}, {"(2+3)*4", 20}, {"7-2-1", 4}, {"WARP_SZ", 32}, {"WARP_SZ/2-1", 15}, {"-WARP_SZ", -32}, {"!WARP_SZ", 0}, {"-(5)", -5}, {"+5", 5}, {"- 5", -5}, {"!5", 0}, {"!(0)", 1},
      {"5>3?2:1", 2}, {"0 ? 1 : 0 ? 2 : 3", 3}, {"1<<2+1", 8}, {"6&3|8", 10}, {"6^3&1", 7}, {"1==1&&2!=3", 1}, {"0||0", 0}, {"-8>>1", -4}, {"-8/3", -2}, {"-8 % 3", -2},
      {"0xffffffffffffffff>>60", 15}, {"-1U/2", 0x7fffffffffffffff}, {"(.u64)-1 > 0", 1}, {"-1 > 0", 0}, {"3<=3", 1}, {"4>=5", 0}, {"1<<64", 0},
  };
  for (const auto& [text, value] : expressions) {
    const Tree tree = parsed(head + ".visible .entry k()\n{\n.reg .b64 %d;\nmov.u64 %d, " + text + ";\nret;\n}\n");
    const Operand& operand = tree.functions[0].statements[0].operands[1];
    CHECK(operand.kind == Operand::Kind::integer);
    if (operand.value != value) FAIL(std::string(text) + " is " + std::to_string(operand.value) + ", not " + std::to_string(value));
  }
  const Tree tree = parsed(head + ".global .u32 g[3] = {1+2, (1<<4)|3, ~0};\n.global .f64 r = 1.5*2.0;\n"
                                  ".visible .entry k()\n{\n.reg .b64 %d;\n.reg .b32 %r;\nld.global.u32 %r, [%d+4*3-(2)];\nmov.u64 %d, g+2*4+4;\nret;\n}\n");
  std::uint32_t words[3];
  std::memcpy(words, tree.variables[0].initial.data(), sizeof words);
  CHECK_EQ(words[0], 3u);
  CHECK_EQ(words[1], 19u);
  CHECK_EQ(words[2], 0xffffffffu);
  double real;
  std::memcpy(&real, tree.variables[1].initial.data(), sizeof real);
  CHECK_EQ(real, 3.0);
  CHECK_EQ(tree.functions[0].statements[0].operands[1].value, 10);
  CHECK_EQ(tree.functions[0].statements[1].operands[1].value, 12);
  for (const char* wrong : {"1/0", "1 % 0", "1+2.0", "(1", "1<<", "~1.5", "1 2", "(.u32)1"})
    CHECK(contains(errorOf(head + ".visible .entry k()\n{\n.reg .b64 %d;\nmov.u64 %d, " + wrong + ";\nret;\n}\n"), "line 7"));
}
