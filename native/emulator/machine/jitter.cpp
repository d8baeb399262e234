#include "machine/jitter.h"

#include "machine/environment.h"

#include <atomic>

namespace cnn::emu {
namespace {

std::atomic<std::uint32_t>& current() {
  static std::atomic<std::uint32_t> jitter = std::uint32_t(environmentNumber("CNN_EMULATOR_JITTER", 0));
  return jitter;
}

}  // namespace

std::uint32_t requestedJitter() { return current(); }
void setJitter(std::uint32_t jitter) { current() = jitter; }

}  // namespace cnn::emu
