// The operands of the gradient by the filters, a product whose depth is the output pixels of all images: rows are filters
// (dy), columns elements of the patch (what windows read of x). NHWC keeps dy as a matrix of lines of filters, for which
// OuterLines serves.
#pragma once

#include "conv/patch_source.h"

// NCHW: eight neighbouring lanes take the eight pixels of a step, which lie side by side in memory; every thread divides up
// one pixel per step.
template <int Outer, int Threads> struct GradientChannelsFirst
{
    static constexpr int step = Threads / tileDepth, passes = Outer / step;
    const ConvGeometry& g;
    const float* dy;
    int filters;
    float value[passes];

    __device__ __forceinline__ GradientChannelsFirst(const float* dy, const ConvGeometry& g, int row)
        : g(g), dy(dy + (long long)row * g.out.channel), filters(g.filters - row)
    {
    }

    __device__ __forceinline__ void fetch(int tileStep)
    {
        const int depth = tileStep * tileDepth + threadIdx.x % tileDepth;
        const bool inside = depth < g.images * outPixels(g);
        const Pixel pixel = outPixel(g, depth);
        const float* const from = dy + pixel.n * g.out.image + pixel.h * g.out.row + pixel.w * g.out.column;
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int filter = threadIdx.x / tileDepth + i * step;
            value[i] = inside && filter < filters ? from[(long long)filter * g.out.channel] : 0.f;
        }
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) panel.set(threadIdx.x % tileDepth, threadIdx.x / tileDepth + i * step, value[i]);
    }
};

// Columns behind the last read like the first: their sums are not stored.
__device__ __forceinline__ int existing(const ConvGeometry& g, int column) { return column < patchLength(g) ? column : 0; }

// NCHW, columns (c, r, s): as above, with the columns' taps divided up once per block.
template <int Outer, int Threads> struct TapsChannelsFirst
{
    static constexpr int step = Threads / tileDepth, passes = Outer / step;
    const ConvGeometry& g;
    const float* x;
    Tap tap[passes];
    float value[passes];

    __device__ __forceinline__ TapsChannelsFirst(const float* x, const ConvGeometry& g, int column) : g(g), x(x)
    {
#pragma unroll
        for (int i = 0; i < passes; ++i)
            tap[i] = tapChannelsFirst(g, existing(g, column + threadIdx.x / tileDepth + i * step));
    }

    __device__ __forceinline__ void fetch(int tileStep)
    {
        const int depth = tileStep * tileDepth + threadIdx.x % tileDepth;
        const bool inside = depth < g.images * outPixels(g);
        const Corner<float> corner = windowCorner(g, x, depth);
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int offset = inside ? sourceOffset(g, corner.h + tap[i].h, corner.w + tap[i].w) : -1;
            value[i] = offset < 0 ? 0.f : corner.image[tap[i].channel * g.in.channel + offset];
        }
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) panel.set(threadIdx.x % tileDepth, threadIdx.x / tileDepth + i * step, value[i]);
    }
};

// NHWC, columns (r, s, c): a thread takes four neighbouring columns of a pixel, one tap where channels come in fours.
template <int Outer, int Threads> struct TapsChannelsLast
{
    static constexpr int quads = Outer / 4, step = Threads / quads, passes = tileDepth / step;
    const ConvGeometry& g;
    const float* x;
    Tap tap[4];
    float4 value[passes];

    __device__ __forceinline__ TapsChannelsLast(const float* x, const ConvGeometry& g, int column) : g(g), x(x)
    {
#pragma unroll
        for (int i = 0; i < 4; ++i) tap[i] = tapChannelsLast(g, existing(g, column + threadIdx.x % quads * 4 + i));
    }

    __device__ __forceinline__ float element(const Corner<float>& corner, const Tap& at) const
    {
        const int offset = sourceOffset(g, corner.h + at.h, corner.w + at.w);
        return offset < 0 ? 0.f : corner.image[offset + at.channel];
    }

    __device__ __forceinline__ float4 pixel(int depth) const
    {
        if (depth >= g.images * outPixels(g)) return {};
        const Corner<float> corner = windowCorner(g, x, depth);
        if (!g.wideIn) return make_float4(element(corner, tap[0]), element(corner, tap[1]), element(corner, tap[2]), element(corner, tap[3]));
        const int offset = sourceOffset(g, corner.h + tap[0].h, corner.w + tap[0].w);
        return offset < 0 ? float4{} : loadWide(corner.image + offset + tap[0].channel);
    }

    __device__ __forceinline__ void fetch(int tileStep)
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) value[i] = pixel(tileStep * tileDepth + threadIdx.x / quads + i * step);
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) panel.line[threadIdx.x / quads + i * step][threadIdx.x % quads] = value[i];
    }
};
