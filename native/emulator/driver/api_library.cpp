// cuLibrary*, cuKernel*: modules that belong to no context
#include "driver/function_attributes.h"
#include "driver/loading.h"

using namespace cnn::emu;
using namespace cnn::emu::driver;

namespace {

CUlibrary addLibrary(Call& c, const void* image, const JitOptions& options, std::size_t available = SIZE_MAX) {
  auto library = std::make_shared<Library>();
  library->module = loadModule(c, nullptr, image, options, available);
  return c.driver.libraries.add(library);
}

CUkernel kernelHandle(Call& c, const std::shared_ptr<Library>& library, std::string_view name) {
  if (const auto known = library->kernels.find(name); known != library->kernels.end()) return known->second;
  auto kernel = std::make_shared<Kernel>();
  kernel->library = library.get();
  kernel->function = c.driver.functions.get(functionHandle(c.driver, library->module, name));
  return library->kernels[std::string(name)] = c.driver.kernels.add(std::move(kernel));
}

}  // namespace

CNN_EXPORT CUresult cuLibraryLoadData(CUlibrary* library, const void* code, CUjit_option* options, void** values, unsigned count,
                                      int*, void**, unsigned) {
  return call("cuLibraryLoadData", [&](Call& c) {
    requirePointers(library, code);
    *library = addLibrary(c, code, JitOptions(count, options, values));
  });
}

CNN_EXPORT CUresult cuLibraryLoadFromFile(CUlibrary* library, const char* path, CUjit_option* options, void** values, unsigned count,
                                          int*, void**, unsigned) {
  return call("cuLibraryLoadFromFile", [&](Call& c) {
    requirePointers(library, path);
    const std::string image = readFile(path);
    *library = addLibrary(c, image.c_str(), JitOptions(count, options, values), image.size());
  });
}

CNN_EXPORT CUresult cuLibraryUnload(CUlibrary handle) {
  return call("cuLibraryUnload", [&](Call& c) {
    const auto library = c.driver.libraries.remove(handle);
    c.driver.kernels.removeIf([&](const Kernel& kernel) { return kernel.library == library.get(); });
    c.driver.functions.removeIf([&](const LoadedFunction& function) { return function.module == library->module; });
    c.driver.modules.remove(library->module->handle);
  });
}

CNN_EXPORT CUresult cuLibraryGetKernel(CUkernel* kernel, CUlibrary handle, const char* name) {
  return call("cuLibraryGetKernel", [&](Call& c) {
    requirePointers(kernel, name);
    *kernel = kernelHandle(c, c.driver.libraries.get(handle), name);
  });
}

CNN_EXPORT CUresult cuLibraryGetModule(CUmodule* module, CUlibrary handle) {
  return call("cuLibraryGetModule", [&](Call& c) {
    requirePointers(module);
    c.context();
    *module = c.driver.libraries.get(handle)->module->handle;
  });
}

CNN_EXPORT CUresult cuLibraryGetGlobal(CUdeviceptr* address, std::size_t* bytes, CUlibrary handle, const char* name) {
  return call("cuLibraryGetGlobal", [&](Call& c) {
    requirePointers(name);
    requireValue(address || bytes, "neither the address nor the size is asked for");
    c.context();
    std::uint64_t found;
    std::size_t size;
    require(c.driver.libraries.get(handle)->module->module->global(name, found, size), CUDA_ERROR_NOT_FOUND, "the library has no such variable");
    if (address) *address = found;
    if (bytes) *bytes = size;
  });
}

CNN_EXPORT CUresult cuLibraryGetKernelCount(unsigned* count, CUlibrary handle) {
  return call("cuLibraryGetKernelCount", [&](Call& c) {
    requirePointers(count);
    *count = unsigned(c.driver.libraries.get(handle)->module->module->functionNames().size());
  });
}

CNN_EXPORT CUresult cuLibraryEnumerateKernels(CUkernel* kernels, unsigned capacity, CUlibrary handle) {
  return call("cuLibraryEnumerateKernels", [&](Call& c) {
    requirePointers(kernels);
    const auto library = c.driver.libraries.get(handle);
    for (const std::string_view name : library->module->module->functionNames()) {
      if (capacity-- == 0) break;
      *kernels++ = kernelHandle(c, library, name);
    }
  });
}

CNN_EXPORT CUresult cuKernelGetFunction(CUfunction* function, CUkernel handle) {
  return call("cuKernelGetFunction", [&](Call& c) {
    requirePointers(function);
    c.context();
    *function = c.driver.kernels.get(handle)->function->handle;
  });
}

CNN_EXPORT CUresult cuKernelGetLibrary(CUlibrary* library, CUkernel handle) {
  return call("cuKernelGetLibrary", [&](Call& c) {
    requirePointers(library);
    *library = c.driver.kernels.get(handle)->library->handle;
  });
}

CNN_EXPORT CUresult cuKernelGetName(const char** name, CUkernel handle) {
  return call("cuKernelGetName", [&](Call& c) {
    requirePointers(name);
    *name = c.driver.kernels.get(handle)->function->function->name.c_str();
  });
}

CNN_EXPORT CUresult cuKernelGetAttribute(int* value, CUfunction_attribute which, CUkernel handle, CUdevice device) {
  return call("cuKernelGetAttribute", [&](Call& c) {
    requirePointers(value);
    c.requireDevice(device);
    *value = functionAttribute(*c.driver.kernels.get(handle)->function->function, which, c.driver.model());
  });
}

CNN_EXPORT CUresult cuKernelSetAttribute(CUfunction_attribute which, int value, CUkernel handle, CUdevice device) {
  return call("cuKernelSetAttribute", [&](Call& c) {
    c.requireDevice(device);
    setFunctionAttribute(*c.driver.kernels.get(handle)->function->function, which, value, c.driver.model());
  });
}

CNN_EXPORT CUresult cuKernelGetParamInfo(CUkernel handle, std::size_t index, std::size_t* offset, std::size_t* size) {
  return call("cuKernelGetParamInfo", [&](Call& c) {
    parameterInfo(*c.driver.kernels.get(handle)->function->function, index, offset, size);
  });
}
