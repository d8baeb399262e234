// The 64-bit word of an mbarrier: opaque to kernels, plain arithmetic here.
//
// A phase ends when no arrivals are pending and the transaction count is zero; then the parity flips and the pending
// count starts again from the expected one. Fields, from bit 0: parity 1, pending arrivals 20, expected arrivals 20,
// transaction bytes 21 (two's complement), mark 2.
#pragma once

#include <cstdint>

namespace cnn::emu {

struct MbarrierWord {
  static constexpr uint32_t maxCount = (1u << 20) - 1;
  static constexpr int32_t maxTransaction = (1 << 20) - 1;

  enum class Error { none, notInitialised, countRange, tooManyArrivals, transactionRange, completedByNoComplete };

  bool parity = false;
  uint32_t pending = 0, expected = 0;
  int32_t transaction = 0;

  static bool valid(uint64_t word) { return word >> 62 == 2; }

  static MbarrierWord decode(uint64_t word) {
    MbarrierWord w;
    w.parity = word & 1;
    w.pending = uint32_t(word >> 1) & maxCount;
    w.expected = uint32_t(word >> 21) & maxCount;
    w.transaction = int32_t(uint32_t(word >> 41) << 11) >> 11;
    return w;
  }

  uint64_t encode() const {
    return uint64_t(parity) | uint64_t(pending) << 1 | uint64_t(expected) << 21
           | uint64_t(uint32_t(transaction) & 0x1FFFFF) << 41 | uint64_t(2) << 62;
  }

  // The parity that has been completed is the opposite of the current phase's; a fresh barrier passes a wait for 1.
  bool completed(bool waitedParity) const { return parity != waitedParity; }

  static Error init(uint32_t count, MbarrierWord& word) {
    if (count == 0 || count > maxCount) return Error::countRange;
    word = {};
    word.pending = word.expected = count;
    return Error::none;
  }

  Error expect(int32_t bytes) {
    if (bytes < 0 || transaction > maxTransaction - bytes) return Error::transactionRange;
    transaction += bytes;
    return Error::none;
  }

  // Completion of `bytes`. It may run ahead of the expectation of the same phase, so that the count goes below zero.
  Error complete(int32_t bytes) {
    if (bytes < 0 || transaction < -maxTransaction + bytes) return Error::transactionRange;
    transaction -= bytes;
    finish();
    return Error::none;
  }

  Error arrive(uint32_t count) {
    if (count == 0 || count > maxCount) return Error::countRange;
    if (count > pending) return Error::tooManyArrivals;
    pending -= count;
    finish();
    return Error::none;
  }

  // Arrives and leaves: later phases expect so many fewer.
  Error drop(uint32_t count) {
    if (count > expected) return Error::tooManyArrivals;
    expected -= count;
    return arrive(count);
  }

 private:
  void finish() {
    if (pending != 0 || transaction != 0) return;
    parity = !parity;
    pending = expected;
  }
};

inline const char* describe(MbarrierWord::Error error) {
  switch (error) {
    case MbarrierWord::Error::none: return "no error";
    case MbarrierWord::Error::notInitialised: return "the mbarrier is not initialised";
    case MbarrierWord::Error::countRange: return "the count does not lie in [1, 2^20 - 1]";
    case MbarrierWord::Error::tooManyArrivals: return "more arrivals than the phase has pending";
    case MbarrierWord::Error::transactionRange: return "the transaction count leaves [-(2^20 - 1), 2^20 - 1]";
    case MbarrierWord::Error::completedByNoComplete: return "an arrival with .noComplete completed the phase";
  }
  return "";
}

}  // namespace cnn::emu
