// Verifies one kernel and decodes it into a program.
#pragma once

#include "machine/family.h"
#include "machine/program.h"
#include "machine/registry.h"
#include "machine/symbols.h"
#include "ptx/diagnostics.h"
#include "ptx/flow.h"
#include "ptx/liveness.h"
#include "ptx/verify.h"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace cnn::emu {

class ProgramBuilder final : public Decoder {
 public:
  ProgramBuilder(const ptx::Tree& tree, const ptx::Function& function, const SymbolLayout& layout,
                 ptx::Diagnostics& diagnostics);
  // Null after an error.
  std::unique_ptr<Program> build();
  std::uint32_t registers() const { return plan_.pressure; }

  std::uint32_t source(const ptx::Operand& operand, ptx::Type type) override;
  std::uint32_t destination(const ptx::Operand& operand, ptx::Type type) override;
  std::uint32_t predicate(const ptx::Operand* operand, std::uint32_t* flip) override;
  AddressOperand address(const ptx::Operand& operand) override;
  unsigned width(const ptx::Operand& operand) const override;
  ptx::Type declared(const ptx::Operand& operand) const override;
  std::int64_t constant(const ptx::Operand& operand) override;
  void* allocate(std::size_t bytes) override;
  void flops(int count) override { flops_ = count; }
  void counted(Class kind) override { class_ = kind; }
  void error(std::string message) override;

 private:
  struct Verified {
    std::size_t entry;
    ptx::Match match;
  };
  bool verify();
  void checkOperands(const ptx::Statement& statement, const ptx::Match& match);
  ptx::Uses usesOf(const ptx::Statement& statement, const ptx::Pattern& pattern) const;
  void layOutFrame();
  void emitBlock(std::uint32_t block);
  void emitHeader(std::uint32_t block);
  void emit(std::uint32_t statement);
  void patchBranches();
  std::uint32_t slotOf(std::uint32_t reg) const;
  std::uint32_t append(bool wide);
  std::uint32_t constantSlot(std::uint64_t value, bool wide);
  std::uint64_t immediateBits(const ptx::Operand& operand, ptx::Type type);
  std::optional<Symbol> findSymbol(std::string_view name);

  const ptx::Tree& tree_;
  const ptx::Function& function_;
  const SymbolLayout& layout_;
  ptx::Diagnostics& diagnostics_;
  ptx::Architecture architecture_;
  ptx::Flow flow_;
  ptx::SlotPlan plan_;
  std::vector<Verified> verified_;
  std::vector<ptx::Uses> uses_;
  std::unique_ptr<Program> program_;
  std::vector<Instruction> code_;
  std::vector<std::uint32_t> blockStart_;      // block -> its header
  std::vector<std::pair<std::uint32_t, std::uint32_t>> branches_;  // instruction, statement
  std::uint32_t predicateBase_ = 0, wordBase_ = 0, doubleBase_ = 0, block_ = 0;
  std::uint32_t sinkPredicate_ = 0;
  std::optional<std::uint32_t> sink_[2];
  std::map<std::pair<std::uint64_t, bool>, std::uint32_t> constants_;
  std::map<std::pair<Special, bool>, std::uint32_t> specials_;
  int flops_ = 0;
  Class class_ = Class::integer;
};

}  // namespace cnn::emu
