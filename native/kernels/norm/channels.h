// Sums over the channels of a tensor (N, C, ...): what batch normalisation and the gradients of biases share.
//
// A channel lies in memory in one of two orders:
//   planes (NCHW)         N runs of contiguous pixels, C runs apart. Block (channel, part) takes a part of one channel; neighbouring
//                         threads take neighbouring vectors, over the borders of runs.
//   rows (NHWC, (N, C))   a matrix of N * pixels rows and C columns. Block (bundle, part) takes a part of the rows of up to 32
//                         neighbouring vectors of channels; thread = row * lanes + vector.
// The parts of a channel (gridDim.y) take turns, a stretch of a block's width at a time: all blocks walk through memory together, from its
// beginning to its end, and leave the end in L2 for whoever reads in reverse order next (channel_map.h).
// A vector is 16 bytes where sizes and addresses allow, else one element. A thread adds up what it meets in registers, then the block
// joins its threads, then another kernel the parts, all in a fixed order: no atomics, the same bits on every run.
//
// What is added up is an Accumulator: `float v[size]`, and merge(other), which takes in another one.
#pragma once

#include "common/divide.h"
#include "common/elements.h"
#include "common/reduce.h"

// Sizes of a tensor as channels; twin of the C# struct of the same name.
struct ChannelGeometry
{
    int channels;
    int width;          // elements in a vector: 1, or those of 16 bytes
    int vectors;        // planes: vectors in a channel, N * pixels / width; rows: rows, N * pixels
    int lanes;          // rows: vectors of channels side by side in a block, a power of two up to 32
    int keeps;          // whether dynamic shared memory has room for what a block reads of its channels, all of them, so that it reads it once
    FastDivisor plane;  // planes: vectors in a run
};

constexpr int channelThreads = 256;

// Sums that are merged by addition.
template <int count> struct Sums
{
    static constexpr int size = count;
    float v[size];

    __device__ __forceinline__ void merge(const Sums& other)
    {
#pragma unroll
        for (int i = 0; i < size; ++i) v[i] += other.v[i];
    }
};

// Planes: calls f(number of the vector in the tensor, number in the channel) for the vectors of this thread in a part of a channel.
template <typename F> __device__ __forceinline__ void eachInPlanes(const ChannelGeometry& g, int channel, int part, F f)
{
    // Unsigned, for the last step may pass 2^31.
    for (unsigned i = part * channelThreads + threadIdx.x; i < (unsigned)g.vectors; i += gridDim.y * channelThreads) {
        int within;
        const long long image = divide((int)i, g.plane, within);
        f((image * g.channels + channel) * g.plane.divisor + within, (int)i);
    }
}

// What a block has read of its channels, where the geometry keeps it. A thread finds again what it put there itself, so nobody waits.
template <typename T> __device__ __forceinline__ T* keptElements()
{
    extern __shared__ uint4 kept[];
    return reinterpret_cast<T*>(kept);
}

// Vectors that a block keeps of one tensor.
__device__ __forceinline__ int keptVectors(const ChannelGeometry& g) { return g.vectors * g.lanes; }

// Rows: this thread's place in its block, and the same walk, with the number of the vector in those of the block.
struct RowThread
{
    int lane, row, rowThreads, vector, vectorsInRow;

    __device__ __forceinline__ explicit RowThread(const ChannelGeometry& g)
        : lane(threadIdx.x & (g.lanes - 1)), row(threadIdx.x / g.lanes), rowThreads(channelThreads / g.lanes),
          vector(blockIdx.x * g.lanes + lane), vectorsInRow(g.channels / g.width)
    {
    }

    __device__ __forceinline__ bool hasChannels() const { return vector < vectorsInRow; }

    template <typename F> __device__ __forceinline__ void each(const ChannelGeometry& g, int part, F f) const
    {
        for (unsigned i = part * rowThreads + row; i < (unsigned)g.vectors; i += gridDim.y * rowThreads)
            f((long long)i * vectorsInRow + vector, (int)(i * g.lanes + lane));
    }
};

// Joins the lanes of a warp into lane 0.
template <typename Accumulator> __device__ __forceinline__ Accumulator joinWarp(Accumulator mine)
{
#pragma unroll
    for (int offset = warpSize32 / 2; offset > 0; offset /= 2) {
        Accumulator other;
#pragma unroll
        for (int i = 0; i < Accumulator::size; ++i) other.v[i] = __shfl_down_sync(allLanes, mine.v[i], offset);
        mine.merge(other);
    }
    return mine;
}

// Joins all threads of the block into thread 0.
template <typename Accumulator> __device__ __forceinline__ Accumulator joinBlock(Accumulator mine)
{
    __shared__ Accumulator warps[channelThreads / warpSize32];
    mine = joinWarp(mine);
    if (threadIdx.x % warpSize32 == 0) warps[threadIdx.x / warpSize32] = mine;
    __syncthreads();
    if (threadIdx.x == 0)
        for (int warp = 1; warp < channelThreads / warpSize32; ++warp) mine.merge(warps[warp]);
    return mine;
}

// Joins the threads of each vector of channels into that of row 0.
template <int width, typename Accumulator>
__device__ __forceinline__ void joinRows(Accumulator (&mine)[width], const RowThread& thread)
{
    // Neighbouring threads use neighbouring words.
    __shared__ float staged[width * Accumulator::size][channelThreads];
    auto exchange = [&](bool write, int with, int k, Accumulator& a) {
#pragma unroll
        for (int i = 0; i < Accumulator::size; ++i) {
            if (write) staged[k * Accumulator::size + i][with] = a.v[i];
            else a.v[i] = staged[k * Accumulator::size + i][with];
        }
    };
#pragma unroll
    for (int k = 0; k < width; ++k) exchange(true, threadIdx.x, k, mine[k]);
    for (int half = thread.rowThreads / 2; half > 0; half /= 2) {
        __syncthreads();
        if (thread.row >= half) continue;
#pragma unroll
        for (int k = 0; k < width; ++k) {
            Accumulator other;
            exchange(false, threadIdx.x + half * channelThreads / thread.rowThreads, k, other);
            mine[k].merge(other);
            exchange(true, threadIdx.x, k, mine[k]);
        }
    }
}

// Joins the parts of a channel, partAt(0) to partAt(count - 1), into lane 0 of a warp.
template <typename PartAt> __device__ __forceinline__ auto joinParts(int count, PartAt partAt)
{
    decltype(partAt(0)) mine = {};
    for (int part = threadIdx.x % warpSize32; part < count; part += warpSize32) mine.merge(partAt(part));
    return joinWarp(mine);
}
