// libFuzzer target: whatever the text, the parser and the analyses behind it neither crash nor hang nor run out of memory.
#include "ptx/flow.h"
#include "ptx/inline.h"
#include "ptx/parser.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace {

using namespace cnn::emu::ptx;

// The branches of a parsed function name statements that exist only if their operands were checked, as verification
// does before the analyses run.
bool branchesAreResolved(const Function& function) {
  for (const Statement& s : function.statements) {
    const std::size_t label = s.opcode == "brx" ? 1 : 0;
    if (s.opcode != "bra" && s.opcode != "brx") continue;
    if (s.operands.size() != label + 1 || s.operands[label].reg == noRegister || s.operands[label].kind != Operand::Kind::symbol) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Most inputs would fail at their head: those that have none get one.
  std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find(".version") == std::string::npos) text.insert(0, ".version 8.3\n.target sm_90a\n.address_size 64\n");
  Diagnostics diagnostics;
  const auto tree = parse(text, diagnostics);
  if (!tree) return diagnostics.empty() ? __builtin_trap(), 0 : 0;  // an error must have been reported
  for (const Function& function : tree->functions) {
    if (!function.isEntry || function.statements.empty()) continue;
    std::deque<std::string> names;
    Diagnostics inlining;
    const Function flat = inlineCalls(*tree, function, names, inlining);
    if (inlining.empty() && branchesAreResolved(flat)) buildFlow(flat);
  }
  return 0;
}
