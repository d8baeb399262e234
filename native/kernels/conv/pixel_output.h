// The image that a product of patches and filters writes: rows are output pixels of all images, columns filters of a group.
#pragma once

#include "conv/geometry.h"
#include "gemm/mma_output.h"

// The image from channel `channel` on, the group's first.
template <class Out> __device__ __forceinline__ MmaOutput<Out> pixelOutput(const ConvGeometry& g, Out* y, const Out* bias, int channel)
{
    return {y + (long long)channel * g.out.channel, nullptr, bias ? bias + channel : nullptr, g.images * outPixels(g), g.filters, g.wideOut, g.out.channel};
}

// Where output pixel i stands, from channel 0 of the first.
struct PixelPlaces
{
    const ConvGeometry& g;

    __device__ __forceinline__ long long operator()(int i) const
    {
        const Pixel pixel = outPixel(g, i);
        return pixel.n * g.out.image + (long long)(pixel.h * g.out.row + pixel.w * g.out.column);
    }
};
