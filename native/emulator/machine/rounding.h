// Directed rounding by the processor's control register. The barriers keep the arithmetic between the two switches: it
// reads its operands from memory after the first and has stored its results before the second.
#pragma once

#include <xmmintrin.h>

namespace cnn::emu::CNN_ISA {

enum class Round : unsigned { nearest = 0x0000, down = 0x2000, up = 0x4000, zero = 0x6000 };

class RoundingScope {
 public:
  explicit RoundingScope(Round mode) : before_(_mm_getcsr()) {
    _mm_setcsr((before_ & ~0x6000u) | unsigned(mode));
    asm volatile("" ::: "memory");
  }
  ~RoundingScope() {
    asm volatile("" ::: "memory");
    _mm_setcsr(before_);
  }
  RoundingScope(const RoundingScope&) = delete;

 private:
  unsigned before_;
};

}  // namespace cnn::emu::CNN_ISA
