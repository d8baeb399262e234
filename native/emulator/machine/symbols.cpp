#include "machine/symbols.h"

#include <set>
#include <string>

namespace cnn::emu {
namespace {

std::size_t aligned(std::size_t value, std::size_t align) { return (value + align - 1) / align * align; }

void collect(const ptx::Operand& operand, std::set<std::string_view>& names) {
  if (operand.kind == ptx::Operand::Kind::symbol && operand.reg == ptx::noRegister) names.insert(operand.name);
  for (const ptx::Operand& part : operand.parts) collect(part, names);
}

std::set<std::string_view> namesUsed(const ptx::Function& function) {
  std::set<std::string_view> names;
  for (const ptx::Statement& statement : function.statements)
    for (const ptx::Operand& operand : statement.operands) collect(operand, names);
  return names;
}

class Layout {
 public:
  Layout(const ptx::Tree& tree, const ptx::Function& function, SymbolLayout& out, ptx::Diagnostics& diagnostics)
      : tree_(tree), function_(function), out_(out), diagnostics_(diagnostics), used_(namesUsed(function)) {}

  void run() {
    for (const ptx::Variable& parameter : function_.parameters) place(parameter, ptx::Space::param, out_.parameterBytes);
    for (const ptx::Variable& variable : function_.variables)
      if (variable.space == ptx::Space::local || variable.space == ptx::Space::param)
        place(variable, ptx::Space::local, out_.localBytes);
    // Static shared variables first, whatever has no size yet (extern arrays) shares the dynamic part behind them.
    for (const bool dynamic : {false, true}) {
      for (const ptx::Variable& variable : tree_.variables) shared(variable, dynamic);
      for (const ptx::Variable& variable : function_.variables) shared(variable, dynamic);
    }
  }

 private:
  void place(const ptx::Variable& variable, ptx::Space space, std::size_t& end) {
    end = aligned(end, variable.align);
    out_.symbols[variable.name] = {space, end, variable.size};
    end += variable.size;
  }

  void shared(const ptx::Variable& variable, bool dynamic) {
    const bool isDynamic = variable.isExtern || variable.size == 0;
    if (variable.space != ptx::Space::shared || isDynamic != dynamic || !used_.count(variable.name)) return;
    if (!variable.initial.empty()) diagnostics_.error(variable.line, "a .shared variable cannot be initialised");
    if (!dynamic) return place(variable, ptx::Space::shared, out_.sharedBytes);
    out_.sharedBytes = aligned(out_.sharedBytes, std::max<std::size_t>(variable.align, 16));
    out_.symbols[variable.name] = {ptx::Space::shared, out_.sharedBytes, 0};
  }

  const ptx::Tree& tree_;
  const ptx::Function& function_;
  SymbolLayout& out_;
  ptx::Diagnostics& diagnostics_;
  std::set<std::string_view> used_;
};

}  // namespace

SymbolLayout layOut(const ptx::Tree& tree, const ptx::Function& function, const SymbolTable& globals,
                    ptx::Diagnostics& diagnostics) {
  SymbolLayout layout;
  layout.symbols = globals;
  Layout(tree, function, layout, diagnostics).run();
  return layout;
}

}  // namespace cnn::emu
