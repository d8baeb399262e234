// A range of a tensor in shared memory, from the unit of 16 bytes that holds its first element on: wherever it begins and ends in
// memory, it is copied in whole units. For blocks of `Threads` threads, all of which take part.
#pragma once

#include "common/unit.h"
#include "common/wide.h"

template <class T, int Threads> struct FlatTile
{
    uint4* const memory;
    const long long first;
    const int count, wide;

    __device__ __forceinline__ int lead() const { return (int)(first % unitSize<T>); }
    __device__ __forceinline__ T* elements() const { return (T*)memory + lead(); }
    __device__ __forceinline__ int units() const { return (lead() + count + unitSize<T> - 1) / unitSize<T>; }

    // From a tensor of `total` elements.
    __device__ __forceinline__ void copyIn(const T* from, long long total) const
    {
        for (int i = threadIdx.x; i < units(); i += Threads) {
            const long long at = first - lead() + (long long)i * unitSize<T>;
            bringUnit(sharedAddress(memory + i), from, at, total - at < unitSize<T> ? (int)(total - at) : unitSize<T>, wide);
        }
    }

    // Units at both ends may be shared with other blocks: of those only the range's own elements are written.
    __device__ __forceinline__ void copyOut(T* to) const
    {
        for (int i = threadIdx.x; i < units(); i += Threads) {
            const int at = i * unitSize<T> - lead();
            T* const target = to + first + at;
            if (wide && at >= 0 && at + unitSize<T> <= count) {
                const uint4 v = memory[i];
                storeWide((float*)target, make_float4(__uint_as_float(v.x), __uint_as_float(v.y), __uint_as_float(v.z), __uint_as_float(v.w)));
                continue;
            }
            for (int k = max(0, -at); k < unitSize<T> && at + k < count; ++k) target[k] = elements()[at + k];
        }
    }
};
