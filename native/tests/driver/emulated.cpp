#include "emulated.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace cnn::test {

CudaLibrary& cuda() {
  static CudaLibrary library = [] {
    CudaLibrary loaded(CNN_EMULATED_CUDA);
    if (const CUresult status = loaded.cuInit(0)) throw std::runtime_error("cuInit failed with " + std::to_string(status));
    return loaded;
  }();
  return library;
}

cnnEmulatorObjects liveObjects() {
  cnnEmulatorObjects objects;
  cuda().get<int(cnnEmulatorObjects*)>("cnnEmulatorLiveObjects")(&objects);
  return objects;
}

namespace {

std::string text(const char* function) {
  auto* give = cuda().get<size_t(char*, size_t)>(function);
  std::string result(give(nullptr, 0), 0);
  give(result.data(), result.size() + 1);
  return result;
}

}  // namespace

std::string lastMessage() { return text("cnnEmulatorLastMessage"); }
std::string lastReport() { return text("cnnEmulatorLastReport"); }

ContextScope::ContextScope() : before_(liveObjects()) { REQUIRE_CUDA(cuda().cuCtxCreate_v2(&handle, 0, 0)); }

ContextScope::~ContextScope() {
  CHECK_CUDA(cuda().cuCtxDestroy_v2(handle));
  const cnnEmulatorObjects after = liveObjects();
  CHECK_EQ(std::memcmp(&before_, &after, sizeof after), 0);
}

const char* const kernels = R"(
.version 8.0
.target sm_80
.address_size 64
.global .align 4 .u32 answer = 42;

.visible .entry add(.param .u64 p, .param .u32 n, .param .u32 value) {
  .reg .pred %q; .reg .b32 %r<8>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [p]; ld.param.u32 %r1, [n]; ld.param.u32 %r2, [value];
  mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ntid.x; mov.u32 %r5, %tid.x;
  mad.lo.s32 %r3, %r3, %r4, %r5;
  setp.ge.u32 %q, %r3, %r1;
  @%q bra done;
  cvta.to.global.u64 %d1, %d1;
  mul.wide.u32 %d2, %r3, 4; add.s64 %d1, %d1, %d2;
  ld.global.u32 %r6, [%d1]; add.u32 %r6, %r6, %r2; st.global.u32 [%d1], %r6;
done:
  ret;
}

.visible .entry scale(.param .u64 p, .param .u32 n, .param .u32 factor) {
  .reg .pred %q; .reg .b32 %r<8>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [p]; ld.param.u32 %r1, [n]; ld.param.u32 %r2, [factor];
  mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ntid.x; mov.u32 %r5, %tid.x;
  mad.lo.s32 %r3, %r3, %r4, %r5;
  setp.ge.u32 %q, %r3, %r1;
  @%q bra done;
  cvta.to.global.u64 %d1, %d1;
  mul.wide.u32 %d2, %r3, 4; add.s64 %d1, %d1, %d2;
  ld.global.u32 %r6, [%d1]; mul.lo.u32 %r6, %r6, %r2; st.global.u32 [%d1], %r6;
done:
  ret;
}

.visible .entry copy(.param .u64 to, .param .u64 from, .param .u32 n) {
  .reg .pred %q; .reg .b32 %r<8>; .reg .b64 %d<6>;
  ld.param.u64 %d1, [to]; ld.param.u64 %d2, [from]; ld.param.u32 %r1, [n];
  mov.u32 %r3, %ctaid.x; mov.u32 %r4, %ntid.x; mov.u32 %r5, %tid.x;
  mad.lo.s32 %r3, %r3, %r4, %r5;
  setp.ge.u32 %q, %r3, %r1;
  @%q bra done;
  cvta.to.global.u64 %d1, %d1; cvta.to.global.u64 %d2, %d2;
  mul.wide.u32 %d3, %r3, 4; add.s64 %d1, %d1, %d3; add.s64 %d2, %d2, %d3;
  ld.global.u32 %r6, [%d2]; st.global.u32 [%d1], %r6;
done:
  ret;
}

.visible .entry outside(.param .u64 p) {
  .reg .b32 %r<2>; .reg .b64 %d<2>;
  ld.param.u64 %d1, [p];
  cvta.to.global.u64 %d1, %d1;
  mov.u32 %r1, 7;
  st.global.u32 [%d1], %r1;
  ret;
}
)";

Kernels::Kernels() {
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, kernels));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&add, module, "add"));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&scale, module, "scale"));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&copy, module, "copy"));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&outside, module, "outside"));
}

Kernels::~Kernels() { cuda().cuModuleUnload(module); }

namespace {

CUresult launch(CUfunction function, unsigned n, CUstream stream, std::initializer_list<void*> arguments) {
  std::vector<void*> pointers(arguments);
  return cuda().cuLaunchKernel(function, (n + 127) / 128, 1, 1, 128, 1, 1, 0, stream, pointers.data(), nullptr);
}

}  // namespace

CUresult Kernels::launchAdd(CUdeviceptr p, unsigned n, unsigned value, CUstream stream) const {
  return launch(add, n, stream, {&p, &n, &value});
}
CUresult Kernels::launchScale(CUdeviceptr p, unsigned n, unsigned factor, CUstream stream) const {
  return launch(scale, n, stream, {&p, &n, &factor});
}
CUresult Kernels::launchCopy(CUdeviceptr to, CUdeviceptr from, unsigned n, CUstream stream) const {
  return launch(copy, n, stream, {&to, &from, &n});
}
CUresult Kernels::launchOutside(CUdeviceptr p, CUstream stream) const {
  void* arguments[] = {&p};
  return cuda().cuLaunchKernel(outside, 1, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr);
}

Buffer::Buffer(unsigned count, unsigned value) : n(count) {
  REQUIRE_CUDA(cuda().cuMemAlloc_v2(&address, std::size_t(n) * 4));
  REQUIRE_CUDA(cuda().cuMemsetD32_v2(address, value, n));
  REQUIRE_CUDA(cuda().cuCtxSynchronize());
}

Buffer::~Buffer() { cuda().cuMemFree_v2(address); }

std::vector<unsigned> Buffer::read() const {
  std::vector<unsigned> values(n);
  REQUIRE_CUDA(cuda().cuMemcpyDtoH_v2(values.data(), address, std::size_t(n) * 4));
  return values;
}

bool Buffer::all(unsigned value) const {
  const std::vector<unsigned> values = read();
  return std::all_of(values.begin(), values.end(), [&](unsigned x) { return x == value; });
}

bool isolated(const char* test, std::initializer_list<std::pair<const char*, const char*>> variables) {
  const char* child = std::getenv("CNN_TEST_CHILD");
  if (child && std::strcmp(child, test) == 0) return true;
  const pid_t id = fork();
  REQUIRE(id >= 0);
  if (id == 0) {
    setenv("CNN_TEST_CHILD", test, 1);
    for (const auto& [name, value] : variables) setenv(name, value, 1);
    execl("/proc/self/exe", "test", test, static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  REQUIRE_EQ(waitpid(id, &status, 0), id);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  return false;
}

}  // namespace cnn::test
