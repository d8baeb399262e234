// Milliseconds per kernel: the best of several launches on one thread (set CNN_EMULATOR_THREADS for more). A program of its
// own, not part of CTest.
#include "cases.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace cnn::test;

TEST(table) {
  setenv("CNN_EMULATOR_THREADS", "1", 0);
  std::printf("| kernel | size | ms | GFLOP/s |\n| --- | --- | --- | --- |\n");
  for (const KernelFactory& factory : speedCases()) {
    const auto made = factory.make();
    double best = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const auto begin = std::chrono::steady_clock::now();
      const auto fault = made->launch();
      if (fault) FAIL(factory.name + ": " + fault->report);
      REQUIRE(!fault);
      best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    if (factory.operations > 0) std::printf("| %s | %s | %.1f | %.1f |\n", factory.name.c_str(), factory.size.c_str(), best, factory.operations / best / 1e6);
    else std::printf("| %s | %s | %.1f | |\n", factory.name.c_str(), factory.size.c_str(), best);
  }
}
