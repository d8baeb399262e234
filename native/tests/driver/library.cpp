// The library as its users load it.
#include "emulated.h"

#include <cstdio>
#include <map>
#include <set>

using namespace cnn::test;

namespace {

struct Symbol {
  const char *name, *symbol;
  int version;
};
const Symbol symbols[] = {
#define CNN_SYMBOL(name, symbol, version) {#name, #symbol, version},
#include "driver/symbols.inc"
#undef CNN_SYMBOL
};

std::set<std::string> exportedNames() {
  std::set<std::string> names;
  std::FILE* pipe = popen("nm -D --defined-only " CNN_EMULATED_CUDA, "r");
  REQUIRE(pipe != nullptr);
  char line[512];
  while (std::fgets(line, sizeof line, pipe)) {
    const std::string text(line);
    names.insert(text.substr(text.rfind(' ') + 1, text.size() - text.rfind(' ') - 2));
  }
  CHECK_EQ(pclose(pipe), 0);
  return names;
}

auto procAddress() {
  return cuda().get<CUresult(const char*, void**, int, cuuint64_t, CUdriverProcAddressQueryResult*)>("cuGetProcAddress_v2");
}

}  // namespace

TEST(exports_only_cuda_names_and_serves_all_of_them) {
  std::set<std::string> listed;
  for (const Symbol& symbol : symbols) listed.insert(symbol.symbol);
  for (const std::string& name : exportedNames()) {
    if (name.rfind("cnnEmulator", 0) == 0) continue;
    CHECK_EQ(name.substr(0, 2), "cu");
    if (!listed.contains(name)) FAIL("cuGetProcAddress does not know " + name);
  }
}

TEST(every_function_has_its_address) {
  for (const Symbol& symbol : symbols) CHECK(cuda().symbol(symbol.symbol) != nullptr);
}

TEST(proc_address_gives_the_newest_version_that_the_caller_knows) {
  std::map<std::string, Symbol> newest;
  for (const Symbol& symbol : symbols) newest[symbol.name] = symbol;
  for (const auto& [name, symbol] : newest) {
    void* found = nullptr;
    CUdriverProcAddressQueryResult status;
    CHECK_CUDA(procAddress()(name.c_str(), &found, 13000, 0, &status));
    CHECK_EQ(found, cuda().symbol(symbol.symbol));
    CHECK_EQ(status, CU_GET_PROC_ADDRESS_SUCCESS);
  }
}

TEST(proc_address_follows_the_version) {
  void *old = nullptr, *current = nullptr;
  CHECK_CUDA(procAddress()("cuGraphExecUpdate", &old, 11000, 0, nullptr));
  CHECK_CUDA(procAddress()("cuGraphExecUpdate", &current, 12000, 0, nullptr));
  CHECK_EQ(old, cuda().symbol("cuGraphExecUpdate"));
  CHECK_EQ(current, cuda().symbol("cuGraphExecUpdate_v2"));
}

TEST(proc_address_refuses_what_is_not_there) {
  void* found = &found;
  CUdriverProcAddressQueryResult status = CU_GET_PROC_ADDRESS_SUCCESS;
  CHECK_EQ(procAddress()("cuNoSuchThing", &found, 13000, 0, &status), CUDA_ERROR_NOT_FOUND);
  CHECK_EQ(status, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  CHECK(found == nullptr);
  CHECK_EQ(procAddress()("cuMemAllocAsync", &found, 10000, 0, &status), CUDA_ERROR_NOT_FOUND);
  CHECK_EQ(status, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
  CHECK_EQ(procAddress()("cuMemAlloc_v2", &found, 13000, 0, &status), CUDA_ERROR_NOT_FOUND);
  CHECK_EQ(procAddress()(nullptr, &found, 13000, 0, &status), CUDA_ERROR_INVALID_VALUE);
  CHECK_EQ(procAddress()("cuInit", nullptr, 13000, 0, &status), CUDA_ERROR_INVALID_VALUE);
}

TEST(names_and_texts_of_errors) {
  const char* text = nullptr;
  CHECK_CUDA(cuda().cuGetErrorName(CUDA_ERROR_ILLEGAL_ADDRESS, &text));
  CHECK_EQ(std::string(text), "CUDA_ERROR_ILLEGAL_ADDRESS");
  CHECK_CUDA(cuda().cuGetErrorString(CUDA_ERROR_INVALID_PTX, &text));
  CHECK(std::strlen(text) > 0);
  CHECK_EQ(cuda().cuGetErrorName(CUresult(12345), &text), CUDA_ERROR_INVALID_VALUE);
  CHECK(text == nullptr);
  CHECK_EQ(cuda().cuGetErrorName(CUDA_SUCCESS, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST(nothing_works_before_cuInit) {
  if (!isolated("library.nothing_works_before_cuInit", {})) return;
  CudaLibrary library(CNN_EMULATED_CUDA);
  int count = 0, version = 0;
  CHECK_EQ(library.cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
  CHECK_CUDA(library.cuDriverGetVersion(&version));
  CHECK_EQ(library.cuInit(1), CUDA_ERROR_INVALID_VALUE);
  CHECK_CUDA(library.cuInit(0));
  CHECK_CUDA(library.cuInit(0));
  CHECK_CUDA(library.cuDeviceGetCount(&count));
  CHECK_EQ(count, 1);
}

TEST(a_variable_with_nonsense_is_an_error) {
  if (!isolated("library.a_variable_with_nonsense_is_an_error", {{"CNN_EMULATOR_DEVICE", "sm_75"}})) return;
  CudaLibrary library(CNN_EMULATED_CUDA);
  CHECK_EQ(library.cuInit(0), CUDA_ERROR_INVALID_VALUE);
  char message[200];
  CHECK(library.get<size_t(char*, size_t)>("cnnEmulatorLastMessage")(message, sizeof message) > 0);
  CHECK(std::string(message).find("CNN_EMULATOR_DEVICE=sm_75") != std::string::npos);
}

// Also numbers that only the machine uses, long after cuInit.
TEST(a_number_out_of_range_is_an_error) {
  constexpr std::pair<const char*, const char*> wrong[] = {{"CNN_EMULATOR_THREADS", "0"}, {"CNN_EMULATOR_THREADS", "two"}, {"CNN_EMULATOR_JITTER", "-1"},
                                                           {"CNN_EMULATOR_JITTER", "4294967296"}, {"CNN_EMULATOR_TIMEOUT", "-1"}};
  for (const auto& [name, value] : wrong) {
    if (!isolated("library.a_number_out_of_range_is_an_error", {{name, value}})) continue;
    CudaLibrary library(CNN_EMULATED_CUDA);
    CHECK_EQ(library.cuInit(0), CUDA_ERROR_INVALID_VALUE);
    char message[200];
    CHECK(library.get<size_t(char*, size_t)>("cnnEmulatorLastMessage")(message, sizeof message) > 0);
    CHECK(std::string(message).find("expected") != std::string::npos);
    return;
  }
}

// A wrong argument is an error, never a crash. Every function takes at most 16 words; all of them null, then all of them
// a handle that was never given out.
TEST(bad_arguments_do_not_crash) {
  using Words = CUresult(std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                         std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t, std::uint64_t,
                         std::uint64_t, std::uint64_t);
  for (const bool withContext : {false, true}) {
    CUcontext context = nullptr;
    if (withContext) REQUIRE_CUDA(cuda().cuCtxCreate_v2(&context, 0, 0));
    for (const Symbol& symbol : symbols) {
      const CUresult status = cuda().get<Words>(symbol.symbol)(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
      const char* name = nullptr;
      if (cuda().cuGetErrorName(status, &name) != CUDA_SUCCESS) FAIL(std::string(symbol.symbol) + " returned an unknown status");
      CHECK(true);
    }
    // The calls above may have changed what is current.
    if (withContext) CHECK_CUDA(cuda().cuCtxDestroy_v2(context));
    CUcontext current = nullptr;
    while (cuda().cuCtxPopCurrent_v2(&current) == CUDA_SUCCESS) {}
  }
}
