// Depthwise convolution of NCHW images: planes stand in shared memory as they stand in memory, one behind another.
//
// A block has some whole planes, or a strip of rows of one. Because that is one range of memory, it is copied in 16-byte units
// whatever the width of the image, and so are the results, which wait in shared memory until all are there. A thread slides down a
// column of a plane, or a part of it; neighbouring threads have neighbouring columns.
#pragma once

#include "common/flat_tile.h"
#include "conv/geometry.h"
#include "conv/slide.h"

constexpr int planeThreads = 128;

// How a depthwise convolution is divided over blocks; rows are those of results.
struct DepthwisePlanes
{
    int planes;                // of a block
    int rows, strips;          // of a strip; strips of a plane: more than one with one plane in a block
    int parts;                 // threads that share a column
    int lanes;                 // gradient by the filters: threads that share a row
    int second;                // where the second tile starts in shared memory, in units
    int wide;                  // whether tensors start at multiples of 16 bytes
    int items, itemsPerSplit;  // gradient by the filters: (strip, n) of all images, and of a block
};

// Rows of a plane that stand in shared memory.
struct RowRange { int low, high; };

// Those from `first` to `last` that exist; all of them where planes are not cut.
__device__ __forceinline__ RowRange rowRange(const DepthwisePlanes& d, int first, int last, int height)
{
    if (d.strips == 1) return {0, height};
    const int low = min(max(first, 0), height);
    return {low, max(low, min(last + 1, height))};
}

// What a thread has of a tile: a column of a plane, and of its rows a range.
struct ColumnRange { int plane, column, first, count; };

__device__ __forceinline__ ColumnRange columnRange(const DepthwisePlanes& d, int index, int width, int rows)
{
    const int each = (rows + d.parts - 1) / d.parts, first = index / width % d.parts * each;
    return {index / width / d.parts, index % width, first, min(each, rows - first)};
}
