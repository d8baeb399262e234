// What the direct convolutions share: a tile of output pixels, and what its windows see of x in shared memory, as floats, padding
// folded in, so that taps need no test.
//
//   seen[c][image][row][column] = x[n0 + image, c0 + c, p0 * strideH + originH + row, q0 * strideW + originW + column], 0 outside
//
// Rows of it are `pitch` apart: the host chooses it so that the pixels of a warp meet different banks where it can.
#pragma once

#include "common/dtype.h"
#include "common/reduce.h"
#include "conv/geometry.h"

// Sums in the registers of a thread: pixels or taps, times filters.
constexpr int directSums = 32;

// Twin of the C# struct of the same name.
struct DirectTile
{
    int images, rows, columns;               // output pixels of a tile
    int seenRows, seenColumns, pitch;        // what it sees of a channel
    int channels;                            // staged at once
    int flipH, flipW;                        // whether the window's last tap comes first
    int tiles;
    FastDivisor byRows, byColumns;
    FastDivisor byTilesDown, byTilesAcross;  // tiles of an image
    FastDivisor bySeenRows, byChannels, byFilters;
};

// The first image and pixel of a tile, or a pixel within one.
struct TilePixel { int image, row, column; };

__device__ __forceinline__ TilePixel tileAt(const DirectTile& t, int tile)
{
    int down, across;
    tile = divide(tile, t.byTilesAcross, across);
    tile = divide(tile, t.byTilesDown, down);
    return {tile * t.images, down * t.rows, across * t.columns};
}

// Pixels of a tile in order; numbers behind the last have an image that is not in the tile.
__device__ __forceinline__ TilePixel pixelOfTile(const DirectTile& t, int index)
{
    TilePixel pixel;
    index = divide(index, t.byColumns, pixel.column);
    pixel.image = divide(index, t.byRows, pixel.row);
    return pixel;
}

__device__ __forceinline__ bool exists(const ConvGeometry& g, const DirectTile& t, const TilePixel& at, const TilePixel& pixel)
{
    return pixel.image < t.images && at.image + pixel.image < g.images && at.row + pixel.row < g.outHeight && at.column + pixel.column < g.outWidth;
}

// Whether all pixels of a tile exist.
__device__ __forceinline__ bool isWhole(const ConvGeometry& g, const DirectTile& t, const TilePixel& at)
{
    return at.image + t.images <= g.images && at.row + t.rows <= g.outHeight && at.column + t.columns <= g.outWidth;
}

__device__ __forceinline__ long long outOffset(const ConvGeometry& g, const TilePixel& at, const TilePixel& pixel)
{
    return (at.image + pixel.image) * g.out.image + (long long)(at.row + pixel.row) * g.out.row + (at.column + pixel.column) * g.out.column;
}

// Odd, so that threads which stage neighbouring channels meet different banks.
__device__ __forceinline__ int seenOfChannel(const DirectTile& t) { return t.images * t.seenRows * t.pitch | 1; }

// Where the window of a tile's pixel begins in what is seen of a channel.
__device__ __forceinline__ int seenOffset(const ConvGeometry& g, const DirectTile& t, const TilePixel& pixel)
{
    return (pixel.image * t.seenRows + pixel.row * g.strideH) * t.pitch + pixel.column * g.strideW;
}

// What a column of all channels shows: the same pixel of each, or zeros.
template <class T>
__device__ __forceinline__ void stageColumn(float* to, const T* from, const ConvGeometry& g, int stride, int count, bool there)
{
    for (int c = 0; c < count; ++c, to += stride, from += g.in.channel) *to = there ? load(from) : 0.f;
}

// Fills `seen` with `count` channels from `first` on. A warp takes a row of all channels, its lanes columns; where channels lie side by side,
// lanes take neighbouring numbers instead.
template <class T>
__device__ __forceinline__ void stageSeen(float* seen, const T* __restrict__ x, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int first, int count)
{
    const bool last = g.in.channel == 1;
    const int left = at.column * g.strideW + g.originW, stride = seenOfChannel(t);
    for (int line = threadIdx.x / warpSize32; line < t.images * t.seenRows; line += blockDim.x / warpSize32) {
        int row;
        const int n = at.image + divide(line, t.bySeenRows, row);
        // Behind the last pixel that a window sees, a mirrored place may lie outside.
        const int h = sourcePixel(at.row * g.strideH + g.originH + row, g.height, g.padding);
        const bool there = n < g.images && (unsigned)h < (unsigned)g.height;
        const T* const from = x + n * g.in.image + (long long)first * g.in.channel + h * g.in.row;
        float* const to = seen + line * t.pitch;
        for (int i = threadIdx.x % warpSize32; i < (last ? t.seenColumns * t.channels : t.seenColumns); i += warpSize32) {
            int c = 0;
            const int column = last ? divide(i, t.byChannels, c) : i, w = sourcePixel(left + column, g.width, g.padding);
            if (c < count) stageColumn(to + c * stride + column, from + c + w * g.in.column, g, stride, last ? 1 : count, there && (unsigned)w < (unsigned)g.width);
        }
    }
}
