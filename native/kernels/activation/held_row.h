// Rows in registers.
#pragma once

#include "activation/line.h"

// Rows that `team` threads, a warp or a block, hold in vectors of `width` elements: vector v belongs to thread v % team. Rows are whole
// vectors.
template <typename T, int team, int vectors, int width, int tensors> struct HeldRow
{
    static constexpr bool kept = true;
    LineUnit<T, tensors, width> held[vectors];
    int size, rank;

    __device__ __forceinline__ HeldRow(LineStarts<T, tensors> rows, int size) : size(size), rank(threadIdx.x % team)
    {
#pragma unroll
        for (int v = 0; v < vectors; ++v)
            held[v] = place(v) * width < size ? LineUnit<T, tensors, width>::load(rows, place(v)) : LineUnit<T, tensors, width>();
    }

    template <typename G> __device__ __forceinline__ void eachUnit(G g)
    {
#pragma unroll
        for (int v = 0; v < vectors; ++v)
            if (place(v) * width < size) g(place(v) * width, held[v]);
    }

    template <typename G> __device__ __forceinline__ void changeUnits(G g) { eachUnit(g); }

    __device__ __forceinline__ void put(T* y, int i, const Elements<T, width>& result) const { result.store(y + i, 0); }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation operation) const
    {
        if constexpr (team == warpSize32) return warpReduce(value, operation);
        else return blockReduce<team>(value, operation);
    }

    __device__ __forceinline__ bool leads() const { return rank == 0; }

private:
    __device__ __forceinline__ int place(int v) const { return rank + v * team; }
};

// Row lengths that a warp holds, and a block; threads of a block of either, and so the rows of one where warps hold them.
constexpr int warpRowLimit = 256, blockRowLimit = 2048;
constexpr int lineThreads = 256, rowsPerBlock = lineThreads / warpSize32;

// The row of this warp.
__device__ __forceinline__ long long rowOfWarp() { return (long long)blockIdx.x * rowsPerBlock + threadIdx.x / warpSize32; }

// Whether rows of a matrix, one behind the other, are whole units of 16 bytes in all the tensors of an operation.
template <typename T, typename... Others> __device__ __forceinline__ bool rowsAreUnits(int size, const T* first, const Others*... others)
{
    return size % vectorWidth<T> == 0 && aligned16(first, others...);
}

// Calls f with rows that this warp holds in as few registers as their size allows; `wide` as rowsAreUnits says.
template <typename T, int tensors, typename F>
__device__ __forceinline__ void withWarpRow(LineStarts<T, tensors> rows, int size, bool wide, F f)
{
    constexpr int each = warpRowLimit / warpSize32, width = vectorWidth<T>;
    if (wide) f(HeldRow<T, warpSize32, each / width, width, tensors>(rows, size));
    else if (size <= warpSize32) f(HeldRow<T, warpSize32, 1, 1, tensors>(rows, size));
    else f(HeldRow<T, warpSize32, each, 1, tensors>(rows, size));
}

// Calls f with rows that this block holds.
template <typename T, int tensors, typename F>
__device__ __forceinline__ void withBlockRow(LineStarts<T, tensors> rows, int size, bool wide, F f)
{
    constexpr int each = blockRowLimit / lineThreads, width = vectorWidth<T>;
    if (wide) f(HeldRow<T, lineThreads, each / width, width, tensors>(rows, size));
    else f(HeldRow<T, lineThreads, each, 1, tensors>(rows, size));
}
