// What the environment asks of the emulator, read once at cuInit. native/emulator/README.md lists the variables.
#pragma once

#include "machine/device_model.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace cnn::emu::driver {

struct Settings {
  enum class Streams { late, random, eager };

  DeviceModel model;
  Streams streams = Streams::late;
  std::uint64_t seed = 1;
  std::chrono::milliseconds idle{100};  // pending work starts by itself when nobody waits for so long
  bool log = false;                     // reasons of failed calls on standard error
  bool quiet = false;                   // no reports of faults on standard error
  struct Injection {
    std::uint64_t call;
    int code;
  };
  std::optional<Injection> failure;

  // Throws std::invalid_argument naming a variable whose value is not understood.
  static Settings fromEnvironment();
};

}  // namespace cnn::emu::driver
