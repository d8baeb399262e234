// Milliseconds per kernel: the best launch of half a second on one thread (set CNN_EMULATOR_THREADS for more). A program of its
// own, not part of CTest. CNN_SPEED_KERNEL=sgemm measures one kernel alone, for a profiler.
#include "cases.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace cnn::test;

TEST(table) {
  setenv("CNN_EMULATOR_THREADS", "1", 0);
  std::printf("| kernel | size | ms | GFLOP/s |\n| --- | --- | --- | --- |\n");
  const char* only = std::getenv("CNN_SPEED_KERNEL");
  for (const KernelFactory& factory : speedCases()) {
    if (only && factory.name != only) continue;
    const auto made = factory.make();
    double best = 1e9;
    const auto start = std::chrono::steady_clock::now();
    for (auto begin = start; begin - start < std::chrono::milliseconds(500); begin = std::chrono::steady_clock::now()) {
      const auto fault = made->launch();
      if (fault) FAIL(factory.name + ": " + fault->report);
      REQUIRE(!fault);
      best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    if (factory.operations > 0) std::printf("| %s | %s | %.1f | %.1f |\n", factory.name.c_str(), factory.size.c_str(), best, factory.operations / best / 1e6);
    else std::printf("| %s | %s | %.1f | |\n", factory.name.c_str(), factory.size.c_str(), best);
  }
}
