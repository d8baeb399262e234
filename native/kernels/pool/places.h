// Places of maxima in their windows, in bytes or integers.
#pragma once

#include "common/cuda_compat.h"

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
            // Four bytes in a store where there are four.
            if constexpr (width == 1) {
                bytes[number] = (unsigned char)places[0];
            } else {
#pragma unroll
                for (int k = 0; k < width; k += 4)
                    *reinterpret_cast<uchar4*>(bytes + number * width + k) =
                        make_uchar4((unsigned char)places[k], (unsigned char)places[k + 1], (unsigned char)places[k + 2], (unsigned char)places[k + 3]);
            }
        }
    }

    template <int width> __device__ __forceinline__ void load(int (&places)[width], long long number) const
    {
        if (integers) {
#pragma unroll
            for (int k = 0; k < width; ++k) places[k] = integers[number * width + k];
        } else if constexpr (width == 1) {
            places[0] = bytes[number];
        } else {
#pragma unroll
            for (int k = 0; k < width; k += 4) {
                const uchar4 four = *reinterpret_cast<const uchar4*>(bytes + number * width + k);
                places[k] = four.x, places[k + 1] = four.y, places[k + 2] = four.z, places[k + 3] = four.w;
            }
        }
    }
};
