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
    int parts, rowsOfPart;     // threads that share a column, and the rows of each
    int planeStep;             // from the plane of some threads to that of the next, modulo `planes`
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

// What a thread has of a tile: a column of a plane, and of its rows a range, which may be empty. Where rows are narrower than a warp, its
// lanes work in several parts and planes: rowsOfPart and planeStep are chosen so that those lie in different banks.
struct ColumnRange { int plane, column, first, count; };

__device__ __forceinline__ ColumnRange columnRange(const DepthwisePlanes& d, int index, int width, int planes, int rows)
{
    const int group = index / width, number = group / d.parts, first = group % d.parts * d.rowsOfPart, plane = number * d.planeStep % d.planes;
    return {plane, index % width, first, number < d.planes && plane < planes ? min(d.rowsOfPart, rows - first) : 0};
}
