// Loading PTX, JIT logs, launches and their limits.
#include "emulated.h"

#include <cstdio>

using namespace cnn::test;

TEST(kernels_run_and_variables_are_found) {
  ContextScope context;
  Kernels kernels;
  Buffer data(1000, 3);
  CHECK_CUDA(kernels.launchAdd(data.address, 1000, 4));
  CHECK_CUDA(kernels.launchScale(data.address, 999, 2));
  const std::vector<unsigned> got = data.read();
  for (unsigned i = 0; i < 1000; ++i) CHECK_EQ(got[i], i < 999 ? 14 : 7);
  CUdeviceptr address;
  std::size_t bytes;
  CHECK_CUDA(cuda().cuModuleGetGlobal_v2(&address, &bytes, kernels.module, "answer"));
  CHECK_EQ(bytes, 4);
  unsigned answer = 0;
  CHECK_CUDA(cuda().cuMemcpyDtoH_v2(&answer, address, 4));
  CHECK_EQ(answer, 42);
  CHECK_EQ(cuda().cuModuleGetGlobal_v2(&address, &bytes, kernels.module, "question"), CUDA_ERROR_NOT_FOUND);
  CUfunction function;
  CHECK_EQ(cuda().cuModuleGetFunction(&function, kernels.module, "subtract"), CUDA_ERROR_NOT_FOUND);
  CHECK_CUDA(cuda().cuModuleGetFunction(&function, kernels.module, "add"));
  CHECK_EQ(function, kernels.add);
}

TEST(bad_ptx_is_218_with_the_line_in_the_log) {
  ContextScope context;
  const char* ptx = ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k() {\n  .reg .b32 %r<3>;\n  frobnicate.u32 %r1, %r2;\n  ret;\n}\n";
  char errors[1000] = "unchanged";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_WALL_TIME};
  void* values[] = {errors, reinterpret_cast<void*>(sizeof errors), nullptr};
  CUmodule module = nullptr;
  CHECK_EQ(cuda().cuModuleLoadDataEx(&module, ptx, 3, options, values), CUDA_ERROR_INVALID_PTX);
  const std::string log(errors);
  CHECK(log.find("frobnicate") != std::string::npos);
  CHECK(log.find('6') != std::string::npos);
  CHECK_EQ(reinterpret_cast<std::size_t>(values[1]), log.size() + 1);
  CHECK(module == nullptr);
  // A log that is too long is cut, and still ends with a zero.
  char few[8];
  void* shortValues[] = {few, reinterpret_cast<void*>(sizeof few), nullptr};
  CHECK_EQ(cuda().cuModuleLoadDataEx(&module, ptx, 2, options, shortValues), CUDA_ERROR_INVALID_PTX);
  CHECK_EQ(std::string(few), log.substr(0, 7));
}

TEST(machine_code_and_nonsense_are_refused) {
  ContextScope context;
  CUmodule module;
  const char elf[] = "\x7f" "ELF and so on";
  CHECK_EQ(cuda().cuModuleLoadData(&module, elf), CUDA_ERROR_NO_BINARY_FOR_GPU);
  CHECK(cuda().cuModuleLoadData(&module, "this is not PTX") != CUDA_SUCCESS);
  CHECK(cuda().cuModuleLoadData(&module, "") != CUDA_SUCCESS);
  CHECK_EQ(cuda().cuModuleLoadData(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuModuleLoad(&module, "/no/such/file.ptx"), CUDA_ERROR_FILE_NOT_FOUND);
  CUjit_option unknown[] = {CUjit_option(77)};
  void* value[] = {nullptr};
  CHECK_EQ(cuda().cuModuleLoadDataEx(&module, kernels, 1, unknown, value), CUDA_ERROR_INVALID_VALUE);
}

TEST(handles_die_with_the_module) {
  ContextScope context;
  Buffer data(10, 1);
  CUmodule module;
  CUfunction add;
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, kernels));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&add, module, "add"));
  unsigned n = 10, value = 1;
  CUdeviceptr p = data.address;
  void* arguments[] = {&p, &n, &value};
  // Queued work survives, because it holds the code.
  CHECK_CUDA(cuda().cuLaunchKernel(add, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
  CHECK_CUDA(cuda().cuModuleUnload(module));
  CHECK(data.all(2));
  CHECK_EQ(cuda().cuLaunchKernel(add, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr), CUDA_ERROR_INVALID_HANDLE);
  CHECK_EQ(cuda().cuModuleUnload(module), CUDA_ERROR_INVALID_HANDLE);
}

TEST(launch_limits) {
  ContextScope context;
  Kernels kernels;
  Buffer data(10, 1);
  unsigned n = 10, value = 1;
  CUdeviceptr p = data.address;
  void* arguments[] = {&p, &n, &value};
  const auto launch = [&](unsigned grid, unsigned x, unsigned y, unsigned z, unsigned shared) {
    return cuda().cuLaunchKernel(kernels.add, grid, 1, 1, x, y, z, shared, nullptr, arguments, nullptr);
  };
  CHECK_EQ(launch(0, 1, 1, 1, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(launch(1, 0, 1, 1, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(launch(1, 1025, 1, 1, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(launch(1, 32, 33, 1, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(launch(1, 1, 1, 65, 0), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(launch(1, 32, 1, 1, 49153), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(cuda().cuFuncSetAttribute(kernels.add, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 60000));
  CHECK_CUDA(launch(1, 32, 1, 1, 49153));
  CHECK_EQ(cuda().cuFuncSetAttribute(kernels.add, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 232449), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuLaunchKernel(kernels.add, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(cuda().cuLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr), CUDA_ERROR_INVALID_HANDLE);
  CHECK_EQ(cuda().cuLaunchCooperativeKernel(kernels.add, 1000000, 1, 1, 1024, 1, 1, 0, nullptr, arguments), CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
  CHECK_CUDA(cuda().cuLaunchCooperativeKernel(kernels.add, 2, 1, 1, 32, 1, 1, 0, nullptr, arguments));
  CHECK(data.all(3));
}

TEST(arguments_in_one_buffer) {
  ContextScope context;
  Kernels kernels;
  Buffer data(10, 1);
  struct { CUdeviceptr p; unsigned n, value; } packed{data.address, 10, 5};
  std::size_t size = sizeof packed;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &size, CU_LAUNCH_PARAM_END};
  CHECK_CUDA(cuda().cuLaunchKernel(kernels.add, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, extra));
  CHECK(data.all(6));
  size = 12;
  CHECK_EQ(cuda().cuLaunchKernel(kernels.add, 1, 1, 1, 32, 1, 1, 0, nullptr, nullptr, extra), CUDA_ERROR_INVALID_VALUE);
}

TEST(launch_attributes) {
  ContextScope context;
  Kernels kernels;
  Buffer data(64, 1);
  unsigned n = 64, value = 1;
  CUdeviceptr p = data.address;
  void* arguments[] = {&p, &n, &value};
  CUlaunchAttribute attribute{};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {2, 1, 1};
  CUlaunchConfig config{2, 1, 1, 32, 1, 1, 0, nullptr, &attribute, 1};
  CHECK_CUDA(cuda().cuLaunchKernelEx(&config, kernels.add, arguments, nullptr));
  CHECK(data.all(2));
  config.gridDimX = 3;
  CHECK_EQ(cuda().cuLaunchKernelEx(&config, kernels.add, arguments, nullptr), CUDA_ERROR_INVALID_VALUE);
  config.gridDimX = 16;
  attribute.value.clusterDim = {16, 1, 1};
  CHECK_EQ(cuda().cuLaunchKernelEx(&config, kernels.add, arguments, nullptr), CUDA_ERROR_INVALID_CLUSTER_SIZE);
  attribute.id = CUlaunchAttributeID(7);
  CHECK_EQ(cuda().cuLaunchKernelEx(&config, kernels.add, arguments, nullptr), CUDA_ERROR_NOT_SUPPORTED);
}

// Sums of sixty-four numbers that are all alive at once, under bounds that leave fewer registers.
TEST(bounds_leave_registers_to_a_thread) {
  ContextScope context;
  const struct { const char* bounds; int most; } rows[] = {{"", 255}, {".maxntid 1024", 64}, {".reqntid 512, 2", 64}, {".maxntid 256\n.minnctapersm 8", 32}, {".maxntid 1000", 64}};
  for (const auto& row : rows) {
    std::string text = ".version 8.3\n.target sm_80\n.address_size 64\n.visible .entry many(.param .u64 data)\n" + std::string(row.bounds) +
                       "\n{\n.reg .b64 %p;\n.reg .f32 %f<65>;\nld.param.u64 %p, [data];\n";
    for (int i = 0; i < 64; ++i) text += "ld.global.f32 %f" + std::to_string(i) + ", [%p+" + std::to_string(4 * i) + "];\n";
    text += "mov.f32 %f64, 0f00000000;\n";
    for (int i = 0; i < 64; ++i) text += "add.f32 %f64, %f64, %f" + std::to_string(i) + ";\n";
    text += "st.global.f32 [%p], %f64;\nret;\n}\n";
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    REQUIRE_CUDA(cuda().cuModuleLoadData(&module, text.c_str()));
    REQUIRE_CUDA(cuda().cuModuleGetFunction(&function, module, "many"));
    int registers = 0;
    CHECK_CUDA(cuda().cuFuncGetAttribute(&registers, CU_FUNC_ATTRIBUTE_NUM_REGS, function));
    CHECK(registers <= row.most && registers > (row.most == 255 ? 64 : row.most - 16));
    CHECK_CUDA(cuda().cuModuleUnload(module));
  }
}

TEST(function_attributes_and_occupancy) {
  ContextScope context;
  Kernels kernels;
  int value = 0;
  CHECK_CUDA(cuda().cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernels.add));
  CHECK_EQ(value, 1024);
  CHECK_CUDA(cuda().cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_NUM_REGS, kernels.add));
  CHECK(value > 0 && value <= 32);
  auto* occupancy = cuda().get<CUresult(int*, CUfunction, int, std::size_t)>("cuOccupancyMaxActiveBlocksPerMultiprocessor");
  int blocks = 0;
  CHECK_CUDA(occupancy(&blocks, kernels.add, 1024, 0));
  CHECK_EQ(blocks, 2);
  CHECK_CUDA(occupancy(&blocks, kernels.add, 32, 0));
  CHECK_EQ(blocks, 32);
  CHECK_CUDA(cuda().cuFuncSetAttribute(kernels.add, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 200000));
  CHECK_CUDA(occupancy(&blocks, kernels.add, 128, 100000));
  CHECK_EQ(blocks, 2);
  CHECK_CUDA(occupancy(&blocks, kernels.add, 128, 200000));
  CHECK_EQ(blocks, 1);
  CHECK_EQ(occupancy(&blocks, kernels.add, 0, 0), CUDA_ERROR_INVALID_VALUE);
}

TEST(libraries_belong_to_no_context) {
  ContextScope context;
  using Load = CUresult(CUlibrary*, const void*, CUjit_option*, void**, unsigned, int*, void**, unsigned);
  CUlibrary library = nullptr;
  CUkernel kernel = nullptr;
  REQUIRE_CUDA(cuda().get<Load>("cuLibraryLoadData")(&library, kernels, nullptr, nullptr, 0, nullptr, nullptr, 0));
  REQUIRE_CUDA(cuda().get<CUresult(CUkernel*, CUlibrary, const char*)>("cuLibraryGetKernel")(&kernel, library, "add"));
  unsigned count = 0;
  CHECK_CUDA(cuda().get<CUresult(unsigned*, CUlibrary)>("cuLibraryGetKernelCount")(&count, library));
  CHECK_EQ(count, 4);
  Buffer data(10, 1);
  unsigned n = 10, value = 1;
  CUdeviceptr p = data.address;
  void* arguments[] = {&p, &n, &value};
  CHECK_CUDA(cuda().cuLaunchKernel(reinterpret_cast<CUfunction>(kernel), 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
  CHECK(data.all(2));
  CHECK_CUDA(cuda().get<CUresult(CUlibrary)>("cuLibraryUnload")(library));
  CHECK_EQ(cuda().cuLaunchKernel(reinterpret_cast<CUfunction>(kernel), 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr), CUDA_ERROR_INVALID_HANDLE);
}
