// What every convolution kernel knows of its problem: a window that slides over the images read, and one image written
// per filter.
//
//   out[n, k, p, q] = sum over c, r, s of w[k, c, r, s] * in[n, c, p * strideH + originH + r * tapH, q * strideW + ...]
//
// Forward, the origin is minus the padding and the tap step is the dilation. The data gradient is the same sum with dy as
// the image read, channels and filters exchanged and negative tap steps; a stride s splits it into s * s phases, each of
// which writes every s-th row and column. Sizes are those of one group.
#pragma once

#include "common/divide.h"

// The place of (n, c, h, w) in memory, in elements: n * image + c * channel + h * row + w * column.
struct ImageStrides
{
    long long image;
    int channel, row, column;
};

enum PaddingMode { paddingZeros, paddingReflect, paddingReplicate, paddingCircular };

struct ConvGeometry
{
    ImageStrides in, out;
    int images, channels, height, width;      // read
    int filters, outHeight, outWidth;         // written
    int windowHeight, windowWidth;            // R, S
    int strideH, strideW, originH, originW, tapH, tapW;
    int padding;                              // PaddingMode
    int wideIn, wideWeights, wideOut;         // whether 16-byte accesses are aligned and stay within a pixel or a row
    FastDivisor byOutPixels, byOutWidth;      // P * Q, Q
    FastDivisor byWindow, byWindowWidth;      // R * S, S
    FastDivisor byChannels;
};

struct Pixel { int n, h, w; };
struct Tap { int channel, h, w; };

__device__ __forceinline__ int outPixels(const ConvGeometry& g) { return g.outHeight * g.outWidth; }
__device__ __forceinline__ int patchLength(const ConvGeometry& g) { return g.channels * g.windowHeight * g.windowWidth; }

// Output pixel `index` of all images: image, row, column.
__device__ __forceinline__ Pixel outPixel(const ConvGeometry& g, int index)
{
    Pixel pixel;
    pixel.n = divide(index, g.byOutPixels, index);
    pixel.h = divide(index, g.byOutWidth, pixel.w);
    return pixel;
}

// Element `index` of a patch: its channel, and how far from the window's corner it reads. Channels first: (c, r, s).
__device__ __forceinline__ Tap tapChannelsFirst(const ConvGeometry& g, int index)
{
    Tap tap;
    tap.channel = divide(index, g.byWindow, index);
    const int r = divide(index, g.byWindowWidth, tap.w);
    return {tap.channel, r * g.tapH, tap.w * g.tapW};
}

// Channels last: (r, s, c).
__device__ __forceinline__ Tap tapChannelsLast(const ConvGeometry& g, int index)
{
    Tap tap;
    index = divide(index, g.byChannels, tap.channel);
    const int r = divide(index, g.byWindowWidth, tap.w);
    return {tap.channel, r * g.tapH, tap.w * g.tapW};
}

// The pixel that stands at place `i` of an axis of `size` pixels; -1 where there is a zero.
__device__ __forceinline__ int sourcePixel(int i, int size, int padding)
{
    if ((unsigned)i < (unsigned)size) return i;
    switch (padding) {
    case paddingReflect: return i < 0 ? -i : 2 * (size - 1) - i;
    case paddingReplicate: return i < 0 ? 0 : size - 1;
    case paddingCircular: return i < 0 ? i + size : i - size;
    default: return -1;
    }
}

// Offset within a channel of what a window reads at row h and column w; -1 for a zero.
__device__ __forceinline__ int sourceOffset(const ConvGeometry& g, int h, int w)
{
    h = sourcePixel(h, g.height, g.padding);
    w = sourcePixel(w, g.width, g.padding);
    return (h | w) < 0 ? -1 : h * g.in.row + w * g.in.column;
}

// Where the window of an output pixel lies.
template <class T> struct Corner
{
    const T* image;  // channel 0 of the group
    int h, w;
};

// Pixels that do not exist repeat the last one: their sums are not stored.
template <class T> __device__ __forceinline__ Corner<T> windowCorner(const ConvGeometry& g, const T* x, int index)
{
    const Pixel pixel = outPixel(g, min(index, g.images * outPixels(g) - 1));
    return {x + pixel.n * g.in.image, pixel.h * g.strideH + g.originH, pixel.w * g.strideW + g.originW};
}
