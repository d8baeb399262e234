// What the direct convolutions share: a tile of output pixels, and what its windows see of x, which stands in shared memory with its
// padding folded in, so that taps need no test.
//
//   seen[c][image][row][column] = x[n0 + image, c0 + c, p0 * strideH + originH + row, q0 * strideW + originW + column], 0 outside
//
// Rows of it are `pitch` apart. Floats are staged by direct_seen.h, pairs of 16 bits by direct_pairs.h.
#pragma once

#include "common/reduce.h"
#include "conv/geometry.h"

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
    FastDivisor bySeenRows, bySeenColumns, byChannels, byFilters;
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
