// Turning a program image into a loaded module, with the JIT options a program may pass.
#pragma once

#include "driver/call.h"

#include <cstdint>
#include <span>

namespace cnn::emu::driver {

// The options of cuModuleLoadDataEx and cuLibraryLoadData. Options that tune a compiler are accepted and mean nothing
// here; the logs, their sizes and the wall time are written back.
class JitOptions {
 public:
  JitOptions(unsigned count, const CUjit_option* options, void** values);
  void report(const std::string& info, const std::string& errors, double milliseconds) const;

 private:
  void*& value(CUjit_option option) const;  // of an option that is present
  bool has(CUjit_option option) const;
  void writeLog(CUjit_option buffer, CUjit_option size, const std::string& text) const;
  std::span<const CUjit_option> options_;
  void** values_;
};

// PTX text, ended by a zero, or a fat binary with PTX in it, of at most the `available` bytes. Fails as the driver does for anything else.
std::shared_ptr<LoadedModule> loadModule(Call& call, Context* context, const void* image, const JitOptions& options,
                                         std::size_t available = SIZE_MAX);
std::string readFile(const char* path);

// The handle of a kernel of a module, the same one for every call.
CUfunction functionHandle(Driver& driver, const std::shared_ptr<LoadedModule>& module, std::string_view name);

}  // namespace cnn::emu::driver
