// Sums over everything but the channels of what is read, or computed, vector by vector: gradients of biases. See norm/channels.h.
// One part writes db itself, more write parts[part * C + c], which channel_sums_finish_* joins.
//
// A Source gives the Elements of a vector in two steps: fetch(vector) reads what they are made of, and values(fetched, vector) makes
// them. A thread fetches four vectors before it uses the first: the tensors of one layer are small, and latency would decide.
#pragma once

#include "norm/channels.h"

// Calls body with the width of the geometry's vectors as a constant: one element, or 16 bytes of them.
template <typename T, typename Body> __device__ __forceinline__ void withWidth(const ChannelGeometry& g, Body body)
{
    if (g.width == 1) body(Width<1>{});
    else body(Width<vectorWidth<T>>{});
}

template <typename T> __device__ __forceinline__ void storeSum(const Sums<1>& sum, int channel, const ChannelGeometry& g, float* parts, T* db)
{
    if (gridDim.y == 1) store(db + channel, sum.v[0]);
    else parts[(long long)blockIdx.y * g.channels + channel] = sum.v[0];
}

constexpr int fetchedAhead = 4;

// Calls use(values) for the vectors with numbers i, i + step, ... below end, `fetchedAhead` of them; all exist if Whole. vectorAt(i) is the place
// in the tensor.
template <bool Whole, typename Source, typename VectorAt, typename Use>
__device__ __forceinline__ void useAhead(const Source& source, unsigned i, unsigned end, unsigned step, VectorAt vectorAt, Use use)
{
    long long vectors[fetchedAhead];
    decltype(source.fetch(0)) fetched[fetchedAhead];
#pragma unroll
    for (int k = 0; k < fetchedAhead; ++k) {
        if (!Whole && i + k * step >= end) continue;
        vectors[k] = vectorAt(i + k * step);
        fetched[k] = source.fetch(vectors[k]);
    }
#pragma unroll
    for (int k = 0; k < fetchedAhead; ++k)
        if (Whole || i + k * step < end) use(source.values(fetched[k], vectors[k]));
}

// The same for all from `first` on.
template <typename Source, typename VectorAt, typename Use>
__device__ __forceinline__ void eachAhead(const Source& source, unsigned first, unsigned end, unsigned step, VectorAt vectorAt, Use use)
{
    unsigned i = first;
#pragma unroll 1
    for (; i + (fetchedAhead - 1) * step < end; i += fetchedAhead * step) useAhead<true>(source, i, end, step, vectorAt, use);
    if (i < end) useAhead<false>(source, i, end, step, vectorAt, use);
}

template <typename T, typename Source> __device__ __forceinline__ void planeSum(const ChannelGeometry& g, float* parts, T* db, const Source& source)
{
    Sums<1> sum = {};
    const auto vectorAt = [&](unsigned i) {
        int within;
        const long long image = divide((int)i, g.plane, within);
        return (image * g.channels + blockIdx.x) * g.plane.divisor + within;
    };
    eachAhead(source, blockIdx.y * channelThreads + threadIdx.x, g.vectors, gridDim.y * channelThreads, vectorAt, [&](const auto& values) {
        for (const float value : values.at) sum.v[0] += value;
    });
    sum = joinBlock(sum);
    if (threadIdx.x == 0) storeSum(sum, blockIdx.x, g, parts, db);
}

template <int width, typename T, typename Source>
__device__ __forceinline__ void rowSums(const ChannelGeometry& g, float* parts, T* db, const Source& source)
{
    const RowThread thread(g);
    Sums<1> sums[width] = {};
    const auto vectorAt = [&](unsigned i) { return (long long)i * thread.vectorsInRow + thread.vector; };
    const unsigned rows = thread.hasChannels() ? g.vectors : 0;
    eachAhead(source, blockIdx.y * thread.rowThreads + thread.row, rows, gridDim.y * thread.rowThreads, vectorAt, [&](const auto& values) {
#pragma unroll
        for (int k = 0; k < width; ++k) sums[k].v[0] += values.at[k];
    });
    joinRows(sums, thread);
    if (thread.row != 0 || !thread.hasChannels()) return;
#pragma unroll
    for (int k = 0; k < width; ++k) storeSum(sums[k], thread.vector * width + k, g, parts, db);
}

// Elements as they are read.
template <typename T, int width> struct ReadVectors
{
    const T* x;

    __device__ __forceinline__ Elements<T, width> fetch(long long vector) const { return Elements<T, width>::load(x, vector); }
    __device__ __forceinline__ const Elements<T, width>& values(const Elements<T, width>& fetched, long long) const { return fetched; }
};
