#include "driver/loading.h"

#include "driver/fat_binary.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>

namespace cnn::emu::driver {

JitOptions::JitOptions(unsigned count, const CUjit_option* options, void** values) : options_(options, count), values_(values) {
  requireValue(count == 0 || (options && values), "JIT options without their arrays");
  for (const CUjit_option option : options_)
    requireValue(option >= 0 && option < CU_JIT_NUM_OPTIONS, "no such JIT option");
  requireValue(has(CU_JIT_INFO_LOG_BUFFER) == has(CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES)
                   && has(CU_JIT_ERROR_LOG_BUFFER) == has(CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES),
               "a JIT log buffer without its size, or a size without its buffer");
}

bool JitOptions::has(CUjit_option option) const { return std::ranges::find(options_, option) != options_.end(); }

void*& JitOptions::value(CUjit_option option) const { return values_[std::ranges::find(options_, option) - options_.begin()]; }

// The size goes in through the value and comes back as the bytes used, the ending zero included.
void JitOptions::writeLog(CUjit_option buffer, CUjit_option size, const std::string& text) const {
  if (!has(buffer)) return;
  char* to = static_cast<char*>(value(buffer));
  const std::size_t capacity = reinterpret_cast<std::size_t>(value(size)) & 0xffffffff;
  std::size_t used = 0;
  if (to && capacity > 0) {
    const std::size_t length = std::min(text.size(), capacity - 1);
    std::memcpy(to, text.data(), length);
    to[length] = 0;
    used = text.empty() ? 0 : length + 1;
  }
  value(size) = reinterpret_cast<void*>(used);
}

void JitOptions::report(const std::string& info, const std::string& errors, double milliseconds) const {
  writeLog(CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, info);
  writeLog(CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, errors);
  if (has(CU_JIT_WALL_TIME)) {
    const float wall = float(milliseconds);
    std::memcpy(&value(CU_JIT_WALL_TIME), &wall, sizeof wall);
  }
}

namespace {

bool isMachineCode(const void* image) { return std::strncmp(static_cast<const char*>(image), "\x7f" "ELF", 4) == 0; }

std::string ptxText(const void* image, std::size_t available, int sm) {
  if (isMachineCode(image)) fail(CUDA_ERROR_NO_BINARY_FOR_GPU, "the emulator runs PTX only, not machine code");
  if (isFatBinary(image)) return ptxOfFatBinary(image, available, sm);
  return static_cast<const char*>(image);
}

}  // namespace

std::shared_ptr<LoadedModule> loadModule(Call& call, Context* context, const void* image, const JitOptions& options, std::size_t available) {
  requirePointers(image);
  const std::string text = ptxText(image, available, call.driver.model().sm());
  const auto begin = std::chrono::steady_clock::now();
  std::string info;
  auto result = emu::Module::load(text, call.driver.model(), call.driver.memory, info);
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  if (const auto* error = std::get_if<LoadError>(&result)) {
    options.report(info, error->log, elapsed.count());
    fail(CUresult(error->code), error->log);
  }
  options.report(info, "", elapsed.count());
  auto loaded = std::make_shared<LoadedModule>();
  loaded->context = context;
  loaded->module = std::move(std::get<std::unique_ptr<emu::Module>>(result));
  call.driver.modules.add(loaded);
  return loaded;
}

std::string readFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(CUDA_ERROR_FILE_NOT_FOUND, std::string("cannot open ") + path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.good() && !file.eof()) fail(CUDA_ERROR_OPERATING_SYSTEM, std::string("cannot read ") + path);
  return text.str();
}

CUfunction functionHandle(Driver& driver, const std::shared_ptr<LoadedModule>& module, std::string_view name) {
  if (const auto known = module->functions.find(name); known != module->functions.end()) return known->second;
  emu::Function* function = module->module->find(name);
  if (!function) fail(CUDA_ERROR_NOT_FOUND, "the module has no kernel " + std::string(name));
  auto loaded = std::make_shared<LoadedFunction>();
  loaded->module = module;
  loaded->function = function;
  return module->functions[std::string(name)] = driver.functions.add(std::move(loaded));
}

}  // namespace cnn::emu::driver
