// The counters of a kernel, as tests read them.
#include "emulated.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

using namespace cnn::test;

namespace {

cnnEmulatorCounters countersOf(const char* kernel) {
  cnnEmulatorCounters counters{};
  CHECK_EQ((cuda().get<int(const char*, cnnEmulatorCounters*)>("cnnEmulatorProfileRead")(kernel, &counters)), 0);
  return counters;
}

void reset() { cuda().get<void()>("cnnEmulatorProfileReset")(); }
void detail(bool on) { cuda().get<void(int)>("cnnEmulatorProfileDetail")(on); }

}  // namespace

TEST(counts_are_exact) {
  ContextScope context;
  Kernels kernels;
  Buffer data(1024, 1);
  reset();
  detail(true);
  CHECK_CUDA(kernels.launchAdd(data.address, 1024, 1));
  CHECK_CUDA(kernels.launchAdd(data.address, 1000, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  detail(false);
  const cnnEmulatorCounters c = countersOf("add");
  CHECK_EQ(c.launches, 2);
  CHECK_EQ(c.blocks, 16);
  CHECK_EQ(c.threads, 2048);
  CHECK_EQ(c.globalLoad, 2024);
  CHECK_EQ(c.globalStore, 2024);
  CHECK_EQ(c.globalLoadBytes, 2024 * 4);
  CHECK_EQ(c.globalStoreRequests, 64);      // warps; the last one of the second launch has 8 threads left
  CHECK_EQ(c.globalStoreSectors, 2024 / 8); // 32 bytes each
  CHECK_EQ(c.widestGlobalAccess, 4);
  CHECK_EQ(c.divergentBranches, 1);
  CHECK_EQ(c.flops, 0);
  CHECK_EQ(c.barriers, 0);
}

TEST(unknown_kernels_and_reset) {
  ContextScope context;
  Kernels kernels;
  Buffer data(32, 1);
  CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK_EQ(countersOf("scale").threads % 128, 0);
  reset();
  cnnEmulatorCounters counters;
  auto* read = cuda().get<int(const char*, cnnEmulatorCounters*)>("cnnEmulatorProfileRead");
  CHECK_EQ(read("scale", &counters), int(CUDA_ERROR_NOT_FOUND));
  CHECK_EQ(read(nullptr, &counters), int(CUDA_ERROR_INVALID_VALUE));
  CHECK_EQ(read("scale", nullptr), int(CUDA_ERROR_INVALID_VALUE));
}

TEST(the_profile_is_json) {
  ContextScope context;
  Kernels kernels;
  Buffer data(32, 1);
  reset();
  CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  auto* give = cuda().get<size_t(char*, size_t)>("cnnEmulatorProfileJson");
  std::string text(give(nullptr, 0), 0);
  CHECK_EQ(give(text.data(), text.size() + 1), text.size());
  CHECK(text.find("\"scale\"") != std::string::npos);
  char few[4];
  CHECK_EQ(give(few, sizeof few), text.size());
  CHECK_EQ(std::string(few), text.substr(0, 3));
}

TEST(the_profile_is_written_at_exit) {
  const std::string path = "/tmp/cnn_emulator_profile_" + std::to_string(getuid()) + ".json";
  if (isolated("profile.the_profile_is_written_at_exit", {{"CNN_EMULATOR_PROFILE", ("json:" + path).c_str()}})) {
    ContextScope context;
    Kernels kernels;
    Buffer data(32, 1);
    CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
    return;
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str().find("\"scale\"") != std::string::npos);
  std::remove(path.c_str());
}
