#include "machine/checks.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace cnn::emu {
namespace {

unsigned parseChecks(std::string_view text) {
  unsigned checks = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view word = text.substr(0, end);
    if (word == "race") checks |= checkRace;
    else if (word == "init") checks |= checkInit;
    else if (word == "async") checks |= checkAsync;
    else if (word == "nc") checks |= checkNc;
    else if (word == "all") checks |= checkAll;
    else {
      std::fprintf(stderr, "CNN_EMULATOR_CHECK: `%s` is none of race, init, async, nc, all\n", std::string(word).c_str());
      std::abort();
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return checks;
}

std::atomic<unsigned>& current() {
  static std::atomic<unsigned> checks = [] {
    const char* text = std::getenv("CNN_EMULATOR_CHECK");
    return parseChecks(text ? text : "");
  }();
  return checks;
}

}  // namespace

unsigned requestedChecks() { return current(); }
void setChecks(unsigned checks) { current() = checks; }

}  // namespace cnn::emu
