// Sums over everything but the channels of what is read, or computed, vector by vector: gradients of biases. See norm/channels.h.
// One part writes db itself, more write parts[part * C + c], which channel_sums_finish_* joins.
//
// read(vector) gives the Elements of a vector of the tensor.
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

template <typename T, typename Read> __device__ __forceinline__ void planeSum(const ChannelGeometry& g, float* parts, T* db, Read read)
{
    Sums<1> sum = {};
    eachInPlanes(g, blockIdx.x, blockIdx.y, [&](long long vector, int) {
        for (const float value : read(vector).at) sum.v[0] += value;
    });
    sum = joinBlock(sum);
    if (threadIdx.x == 0) storeSum(sum, blockIdx.x, g, parts, db);
}

template <int width, typename T, typename Read> __device__ __forceinline__ void rowSums(const ChannelGeometry& g, float* parts, T* db, Read read)
{
    const RowThread thread(g);
    Sums<1> sums[width] = {};
    if (thread.hasChannels()) {
        thread.each(g, blockIdx.y, [&](long long vector, int) {
            const auto values = read(vector);
#pragma unroll
            for (int k = 0; k < width; ++k) sums[k].v[0] += values.at[k];
        });
    }
    joinRows(sums, thread);
    if (thread.row != 0 || !thread.hasChannels()) return;
#pragma unroll
    for (int k = 0; k < width; ++k) storeSum(sums[k], thread.vector * width + k, g, parts, db);
}
