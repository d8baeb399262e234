// Division of a non-negative int by a number known at launch: one high multiplication, one addition, one shift.
// The host computes the numbers (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).
#pragma once

#include "common/cuda_compat.h"

struct FastDivisor
{
    unsigned divisor;     // 1 to 2^31 - 1
    unsigned multiplier;  // 2^32 (2^shift - divisor) / divisor + 1
    unsigned shift;       // least with 2^shift >= divisor
};

// `value` up to 2^31 - 1: the sum below stays within 32 bits.
__device__ __forceinline__ int divide(int value, const FastDivisor& by)
{
    return (int)((__umulhi((unsigned)value, by.multiplier) + (unsigned)value) >> by.shift);
}

// Quotient, and the remainder in `remainder`.
__device__ __forceinline__ int divide(int value, const FastDivisor& by, int& remainder)
{
    const int quotient = divide(value, by);
    remainder = value - quotient * (int)by.divisor;
    return quotient;
}
