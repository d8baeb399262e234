// Depthwise convolution of NHWC images: rows of a slice of channels, 128 bytes of them, pass through shared memory.
//
// A block has a slice of channels, a tile of columns and a strip of rows, and works in steps of `rowsPerStep` rows of the result.
// Rows that the next step needs arrive under the arithmetic of this one, in 16-byte units; every row is read once per strip.
// A warp has a row of the step and a part of its columns; a lane has four bytes of channels: one float or two halves.
#pragma once

#include "common/unit.h"
#include "conv/geometry.h"
#include "conv/slide.h"

constexpr int sliceBytes = 128, ringWarps = 4;

template <class T> constexpr int laneChannels = 4 / sizeof(T);
template <class T> constexpr int sliceChannels = sliceBytes / sizeof(T);

// How a depthwise convolution is divided over blocks; counts are of results.
struct DepthwiseRows
{
    int slices, tiles, strips;  // of channels, columns, rows; blocks are slice + slices * (tile + tiles * (strip + strips * n))
    int columns, rows;          // of a tile, of a strip
    int rowsPerStep;            // divides ringWarps
    int slots;                  // rows of the ring
    int wide;                   // whether units of 16 bytes are aligned
    int items, itemsPerSplit;   // gradient by the filters: (tile, strip, n) of all images, and of a block
};

struct RowBlock { int channel, column, columns, row, rows, n; };

// Item `item` of the images, for the slice that starts at `channel`; `height` and `width` are those of the result.
__device__ __forceinline__ RowBlock rowBlock(const DepthwiseRows& d, int item, int channel, int height, int width)
{
    const int column = item % d.tiles * d.columns, row = item / d.tiles % d.strips * d.rows;
    return {channel, column, min(d.columns, width - column), row, min(d.rows, height - row), item / d.tiles / d.strips};
}

// A part of a row's columns: that of this thread's warp.
struct ColumnPart { int first, count; };

__device__ __forceinline__ ColumnPart columnPart(const DepthwiseRows& d, int columns)
{
    const int parts = ringWarps / d.rowsPerStep, each = (columns + parts - 1) / parts, first = threadIdx.x / 32 / d.rowsPerStep * each;
    return {first, min(each, columns - first)};
}

__device__ __forceinline__ int stepRow(const DepthwiseRows& d) { return threadIdx.x / 32 % d.rowsPerStep; }

template <class T> __device__ __forceinline__ Lane<laneChannels<T>> laneOf(unsigned word)
{
    Lane<laneChannels<T>> lane;
    if constexpr (sizeof(T) == 4) lane.v[0] = __uint_as_float(word);
    else unpackPair<T>(word, lane.v[0], lane.v[1]);
    return lane;
}

// An image, from the slice's first channel on.
template <class T> struct RowImage
{
    const T* first;
    const ImageStrides& strides;
    int height, width, padding, channels;
};

template <class T> struct RowRing
{
    const RowImage<T> image;
    unsigned* const memory;
    const int row, column;         // of the image: the first of the block
    const int rows, columns;       // that the block reads
    const int slots, pitch, wide;  // pitch: columns in memory

    // Row `index` of the block. Columns from `columns` on are zeros.
    __device__ __forceinline__ void copyRow(int index) const
    {
        const int h = sourcePixel(row + index, image.height, image.padding);
        const unsigned to = sharedAddress(memory + index % slots * pitch * 32);
        for (int i = threadIdx.x; i < pitch * 8; i += ringWarps * 32) {
            const int at = i / 8, unit = i % 8, w = sourcePixel(column + at, image.width, image.padding);
            const int inside = at < columns && (h | w) >= 0 ? image.channels - unit * unitSize<T> : 0;
            bringUnit(to + i * 16, image.first, h * image.strides.row + (long long)w * image.strides.column + unit * unitSize<T>, inside, wide);
        }
    }

    // Rows from `first` to `last` - 1 of those that there are.
    __device__ __forceinline__ void copyRows(int first, int last) const
    {
        for (int i = first; i < min(last, rows); ++i) copyRow(i);
    }

    // The words of row `index` that belong to this lane.
    __device__ __forceinline__ const unsigned* lane(int index) const { return memory + index % slots * pitch * 32 + threadIdx.x % 32; }
};

template <class T> __device__ __forceinline__ void storeLane(T* to, const Lane<laneChannels<T>>& lane, int existing, int wide)
{
    if constexpr (sizeof(T) == 4) {
        if (existing > 0) *to = lane.v[0];
    } else if (wide) {
        if (existing > 0) *reinterpret_cast<unsigned*>(to) = packPair<T>(lane.v[0], lane.v[1]);
    } else {
        if (existing > 0) store(to, lane.v[0]);
        if (existing > 1) store(to + 1, lane.v[1]);
    }
}

// Tap `tap` of the filters of a lane's channels; zeros for channels that do not exist.
template <class T> __device__ __forceinline__ Lane<laneChannels<T>> loadTap(const T* filters, int tap, int taps, int existing)
{
    Lane<laneChannels<T>> lane;
#pragma unroll
    for (int k = 0; k < laneChannels<T>; ++k) lane.v[k] = k < existing ? load(filters + k * taps + tap) : 0.f;
    return lane;
}
