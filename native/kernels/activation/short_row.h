// Rows of a few elements, a thread for each: a warp would have one element per lane, or none.
//
// The rows of a block are one contiguous range. All threads bring it to shared memory, neighbours neighbouring elements, and take the result
// back the same way; in between each meets its own row alone. Rows are kept as floats, an odd distance apart: those of a warp begin in
// different banks.
#pragma once

#include "activation/column.h"
#include "activation/held_row.h"

// Where the elements of a block's rows stand that a thread brings and takes: every 256th.
struct ShortRowPlace
{
    int size, i, place;

    __device__ __forceinline__ explicit ShortRowPlace(int size) : size(size), i(threadIdx.x % size), place(threadIdx.x / size * pitch(size) + i) {}

    __device__ __forceinline__ static int pitch(int size) { return size | 1; }

    __device__ __forceinline__ void advance()
    {
        const int rows = lineThreads / size, rest = lineThreads - rows * size;
        i += rest;
        place += rows * pitch(size) + rest;
        if (i < size) return;
        i -= size;
        place += pitch(size) - size;
    }
};

// The rows of this block.
struct ShortRows
{
    static constexpr int together = 4;  // loads of a thread in flight
    long long first;
    int count, size;

    __device__ __forceinline__ ShortRows(long long lines, int size)
        : first((long long)blockIdx.x * lineThreads), count(lines - first < lineThreads ? (int)(lines - first) : lineThreads), size(size)
    {
    }

    __device__ __forceinline__ float* kept(int tensor) const
    {
        extern __shared__ uint4 keptUnits[];
        return reinterpret_cast<float*>(keptUnits) + tensor * lineThreads * ShortRowPlace::pitch(size);
    }

    template <typename T> __device__ __forceinline__ void bring(const T* x, int tensor) const
    {
        x += first * size;
        ShortRowPlace to(size);
        for (int element = threadIdx.x; element < count * size; element += together * lineThreads) {
            T value[together];
#pragma unroll
            for (int j = 0; j < together; ++j)
                if (element + j * lineThreads < count * size) value[j] = x[element + j * lineThreads];
#pragma unroll
            for (int j = 0; j < together; ++j, to.advance())
                if (element + j * lineThreads < count * size) kept(tensor)[to.place] = toFloat(value[j]);
        }
    }

    template <typename T> __device__ __forceinline__ void take(T* y) const
    {
        y += first * size;
        ShortRowPlace from(size);
        for (int element = threadIdx.x; element < count * size; element += lineThreads, from.advance()) store(y + element, kept(0)[from.place]);
    }
};

// The row of a thread.
template <typename T, int tensors> struct ShortRow
{
    static constexpr bool kept = true;
    ShortRows rows;

    template <typename G> __device__ __forceinline__ void eachUnit(G g) { walk<false>(g); }
    template <typename G> __device__ __forceinline__ void changeUnits(G g) { walk<true>(g); }

    // In place of the first tensor; ShortRows::take brings it to memory.
    __device__ __forceinline__ void put(T*, int i, const Elements<T, 1>& result) const { place(0, i) = result.at[0]; }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation) const { return value; }

    __device__ __forceinline__ bool leads() const { return true; }

private:
    template <bool change, typename G> __device__ __forceinline__ void walk(G& g)
    {
        for (int i = 0; i < rows.size; ++i) {
            LineUnit<T, tensors, 1> unit;
#pragma unroll
            for (int t = 0; t < tensors; ++t) unit.of[t].at[0] = place(t, i);
            g(i, unit);
            if constexpr (change) place(0, i) = unit.of[0].at[0];
        }
    }

    __device__ __forceinline__ float& place(int tensor, int i) const { return rows.kept(tensor)[threadIdx.x * ShortRowPlace::pitch(rows.size) + i]; }
};

// Calls f(holder, number of the line) for the row of each thread, and stores what that has put to y.
template <typename T, int tensors, typename F>
__device__ __forceinline__ void withShortRow(LineStarts<T, tensors> starts, T* y, long long count, int size, F f)
{
    const ShortRows rows(count, size);
#pragma unroll
    for (int t = 0; t < tensors; ++t) rows.bring(starts.at[t], t);
    __syncthreads();
    if ((int)threadIdx.x < rows.count) f(ShortRow<T, tensors>{rows}, rows.first + threadIdx.x);
    __syncthreads();
    rows.take(y);
}
