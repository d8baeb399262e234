// y[i] = f(channel of i, inputs[i]...) over a whole tensor in 16-byte vectors: the second half of a batch normalisation.
#pragma once

#include "common/divide.h"
#include "common/map.h"

// How the channel of an element follows from its number; twin of the C# struct of the same name.
struct ChannelMap
{
    long long count;       // elements
    int order;             // a ChannelOrder
    FastDivisor channels;  // C
    FastDivisor pixels;    // elements of a run of one channel: H * W, or 1 where channels are neighbours
};

enum class ChannelOrder : int {
    run,          // runs of whole vectors: one channel per vector
    consecutive,  // channels are neighbours, C a multiple of the vector: each element the next channel
    any,
};

// Elements in [first, first + width) of the thread, whose channels channelOf(k) gives.
template <typename T, typename Channel, typename F, typename... Inputs>
__device__ __forceinline__ void mapVectorByChannel(long long first, T* y, Channel channelOf, F f, const Inputs*... inputs)
{
    const auto apply = [&](const auto&... vectors) {
        Vector<T> result;
#pragma unroll
        for (int k = 0; k < Vector<T>::width; ++k) result[k] = f(channelOf(k), vectors[k]...);
        storeVector(y + first, result);
    };
    apply(loadVector(inputs + first)...);
}

template <typename T, typename F, typename... Inputs>
__device__ __forceinline__ void mapByChannel(const ChannelMap& map, T* y, F f, const Inputs*... inputs)
{
    const long long first = firstElement<T>(), end = first + vectorWidth<T>;
    if (first >= map.count) return;
    int channel, pixel;
    divide(divide((int)first, map.pixels, pixel), map.channels, channel);
    if (end > map.count || !aligned16(y, inputs...)) {
#pragma unroll 1
        for (long long i = first; i < end && i < map.count; ++i) {
            divide(divide((int)i, map.pixels), map.channels, channel);
            store(y + i, f(channel, load(inputs + i)...));
        }
        return;
    }
    switch (ChannelOrder(map.order)) {
    case ChannelOrder::run: mapVectorByChannel(first, y, [=](int) { return channel; }, f, inputs...); break;
    case ChannelOrder::consecutive: mapVectorByChannel(first, y, [=](int k) { return channel + k; }, f, inputs...); break;
    case ChannelOrder::any:
        mapVectorByChannel(first, y, [=, &map](int k) {
            int other;
            divide(divide((int)first + k, map.pixels), map.channels, other);
            return other;
        }, f, inputs...);
        break;
    }
}
