#include "ptx/inline.h"

#include <algorithm>
#include <map>

namespace cnn::emu::ptx {
namespace {

constexpr std::size_t deepestCall = 256, mostStatements = 500'000;  // of a sane program, which real ones stay far below

using Names = std::map<std::string_view, std::string_view>;

// A function that the driver provides, as the opcode of its call. No text of a program can contain it.
std::string_view providedOpcode(std::string_view function) {
  if (function == "vprintf") return "@vprintf";
  return function == "__assertfail" ? "@assertfail" : std::string_view();
}

class Inliner {
 public:
  Inliner(const Tree& tree, Function& out, std::deque<std::string>& names, Diagnostics& diagnostics)
      : tree_(tree), out_(out), names_(names), diagnostics_(diagnostics) {}

  // Appends the body; `ret` becomes a branch behind it unless it is the entry's own.
  void append(const Function& function, const Names& renamed) {
    active_.push_back(&function);
    const auto registerBase = std::uint32_t(out_.registers.size());
    const auto listBase = std::uint32_t(out_.targetLists.size());
    out_.registers.insert(out_.registers.end(), function.registers.begin(), function.registers.end());
    Names local = renamed;
    declareVariables(function, local);

    std::vector<std::uint32_t> position(function.statements.size() + 1);
    std::vector<std::size_t> branches, returns;
    for (std::size_t i = 0; i < function.statements.size(); ++i) {
      position[i] = std::uint32_t(out_.statements.size());
      Statement s = function.statements[i];
      if (s.guard != noRegister) s.guard += registerBase;
      for (Operand& operand : s.operands) rewrite(operand, registerBase, local);
      if (s.opcode == "call") {
        call(s);
        continue;
      }
      if (s.opcode == "brx" && s.operands.size() == 2) s.operands[1].reg += listBase;
      if (s.opcode == "bra") branches.push_back(out_.statements.size());
      if (s.opcode == "ret" && active_.size() > 1) returns.push_back(out_.statements.size());
      out_.statements.push_back(std::move(s));
    }
    position.back() = std::uint32_t(out_.statements.size());
    for (const std::size_t b : branches) {
      Operand& target = out_.statements[b].operands[0];
      if (target.reg != noRegister) target.reg = position[target.reg];
    }
    for (const std::size_t r : returns) out_.statements[r] = branchTo(position.back(), out_.statements[r]);
    for (TargetList list : function.targetLists) {
      for (std::uint32_t& target : list.positions) target = position[target];
      out_.targetLists.push_back(std::move(list));
    }
    active_.pop_back();
  }

 private:
  static Statement branchTo(std::uint32_t target, const Statement& like) {
    Statement branch = like;
    branch.text = branch.opcode = "bra";
    branch.modifiers.clear();
    Operand label;
    label.kind = Operand::Kind::symbol;
    label.name = "(return)";
    label.reg = target;
    branch.operands = {label};
    return branch;
  }

  void declareVariables(const Function& function, Names& local) {
    for (Variable variable : function.variables) {
      if (active_.size() > 1) {
        names_.push_back(std::string(function.name) + "." + std::string(variable.name) + "#" + std::to_string(++serial_));
        local[variable.name] = names_.back();
        variable.name = names_.back();
      }
      out_.variables.push_back(std::move(variable));
    }
  }

  static void rewrite(Operand& operand, std::uint32_t registerBase, const Names& local) {
    if (operand.kind == Operand::Kind::reg) operand.reg += registerBase;
    if (operand.kind == Operand::Kind::symbol && operand.reg == noRegister)
      if (const auto renamed = local.find(operand.name); renamed != local.end()) operand.name = renamed->second;
    for (Operand& part : operand.parts) rewrite(part, registerBase, local);
  }

  // call (results), name, (arguments);  call name, (arguments);  call name;
  void call(const Statement& s) {
    std::size_t at = 0;
    std::vector<Operand> results, arguments;
    if (at < s.operands.size() && s.operands[at].kind == Operand::Kind::vector) results = s.operands[at++].parts;
    if (at >= s.operands.size() || s.operands[at].kind != Operand::Kind::symbol)
      return error(s, "indirect calls are not supported");
    const std::string_view name = s.operands[at++].name;
    if (at < s.operands.size() && s.operands[at].kind == Operand::Kind::vector) arguments = s.operands[at++].parts;
    const Function* callee = find(name);
    if (!callee) {
      if (const std::string_view opcode = providedOpcode(name); !opcode.empty()) return callProvided(s, opcode, results, arguments);
      return error(s, "unresolved extern function `" + std::string(name) + "`");
    }
    if (std::find(active_.begin(), active_.end(), callee) != active_.end())
      return error(s, "`" + std::string(name) + "` calls itself, which is not supported");
    if (active_.size() > deepestCall) return error(s, "calls are nested more than " + std::to_string(deepestCall) + " deep");
    if (out_.statements.size() > mostStatements)
      return error(s, "the called functions come to more than " + std::to_string(mostStatements) + " instructions");
    if (arguments.size() != callee->parameters.size() || results.size() != callee->results.size())
      return error(s, "`" + std::string(name) + "` is called with the wrong number of arguments");
    Names renamed;
    if (!bind(s, callee->parameters, arguments, renamed) || !bind(s, callee->results, results, renamed)) return;

    std::size_t skip = 0;
    const bool guarded = s.guard != noRegister;
    if (guarded) {
      skip = out_.statements.size();
      Statement around = branchTo(0, s);
      around.guardNegated = !around.guardNegated;
      out_.statements.push_back(std::move(around));
    }
    append(*callee, renamed);
    if (guarded) out_.statements[skip].operands[0].reg = std::uint32_t(out_.statements.size());
  }

  // Its operands are the variables of the call sequence: results, then arguments.
  void callProvided(const Statement& s, std::string_view opcode, const std::vector<Operand>& results, const std::vector<Operand>& arguments) {
    Statement call = s;
    call.text = call.opcode = opcode;
    call.modifiers.clear();
    call.operands.clear();
    for (const std::vector<Operand>* list : {&results, &arguments})
      for (const Operand& variable : *list) {
        Operand address;
        address.kind = Operand::Kind::address;
        address.parts = {variable};
        call.operands.push_back(std::move(address));
      }
    out_.statements.push_back(std::move(call));
  }

  bool bind(const Statement& s, const std::vector<Variable>& formal, const std::vector<Operand>& actual, Names& renamed) {
    for (std::size_t i = 0; i < formal.size(); ++i) {
      if (actual[i].kind != Operand::Kind::symbol || formal[i].space != Space::param) {
        error(s, "arguments and results of calls must be .param variables");
        return false;
      }
      renamed[formal[i].name] = actual[i].name;
    }
    return true;
  }

  const Function* find(std::string_view name) const {
    for (const Function& function : tree_.functions)
      if (function.name == name && !function.statements.empty()) return &function;
    return nullptr;
  }

  void error(const Statement& s, const std::string& message) { diagnostics_.error(s.line, message); }

  const Tree& tree_;
  Function& out_;
  std::deque<std::string>& names_;
  Diagnostics& diagnostics_;
  std::vector<const Function*> active_;
  int serial_ = 0;
};

}  // namespace

Function inlineCalls(const Tree& tree, const Function& entry, std::deque<std::string>& names, Diagnostics& diagnostics) {
  Function out = entry;
  out.registers.clear();
  out.variables.clear();
  out.statements.clear();
  out.targetLists.clear();
  Inliner(tree, out, names, diagnostics).append(entry, {});
  return out;
}

}  // namespace cnn::emu::ptx
