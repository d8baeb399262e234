// The index in NCHW order of an element of a tensor, for operations that number elements so whatever the layout.
#pragma once

#include "common/divide.h"

// Twin of the C# struct of the same name.
struct ElementOrder
{
    FastDivisor channels;  // C
    FastDivisor pixels;    // H * W
    int channelsLast;      // 0: NCHW, or a tensor of other than four dimensions: the orders agree
};

// Index in NCHW order of the element at a place in memory.
__device__ __forceinline__ long long nchwIndex(long long place, const ElementOrder& order)
{
    if (!order.channelsLast) return place;
    int channel, pixel;
    const int image = divide(divide((int)place, order.channels, channel), order.pixels, pixel);
    return ((long long)image * order.channels.divisor + channel) * order.pixels.divisor + pixel;
}

// Place in memory of the element with an index in NCHW order.
__device__ __forceinline__ long long placeOf(long long index, const ElementOrder& order)
{
    if (!order.channelsLast) return index;
    int channel, pixel;
    const int image = divide(divide((int)index, order.pixels, pixel), order.channels, channel);
    return ((long long)image * order.pixels.divisor + pixel) * order.channels.divisor + channel;
}
