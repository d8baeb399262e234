// conformance [--driver PATH] [--filter TEXT] [--list] [--ptx DIR] [--write GOLDEN] [--check GOLDEN]
//
// Runs the corpus on a CUDA driver (the emulator by default, `--driver libcuda.so.1` for the GPU of this machine) and
// compares with the expected values, and with golden outputs if given. The last line counts what passed, failed and was
// skipped because the device lacks the instruction.
#include "device.h"

#include <cmath>
#include <cstdio>
#include <fstream>
#include <optional>

using namespace cnn::conformance;

namespace {

struct Options {
  std::string driver = CNN_EMULATED_CUDA, filter, ptxFolder, write, check;
  bool list = false;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--list") {
      options.list = true;
      continue;
    }
    std::string* value = name == "--driver" ? &options.driver : name == "--filter" ? &options.filter : name == "--ptx" ? &options.ptxFolder
                         : name == "--write" ? &options.write : name == "--check" ? &options.check : nullptr;
    if (!value || ++i == argc) throw std::runtime_error("usage: conformance [--driver PATH] [--filter TEXT] [--list] [--ptx DIR] [--write GOLDEN] [--check GOLDEN]");
    *value = argv[i];
  }
  return options;
}

// One number of the result's format. Payloads of NaN are not part of the contract; the sign of zero is.
bool numbersAgree(const Case& test, const Format& f, std::uint64_t got, std::uint64_t wanted) {
  if (got == wanted || (isNaN(f, got) && isNaN(f, wanted))) return true;
  const std::uint64_t sign = std::uint64_t(1) << (f.storageBits - 1);
  if (test.ulps > 0 && ulpDistance(f, got, wanted) <= test.ulps && ((got ^ wanted) & sign) == 0) return true;
  return test.absolute > 0 && std::fabs(double(decode(f, got)) - double(decode(f, wanted))) <= test.absolute;
}

bool agrees(const Case& test, std::uint64_t got, std::uint64_t wanted) {
  const Format* f = formatOf(test.result);
  if (!f) return got == wanted;
  if (f->storageBits == bitsOf(test.result)) return numbersAgree(test, *f, got, wanted);
  return numbersAgree(test, *f, got & mask(16), wanted & mask(16)) && numbersAgree(test, *f, got >> 16, wanted >> 16);
}

// Empty when all threads agree.
std::string difference(const Case& test, const Column& got, const Column& wanted, const char* against) {
  const Columns inputs = inputsOf(test);
  int wrong = 0;
  std::string text;
  for (unsigned t = 0; t < test.outputs; ++t) {
    if (agrees(test, got[t], wanted[t])) continue;
    if (++wrong > 3) continue;
    char line[200];
    std::snprintf(line, sizeof line, "    output %u: got %llx, %s %llx%s", t, (unsigned long long)got[t], against, (unsigned long long)wanted[t], test.whole ? "" : ", operands");
    text += line;
    for (std::size_t i = 0; i < inputs.size() && !test.whole; ++i) {
      std::snprintf(line, sizeof line, " %llx", (unsigned long long)inputs[i][t]);
      text += line;
    }
    text += "\n";
  }
  return wrong ? std::to_string(wrong) + " of " + std::to_string(test.outputs) + " outputs differ\n" + text : "";
}

struct Totals {
  int passed = 0, failed = 0, skipped = 0;
};

void runOne(Runner& runner, const Case& test, const std::optional<Golden>& golden, Golden& made, Totals& totals) {
  const Device& device = runner.device();
  const int capability = device.major * 10 + device.minor;
  if (capability < test.sm || (test.specific && capability != test.sm)) {
    ++totals.skipped;
    return;
  }
  std::string wrong;
  try {
    const Column got = runner.run(test);
    made.set(test, got);
    wrong = difference(test, got, test.expected(inputsOf(test)), "expected");
    if (golden)
      if (const Column* known = golden->find(test)) wrong += difference(test, got, *known, "golden");
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  if (wrong.empty()) {
    ++totals.passed;
  } else {
    ++totals.failed;
    std::printf("FAIL %s: %s\n", test.name.c_str(), wrong.c_str());
  }
}

int run(const Options& options) {
  const Corpus corpus = makeCorpus();
  std::vector<const Case*> chosen;
  for (const Case& test : corpus.cases)
    if (test.name.find(options.filter) != std::string::npos) chosen.push_back(&test);
  if (options.list || !options.ptxFolder.empty()) {
    for (const Case* test : chosen) {
      if (options.list) std::printf("%s\n", test->name.c_str());
      if (options.ptxFolder.empty()) continue;
      char file[32];
      std::snprintf(file, sizeof file, "/%016llx.ptx", (unsigned long long)hashOf(ptxOf(*test)));
      std::ofstream(options.ptxFolder + file) << ptxOf(*test);
    }
    return 0;
  }
  std::optional<Golden> golden;
  if (!options.check.empty()) golden = Golden::read(options.check);
  Runner runner(options.driver);
  const Device& device = runner.device();
  if (device.emulated && !options.write.empty()) throw std::runtime_error("golden outputs come from a GPU; this driver is the emulator");
  std::printf("%s, compute capability %d.%d, driver %d\n", device.name.c_str(), device.major, device.minor, device.driver);
  Golden made;
  Totals totals;
  for (const Case* test : chosen) runOne(runner, *test, golden, made, totals);
  if (!options.write.empty()) made.write(options.write, device);
  std::printf("%d passed, %d failed, %d skipped\n", totals.passed, totals.failed, totals.skipped);
  return totals.failed || totals.passed == 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
