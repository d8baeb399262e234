// Milliseconds per kernel: the best of several launches on one thread (set CNN_EMULATOR_THREADS for more).
#include "cases.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

using namespace cnn::test;

int main() {
  setenv("CNN_EMULATOR_THREADS", "1", 0);
  std::printf("| kernel | size | ms | GFLOP/s |\n| --- | --- | --- | --- |\n");
  for (const KernelFactory& factory : speedCases()) {
    const auto made = factory.make();
    double best = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const auto begin = std::chrono::steady_clock::now();
      if (const auto fault = made->launch()) {
        std::fprintf(stderr, "%s: %s\n", factory.name.c_str(), fault->report.c_str());
        return 1;
      }
      best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    if (factory.operations > 0) std::printf("| %s | %s | %.1f | %.1f |\n", factory.name.c_str(), factory.size.c_str(), best, factory.operations / best / 1e6);
    else std::printf("| %s | %s | %.1f | |\n", factory.name.c_str(), factory.size.c_str(), best);
  }
  return 0;
}
