// Places of maxima in their windows, in bytes or integers.
#pragma once

#include "common/cuda_compat.h"

// Bytes of neighbouring outputs, 1, 2, 4 or 8, in accesses of up to four; the address must be a multiple of that.
template <int count> __device__ __forceinline__ void loadBytes(const unsigned char* from, int (&values)[count])
{
    if constexpr (count == 1) {
        values[0] = from[0];
    } else if constexpr (count == 2) {
        const uchar2 two = *reinterpret_cast<const uchar2*>(from);
        values[0] = two.x, values[1] = two.y;
    } else {
#pragma unroll
        for (int k = 0; k < count; k += 4) {
            const uchar4 four = *reinterpret_cast<const uchar4*>(from + k);
            values[k] = four.x, values[k + 1] = four.y, values[k + 2] = four.z, values[k + 3] = four.w;
        }
    }
}

template <int count> __device__ __forceinline__ void storeBytes(unsigned char* to, const int (&values)[count])
{
    if constexpr (count == 1) {
        to[0] = (unsigned char)values[0];
    } else if constexpr (count == 2) {
        *reinterpret_cast<uchar2*>(to) = make_uchar2((unsigned char)values[0], (unsigned char)values[1]);
    } else {
#pragma unroll
        for (int k = 0; k < count; k += 4)
            *reinterpret_cast<uchar4*>(to + k) =
                make_uchar4((unsigned char)values[k], (unsigned char)values[k + 1], (unsigned char)values[k + 2], (unsigned char)values[k + 3]);
    }
}

// At most one of the pointers is given.
struct PlaceArray
{
    unsigned char* bytes;
    int* integers;

    template <int width> __device__ __forceinline__ void store(const int (&places)[width], long long number) const
    {
        if (integers) {
#pragma unroll
            for (int k = 0; k < width; ++k) integers[number * width + k] = places[k];
        } else if (bytes) {
            storeBytes(bytes + number * width, places);
        }
    }

    template <int width> __device__ __forceinline__ void load(int (&places)[width], long long number) const
    {
        if (integers) {
#pragma unroll
            for (int k = 0; k < width; ++k) places[k] = integers[number * width + k];
        } else {
            loadBytes(bytes + number * width, places);
        }
    }
};
