#include "machine/module.h"

#include "machine/program_builder.h"
#include "machine/symbols.h"
#include "ptx/inline.h"
#include "ptx/parser.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <new>

namespace cnn::emu {

Function::Function() = default;
Function::~Function() = default;

const Program& Function::program() const { return *program_; }

// Takes a module from text to decoded kernels, once.
class Loader {
 public:
  Loader(std::string_view ptx, const DeviceModel& device, Memory& memory)
      : device_(device), memory_(memory), module_(new Module(memory)) {
    module_->text_ = ptx.substr(0, ptx.find('\0'));
  }

  Module::Result run(std::string& infoLog) {
    const auto parsed = ptx::parse(module_->text_, diagnostics_);
    if (!parsed) return failure();
    tree_ = &*parsed;
    if (const auto unsupported = checkTarget()) return *unsupported;
    checkConstants();
    if (!diagnostics_.empty()) return failure();
    for (const ptx::Variable& variable : tree_->variables) allocate(variable);
    for (const ptx::Variable& variable : tree_->variables) initialise(variable);
    if (outOfMemory_) return LoadError{statusOutOfMemory, "out of device memory for the variables of the module\n"};
    for (const ptx::Function& function : tree_->functions)
      if (function.isEntry && !function.statements.empty()) build(function, infoLog);
    if (!diagnostics_.empty()) return failure();
    return std::move(module_);
  }

 private:
  LoadError failure() const { return {statusInvalidPtx, diagnostics_.log()}; }

  std::optional<LoadError> checkTarget() const {
    constexpr int newest = 94;  // of CUDA 13.4, which the driver says it is
    const std::string line = "line " + std::to_string(tree_->targetLine) + ": error: ";
    if (tree_->version > newest)
      return LoadError{statusUnsupportedPtxVersion, line + ".version is newer than this emulator knows (9.4)\n"};
    const bool specific = tree_->architectureSpecific;
    const std::string target = "sm_" + std::to_string(tree_->target) + (specific ? "a" : "");
    if (tree_->target > device_.sm() || (specific && tree_->target != device_.sm()))
      return LoadError{statusInvalidPtx, line + ".target " + target + " does not run on sm_" + std::to_string(device_.sm()) + "\n"};
    return {};
  }

  void checkConstants() {
    std::size_t bytes = 0;
    for (const ptx::Variable& variable : tree_->variables) {
      if (variable.space != ptx::Space::constant || variable.isExtern) continue;
      bytes = (bytes + variable.align - 1) / variable.align * variable.align + variable.size;
      if (bytes > device_.constantMemory) return tooMuch(variable.line, "the module", bytes, "constant memory", device_.constantMemory);
    }
  }

  // What no launch could have.
  void checkLimits(const ptx::Function& entry, const SymbolLayout& layout) {
    const std::string kernel = "`" + std::string(entry.name) + "`";
    const bool manyParameters = tree_->version >= 81 && tree_->target >= 70;
    const std::size_t parameters = manyParameters ? device_.maxParameterBytes : 4352;
    if (layout.parameterBytes > parameters) tooMuch(entry.line, kernel, layout.parameterBytes, "parameters", parameters);
    if (layout.sharedBytes > device_.sharedPerBlock) tooMuch(entry.line, kernel, layout.sharedBytes, "static shared memory", device_.sharedPerBlock);
    constexpr std::size_t localPerThread = 512 * 1024;
    if (layout.localBytes > localPerThread) tooMuch(entry.line, kernel, layout.localBytes, "local memory per thread", localPerThread);
  }

  // What the bounds of a kernel leave to a thread: the assembler keeps within it, by spilling where it must.
  int registersThatFit(const ptx::Function& entry) const {
    constexpr int most = 255, granule = 8, warp = 32;
    const unsigned* bounds = entry.requiredThreads[0] ? entry.requiredThreads : entry.maxThreads;
    if (!bounds[0]) return most;
    const int threads = int(bounds[0] * std::max(bounds[1], 1u) * std::max(bounds[2], 1u));
    const int resident = (threads + warp - 1) / warp * warp * std::max(entry.minBlocks, 1);
    return std::clamp(device_.registersPerMultiprocessor / resident / granule * granule, granule, most);
  }

  void tooMuch(std::uint32_t line, const std::string& who, std::size_t bytes, const std::string& what, std::size_t limit) {
    diagnostics_.error(line, who + " has " + std::to_string(bytes) + " bytes of " + what + ", " + std::to_string(limit) + " are the most");
  }

  void allocate(const ptx::Variable& variable) {
    if (variable.space == ptx::Space::shared) return;
    if (variable.isExtern) {
      diagnostics_.error(variable.line, "unresolved extern variable `" + std::string(variable.name) + "`");
      return;
    }
    const std::uint64_t address = memory_.allocate(variable.size, variable.align, variable.name);
    if (address == 0) {
      outOfMemory_ = true;
      return;
    }
    module_->variables_.emplace(std::string(variable.name), Module::Variable{address, variable.size});
    globals_[variable.name] = {variable.space, address, variable.size};
  }

  // A GPU gives variables without an initialiser zeros.
  void initialise(const ptx::Variable& variable) {
    const auto own = globals_.find(variable.name);
    if (own == globals_.end()) return;
    memory_.fill(own->second.address, 0, 1, variable.size);
    std::vector<std::byte> bytes = variable.initial;
    for (const ptx::AddressInitialiser& entry : variable.addresses) {
      const auto target = globals_.find(entry.symbol);
      if (target == globals_.end()) {
        diagnostics_.error(variable.line, "`" + std::string(entry.symbol) + "` has no address that could be an initial value");
        continue;
      }
      const std::uint64_t value = target->second.address + std::uint64_t(entry.addend);
      std::memcpy(bytes.data() + entry.offset, &value, std::min<std::size_t>(entry.bytes, bytes.size() - entry.offset));
    }
    if (!bytes.empty()) memory_.copyIn(own->second.address, bytes.data(), bytes.size());
    if (variable.space == ptx::Space::constant) memory_.setReadOnly(own->second.address);
  }

  void build(const ptx::Function& entry, std::string& infoLog) {
    const ptx::Function flat = ptx::inlineCalls(*tree_, entry, names_, diagnostics_);
    if (!diagnostics_.empty()) return;
    const SymbolLayout layout = layOut(*tree_, flat, globals_, diagnostics_);
    checkLimits(entry, layout);
    if (!diagnostics_.empty()) return;
    ProgramBuilder builder(*tree_, flat, layout, diagnostics_);
    std::unique_ptr<Program> program = builder.build();
    if (!program) return;

    auto function = std::make_unique<Function>();
    function->name = entry.name;
    function->module = module_.get();
    function->ptxVersion = tree_->version;
    function->target = tree_->target;
    for (const ptx::Variable& parameter : entry.parameters)
      function->parameters.push_back({layout.symbols.at(parameter.name).address, parameter.size, parameter.align});
    function->parameterBytes = layout.parameterBytes;
    function->staticShared = layout.sharedBytes;
    function->localBytes = layout.localBytes;
    // What a real allocation adds to the live registers: temporaries of expanded instructions, alignment, addresses.
    constexpr int overhead = 8, least = 16, most = 255, granule = 8;
    const int estimate = std::clamp(int(builder.registers()) + overhead, least, most);
    function->registers = std::min((estimate + granule - 1) / granule * granule, most);
    function->maxRegisters = entry.maxRegisters;
    if (entry.maxRegisters) function->registers = std::min(function->registers, entry.maxRegisters);
    function->registers = std::min(function->registers, registersThatFit(entry));
    std::copy_n(entry.maxThreads, 3, function->maxThreads);
    std::copy_n(entry.requiredThreads, 3, function->requiredThreads);
    std::copy_n(entry.requiredCluster, 3, function->requiredCluster);
    function->minBlocksPerMultiprocessor = entry.minBlocks;
    function->program_ = std::move(program);
    infoLog += "info: `" + function->name + "` uses about " + std::to_string(function->registers) + " registers, " +
               std::to_string(function->staticShared) + " bytes shared, " + std::to_string(function->localBytes) +
               " bytes local, " + std::to_string(function->parameterBytes) + " bytes of parameters\n";
    module_->functions_.emplace(function->name, std::move(function));
  }

  const DeviceModel& device_;
  Memory& memory_;
  std::unique_ptr<Module> module_;
  const ptx::Tree* tree_ = nullptr;
  ptx::Diagnostics diagnostics_;
  SymbolTable globals_;
  std::deque<std::string> names_;
  bool outOfMemory_ = false;
};

Module::Result Module::load(std::string_view ptx, const DeviceModel& device, Memory& memory, std::string& infoLog) {
  return Loader(ptx, device, memory).run(infoLog);
}

Module::~Module() {
  for (const auto& [name, variable] : variables_) memory_.free(variable.address);
}

Function* Module::find(std::string_view name) {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second.get();
}

const Function* Module::find(std::string_view name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second.get();
}

bool Module::global(std::string_view name, std::uint64_t& address, std::size_t& size) const {
  const auto found = variables_.find(name);
  if (found == variables_.end()) return false;
  address = found->second.address;
  size = found->second.size;
  return true;
}

std::vector<std::string_view> Module::functionNames() const {
  std::vector<std::string_view> names;
  for (const auto& [name, function] : functions_) names.push_back(name);
  return names;
}

}  // namespace cnn::emu
