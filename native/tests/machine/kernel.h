// Runs PTX text in tests: a device with its memory, modules, and launches whose arguments are packed by type.
#pragma once

#include "check.h"

#include "machine/launch.h"
#include "machine/module.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cnn::test {

inline std::string moduleText(std::string_view body, const char* version = "8.3", const char* target = "sm_90a") {
  return std::string(".version ") + version + "\n.target " + target + "\n.address_size 64\n" + std::string(body);
}

class Device {
 public:
  emu::DeviceModel model = emu::DeviceModel::sm90();
  emu::Memory memory{model.totalMemory};

  template <class T> std::uint64_t upload(const std::vector<T>& values, const char* label = "upload") {
    const std::uint64_t address = memory.allocate(values.size() * sizeof(T), 256, label);
    REQUIRE(address != 0);
    REQUIRE(!memory.copyIn(address, values.data(), values.size() * sizeof(T)));
    return address;
  }
  template <class T> std::uint64_t zeros(std::size_t count) { return upload(std::vector<T>(count)); }
  template <class T> std::vector<T> download(std::uint64_t address, std::size_t count) {
    std::vector<T> values(count);
    REQUIRE(!memory.copyOut(values.data(), address, count * sizeof(T)));
    return values;
  }
};

class Program {
 public:
  Program(Device& device, std::string_view text) : device_(device) {
    std::string info;
    auto result = emu::Module::load(text, device.model, device.memory, info);
    if (auto* error = std::get_if<emu::LoadError>(&result)) {
      FAIL("load failed: " + error->log);
      throw check::Stop{};
    }
    module_ = std::move(std::get<std::unique_ptr<emu::Module>>(result));
  }

  template <class... Arguments>
  std::optional<emu::Fault> tryRun(std::string_view kernel, emu::Dim3 grid, emu::Dim3 block, unsigned dynamicShared, Arguments... arguments) {
    const emu::Function* function = module_->find(kernel);
    REQUIRE(function != nullptr);
    std::vector<std::byte> parameters(function->parameterBytes);
    std::size_t n = 0;
    [[maybe_unused]] const auto pack = [&](const auto& argument) {
      REQUIRE(n < function->parameters.size());
      REQUIRE_EQ(function->parameters[n].size, sizeof argument);
      std::memcpy(parameters.data() + function->parameters[n++].offset, &argument, sizeof argument);
    };
    (pack(arguments), ...);
    REQUIRE_EQ(n, function->parameters.size());
    emu::LaunchRequest request;
    request.function = function;
    request.grid = grid;
    request.block = block;
    request.dynamicShared = dynamicShared;
    request.parameters = parameters;
    request.cooperative = cooperative;
    request.cluster = cluster;
    return emu::launch(request, device_.memory, device_.model);
  }
  template <class... Arguments> void run(std::string_view kernel, emu::Dim3 grid, emu::Dim3 block, unsigned dynamicShared, Arguments... arguments) {
    const auto fault = tryRun(kernel, grid, block, dynamicShared, arguments...);
    if (fault) FAIL("launch failed: " + std::to_string(fault->code) + " " + fault->report);
  }
  emu::Module& module() { return *module_; }
  bool cooperative = false;
  emu::Dim3 cluster{1, 1, 1};

 private:
  Device& device_;
  std::unique_ptr<emu::Module> module_;
};

// The log of a load that must fail with this status.
inline std::string loadError(std::string_view text, int code = 218) {
  Device device;
  std::string info;
  auto result = emu::Module::load(text, device.model, device.memory, info);
  auto* error = std::get_if<emu::LoadError>(&result);
  REQUIRE(error != nullptr);
  CHECK_EQ(error->code, code);
  return error->log;
}

inline bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace cnn::test
