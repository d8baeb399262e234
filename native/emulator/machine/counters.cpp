#include "machine/counters.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>

namespace cnn::emu {
namespace {

constexpr std::string_view classNames[] = {"integer", "floating", "half", "conversion", "move", "control", "globalLoad",
                                           "globalStore", "sharedLoad", "sharedStore", "otherMemory", "atomic", "warp",
                                           "barrier", "tensor", "async", "special"};
static_assert(std::size(classNames) == std::size_t(Class::count));

using Field = std::uint64_t Counters::*;
struct NamedField {
  std::string_view name;
  Field field;
};

constexpr NamedField sums[] = {
    {"launches", &Counters::launches}, {"blocks", &Counters::blocks}, {"warps", &Counters::warps},
    {"threads", &Counters::threads}, {"nanoseconds", &Counters::nanoseconds},
    {"warpInstructions", &Counters::warpInstructions}, {"flops", &Counters::flops}, {"barriers", &Counters::barriers},
    {"branches", &Counters::branches}, {"divergentBranches", &Counters::divergentBranches},
    {"globalLoadRequests", &Counters::globalLoadRequests}, {"globalLoadSectors", &Counters::globalLoadSectors},
    {"globalLoadBytes", &Counters::globalLoadBytes}, {"globalStoreRequests", &Counters::globalStoreRequests},
    {"globalStoreSectors", &Counters::globalStoreSectors}, {"globalStoreBytes", &Counters::globalStoreBytes},
    {"globalAtomicRequests", &Counters::globalAtomicRequests}, {"globalAtomicSectors", &Counters::globalAtomicSectors},
    {"globalLoadBlockSectors", &Counters::globalLoadBlockSectors}, {"globalStoreBlockSectors", &Counters::globalStoreBlockSectors},
    {"sharedLoadRequests", &Counters::sharedLoadRequests}, {"sharedLoadWavefronts", &Counters::sharedLoadWavefronts},
    {"sharedLoadBytes", &Counters::sharedLoadBytes}, {"sharedStoreRequests", &Counters::sharedStoreRequests},
    {"sharedStoreWavefronts", &Counters::sharedStoreWavefronts}, {"sharedStoreBytes", &Counters::sharedStoreBytes},
    {"sharedIdealWavefronts", &Counters::sharedIdealWavefronts}};
constexpr NamedField maxima[] = {{"maxSharedConflict", &Counters::maxSharedConflict},
                                 {"widestGlobalAccess", &Counters::widestGlobalAccess},
                                 {"widestSharedAccess", &Counters::widestSharedAccess}};

std::string_view requested() {
  const char* text = std::getenv("CNN_EMULATOR_PROFILE");
  return text ? text : "";
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string_view name(Class c) { return classNames[std::size_t(c)]; }

void Counters::add(const Counters& other) {
  for (const NamedField& f : sums) this->*f.field += other.*f.field;
  for (const NamedField& f : maxima) this->*f.field = std::max(this->*f.field, other.*f.field);
  for (std::size_t c = 0; c < std::size_t(Class::count); ++c) instructions[c] += other.instructions[c];
}

struct Profile::State {
  mutable std::mutex mutex;
  std::map<std::string, Counters, std::less<>> kernels;
  Detail detail = requested().empty() ? Detail::none : Detail::blocks;
};

Profile::Profile() {
  const std::string_view wanted = requested();
  if (wanted.empty() || wanted == "table" || (wanted.substr(0, 5) == "json:" && wanted.size() > 5)) return;
  std::fprintf(stderr, "CNN_EMULATOR_PROFILE=%s is neither table nor json:FILE\n", std::string(wanted).c_str());
  std::abort();
}

Profile& Profile::instance() {
  static Profile profile;
  return profile;
}

Profile::State& Profile::state() const {
  static State& state = *new State;  // never destroyed: the report is written at exit, and threads may outlive main
  return state;
}

Detail Profile::detail() const {
  const std::lock_guard lock(state().mutex);
  return state().detail;
}

void Profile::setDetail(Detail detail) {
  const std::lock_guard lock(state().mutex);
  state().detail = detail;
}

void Profile::record(std::string_view kernel, const Counters& counters) {
  const std::lock_guard lock(state().mutex);
  auto known = state().kernels.find(kernel);
  if (known == state().kernels.end()) known = state().kernels.emplace(std::string(kernel), Counters{}).first;
  known->second.add(counters);
}

bool Profile::find(std::string_view kernel, Counters& found) const {
  const std::lock_guard lock(state().mutex);
  const auto known = state().kernels.find(kernel);
  if (known == state().kernels.end()) return false;
  found = known->second;
  return true;
}

std::vector<std::string> Profile::kernels() const {
  const std::lock_guard lock(state().mutex);
  std::vector<std::string> names;
  for (const auto& [name, counters] : state().kernels) names.push_back(name);
  return names;
}

void Profile::reset() {
  const std::lock_guard lock(state().mutex);
  state().kernels.clear();
}

std::string Profile::json() const {
  const std::lock_guard lock(state().mutex);
  std::ostringstream out;
  out << "{\n  \"kernels\": [";
  const char* separator = "\n";
  for (const auto& [kernel, counters] : state().kernels) {
    out << separator << "    {\"name\": " << quoted(kernel);
    for (const NamedField& f : sums) out << ", " << quoted(f.name) << ": " << counters.*f.field;
    for (const NamedField& f : maxima) out << ", " << quoted(f.name) << ": " << counters.*f.field;
    out << ", \"instructions\": {";
    for (std::size_t c = 0; c < std::size_t(Class::count); ++c)
      out << (c ? ", " : "") << quoted(classNames[c]) << ": " << counters.instructions[c];
    out << "}}";
    separator = ",\n";
  }
  out << "\n  ]\n}\n";
  return out.str();
}

std::string Profile::table() const {
  const std::lock_guard lock(state().mutex);
  std::string out;
  char line[512];
  std::snprintf(line, sizeof line, "%-40s %8s %10s %14s %14s %12s %12s %12s %9s %9s\n", "kernel", "launches", "ms",
                "thread instr", "flops", "bytes read", "from L2", "bytes written", "sect/ld", "wave/ld");
  out += line;
  const auto ratio = [](std::uint64_t a, std::uint64_t b) { return b ? double(a) / double(b) : 0.0; };
  for (const auto& [kernel, c] : state().kernels) {
    std::uint64_t instructions = 0;
    for (const std::uint64_t count : c.instructions) instructions += count;
    std::snprintf(line, sizeof line, "%-40.40s %8llu %10.3f %14llu %14llu %12llu %12llu %12llu %9.2f %9.2f\n", kernel.c_str(),
                  static_cast<unsigned long long>(c.launches), double(c.nanoseconds) * 1e-6,
                  static_cast<unsigned long long>(instructions), static_cast<unsigned long long>(c.flops),
                  static_cast<unsigned long long>(c.globalLoadBytes),
                  static_cast<unsigned long long>(32 * c.globalLoadBlockSectors), static_cast<unsigned long long>(c.globalStoreBytes),
                  ratio(c.globalLoadSectors, c.globalLoadRequests), ratio(c.sharedLoadWavefronts, c.sharedLoadRequests));
    out += line;
  }
  return out;
}

void Profile::writeRequested() const {
  const std::string_view wanted = requested();
  if (wanted == "table") std::fputs(table().c_str(), stderr);
  if (wanted.substr(0, 5) != "json:") return;
  const std::string file(wanted.substr(5));
  std::ofstream out(file);
  out << json();
  if (!out.flush()) std::fprintf(stderr, "cannot write the profile to %s\n", file.c_str());
}

}  // namespace cnn::emu
