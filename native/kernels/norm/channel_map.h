// A whole tensor in 16-byte vectors, with the channels of their elements: the second half of a batch normalisation.
//
// It goes from the end of the tensor to its beginning: the end is what the first half, which sums over channels, has read last, and where the
// tensor is larger than L2, all that is left of it there.
#pragma once

#include "common/divide.h"
#include "common/elements.h"

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

__device__ __forceinline__ int channelOfElement(const ChannelMap& map, int element)
{
    int channel;
    divide(divide(element, map.pixels), map.channels, channel);
    return channel;
}

// The channels of a vector's elements: any, by number; all the same; or neighbours, whose parameters come 16 bytes at a time. As single
// numbers, 32 bytes from lane to lane, they take more turns of L1 than memory takes for x.
template <int width> struct ChannelsOfAny
{
    const ChannelMap& map;
    int first;

    template <typename V> __device__ __forceinline__ void load(const V* of, V (&values)[width]) const
    {
#pragma unroll
        for (int k = 0; k < width; ++k) values[k] = of[channelOfElement(map, first + k)];
    }
};

template <int width> struct ChannelOfRun
{
    int channel;

    template <typename V> __device__ __forceinline__ void load(const V* of, V (&values)[width]) const
    {
        const V value = of[channel];
#pragma unroll
        for (int k = 0; k < width; ++k) values[k] = value;
    }
};

template <int width> struct ConsecutiveChannels
{
    int first;

    // `of` must be a multiple of 16 bytes.
    template <typename V> __device__ __forceinline__ void load(const V* of, V (&values)[width]) const
    {
#pragma unroll
        for (int k = 0; k < width; k += 16 / sizeof(V)) {
            const uint4 unit = *reinterpret_cast<const uint4*>(of + first + k);
            __builtin_memcpy(&values[k], &unit, sizeof unit);
        }
    }
};

// First element of this thread: that of a map (map.h) with its blocks in reverse order.
template <typename T> __device__ __forceinline__ long long firstFromTheEnd()
{
    return ((long long)(gridDim.x - 1 - blockIdx.x) * blockDim.x + threadIdx.x) * vectorWidth<T>;
}

// Calls f(Width<w>(), number of a vector of w elements, channels) for the 16 bytes of this thread, where channels.load(array, values) loads
// what belongs to the channels of the elements: once, or at the end and where addresses are not `aligned` for each element.
// f.areParametersAligned() tells whether all those arrays begin at multiples of 16 bytes. f returns a bit per element of its vector; the result is the bits of the thread. f is a structure whose operator is inlined: the compiler does not inline a lambda into
// four places, and its parameters would pass through memory.
template <typename T, typename F> __device__ __forceinline__ unsigned eachByChannel(const ChannelMap& map, bool aligned, const F& f)
{
    constexpr int width = vectorWidth<T>;
    const long long first = firstFromTheEnd<T>(), end = first + width;
    if (end > map.count || !aligned) {
        unsigned bits = 0;
#pragma unroll 1
        for (long long i = first; i < end && i < map.count; ++i) bits |= f(Width<1>(), i, ChannelsOfAny<1>{map, (int)i}) << (i - first);
        return bits;
    }
    const int channel = channelOfElement(map, (int)first);
    switch (ChannelOrder(map.order)) {
    case ChannelOrder::run: return f(Width<width>(), first / width, ChannelOfRun<width>{channel});
    case ChannelOrder::consecutive:
        if (f.areParametersAligned()) return f(Width<width>(), first / width, ConsecutiveChannels<width>{channel});
        break;
    default: break;
    }
    return f(Width<width>(), first / width, ChannelsOfAny<width>{map, (int)first});
}
