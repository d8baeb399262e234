// The pixels that a thread sees of a tensor, in global memory or in a tile of shared memory: those of its plane, or of its channels.
#pragma once

#include "common/elements.h"
#include "pool/pool_geometry.h"

template <typename T, int width> struct Pixels
{
    const T* first;
    int base, rowPitch, columnPitch;  // in vectors of `width` elements; base: of pixel (0, 0), below 0 where a tile starts behind it

    __device__ __forceinline__ int number(int h, int w) const { return base + h * rowPitch + w * columnPitch; }
    __device__ __forceinline__ Elements<T, width> load(int h, int w) const { return Elements<T, width>::load(first, number(h, w)); }
};

// Those of plane or image `at.outer` of a whole tensor, element by element.
template <typename T> __device__ __forceinline__ Pixels<T, 1> pixelsOf(const T* tensor, const PoolPlace& at, int height, int width, const PoolGeometry& g)
{
    const int columnPitch = g.channelVectors.divisor;
    return {tensor, at.outer * height * width * columnPitch + at.channel, width * columnPitch, columnPitch};
}
