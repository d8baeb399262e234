// The patches that windows see, as the operand of a product whose columns are output pixels and whose depth is the patch:
// the matrix of im2col, which is never written. Pixels are divided up once per block; elements of the patch in every step.
#pragma once

#include "conv/geometry.h"
#include "gemm/matrix_source.h"

// NCHW, depth (c, r, s). Neighbouring lanes take neighbouring pixels, so that a warp reads one row of a channel.
template <int Outer, int Threads> struct PatchesChannelsFirst
{
    static constexpr int lanes = Outer < Threads ? Outer : Threads, pixels = Outer / lanes;
    static constexpr int step = Threads / lanes, passes = tileDepth / step;
    static_assert(passes * step == tileDepth && pixels * lanes == Outer, "threads share the tile evenly");
    const ConvGeometry& g;
    Corner<float> corner[pixels];
    float value[passes][pixels];

    __device__ __forceinline__ PatchesChannelsFirst(const float* x, const ConvGeometry& g, int column) : g(g)
    {
#pragma unroll
        for (int i = 0; i < pixels; ++i) corner[i] = windowCorner(g, x, column + threadIdx.x % lanes + i * lanes);
    }

    __device__ __forceinline__ void fetch(int tileStep)
    {
#pragma unroll
        for (int pass = 0; pass < passes; ++pass) {
            const int depth = tileStep * tileDepth + threadIdx.x / lanes + pass * step;
            const bool inside = depth < patchLength(g);
            const Tap tap = tapChannelsFirst(g, depth);
#pragma unroll
            for (int i = 0; i < pixels; ++i) {
                const int offset = inside ? sourceOffset(g, corner[i].h + tap.h, corner[i].w + tap.w) : -1;
                value[pass][i] = offset < 0 ? 0.f : corner[i].image[tap.channel * g.in.channel + offset];
            }
        }
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const
    {
#pragma unroll
        for (int pass = 0; pass < passes; ++pass)
#pragma unroll
            for (int i = 0; i < pixels; ++i) panel.set(threadIdx.x / lanes + pass * step, threadIdx.x % lanes + i * lanes, value[pass][i]);
    }
};

// NCHW with channels in multiples of the step, depth (r, s, c): a step has one tap, which is divided up once.
template <int Outer, int Threads> struct PatchesByTap : PatchesChannelsFirst<Outer, Threads>
{
    using Base = PatchesChannelsFirst<Outer, Threads>;
    using Base::Base;

    __device__ __forceinline__ void fetch(int tileStep)
    {
        const Tap tap = tapChannelsLast(this->g, tileStep * tileDepth);
        const int channelStride = this->g.in.channel, channel = (tap.channel + threadIdx.x / Base::lanes) * channelStride;
#pragma unroll
        for (int i = 0; i < Base::pixels; ++i) {
            const int offset = sourceOffset(this->g, this->corner[i].h + tap.h, this->corner[i].w + tap.w);
            const float* const from = this->corner[i].image + channel + offset;
#pragma unroll
            for (int pass = 0; pass < Base::passes; ++pass) this->value[pass][i] = offset < 0 ? 0.f : from[pass * Base::step * channelStride];
        }
    }
};

// NHWC, depth (r, s, c). A thread takes four neighbouring channels of a pixel: one tap where channels come in fours.
template <int Outer, int Threads> struct PatchesChannelsLast
{
    static constexpr int passes = 2 * Outer / Threads;
    const ConvGeometry& g;
    Corner<float> corner[passes];
    float4 value[passes];

    __device__ __forceinline__ PatchesChannelsLast(const float* x, const ConvGeometry& g, int column) : g(g)
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) corner[i] = windowCorner(g, x, column + threadIdx.x / 2 + i * (Threads / 2));
    }

    __device__ __forceinline__ float element(const Corner<float>& at, int depth) const
    {
        if (depth >= patchLength(g)) return 0.f;
        const Tap tap = tapChannelsLast(g, depth);
        const int offset = sourceOffset(g, at.h + tap.h, at.w + tap.w);
        return offset < 0 ? 0.f : at.image[offset + tap.channel];
    }

    __device__ __forceinline__ void fetch(int tileStep)
    {
        const int depth = tileStep * tileDepth + threadIdx.x % 2 * 4;
        if (g.wideIn) {
            const bool inside = depth < patchLength(g);
            const Tap tap = tapChannelsLast(g, depth);
#pragma unroll
            for (int i = 0; i < passes; ++i) {
                const int offset = inside ? sourceOffset(g, corner[i].h + tap.h, corner[i].w + tap.w) : -1;
                value[i] = offset < 0 ? float4{} : loadWide(corner[i].image + offset + tap.channel);
            }
            return;
        }
#pragma unroll
        for (int i = 0; i < passes; ++i)
            value[i] = make_float4(element(corner[i], depth), element(corner[i], depth + 1), element(corner[i], depth + 2), element(corner[i], depth + 3));
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const
    {
        stageDepthLines<Outer, Threads>(panel, value);
    }
};
