// What the depthwise kernels share: a thread follows one column of output pixels of one channel downwards and keeps the
// rows that its window sees in registers. Each step down reads only the rows that are new, the others shift.
#pragma once

#include "common/wide.h"
#include "conv/geometry.h"

// One number, or those of four neighbouring channels.
template <int Channels> struct Lane;
template <> struct Lane<1> { using Type = float; };
template <> struct Lane<4> { using Type = float4; };

__device__ __forceinline__ float loadLane(const float* from, float) { return *from; }
__device__ __forceinline__ float4 loadLane(const float* from, float4) { return loadWide(from); }
__device__ __forceinline__ void storeLane(float* to, float v) { *to = v; }
__device__ __forceinline__ void storeLane(float* to, float4 v) { storeWide(to, v); }
__device__ __forceinline__ float multiplyAdd(float a, float b, float c) { return fmaf(a, b, c); }
__device__ __forceinline__ float4 multiplyAdd(float4 a, float4 b, float4 c)
{
    return make_float4(fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y), fmaf(a.z, b.z, c.z), fmaf(a.w, b.w, c.w));
}

template <int Size, int Stride, int Channels> struct SlidingWindow
{
    using Value = typename Lane<Channels>::Type;
    const ConvGeometry& g;
    const float* channel;  // of the image read
    int column[Size];      // offset of a tap's column in a row; -1 for zeros
    Value at[Size][Size];

    __device__ __forceinline__ SlidingWindow(const ConvGeometry& g, const float* channel, int q) : g(g), channel(channel)
    {
#pragma unroll
        for (int s = 0; s < Size; ++s) {
            const int w = sourcePixel(q * g.strideW + g.originW + s * g.tapW, g.width, g.padding);
            column[s] = w < 0 ? -1 : w * g.in.column;
        }
    }

    __device__ __forceinline__ void loadRow(int r, int p)
    {
        const int h = sourcePixel(p * Stride + g.originH + r * g.tapH, g.height, g.padding);
#pragma unroll
        for (int s = 0; s < Size; ++s) at[r][s] = (h | column[s]) < 0 ? Value{} : loadLane(channel + h * g.in.row + column[s], Value{});
    }

    // The window of output row p, from nothing.
    __device__ __forceinline__ void start(int p)
    {
#pragma unroll
        for (int r = 0; r < Size; ++r) loadRow(r, p);
    }

    // The window of output row p, from that of row p - 1.
    __device__ __forceinline__ void advance(int p)
    {
#pragma unroll
        for (int r = 0; r < Size; ++r) {
            if (r + Stride < Size) {
#pragma unroll
                for (int s = 0; s < Size; ++s) at[r][s] = at[r + Stride][s];
            } else {
                loadRow(r, p);
            }
        }
    }
};

// How output pixels are dealt to threads: strips of `rows` rows and one column.
struct DepthwiseStrips
{
    int rows, strips;                    // per strip; per image
    int total;                           // threads: images * channels / channels per thread * strips * columns
    int multiplier;                      // filters per channel
    FastDivisor byWidth, byStrips, byChannels, byMultiplier;  // columns, strips, channels (per thread) written, multiplier
};

struct Strip { int n, channel, first, q; };

// Thread `index`, columns (NCHW) or channels (NHWC) fastest: neighbouring threads read neighbouring addresses.
template <bool ChannelsLast, int Channels>
__device__ __forceinline__ Strip stripOf(const DepthwiseStrips& d, int index)
{
    Strip strip;
    if (ChannelsLast) {
        index = divide(index, d.byChannels, strip.channel);
        index = divide(index, d.byWidth, strip.q);
        strip.n = divide(index, d.byStrips, strip.first);
    } else {
        index = divide(index, d.byWidth, strip.q);
        index = divide(index, d.byStrips, strip.first);
        strip.n = divide(index, d.byChannels, strip.channel);
    }
    strip.channel *= Channels;
    strip.first *= d.rows;
    return strip;
}
