#include "ptx/feature.h"

#include <algorithm>

namespace cnn::emu::ptx {
namespace {

struct Feature {
  std::string_view opcodes;   // separated by blanks; empty: any
  std::string_view modifier;
  int ptx, sm;
};

constexpr Feature features[] = {
    {"", "shared::cta", 78, 10},
    {"", "shared::cluster", 78, 90},
    {"", "cluster", 78, 90},
    {"", "param::entry", 83, 10},
    {"", "param::func", 83, 10},
    {"", "b128", 83, 70},
    {"", "weak", 60, 70},
    {"", "relaxed", 60, 70},
    {"", "acquire", 60, 70},
    {"", "release", 60, 70},
    {"", "acq_rel", 60, 70},
    {"atom red", "cta", 50, 60},
    {"atom red", "gpu", 50, 60},
    {"atom red", "sys", 50, 60},
    {"mbarrier", "acquire", 80, 80},
    {"mbarrier", "release", 80, 80},
    {"bar barrier", "cta", 78, 10},
    {"cvta isspacep", "param", 77, 70},
    {"ld st", "L1::evict_normal", 74, 70},
    {"ld st", "L1::evict_unchanged", 74, 70},
    {"ld st", "L1::evict_first", 74, 70},
    {"ld st", "L1::evict_last", 74, 70},
    {"ld st", "L1::no_allocate", 74, 70},
    {"", "L2::64B", 74, 75},
    {"", "L2::128B", 74, 75},
    {"", "L2::256B", 74, 80},
    {"", "L2::cache_hint", 74, 80},
    {"min max", "NaN", 70, 80},
    {"min max", "xorsign", 72, 86},
};

struct Target {
  int sm, ptx, specific;  // the least version that has it, and its architecture-specific form; 0: there is none
};
constexpr Target targets[] = {
    {10, 10, 0}, {11, 10, 0}, {12, 12, 0}, {13, 12, 0}, {20, 20, 0}, {21, 20, 0}, {30, 30, 0}, {32, 40, 0}, {35, 31, 0}, {37, 41, 0},
    {50, 40, 0}, {52, 41, 0}, {53, 42, 0}, {60, 50, 0}, {61, 50, 0}, {62, 50, 0}, {70, 60, 0}, {72, 61, 0}, {75, 63, 0}, {80, 70, 0},
    {86, 71, 0}, {87, 74, 0}, {88, 90, 0}, {89, 78, 0}, {90, 78, 80}, {100, 86, 86}, {101, 86, 86}, {103, 88, 88}, {110, 90, 90}, {120, 87, 87}, {121, 88, 88},
};

constexpr int newestMinor[] = {-1, 5, 3, 2, 3, 0, 5, 8, 8};  // of major versions 1 to 8; later ones end nowhere yet

bool lists(std::string_view opcodes, std::string_view opcode) {
  if (opcodes.empty()) return true;
  const std::size_t at = opcodes.find(opcode);
  if (at == std::string_view::npos) return false;
  const std::size_t end = at + opcode.size();
  return (at == 0 || opcodes[at - 1] == ' ') && (end == opcodes.size() || opcodes[end] == ' ');
}

std::string versionText(int version) { return std::to_string(version / 10) + "." + std::to_string(version % 10); }

}  // namespace

std::string missing(int ptx, int sm, const Architecture& architecture) {
  if (architecture.ptx < ptx) return "needs PTX version " + versionText(ptx);
  if (architecture.sm < sm) return "needs .target sm_" + std::to_string(sm) + " or higher";
  return {};
}

std::string missingModifier(const Statement& statement, const Architecture& architecture) {
  for (const std::string_view modifier : statement.modifiers)
    for (const Feature& feature : features) {
      if (feature.modifier != modifier || !lists(feature.opcodes, statement.opcode)) continue;
      std::string problem = missing(feature.ptx, feature.sm, architecture);
      if (!problem.empty()) return problem + " for ." + std::string(modifier);
    }
  return {};
}

std::string checkArchitecture(const Architecture& a) {
  const int major = a.ptx / 10;
  if (major < 1 || (std::size_t(major) < std::size(newestMinor) && a.ptx % 10 > newestMinor[major])) return "there is no PTX version " + versionText(a.ptx);
  const std::string name = "sm_" + std::to_string(a.sm) + (a.architectureSpecific ? "a" : "");
  const auto target = std::ranges::find(targets, a.sm, &Target::sm);
  if (target == std::end(targets) || (a.architectureSpecific && target->specific == 0)) return "unknown target " + name;
  const int least = a.architectureSpecific ? target->specific : target->ptx;
  if (a.ptx < least) return ".target " + name + " needs PTX version " + versionText(least);
  return {};
}

}  // namespace cnn::emu::ptx
