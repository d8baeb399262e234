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

    __device__ __forceinline__ int lead() const { return (unsigned)first % unitSize<T>; }
    __device__ __forceinline__ T* elements() const { return (T*)memory + lead(); }
    __device__ __forceinline__ int units() const { return (unsigned)(lead() + count + unitSize<T> - 1) / unitSize<T>; }

    // From a tensor of `total` elements: units that lie within it at once.
    __device__ __forceinline__ void copyIn(const T* from, long long total) const
    {
        const long long start = first - lead();
        const int whole = !wide ? 0 : start + (long long)units() * unitSize<T> > total ? units() - 1 : units();
        const unsigned to = sharedAddress(memory);
        int i = threadIdx.x;
        for (; i < whole; i += Threads) copyAsync<16>(to + i * 16, from + start + i * unitSize<T>);
        for (; i < units(); i += Threads) {
            const long long at = start + (long long)i * unitSize<T>;
            bringUnit(to + i * 16, from, at, total - at < unitSize<T> ? (int)(total - at) : unitSize<T>, wide);
        }
    }

    // Units at both ends may be shared with other blocks: of those only the range's own elements are written.
    __device__ __forceinline__ void copyOut(T* to) const
    {
        const int before = lead() > 0, whole = wide ? max((int)((unsigned)(lead() + count) / unitSize<T>) - before, 0) : 0;
        T* const target = to + first - lead();
        for (int i = before + threadIdx.x; i < before + whole; i += Threads) storeWide(target + i * unitSize<T>, memory[i]);
        for (int i = threadIdx.x; i < units() - whole; i += Threads) {
            const int at = (i < before ? i : i + whole) * unitSize<T>;
            for (int k = max(at, lead()); k < min(at + unitSize<T>, lead() + count); ++k) target[k] = ((const T*)memory)[k];
        }
    }
};
