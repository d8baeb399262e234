// Lines of a tensor along one axis, and how a team of threads holds one: what softmax and the losses on top of it share.
//
// A tensor is (outer, size, inner), with lines of `size` elements at distance `inner`. Where the axis is innermost a line is a row:
// a warp keeps a short one in registers (WarpRow), a block reads a long one again for each pass (BlockRow; L2 serves all passes
// but the first). Else neighbouring threads take neighbouring lines (ColumnLine), which makes every access of a warp contiguous.
//
// A holder offers: each(f), f(i, value&) for every element i of the line that this thread owns; reduce(value, operation) over
// the team; leads(), true for one thread of the team; and `kept`, whether what f writes to value is there in the next pass.
#pragma once

#include "common/dtype.h"
#include "common/reduce.h"

// Row lengths that a warp holds in registers.
constexpr int warpRowLimit = 256;

template <typename T, int perLane> struct WarpRow
{
    static constexpr bool kept = true;
    float held[perLane];
    int size, lane;

    __device__ __forceinline__ WarpRow(const T* row, int size) : size(size), lane(threadIdx.x % warpSize32)
    {
#pragma unroll
        for (int k = 0; k < perLane; ++k) held[k] = lane + k * warpSize32 < size ? load(row + lane + k * warpSize32) : 0.0f;
    }

    template <typename F> __device__ __forceinline__ void each(F f)
    {
#pragma unroll
        for (int k = 0; k < perLane; ++k)
            if (lane + k * warpSize32 < size) f(lane + k * warpSize32, held[k]);
    }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation operation) const
    {
        return warpReduce(value, operation);
    }

    __device__ __forceinline__ bool leads() const { return lane == 0; }
};

template <typename T, int threads> struct BlockRow
{
    static constexpr bool kept = false;
    const T* row;
    int size;

    __device__ __forceinline__ BlockRow(const T* row, int size) : row(row), size(size) {}

    template <typename F> __device__ __forceinline__ void each(F f)
    {
        for (int i = threadIdx.x; i < size; i += threads) {
            float value = load(row + i);
            f(i, value);
        }
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

    template <typename F> __device__ __forceinline__ void each(F f)
    {
        for (int i = 0; i < size; ++i) {
            float value = load(line + i * inner);
            f(i, value);
        }
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

// Calls f with a row held in as few registers as its size allows.
template <typename T, typename F> __device__ __forceinline__ void withWarpRow(const T* row, int size, F f)
{
    if (size <= 32) f(WarpRow<T, 1>(row, size));
    else f(WarpRow<T, warpRowLimit / warpSize32>(row, size));
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
template <typename Line, typename T>
__device__ __forceinline__ void storeProbabilities(Line& line, SoftmaxScale scale, T* y, long long inner)
{
    const float factor = 1.0f / scale.sum;
    line.each([&](int i, float& value) {
        const float e = Line::kept ? value : cnn::exp(value - scale.maximum);
        store(y + i * inner, e * factor);
    });
}
