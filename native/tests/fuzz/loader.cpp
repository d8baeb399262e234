// libFuzzer target: whatever the text, loading it (parsing, verifying, inlining, control flow, liveness, decoding) neither
// crashes nor hangs nor runs out of memory, and what is refused has a reason with a line.
#include "machine/module.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cnn::emu;
  static const DeviceModel model = DeviceModel::sm90();
  static Memory memory(std::size_t(64) << 20);
  // Most inputs would fail at their head: those that have none get one.
  std::string text(reinterpret_cast<const char*>(data), size), info;
  if (text.find(".version") == std::string::npos) text.insert(0, ".version 8.3\n.target sm_90a\n.address_size 64\n");
  const auto result = Module::load(text, model, memory, info);
  if (const auto* error = std::get_if<LoadError>(&result); error && error->log.empty()) __builtin_trap();
  if (memory.used() != 0 && std::holds_alternative<LoadError>(result)) __builtin_trap();  // the variables of a failed load stay
  return 0;
}
