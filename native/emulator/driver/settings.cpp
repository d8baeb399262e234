#include "driver/settings.h"

#include "driver/abi.h"

#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace cnn::emu::driver {
namespace {

[[noreturn]] void refuse(const char* name, std::string_view value, const char* expected) {
  throw std::invalid_argument(std::string(name) + "=" + std::string(value) + ": expected " + expected);
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

template <class Number>
std::optional<Number> number(const char* name, const char* expected) {
  const std::string_view text = variable(name);
  if (text.empty()) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) refuse(name, text, expected);
  return value;
}

DeviceModel deviceModel() {
  const std::string_view name = variable("CNN_EMULATOR_DEVICE");
  DeviceModel model = name == "sm_80" ? DeviceModel::sm80() : DeviceModel::sm90();
  if (!name.empty() && name != "sm_80" && name != "sm_90") refuse("CNN_EMULATOR_DEVICE", name, "sm_80 or sm_90");
  if (const auto bytes = number<std::size_t>("CNN_EMULATOR_MEMORY", "a number of bytes")) model.totalMemory = *bytes;
  return model;
}

Settings::Streams streamOrder() {
  const std::string_view name = variable("CNN_EMULATOR_STREAMS");
  if (name.empty() || name == "late") return Settings::Streams::late;
  if (name == "random") return Settings::Streams::random;
  if (name == "eager") return Settings::Streams::eager;
  refuse("CNN_EMULATOR_STREAMS", name, "late, random or eager");
}

// "12" fails the twelfth call with CUDA_ERROR_UNKNOWN, "12:2" with code 2.
std::optional<Settings::Injection> injection() {
  const std::string_view text = variable("CNN_EMULATOR_FAIL");
  if (text.empty()) return std::nullopt;
  Settings::Injection result{0, CUDA_ERROR_UNKNOWN};
  const char* end = text.data() + text.size();
  auto parsed = std::from_chars(text.data(), end, result.call);
  if (parsed.ec == std::errc{} && parsed.ptr != end && *parsed.ptr == ':')
    parsed = std::from_chars(parsed.ptr + 1, end, result.code);
  if (parsed.ec != std::errc{} || parsed.ptr != end || result.call == 0) refuse("CNN_EMULATOR_FAIL", text, "N or N:CODE");
  return result;
}

// Read where they are used, in the machine; what they hold is judged here, before anything runs.
void checkMachineNumbers() {
  if (number<unsigned>("CNN_EMULATOR_THREADS", "a number of threads").value_or(1) == 0) refuse("CNN_EMULATOR_THREADS", "0", "at least one thread");
  number<std::uint32_t>("CNN_EMULATOR_JITTER", "a number below 2^32");
  number<std::uint64_t>("CNN_EMULATOR_TIMEOUT", "seconds");
}

}  // namespace

Settings Settings::fromEnvironment() {
  Settings settings;
  settings.model = deviceModel();
  settings.streams = streamOrder();
  if (const auto seed = number<std::uint64_t>("CNN_EMULATOR_SEED", "a number")) settings.seed = *seed;
  if (const auto idle = number<unsigned>("CNN_EMULATOR_IDLE_MS", "milliseconds")) settings.idle = std::chrono::milliseconds(*idle);
  settings.log = !variable("CNN_EMULATOR_LOG").empty();
  settings.quiet = !variable("CNN_EMULATOR_QUIET").empty();
  settings.failure = injection();
  checkMachineNumbers();
  return settings;
}

}  // namespace cnn::emu::driver
