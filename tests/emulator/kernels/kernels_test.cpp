// Every real kernel against its reference, plain and with all checks on.
#include "cases.h"

#include "machine/checks.h"

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
