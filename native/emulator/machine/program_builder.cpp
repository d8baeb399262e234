#include "machine/program_builder.h"

#include "machine/parameter_access.h"
#include "machine/special.h"
#include "ptx/wgmma_order.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cnn::emu {

using ptx::Operand;
using ptx::Type;

ProgramBuilder::ProgramBuilder(const ptx::Tree& tree, const ptx::Function& function, const SymbolLayout& layout,
                               ptx::Diagnostics& diagnostics)
    : tree_(tree), function_(function), layout_(layout), diagnostics_(diagnostics),
      architecture_{tree.version, tree.target, tree.architectureSpecific} {
  sm_ = tree.target;
  ptxVersion_ = tree.version;
}

std::unique_ptr<Program> ProgramBuilder::build() {
  if (!verify()) return nullptr;
  flow_ = ptx::buildFlow(function_, diagnostics_);
  if (!diagnostics_.empty()) return nullptr;
  plan_ = ptx::planSlots(function_, flow_, uses_);
  program_ = std::make_unique<Program>();
  program_->name = function_.name;
  program_->wgmmaProblem = ptx::checkWgmmaOrder(function_, flow_, uses_);
  for (const std::string_view file : tree_.files) program_->files.emplace_back(file);
  layOutFrame();
  for (std::uint32_t block = 0; block < flow_.blocks.size(); ++block) emitBlock(block);
  patchBranches();
  if (!diagnostics_.empty()) return nullptr;

  const std::size_t bytes = code_.size() * sizeof(Instruction);
  program_->codeMemory = allocateAligned(bytes);
  std::memcpy(program_->codeMemory.get(), code_.data(), bytes);
  program_->code = reinterpret_cast<const Instruction*>(program_->codeMemory.get());
  program_->staticShared = layout_.sharedBytes;
  program_->localBytes = layout_.localBytes;
  program_->parameterBytes = layout_.parameterBytes;
  return std::move(program_);
}

// Every statement against the signatures; also which registers it reads and writes.
bool ProgramBuilder::verify() {
  const ptx::SignatureTable& signatures = registry().signatures;
  for (const ptx::Statement& statement : function_.statements) {
    Verified verified{0, {}};
    const auto index = signatures.find(statement, function_.registers, architecture_, verified.match, diagnostics_);
    verified.entry = index.value_or(0);
    uses_.push_back(index ? usesOf(statement, signatures.pattern(*index)) : ptx::Uses{});
    if (index) checkOperands(statement, verified.match);
    verified_.push_back(std::move(verified));
  }
  return diagnostics_.empty();
}

// What the signature does not say.
void ProgramBuilder::checkOperands(const ptx::Statement& statement, const ptx::Match& match) {
  std::string problem = checkParameterAccess(statement, match, layout_.symbols);
  for (const Operand& operand : statement.operands)
    if (problem.empty() && operand.kind == Operand::Kind::special)
      if (const auto info = specialNamed(operand.name)) problem = ptx::missing(info->ptx, info->sm, architecture_);
  if (problem.empty()) return;
  statement_ = &statement;
  error(problem);
}

ptx::Uses ProgramBuilder::usesOf(const ptx::Statement& statement, const ptx::Pattern& pattern) const {
  ptx::Uses uses;
  if (statement.guard != ptx::noRegister) uses.read.push_back(statement.guard);
  const auto visit = [&](auto& self, const Operand& operand, bool reads, bool writes) -> void {
    if (operand.kind == Operand::Kind::reg) {
      if (reads) uses.read.push_back(operand.reg);
      if (writes) uses.written.push_back(operand.reg);
    }
    const bool address = operand.kind == Operand::Kind::address;
    for (const Operand& part : operand.parts) self(self, part, reads || address, writes && !address);
  };
  for (std::size_t i = 0; i < statement.operands.size(); ++i)
    visit(visit, statement.operands[i], pattern.reads(i), pattern.writes(i));
  return uses;
}

// [ones][predicate nobody reads][predicates] | 4-byte slots | 8-byte slots | constants and special registers
void ProgramBuilder::layOutFrame() {
  const auto up = [](std::uint32_t bytes) { return (bytes + 63) / 64 * 64; };
  program_->onesSlot = 0;
  sinkPredicate_ = 4;
  predicateBase_ = 8;
  wordBase_ = up(predicateBase_ + 4 * plan_.predicates);
  doubleBase_ = wordBase_ + 4 * warpLanes * plan_.words;
  program_->frameBytes = doubleBase_ + 8 * warpLanes * plan_.doubles;
}

void ProgramBuilder::emitBlock(std::uint32_t block) {
  block_ = block;
  emitHeader(block);
  for (std::uint32_t s = flow_.blocks[block].begin; s < flow_.blocks[block].end; ++s) emit(s);
}

void ProgramBuilder::emitHeader(std::uint32_t block) {
  static const std::size_t entry = [] {
    const auto& entries = registry().entries;
    return std::size_t(std::find_if(entries.begin(), entries.end(), [](const Entry& e) { return e.opcode == "@head"; }) -
                       entries.begin());
  }();
  blockStart_.push_back(std::uint32_t(code_.size()));
  program_->blocks.push_back({});
  program_->blocks.back().order = flow_.blocks[block].order;
  Instruction head{};
  registry().entries[entry].decode(*this, head);
  head.immediate = block;
  head.flags = flow_.blocks[block].order;
  const ptx::Statement& first = function_.statements[flow_.blocks[block].begin];
  code_.push_back(head);
  program_->sites.push_back({first.line, first.file, first.sourceLine, "(block)", block});
}

void ProgramBuilder::emit(std::uint32_t index) {
  const Entry& entry = registry().entries[verified_[index].entry];
  statement_ = &function_.statements[index];
  match_ = &verified_[index].match;
  backward_ = statement_->opcode == "bra" && statement_->operands[0].reg <= index;
  flops_ = entry.flops;
  class_ = entry.counted;

  Instruction out{};
  out.guard = program_->onesSlot;
  if (statement_->guard != ptx::noRegister) {
    out.guard = slotOf(statement_->guard);
    out.flip = statement_->guardNegated ? ~0u : 0u;
  }
  entry.decode(*this, out);
  if (statement_->opcode == "cp" && statement_->has("bulk") && statement_->has("mbarrier::complete_tx::bytes")) program_->copiesFromGlobal = true;
  if (statement_->opcode == "bra" || statement_->opcode == "brx") branches_.push_back({std::uint32_t(code_.size()), index});
  code_.push_back(out);
  program_->sites.push_back({statement_->line, statement_->file, statement_->sourceLine, std::string(statement_->text), block_});
  BlockMix& mix = program_->blocks.back();
  ++mix.instructions[std::size_t(class_)];
  mix.flops += std::uint32_t(flops_);
}

// A branch holds the distance to its target's header, brx a table of distances.
void ProgramBuilder::patchBranches() {
  for (const auto& [instruction, statement] : branches_) {
    const auto distance = [&, at = instruction](std::uint32_t target) {
      return std::int64_t(blockStart_[flow_.blockOf[target]]) - std::int64_t(at);
    };
    const ptx::Statement& s = function_.statements[statement];
    Instruction& out = code_[instruction];
    if (s.opcode == "bra") {
      out.immediate = distance(s.operands[0].reg);
      continue;
    }
    const auto& positions = function_.targetLists[s.operands[1].reg].positions;
    auto* table = static_cast<std::int64_t*>(allocate(positions.size() * sizeof(std::int64_t)));
    for (std::size_t i = 0; i < positions.size(); ++i) table[i] = distance(positions[i]);
    out.extra = table;
    out.count = std::uint32_t(positions.size());
  }
}

std::uint32_t ProgramBuilder::slotOf(std::uint32_t reg) const {
  const std::uint32_t slot = plan_.slot[reg];
  const Type type = function_.registers[reg].type;
  if (type == Type::pred) return predicateBase_ + 4 * slot;
  return ptx::bits(type) > 32 ? doubleBase_ + 8 * warpLanes * slot : wordBase_ + 4 * warpLanes * slot;
}

std::uint32_t ProgramBuilder::append(bool wide) {
  const std::uint32_t slot = program_->frameBytes;
  program_->frameBytes += warpLanes * (wide ? 8 : 4);
  return slot;
}

std::uint32_t ProgramBuilder::constantSlot(std::uint64_t value, bool wide) {
  if (!wide) value &= 0xffffffffu;
  const auto [known, isNew] = constants_.try_emplace({value, wide}, 0);
  if (isNew) {
    known->second = append(wide);
    program_->constants.push_back({known->second, wide, value});
  }
  return known->second;
}

std::optional<Symbol> ProgramBuilder::findSymbol(std::string_view name) {
  const auto found = layout_.symbols.find(name);
  if (found != layout_.symbols.end()) return found->second;
  error("`" + std::string(name) + "` is not declared");
  return {};
}

std::uint64_t ProgramBuilder::immediateBits(const Operand& operand, Type type) {
  const auto value = std::uint64_t(operand.value);
  if (operand.kind == Operand::Kind::integer) return ptx::bits(type) < 32 ? value & ((1ull << ptx::bits(type)) - 1) : value;
  const double real = operand.realType == Type::f32 ? double(std::bit_cast<float>(std::uint32_t(value)))
                                                    : std::bit_cast<double>(value);
  switch (ptx::bits(type)) {
    case 32: return operand.realType == Type::f32 ? value : std::bit_cast<std::uint32_t>(float(real));
    case 64: return operand.realType == Type::f64 ? value : std::bit_cast<std::uint64_t>(real);
    default: error("a floating-point constant cannot be ." + std::string(ptx::name(type))); return 0;
  }
}

std::uint32_t ProgramBuilder::source(const Operand& operand, Type type) {
  const bool wide = ptx::bits(type) > 32;
  switch (operand.kind) {
    case Operand::Kind::reg: return slotOf(operand.reg);
    case Operand::Kind::integer:
    case Operand::Kind::real: return constantSlot(immediateBits(operand, type), wide);
    case Operand::Kind::symbol: {
      const auto symbol = findSymbol(operand.name);
      return constantSlot(symbol ? symbol->address + std::uint64_t(operand.value) : 0, wide);
    }
    case Operand::Kind::special: {
      const auto info = specialNamed(operand.name);
      if (!info || isClock(info->special)) {
        error(std::string(operand.name) + (info ? " can only be read by mov" : " is neither a declared nor a special register"));
        return 0;
      }
      const auto [known, isNew] = specials_.try_emplace({info->special, wide}, 0);
      if (isNew) {
        known->second = append(wide);
        program_->specials.push_back({known->second, info->special, wide});
      }
      return known->second;
    }
    default: error("an operand is not a value"); return 0;
  }
}

std::uint32_t ProgramBuilder::destination(const Operand& operand, Type type) {
  if (operand.kind == Operand::Kind::reg) return slotOf(operand.reg);
  const bool wide = ptx::bits(type) > 32;
  if (!sink_[wide]) sink_[wide] = append(wide);
  return *sink_[wide];
}

std::uint32_t ProgramBuilder::predicate(const Operand* operand, std::uint32_t* flip) {
  if (flip) *flip = 0;
  if (!operand) return program_->onesSlot;
  if (operand->kind == Operand::Kind::sink) return sinkPredicate_;
  // A constant is the predicate that is always set, or its opposite.
  const bool constant = operand->kind == Operand::Kind::integer, flipped = constant ? operand->value == 0 : operand->negated;
  if (flip) *flip = flipped ? ~0u : 0u;
  else if (flipped || constant) error("a predicate cannot be negated or constant here");
  return constant ? program_->onesSlot : slotOf(operand->reg);
}

AddressOperand ProgramBuilder::address(const Operand& operand) {
  const Operand& base = operand.parts[0];
  if (base.kind == Operand::Kind::reg)
    return {slotOf(base.reg), width(base) == 64, operand.value, ptx::Space::generic};
  AddressOperand out{constantSlot(0, true), true, operand.value, ptx::Space::generic};
  if (base.kind == Operand::Kind::integer) {
    out.offset += base.value;
  } else if (const auto symbol = findSymbol(base.name)) {
    out.offset += std::int64_t(symbol->address);
    out.space = symbol->space;
  }
  return out;
}

unsigned ProgramBuilder::width(const Operand& operand) const {
  return operand.kind == Operand::Kind::reg && ptx::bits(function_.registers[operand.reg].type) > 32 ? 64 : 32;
}

Type ProgramBuilder::declared(const Operand& operand) const {
  return operand.kind == Operand::Kind::reg ? function_.registers[operand.reg].type : Type::none;
}

std::int64_t ProgramBuilder::constant(const Operand& operand) {
  if (operand.kind != Operand::Kind::integer) error("an operand must be an integer constant");
  return operand.value;
}

void* ProgramBuilder::allocate(std::size_t bytes) {
  program_->tables.push_back(allocateAligned(bytes));
  return program_->tables.back().get();
}

void ProgramBuilder::error(std::string message) {
  diagnostics_.error(statement_->line, "`" + std::string(statement_->text) + "` " + message);
}

}  // namespace cnn::emu
