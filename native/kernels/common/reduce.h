// Reductions over the lanes of a warp and the warps of a block, in an order that depends on the sizes alone: the same bits on
// every run. Every thread of the block must take part.
#pragma once

#include "common/math.h"

constexpr int warpSize32 = 32;
constexpr unsigned allLanes = 0xffffffffu;

struct Sum
{
    template <typename V> __device__ static constexpr V identity() { return 0; }
    template <typename V> __device__ __forceinline__ V operator()(V a, V b) const { return a + b; }
};

// NaN wins, as it does over every number in a softmax.
struct Maximum
{
    template <typename V> __device__ static constexpr V identity() { return -cnn::infinity; }
    __device__ __forceinline__ float operator()(float a, float b) const { return cnn::maxNan(a, b); }
};

// The reduction over groups of `width` neighbouring lanes, in every lane.
template <int width = warpSize32, typename V, typename Operation> __device__ __forceinline__ V warpReduce(V value, Operation operation)
{
#pragma unroll
    for (int offset = width / 2; offset > 0; offset /= 2) value = operation(value, __shfl_xor_sync(allLanes, value, offset));
    return value;
}

template <typename V> __device__ __forceinline__ V warpSum(V value) { return warpReduce(value, Sum()); }

// The reduction over a block of `threads`, in every thread. May be called again at once.
template <int threads, typename V, typename Operation> __device__ __forceinline__ V blockReduce(V value, Operation operation)
{
    constexpr int warps = threads / warpSize32;
    static_assert(threads % warpSize32 == 0 && warps <= warpSize32, "whole warps, and one warp finishes");
    __shared__ V partial[warps];
    const int lane = threadIdx.x % warpSize32;
    value = warpReduce(value, operation);
    // The last reading of the call before is over when all threads are here.
    __syncthreads();
    if (lane == 0) partial[threadIdx.x / warpSize32] = value;
    __syncthreads();
    return warpReduce(lane < warps ? partial[lane] : Operation::template identity<V>(), operation);
}

template <int threads, typename V> __device__ __forceinline__ V blockSum(V value) { return blockReduce<threads>(value, Sum()); }
