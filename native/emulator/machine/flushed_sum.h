// The sum of a reduction into global memory: subnormal inputs and results are zeros of their sign.
#pragma once

#include "machine/float_math.h"

namespace cnn::emu::CNN_ISA {

inline float flushedSum(float a, float b) { return canonical(flush<true>(flush<true>(a) + flush<true>(b))); }

}  // namespace cnn::emu::CNN_ISA
