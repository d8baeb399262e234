// Every real kernel against its reference: plain, with all checks on, and with its blocks and warps in other orders.
#include "cases.h"

#include "machine/checks.h"

#include <cstdlib>

using namespace cnn::test;

namespace {

void runAll() {
  for (const KernelFactory& factory : testCases()) {
    const auto made = factory.make();
    const auto fault = made->launch();
    if (fault) FAIL(factory.name + " " + factory.size + ": " + fault->report);
    else made->verify();
  }
}

}  // namespace

TEST(results) { runAll(); }

TEST(results_under_every_check) {
  cnn::emu::setChecks(cnn::emu::checkAll);
  runAll();
  cnn::emu::setChecks(0);
}

TEST(results_in_any_order_of_blocks_and_warps) {
  for (const char* seed : {"1", "2", "3", "5", "8", "13"}) {
    setenv("CNN_EMULATOR_SEED", seed, 1);
    runAll();
  }
  unsetenv("CNN_EMULATOR_SEED");
}
