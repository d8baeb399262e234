// Sixteen bytes of elements collected one by one, for operands whose memory does not allow one copy of them.
#pragma once

#include "gemm/mma_tile.h"

template <class T> struct Unit
{
    unsigned word[4] = {};

    // Element k, once: all start as zeros. k is a constant where loops are unrolled.
    __device__ __forceinline__ void set(int k, T value)
    {
        if constexpr (sizeof(T) == 4) word[k] = __float_as_uint(value);
        else word[k / 2] |= (unsigned)value.bits << k % 2 * 16;
    }

    // The barrier before the stage is read makes it visible, as it does for asynchronous copies.
    __device__ __forceinline__ void store(unsigned to) const
    {
        asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(word[0]), "r"(word[1]), "r"(word[2]), "r"(word[3]) : "memory");
    }
};
