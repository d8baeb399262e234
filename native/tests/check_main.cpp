#include "check.h"

#include <cstring>
#include <exception>
#include <mutex>
#include <vector>

namespace cnn::check {
namespace {

struct Test {
  std::string file, name;
  void (*body)();
};

std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

struct State {
  int checks = 0, failures = 0;
};
State current;
std::mutex currentMutex;  // tests may check from several threads

std::string stem(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return std::string(path.substr(0, path.find('.')));
}

enum class Outcome { passed, failed, skipped };

Outcome run(const Test& test) {
  current = {};
  try {
    test.body();
    if (current.checks == 0) report(false, test.file.c_str(), 0, "the test checked nothing");
  } catch (const Stop&) {
  } catch (const Skip& skip) {
    std::printf("SKIP %s.%s: %s\n", test.file.c_str(), test.name.c_str(), skip.reason.c_str());
    return Outcome::skipped;
  } catch (const std::exception& error) {
    report(false, test.file.c_str(), 0, std::string("unexpected exception: ") + error.what());
  }
  if (current.failures) std::printf("FAIL %s.%s\n", test.file.c_str(), test.name.c_str());
  return current.failures ? Outcome::failed : Outcome::passed;
}

}  // namespace

void add(const char* file, const char* name, void (*body)()) { tests().push_back({stem(file), name, body}); }

void report(bool passed, const char* file, int line, const std::string& message) {
  const std::lock_guard lock(currentMutex);
  ++current.checks;
  if (passed) return;
  // A broken loop says so a few times, not a million.
  if (++current.failures <= 20) std::printf("%s:%d: %s\n", file, line, message.c_str());
}

int runAll(const std::string& file, const std::string& filter) {
  int counts[3] = {};
  for (const Test& test : tests()) {
    if (!file.empty() && test.file != file) continue;
    if (!filter.empty() && (test.file + "." + test.name).find(filter) == std::string::npos) continue;
    ++counts[int(run(test))];
    std::fflush(stdout);
  }
  std::printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  if (counts[1] || counts[0] + counts[2] == 0) return 1;  // a filter that matches nothing is a mistake
  return counts[0] == 0 ? 77 : 0;                         // CTest shows 77 as skipped
}

}  // namespace cnn::check

int main(int argc, char** argv) {
  std::string file, filter;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--file") && i + 1 < argc) file = argv[++i];
    else filter = argv[i];
  }
  return cnn::check::runAll(file, filter);
}
