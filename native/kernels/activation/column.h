// Lines that lie side by side (inner > 1): neighbouring threads take neighbouring lines, which makes every access of a warp contiguous. A
// block of 256 takes `columns` lines, with 256 / columns threads for each: 256 where lines are short, 32 where they are long.
#pragma once

#include "activation/line.h"

constexpr int columnThreads = 256, longColumns = 32;

// What holders of columns share.
template <typename T, int columns, int tensors> struct Column
{
    static constexpr int ranks = columnThreads / columns;
    LineStarts<T, tensors> starts;
    int size, rank;
    long long inner;

    // Where the line does not `exist` the team owns nothing of it.
    __device__ __forceinline__ Column(LineStarts<T, tensors> starts, int size, long long inner, bool exists)
        : starts(starts), size(exists ? size : 0), rank(threadIdx.x / columns), inner(inner)
    {
    }

    __device__ __forceinline__ LineUnit<T, tensors, 1> load(int i) const { return LineUnit<T, tensors, 1>::load(starts, i * inner); }
    __device__ __forceinline__ void put(T* y, int i, const Elements<T, 1>& result) const { result.store(y + i * inner, 0); }

    // Every thread of the block must take part. May be called again at once.
    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation operation) const
    {
        if constexpr (ranks == 1) return value;
        __shared__ float partial[ranks][columns];
        const int column = threadIdx.x % columns;
        __syncthreads();
        partial[rank][column] = value;
        __syncthreads();
        float result = partial[0][column];
#pragma unroll
        for (int r = 1; r < ranks; ++r) result = operation(result, partial[r][column]);
        return result;
    }

    __device__ __forceinline__ bool leads() const { return rank == 0 && size > 0; }
};

// Columns in dynamic shared memory, as floats. A thread meets only what it has put there itself.
template <typename T, int columns, int tensors> struct KeptColumn : Column<T, columns, tensors>
{
    static constexpr bool kept = true;
    static constexpr int together = 8;  // loads of a thread in flight
    using Base = Column<T, columns, tensors>;
    using Unit = LineUnit<T, tensors, 1>;

    __device__ __forceinline__ KeptColumn(LineStarts<T, tensors> starts, int size, long long inner, bool exists)
        : Base(starts, size, inner, exists)
    {
        for (int first = this->rank; first < this->size; first += together * Base::ranks) bring(first);
    }

    template <typename G> __device__ __forceinline__ void eachUnit(G g) { walk<false>(g); }
    template <typename G> __device__ __forceinline__ void changeUnits(G g) { walk<true>(g); }

private:
    __device__ __forceinline__ void bring(int first)
    {
        Unit unit[together];
#pragma unroll
        for (int j = 0; j < together; ++j)
            if (first + j * Base::ranks < this->size) unit[j] = this->load(first + j * Base::ranks);
#pragma unroll
        for (int j = 0; j < together; ++j) {
            if (first + j * Base::ranks >= this->size) continue;
#pragma unroll
            for (int t = 0; t < tensors; ++t) place(t, first + j * Base::ranks) = unit[j].of[t].at[0];
        }
    }

    template <bool change, typename G> __device__ __forceinline__ void walk(G& g)
    {
        for (int i = this->rank; i < this->size; i += Base::ranks) {
            Unit unit;
#pragma unroll
            for (int t = 0; t < tensors; ++t) unit.of[t].at[0] = place(t, i);
            g(i, unit);
            if constexpr (change) place(0, i) = unit.of[0].at[0];
        }
    }

    __device__ __forceinline__ float& place(int tensor, int i) const
    {
        extern __shared__ uint4 keptUnits[];
        return reinterpret_cast<float*>(keptUnits)[(tensor * this->size + i) * columns + threadIdx.x % columns];
    }
};

template <typename T, int columns, int tensors> struct StreamedColumn : Column<T, columns, tensors>
{
    static constexpr bool kept = false;
    using Base = Column<T, columns, tensors>;

    __device__ __forceinline__ StreamedColumn(LineStarts<T, tensors> starts, int size, long long inner, bool exists)
        : Base(starts, size, inner, exists)
    {
    }

    template <typename G> __device__ __forceinline__ void eachUnit(G g)
    {
        for (int i = this->rank; i < this->size; i += Base::ranks) {
            auto unit = this->load(i);
            g(i, unit);
        }
    }
};

// The line of this thread where each takes one.
__device__ __forceinline__ long long lineOfColumn() { return (long long)blockIdx.x * columnThreads + threadIdx.x; }

// The line of this thread's team; those beyond the last line stand at that one, for all must take part in reductions.
__device__ __forceinline__ long long lineOfLongColumn(long long count)
{
    const long long line = (long long)blockIdx.x * longColumns + threadIdx.x % longColumns;
    return line < count ? line : count - 1;
}

__device__ __forceinline__ long long startOfColumn(long long line, int size, long long inner)
{
    return line / inner * size * inner + line % inner;
}

// Calls f(holder, offset of the line) with columns that are kept, a thread for each. All tensors begin at `starts`.
template <typename T, int tensors, typename F>
__device__ __forceinline__ void withColumn(LineStarts<T, tensors> starts, long long count, int size, long long inner, F f)
{
    const long long line = lineOfColumn(), at = startOfColumn(line, size, inner);
    if (line < count) f(KeptColumn<T, columnThreads, tensors>(starts + at, size, inner, true), at);
}

// The same with a team for each column, which is kept if it may.
template <typename T, int tensors, typename F>
__device__ __forceinline__ void withLongColumn(LineStarts<T, tensors> starts, long long count, int size, long long inner, int keeps, F f)
{
    const bool exists = (long long)blockIdx.x * longColumns + threadIdx.x % longColumns < count;
    const long long at = startOfColumn(lineOfLongColumn(count), size, inner);
    if (keeps) f(KeptColumn<T, longColumns, tensors>(starts + at, size, inner, exists), at);
    else f(StreamedColumn<T, longColumns, tensors>(starts + at, size, inner, exists), at);
}
