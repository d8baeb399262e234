// Lines of a tensor along one axis, and how a team of threads holds one: what softmax and the losses on top of it share.
//
// A tensor is (outer, size, inner), with lines of `size` elements at distance `inner`. Where the axis is innermost a line is a row: a
// warp or a block keeps it in registers (HeldRow), or a block reads one that is too long again for each pass (BlockRow; L2 serves all
// passes but the first), 16 bytes at a time where rows are whole units of them. Else neighbouring threads take neighbouring lines
// (ColumnLine), which makes every access of a warp contiguous.
//
// A holder offers: each(f, others...), f(i, value&, other...) for every element i of the line that this thread owns, with those of
// other lines that lie in memory as this one does; write(y, f, others...), y[i] = f(i, value, other...); reduce(value, operation)
// over the team; leads(), true for one thread of the team; and `kept`, whether what f writes to value is there in the next pass.
#pragma once

#include "common/elements.h"
#include "common/reduce.h"

// Row lengths that a warp holds in registers, and a block.
constexpr int warpRowLimit = 256, blockRowLimit = 2048;

// A row that `team` threads hold, in vectors of `width` elements: vector v belongs to thread v % team.
template <typename T, int team, int vectors, int width> struct HeldRow
{
    static constexpr bool kept = true;
    Elements<T, width> held[vectors];
    int size, rank;

    __device__ __forceinline__ HeldRow(const T* row, int size) : size(size), rank(threadIdx.x % team)
    {
#pragma unroll
        for (int v = 0; v < vectors; ++v) held[v] = place(v) * width < size ? Elements<T, width>::loadWhole(row, place(v)) : Elements<T, width>();
    }

    template <typename F, typename... Others> __device__ __forceinline__ void each(F f, const Others*... others)
    {
#pragma unroll
        for (int v = 0; v < vectors; ++v)
            if (place(v) * width < size) eachOf(v, f, Elements<Others, width>::loadWhole(others, place(v))...);
    }

    template <typename F, typename... Others> __device__ __forceinline__ void write(T* y, F f, const Others*... others)
    {
#pragma unroll
        for (int v = 0; v < vectors; ++v) {
            if (place(v) * width >= size) continue;
            Elements<T, width> result;
            auto keep = [&](int i, float& value, auto... other) { result.at[i % width] = f(i, value, other...); };
            eachOf(v, keep, Elements<Others, width>::loadWhole(others, place(v))...);
            result.store(y, place(v));
        }
    }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation operation) const
    {
        if constexpr (team == warpSize32) return warpReduce(value, operation);
        else return blockReduce<team>(value, operation);
    }

    __device__ __forceinline__ bool leads() const { return rank == 0; }

private:
    __device__ __forceinline__ int place(int v) const { return rank + v * team; }

    template <typename F, typename... Loaded> __device__ __forceinline__ void eachOf(int v, F& f, const Loaded&... others)
    {
#pragma unroll
        for (int k = 0; k < width; ++k) f(place(v) * width + k, held[v].at[k], others.at[k]...);
    }
};

// A row that a block reads in each pass: one vector of each thread at a time.
template <typename T, int threads, int width> struct BlockRow
{
    static constexpr bool kept = false;
    const T* row;
    int size;

    __device__ __forceinline__ BlockRow(const T* row, int size) : row(row), size(size) {}

    template <typename F, typename... Others> __device__ __forceinline__ void each(F f, const Others*... others)
    {
        const int step = threads * width;
        for (int first = 0; first < size; first += step) HeldRow<T, threads, 1, width>(row + first, size - first).each(
            [&](int i, float& value, auto... other) { f(first + i, value, other...); }, (others + first)...);
    }

    template <typename F, typename... Others> __device__ __forceinline__ void write(T* y, F f, const Others*... others)
    {
        const int step = threads * width;
        for (int first = 0; first < size; first += step) HeldRow<T, threads, 1, width>(row + first, size - first).write(
            y + first, [&](int i, float& value, auto... other) { return f(first + i, value, other...); }, (others + first)...);
    }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation operation) const
    {
        return blockReduce<threads>(value, operation);
    }

    __device__ __forceinline__ bool leads() const { return threadIdx.x == 0; }
};

template <typename T> struct ColumnLine
{
    static constexpr bool kept = false;
    const T* line;
    int size;
    long long inner;

    __device__ __forceinline__ ColumnLine(const T* line, int size, long long inner) : line(line), size(size), inner(inner) {}

    template <typename F, typename... Others> __device__ __forceinline__ void each(F f, const Others*... others)
    {
        for (int i = 0; i < size; ++i) {
            float value = load(line + i * inner);
            f(i, value, load(others + i * inner)...);
        }
    }

    template <typename F, typename... Others> __device__ __forceinline__ void write(T* y, F f, const Others*... others)
    {
        each([&](int i, float& value, auto... other) { store(y + i * inner, f(i, value, other...)); }, others...);
    }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation) const { return value; }
    __device__ __forceinline__ bool leads() const { return true; }
};

// Blocks of all these kernels.
constexpr int lineThreads = 256, rowsPerBlock = lineThreads / warpSize32;

// The row of this warp.
__device__ __forceinline__ long long rowOfWarp() { return (long long)blockIdx.x * rowsPerBlock + threadIdx.x / warpSize32; }

// The column of this thread, and where it starts.
__device__ __forceinline__ long long columnOfThread() { return (long long)blockIdx.x * lineThreads + threadIdx.x; }
__device__ __forceinline__ long long startOfColumn(long long line, int size, long long inner)
{
    return line / inner * size * inner + line % inner;
}

// Whether rows of a matrix, one behind the other, are whole units of 16 bytes in all the tensors of an operation.
template <typename T, typename... Others> __device__ __forceinline__ bool rowsAreUnits(int size, const T* first, const Others*... others)
{
    return size % vectorWidth<T> == 0 && aligned16(first, others...);
}

// Calls f with a row that this warp holds in as few registers as its size allows; `wide` as rowsAreUnits says.
template <typename T, typename F> __device__ __forceinline__ void withWarpRow(const T* row, int size, bool wide, F f)
{
    constexpr int each = warpRowLimit / warpSize32, width = vectorWidth<T>;
    if (wide) f(HeldRow<T, warpSize32, each / width, width>(row, size));
    else if (size <= warpSize32) f(HeldRow<T, warpSize32, 1, 1>(row, size));
    else f(HeldRow<T, warpSize32, each, 1>(row, size));
}

// Calls f with a row that this block holds if it can.
template <typename T, typename F> __device__ __forceinline__ void withBlockRow(const T* row, int size, bool wide, F f)
{
    constexpr int each = blockRowLimit / lineThreads, width = vectorWidth<T>;
    if (size > blockRowLimit) {
        if (wide) f(BlockRow<T, lineThreads, width>(row, size));
        else f(BlockRow<T, lineThreads, 1>(row, size));
    } else if (wide) f(HeldRow<T, lineThreads, each / width, width>(row, size));
    else f(HeldRow<T, lineThreads, each, 1>(row, size));
}

// ln p[i] = x[i] - maximum - ln(sum).
struct SoftmaxScale
{
    float maximum, sum;
};

// Finds maximum and sum of exponentials; a line that is kept then holds exp(x - maximum) if asked to. A maximum of NaN or
// -infinity makes the sum NaN, and so the whole line.
template <bool replace, typename Line> __device__ __forceinline__ SoftmaxScale softmaxScale(Line& line)
{
    float maximum = -cnn::infinity;
    line.each([&](int, float& value) { maximum = cnn::maxNan(maximum, value); });
    maximum = line.reduce(maximum, Maximum());
    float sum = 0.0f;
    line.each([&](int, float& value) {
        const float e = cnn::exp(value - maximum);
        sum += e;
        if (replace && Line::kept) value = e;
    });
    return {maximum, line.reduce(sum, Sum())};
}

// y[i * inner] = exp(x[i] - maximum) / sum, after softmaxScale<true>.
template <typename Line, typename T> __device__ __forceinline__ void storeProbabilities(Line& line, SoftmaxScale scale, T* y)
{
    const float factor = 1.0f / scale.sum;
    line.write(y, [=](int, float& value) { return factor * (Line::kept ? value : cnn::exp(value - scale.maximum)); });
}
