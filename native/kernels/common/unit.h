// Sixteen bytes of elements on their way to shared memory: copied at once where memory is aligned, else collected one by one.
#pragma once

#include "common/tensor_core.h"

template <class T> constexpr int unitSize = 16 / sizeof(T);  // elements of a unit

template <class T> struct Unit
{
    unsigned word[4] = {};

    // Element k, once: all start as zeros. k is a constant where loops are unrolled.
    __device__ __forceinline__ void set(int k, T value)
    {
        if constexpr (sizeof(T) == 4) word[k] = __float_as_uint(value);
        else if constexpr (sizeof(T) == 2) word[k / 2] |= (unsigned)value.bits << k % 2 * 16;
        else word[k / 4] |= (unsigned)value << k % 4 * 8;
    }

    // The barrier before it is read makes it visible, as it does for asynchronous copies.
    __device__ __forceinline__ void store(unsigned to) const
    {
        asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(word[0]), "r"(word[1]), "r"(word[2]), "r"(word[3]) : "memory");
    }
};

// Brings the unit at `first + offset`, of which `inside` elements exist (none or fewer: zeros). `wide`: it is aligned; then it is
// copied at once, whole or not at all.
template <class T> __device__ __forceinline__ void bringUnit(unsigned to, const T* first, long long offset, int inside, bool wide)
{
    if (wide && (inside <= 0 || inside >= unitSize<T>)) {
        copyAsync(to, inside > 0 ? first + offset : first, inside > 0 ? 16 : 0);
        return;
    }
    Unit<T> unit;
#pragma unroll
    for (int k = 0; k < unitSize<T>; ++k)
        if (k < inside) unit.set(k, first[offset + k]);
    unit.store(to);
}
