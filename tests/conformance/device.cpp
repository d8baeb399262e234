#include "device.h"

#include <cstring>

namespace cnn::conformance {
namespace {

std::vector<unsigned char> pack(const Column& values, Type type) {
  const int bytes = bitsOf(type) / 8;
  std::vector<unsigned char> packed(values.size() * std::size_t(bytes));
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(packed.data() + i * std::size_t(bytes), &values[i], std::size_t(bytes));
  return packed;
}

Column unpack(const std::vector<unsigned char>& packed, Type type) {
  const std::size_t bytes = std::size_t(bitsOf(type)) / 8;
  Column values(packed.size() / bytes);
  for (std::size_t i = 0; i < values.size(); ++i) std::memcpy(&values[i], packed.data() + i * bytes, bytes);
  return values;
}

}  // namespace

Runner::Runner(const std::string& driverPath) : cuda_(driverPath) {
  check(cuda_.cuInit(0), "cuInit");
  char name[200] = "";
  check(cuda_.cuDeviceGetName(name, sizeof name, 0), "cuDeviceGetName");
  device_.name = name;
  check(cuda_.cuDeviceGetAttribute(&device_.major, 75, 0), "cuDeviceGetAttribute");
  check(cuda_.cuDeviceGetAttribute(&device_.minor, 76, 0), "cuDeviceGetAttribute");
  check(cuda_.cuDriverGetVersion(&device_.driver), "cuDriverGetVersion");
  device_.emulated = cuda_.symbol("cnnEmulatorCallCount") != nullptr;
}

Runner::~Runner() {
  if (context_) cuda_.cuCtxDestroy_v2(context_);
}

void Runner::check(CUresult status, const std::string& what) const {
  if (status == CUDA_SUCCESS) return;
  const char* name = nullptr;
  cuda_.cuGetErrorName(status, &name);
  throw std::runtime_error(what + ": " + (name ? name : "unknown status"));
}

CUmodule Runner::load(const std::string& ptx) {
  char log[4000] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
  CUmodule module = nullptr;
  const CUresult status = cuda_.cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
  check(status, std::string("load failed\n") + log);
  return module;
}

CUtensorMap Runner::encode(const TensorMap& m, CUdeviceptr base) const {
  CUtensorMap map;
  const unsigned rank = unsigned(m.sizes.size());
  void* const address = reinterpret_cast<void*>(base);
  if (m.pixels == 0) {
    const auto tiled = cuda_.get<CUresult(CUtensorMap*, int, unsigned, void*, const std::uint64_t*, const std::uint64_t*, const std::uint32_t*,
                                          const std::uint32_t*, int, int, int, int)>("cuTensorMapEncodeTiled");
    check(tiled(&map, m.element, rank, address, m.sizes.data(), m.pitches.data(), m.box.data(), m.steps.data(), m.interleave, m.swizzle, 0, m.fill),
          "cuTensorMapEncodeTiled");
  } else {
    const auto im2col = cuda_.get<CUresult(CUtensorMap*, int, unsigned, void*, const std::uint64_t*, const std::uint64_t*, const int*, const int*, unsigned,
                                           unsigned, const std::uint32_t*, int, int, int, int)>("cuTensorMapEncodeIm2col");
    check(im2col(&map, m.element, rank, address, m.sizes.data(), m.pitches.data(), m.lower.data(), m.upper.data(), m.channels, m.pixels, m.steps.data(),
                 m.interleave, m.swizzle, 0, m.fill),
          "cuTensorMapEncodeIm2col");
  }
  return map;
}

Column Runner::launch(const Case& test, CUmodule module) {
  CUfunction kernel = nullptr;
  check(cuda_.cuModuleGetFunction(&kernel, module, "k"), "cuModuleGetFunction");
  const Columns inputs = inputsOf(test);
  std::vector<CUdeviceptr> buffers(inputs.size() + 1);
  std::vector<unsigned char> output(test.outputs * std::size_t(bitsOf(test.result)) / 8);
  check(cuda_.cuMemAlloc_v2(&buffers[0], output.size()), "cuMemAlloc");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto packed = pack(inputs[i], test.operands[i].type);
    check(cuda_.cuMemAlloc_v2(&buffers[i + 1], packed.size()), "cuMemAlloc");
    check(cuda_.cuMemcpyHtoD_v2(buffers[i + 1], packed.data(), packed.size()), "cuMemcpyHtoD");
  }
  std::vector<CUtensorMap> maps;
  for (const TensorMap& map : test.maps) maps.push_back(encode(map, buffers[std::size_t(map.operand + 1)]));
  std::vector<void*> arguments;
  for (CUdeviceptr& buffer : buffers) arguments.push_back(&buffer);
  for (CUtensorMap& map : maps) arguments.push_back(&map);
  check(cuda_.cuLaunchKernel(kernel, test.blocks, 1, 1, threads, 1, 1, 0, nullptr, arguments.data(), nullptr), "cuLaunchKernel");
  check(cuda_.cuCtxSynchronize(), "the kernel");
  check(cuda_.cuMemcpyDtoH_v2(output.data(), buffers[0], output.size()), "cuMemcpyDtoH");
  for (const CUdeviceptr buffer : buffers) check(cuda_.cuMemFree_v2(buffer), "cuMemFree");
  return unpack(output, test.result);
}

Column Runner::run(const Case& test) {
  if (!context_) check(cuda_.cuCtxCreate_v2(&context_, 0, 0), "cuCtxCreate");
  try {
    CUmodule module = load(ptxOf(test));
    Column result = launch(test, module);
    check(cuda_.cuModuleUnload(module), "cuModuleUnload");
    return result;
  } catch (...) {
    // A fault stays with the context.
    cuda_.cuCtxDestroy_v2(context_);
    context_ = nullptr;
    throw;
  }
}

}  // namespace cnn::conformance
