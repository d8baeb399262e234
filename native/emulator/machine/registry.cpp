#include "machine/registry.h"

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

namespace cnn::emu {

#define CNN_FAMILY(name)                                 \
  namespace plain { std::span<const Entry> name(); }     \
  namespace avx2 { std::span<const Entry> name(); }      \
  namespace avx512 { std::span<const Entry> name(); }
#include "machine/families.inc"
#undef CNN_FAMILY

namespace {

bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }
bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}

std::string_view chooseIsa() {
  const char* asked = std::getenv("CNN_EMULATOR_ISA");
  const std::string_view best = hasAvx512() ? "avx512" : hasAvx2() ? "avx2" : "plain";
  if (!asked || !*asked) return best;
  const std::string_view wanted = asked;
  if (wanted == "plain") return "plain";
  if (wanted == "avx2" && hasAvx2()) return "avx2";
  if (wanted == "avx512" && hasAvx512()) return "avx512";
  std::fprintf(stderr, "CNN_EMULATOR_ISA=%s: not plain, avx2 or avx512, or this processor lacks it\n", asked);
  std::abort();
}

Registry makeRegistry() {
  Registry registry;
  const auto add = [&](std::span<const Entry> family) {
    for (const Entry& entry : family) {
      registry.signatures.add({entry.opcode, entry.operands, entry.ptx, entry.sm});
      registry.entries.push_back(entry);
    }
  };
  const std::string_view isa = hostIsa();
#define CNN_FAMILY(name) add(isa == "avx512" ? avx512::name() : isa == "avx2" ? avx2::name() : plain::name());
#include "machine/families.inc"
#undef CNN_FAMILY
  return registry;
}

}  // namespace

std::string_view hostIsa() {
  static const std::string_view isa = chooseIsa();
  return isa;
}

const Registry& registry() {
  static const Registry all = makeRegistry();
  return all;
}

}  // namespace cnn::emu
