// How a call fails: the body throws Failure, call.h turns it into the status that the program sees. Nothing is thrown
// across the C interface.
#pragma once

#include "driver/abi.h"

#include <string>

namespace cnn::emu::driver {

struct Failure {
  CUresult code;
  std::string reason;  // for people: cnnEmulatorLastMessage, and standard error when CNN_EMULATOR_LOG is set
};

[[noreturn]] inline void fail(CUresult code, std::string reason) { throw Failure{code, std::move(reason)}; }

inline void require(bool condition, CUresult code, const char* reason) {
  if (!condition) fail(code, reason);
}

inline void requireValue(bool condition, const char* reason) { require(condition, CUDA_ERROR_INVALID_VALUE, reason); }

// For the many arguments that must not be null.
template <class... Pointers>
void requirePointers(Pointers... pointers) {
  requireValue((... && (pointers != nullptr)), "a pointer argument is null");
}

}  // namespace cnn::emu::driver
