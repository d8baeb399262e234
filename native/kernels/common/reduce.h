// Reductions over the lanes of a warp and the warps of a block, in an order that depends on the sizes alone: the same bits on
// every run. Every thread of the block must take part.
#pragma once

#include "common/math.h"

constexpr int warpSize32 = 32;
constexpr unsigned allLanes = 0xffffffffu;

struct Sum
{
    static constexpr float identity = 0.0f;
    __device__ __forceinline__ float operator()(float a, float b) const { return a + b; }
};

// NaN wins, as it does over every number in a softmax.
struct Maximum
{
    static constexpr float identity = -cnn::infinity;
    __device__ __forceinline__ float operator()(float a, float b) const { return cnn::maxNan(a, b); }
};

// The reduction over groups of `width` neighbouring lanes, in every lane.
template <int width = warpSize32, typename Operation> __device__ __forceinline__ float warpReduce(float value, Operation operation)
{
#pragma unroll
    for (int offset = width / 2; offset > 0; offset /= 2) value = operation(value, __shfl_xor_sync(allLanes, value, offset));
    return value;
}

__device__ __forceinline__ float warpSum(float value) { return warpReduce(value, Sum()); }

// The reduction over a block of `threads`, in every thread. May be called again at once.
template <int threads, typename Operation> __device__ __forceinline__ float blockReduce(float value, Operation operation)
{
    constexpr int warps = threads / warpSize32;
    static_assert(threads % warpSize32 == 0 && warps <= warpSize32, "whole warps, and one warp finishes");
    __shared__ float partial[warps];
    const int lane = threadIdx.x % warpSize32;
    value = warpReduce(value, operation);
    // The last reading of the call before is over when all threads are here.
    __syncthreads();
    if (lane == 0) partial[threadIdx.x / warpSize32] = value;
    __syncthreads();
    return warpReduce(lane < warps ? partial[lane] : Operation::identity, operation);
}

template <int threads> __device__ __forceinline__ float blockSum(float value) { return blockReduce<threads>(value, Sum()); }
