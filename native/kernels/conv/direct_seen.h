// What the windows of a tile see (conv/direct_tile.h), as floats. The host chooses the pitch so that the pixels of a warp meet different banks
// where it can.
#pragma once

#include "conv/direct_tile.h"

// Sums in the registers of a thread: pixels or taps, times filters.
constexpr int directSums = 32;

// What a column of all channels shows: the same pixel of each, or zeros.
__device__ __forceinline__ void stageColumn(float* to, const float* from, const ConvGeometry& g, int stride, int count, bool there)
{
    for (int c = 0; c < count; ++c, to += stride, from += g.in.channel) *to = there ? *from : 0.f;
}

// Fills `seen` with `count` channels from `first` on. A warp takes a row of all channels, its lanes columns; where channels lie side by side,
// lanes take neighbouring numbers instead.
__device__ __forceinline__ void stageSeen(float* seen, const float* __restrict__ x, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int first, int count)
{
    const bool last = g.in.channel == 1;
    const int left = at.column * g.strideW + g.originW, stride = seenOfChannel(t);
    for (int line = threadIdx.x / warpSize32; line < t.images * t.seenRows; line += blockDim.x / warpSize32) {
        int row;
        const int n = at.image + divide(line, t.bySeenRows, row);
        // Behind the last pixel that a window sees, a mirrored place may lie outside.
        const int h = sourcePixel(at.row * g.strideH + g.originH + row, g.height, g.padding);
        const bool there = n < g.images && (unsigned)h < (unsigned)g.height;
        const float* const from = x + n * g.in.image + (long long)first * g.in.channel + h * g.in.row;
        float* const to = seen + line * t.pitch;
        for (int i = threadIdx.x % warpSize32; i < (last ? t.seenColumns * t.channels : t.seenColumns); i += warpSize32) {
            int c = 0;
            const int column = last ? divide(i, t.byChannels, c) : i, w = sourcePixel(left + column, g.width, g.padding);
            if (c < count) stageColumn(to + c * stride + column, from + c + w * g.in.column, g, stride, last ? 1 : count, there && (unsigned)w < (unsigned)g.width);
        }
    }
}
