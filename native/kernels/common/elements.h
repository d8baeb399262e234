// One element or 16 bytes of them under one name, so that a kernel is written once for both. Numbers are of vectors, not elements.
#pragma once

#include "common/dtype.h"

template <typename T, int width> struct Elements
{
    float at[width];

    __device__ __forceinline__ static Elements load(const T* from, long long number)
    {
        Elements result;
        if constexpr (width == 1) {
            result.at[0] = ::load(from + number);
        } else {
            const Vector<T> v = loadVector(from + number * width);
#pragma unroll
            for (int k = 0; k < width; ++k) result.at[k] = v[k];
        }
        return result;
    }

    __device__ __forceinline__ void store(T* to, long long number) const
    {
        if constexpr (width == 1) {
            ::store(to + number, at[0]);
        } else {
            Vector<T> v;
#pragma unroll
            for (int k = 0; k < width; ++k) v[k] = at[k];
            storeVector(to + number * width, v);
        }
    }
};
