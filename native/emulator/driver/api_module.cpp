// cuModule*
#include "driver/loading.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

CUresult load(const char* name, CUmodule* module, const void* image, unsigned count, CUjit_option* options, void** values) {
  return call(name, [&](Call& c) {
    requirePointers(module);
    Context& context = c.contextForUnsafeCall();
    *module = loadModule(c, &context, image, JitOptions(count, options, values))->handle;
  });
}

}  // namespace

CNN_EXPORT CUresult cuModuleLoadData(CUmodule* module, const void* image) {
  return load("cuModuleLoadData", module, image, 0, nullptr, nullptr);
}

CNN_EXPORT CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned count, CUjit_option* options, void** values) {
  return load("cuModuleLoadDataEx", module, image, count, options, values);
}

CNN_EXPORT CUresult cuModuleLoadFatBinary(CUmodule* module, const void* image) {
  return load("cuModuleLoadFatBinary", module, image, 0, nullptr, nullptr);
}

CNN_EXPORT CUresult cuModuleLoad(CUmodule* module, const char* path) {
  return call("cuModuleLoad", [&](Call& c) {
    requirePointers(module, path);
    Context& context = c.contextForUnsafeCall();
    const std::string image = readFile(path);
    *module = loadModule(c, &context, image.c_str(), JitOptions(0, nullptr, nullptr), image.size())->handle;
  });
}

// Work in flight keeps the code alive; the handles die at once.
CNN_EXPORT CUresult cuModuleUnload(CUmodule handle) {
  return call("cuModuleUnload", [&](Call& c) {
    c.contextForUnsafeCall();
    const auto module = c.driver.modules.get(handle);
    require(module->context != nullptr, CUDA_ERROR_NOT_PERMITTED, "the module belongs to a library");
    c.driver.functions.removeIf([&](const LoadedFunction& function) { return function.module == module; });
    c.driver.modules.remove(handle);
  });
}

CNN_EXPORT CUresult cuModuleGetFunction(CUfunction* function, CUmodule handle, const char* name) {
  return call("cuModuleGetFunction", [&](Call& c) {
    requirePointers(function, name);
    c.context();
    *function = functionHandle(c.driver, c.driver.modules.get(handle), name);
  });
}

CNN_EXPORT CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, std::size_t* bytes, CUmodule handle, const char* name) {
  return call("cuModuleGetGlobal_v2", [&](Call& c) {
    requirePointers(name);
    requireValue(address || bytes, "neither the address nor the size is asked for");
    c.context();
    std::uint64_t found;
    std::size_t size;
    require(c.driver.modules.get(handle)->module->global(name, found, size), CUDA_ERROR_NOT_FOUND, "the module has no such variable");
    if (address) *address = found;
    if (bytes) *bytes = size;
  });
}

CNN_EXPORT CUresult cuModuleGetLoadingMode(int* mode) {
  return call("cuModuleGetLoadingMode", [&](Call&) {
    requirePointers(mode);
    *mode = 1;  // eager: every kernel is decoded when the module is loaded
  });
}

CNN_EXPORT CUresult cuModuleGetFunctionCount(unsigned* count, CUmodule handle) {
  return call("cuModuleGetFunctionCount", [&](Call& c) {
    requirePointers(count);
    c.context();
    *count = unsigned(c.driver.modules.get(handle)->module->functionNames().size());
  });
}

CNN_EXPORT CUresult cuModuleEnumerateFunctions(CUfunction* functions, unsigned capacity, CUmodule handle) {
  return call("cuModuleEnumerateFunctions", [&](Call& c) {
    requirePointers(functions);
    c.context();
    const auto module = c.driver.modules.get(handle);
    for (const std::string_view name : module->module->functionNames()) {
      if (capacity-- == 0) break;
      *functions++ = functionHandle(c.driver, module, name);
    }
  });
}
