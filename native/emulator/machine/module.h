// A loaded PTX module: its kernels, decoded when first launched, and its variables in device memory.
#pragma once

#include "machine/device_model.h"
#include "machine/fault.h"
#include "machine/memory.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cnn::emu {

class Module;
struct Program;  // decoded code of one kernel, machine/program.h

struct Parameter {
  std::size_t offset, size, align;
};

// One .entry. The sizes are known after load.
class Function {
 public:
  std::string name;
  std::vector<Parameter> parameters;
  std::size_t parameterBytes = 0;
  std::size_t staticShared = 0;      // bytes per block
  std::size_t localBytes = 0;        // bytes per thread
  int registers = 0;                 // per thread, an estimate by liveness
  int maxRegisters = 0;              // .maxnreg, 0: not given
  unsigned maxThreads[3] = {0, 0, 0};       // .maxntid, 0: not given
  unsigned requiredThreads[3] = {0, 0, 0};  // .reqntid, 0: not given
  unsigned requiredCluster[3] = {0, 0, 0};  // .reqnctapercluster, 0: not given
  int minBlocksPerMultiprocessor = 0;
  int ptxVersion = 0;                // 83 for 8.3
  int target = 0;                    // 90 for sm_90a

  // Set through cuFuncSetAttribute.
  std::size_t maxDynamicShared = 0;
  int preferredCarveout = -1;
  bool nonPortableClusterAllowed = false;

  const Module* module = nullptr;
  const Program& program() const;    // never fails: load has already verified and decoded every entry

  Function();
  ~Function();

 private:
  friend class Module;
  friend class Loader;
  std::unique_ptr<Program> program_;
};

struct LoadError {
  int code;         // 218, 222, 200, 2, ...
  std::string log;  // the JIT error log, with file lines
};

class Module {
 public:
  using Result = std::variant<std::unique_ptr<Module>, LoadError>;
  // Parses, verifies and decodes; allocates the .global and .const variables in `memory`.
  static Result load(std::string_view ptx, const DeviceModel& device, Memory& memory, std::string& infoLog);
  ~Module();

  Function* find(std::string_view name);
  const Function* find(std::string_view name) const;
  bool global(std::string_view name, std::uint64_t& address, std::size_t& size) const;
  std::vector<std::string_view> functionNames() const;

 private:
  friend class Loader;
  explicit Module(Memory& memory) : memory_(memory) {}

  struct Variable {
    std::uint64_t address;
    std::size_t size;
  };
  Memory& memory_;
  std::string text_;
  std::map<std::string, std::unique_ptr<Function>, std::less<>> functions_;
  std::map<std::string, Variable, std::less<>> variables_;
};

}  // namespace cnn::emu
