// Tiles of a pooling: what the windows of a block see stands in shared memory, so that every byte comes once per block, in accesses of
// 16 bytes, whatever the windows, their steps and their overlap. Forward the results are y and the source is x; backward they are dx and
// dy, with the places of maxima. A block has one of
//   RowTile    rows of a plane (NCHW), or of an image with all its channels (NHWC), or some whole planes: one range of memory. A thread
//              has single elements. Results wait in shared memory too, to leave in 16 bytes whatever the width of the image
//   SliceTile  (NHWC) rows and columns of an image, and a slice of its channels; a thread has 16 bytes of them
// Tiles fetch again what their neighbours see too: span - step rows, and columns. With results of h x w that makes, in parts of the source,
//   (1 + (spanH - strideH) / (h strideH)) (1 + (spanW - strideW) / (w strideW))
// forward, and about the same backward; C# chooses h and w so that it is little where shared memory allows (PoolTilePlan).
#pragma once

#include "common/flat_tile.h"
#include "pool/pixels.h"
#include "pool/places.h"

// How blocks share a pooling; twin of the C# struct.
struct PoolTiling
{
    FastDivisor slices, tiles, strips;   // blocks: slice + slices (tile + tiles (strip + strips outer)), of channels, columns, rows
    FastDivisor vectors, columns, parts;  // threads of a block: vectors of channels, columns, parts of the rows
    int rows, rowsOfPart;                // results of a block, and of a thread in its column
    FastDivisor sourceColumns;           // SliceTile: columns that it sees
    int sourceRows;                      // SliceTile: rows that it sees
    int planes;                          // RowTile: planes or images of a block; 0: SliceTile
    int outers;                          // planes or images of all blocks
    int wide;                            // whether tensors start at multiples of 16 bytes; SliceTile: always
    int placesAt, resultsAt, resultPlacesAt;  // where these are in shared memory, in units of 16 bytes
};

// The first result of a block.
__device__ __forceinline__ PoolPlace firstOfTile(const PoolTiling& t)
{
    PoolPlace place;
    int index = divide(blockIdx.x, t.slices, place.channel);
    index = divide(index, t.tiles, place.column);
    place.outer = divide(index, t.strips, place.row) * max(t.planes, 1);
    return {place.outer, place.row * t.rows, place.column * (int)t.columns.divisor, place.channel * (int)t.vectors.divisor};
}

// Results of a pass, and what they see of their source.
template <bool backward> struct PoolPass
{
    const PoolGeometry& g;

    __device__ __forceinline__ int height() const { return backward ? g.height : (int)g.outHeight.divisor; }
    __device__ __forceinline__ int width() const { return backward ? g.width : (int)g.outWidth.divisor; }
    __device__ __forceinline__ int sourceHeight() const { return backward ? (int)g.outHeight.divisor : g.height; }
    __device__ __forceinline__ int sourceWidth() const { return backward ? (int)g.outWidth.divisor : g.width; }

    // Rows that rows `first` to `last` see; forward some may lie outside the image.
    __device__ __forceinline__ Range rowsSeen(int first, int last) const
    {
        return seen(first, last, g.padHeight, g.spanHeight(), g.strideHeight, g.outHeight.divisor);
    }

    __device__ __forceinline__ Range columnsSeen(int first, int last) const
    {
        return seen(first, last, g.padWidth, g.spanWidth(), g.strideWidth, g.outWidth.divisor);
    }

private:
    __device__ __forceinline__ static Range seen(int first, int last, int pad, int span, const FastDivisor& stride, int outputs)
    {
        if (!backward) return {first * (int)stride.divisor - pad, last * (int)stride.divisor - pad + span};
        return {windowsOver(first + pad, span, stride, outputs).first, windowsOver(last + pad, span, stride, outputs).end};
    }
};

template <typename T, bool backward> struct RowTile
{
    static constexpr int width = 1, threads = 128;
    const PoolGeometry& g;
    const PoolTiling& t;
    uint4* const memory;
    const PoolPass<backward> pass;
    const PoolPlace start;
    const int planes, rows;
    Range seen;

    __device__ __forceinline__ RowTile(const PoolGeometry& g, const PoolTiling& t, uint4* memory)
        : g(g), t(t), memory(memory), pass{g}, start(firstOfTile(t)), planes(min(t.planes, t.outers - start.outer)),
          rows(min(t.rows, pass.height() - start.row)), seen{0, pass.sourceHeight()}
    {
        if (t.strips.divisor == 1) return;
        const Range wanted = pass.rowsSeen(start.row, start.row + rows - 1);
        seen.first = min(max(wanted.first, 0), seen.end);
        seen.end = max(seen.first, min(wanted.end, seen.end));
    }

    template <typename V> __device__ __forceinline__ void bring(const V* from, int at) const
    {
        sourceTile<V>(at).copyIn(from, (long long)t.outers * pass.sourceHeight() * sourcePitch());
    }

    __device__ __forceinline__ int pieces() const { return planes * t.parts.divisor * resultPitch(); }

    // The first result of piece i, which is a part of a column; returns the row behind the last one.
    __device__ __forceinline__ int locate(int i, PoolPlace& at) const
    {
        int part;
        i = divide(i, t.vectors, at.channel);
        i = divide(i, t.columns, at.column);
        at.outer = divide(i, t.parts, part);
        at.row = start.row + part * t.rowsOfPart;
        return min(at.row + t.rowsOfPart, start.row + rows);
    }

    __device__ __forceinline__ Pixels<T, 1> source(const PoolPlace& at) const
    {
        const int plane = (seen.end - seen.first) * sourcePitch();
        return {sourceTile<T>(0).elements(), at.outer * plane - seen.first * sourcePitch() + at.channel, sourcePitch(), (int)g.channelVectors.divisor};
    }

    __device__ __forceinline__ unsigned char* places() const { return sourceTile<unsigned char>(t.placesAt).elements(); }

    __device__ __forceinline__ void keep(T*, const PoolPlace& at, const Elements<T, 1>& value) const
    {
        ::store(resultTile<T>(t.resultsAt).elements() + numberOf(at), value.at[0]);
    }

    __device__ __forceinline__ void keepPlaces(unsigned char*, const PoolPlace& at, const int (&place)[1]) const
    {
        resultTile<unsigned char>(t.resultPlacesAt).elements()[numberOf(at)] = (unsigned char)place[0];
    }

    // All threads together, when all results are there.
    template <typename V> __device__ __forceinline__ void send(V* to, int at) const { resultTile<V>(at).copyOut(to); }

private:
    __device__ __forceinline__ int sourcePitch() const { return pass.sourceWidth() * g.channelVectors.divisor; }
    __device__ __forceinline__ int resultPitch() const { return pass.width() * g.channelVectors.divisor; }

    __device__ __forceinline__ int numberOf(const PoolPlace& at) const
    {
        return (at.outer * rows + at.row - start.row) * resultPitch() + at.column * g.channelVectors.divisor + at.channel;
    }

    template <typename V> __device__ __forceinline__ FlatTile<V, threads> sourceTile(int at) const
    {
        const int count = planes * (seen.end - seen.first) * sourcePitch();
        return {memory + at, ((long long)start.outer * pass.sourceHeight() + seen.first) * sourcePitch(), count, t.wide};
    }

    template <typename V> __device__ __forceinline__ FlatTile<V, threads> resultTile(int at) const
    {
        return {memory + at, ((long long)start.outer * pass.height() + start.row) * resultPitch(), planes * rows * resultPitch(), t.wide};
    }
};

template <typename T, bool backward> struct SliceTile
{
    static constexpr int width = vectorWidth<T>, threads = 256;
    const PoolGeometry& g;
    const PoolTiling& t;
    uint4* const memory;
    const PoolPass<backward> pass;
    const PoolPlace start;
    const int firstRow, firstColumn;  // of the source

    __device__ __forceinline__ SliceTile(const PoolGeometry& g, const PoolTiling& t, uint4* memory)
        : g(g), t(t), memory(memory), pass{g}, start(firstOfTile(t)), firstRow(pass.rowsSeen(start.row, start.row).first),
          firstColumn(pass.columnsSeen(start.column, start.column).first)
    {
    }

    // Elements or places of `width` channels at a time.
    template <typename V> __device__ __forceinline__ void bring(const V* from, int at) const
    {
        constexpr int bytes = width * sizeof(V);
        const unsigned to = sharedAddress(memory + at);
        const int count = t.sourceRows * t.sourceColumns.divisor * t.vectors.divisor;
        for (int i = threadIdx.x; i < count; i += threads) {
            int vector, column;
            const int row = divide(divide(i, t.vectors, vector), t.sourceColumns, column);
            const int h = firstRow + row, w = firstColumn + column, channel = start.channel + vector;
            if ((unsigned)h >= (unsigned)pass.sourceHeight() || (unsigned)w >= (unsigned)pass.sourceWidth() || channel >= (int)g.channelVectors.divisor) continue;
            copyAsync<bytes>(to + i * bytes, from + number(h, w, pass.sourceHeight(), pass.sourceWidth(), channel) * width);
        }
    }

    __device__ __forceinline__ int pieces() const { return t.parts.divisor * t.columns.divisor * t.vectors.divisor; }

    // The first result of piece i, which is a part of a column; returns the row behind the last one, 0 if there is none.
    __device__ __forceinline__ int locate(int i, PoolPlace& at) const
    {
        i = divide(i, t.vectors, at.channel);
        at.row = start.row + divide(i, t.columns, at.column) * t.rowsOfPart;
        at.outer = start.outer, at.column += start.column, at.channel += start.channel;
        const bool exists = at.column < pass.width() && at.channel < (int)g.channelVectors.divisor;
        return exists ? min(min(at.row + t.rowsOfPart, start.row + t.rows), pass.height()) : 0;
    }

    __device__ __forceinline__ Pixels<T, width> source(const PoolPlace& at) const
    {
        const int columnPitch = t.vectors.divisor, rowPitch = t.sourceColumns.divisor * columnPitch;
        return {(const T*)memory, at.channel - start.channel - firstRow * rowPitch - firstColumn * columnPitch, rowPitch, columnPitch};
    }

    __device__ __forceinline__ unsigned char* places() const { return (unsigned char*)(memory + t.placesAt); }

    __device__ __forceinline__ void keep(T* to, const PoolPlace& at, const Elements<T, width>& values) const { values.store(to, numberOf(at)); }

    __device__ __forceinline__ void keepPlaces(unsigned char* to, const PoolPlace& at, const int (&place)[width]) const
    {
        storeBytes(to + numberOf(at) * width, place);
    }

    template <typename V> __device__ __forceinline__ void send(V*, int) const {}

private:
    __device__ __forceinline__ long long number(int row, int column, int height, int width, int channel) const
    {
        return (((long long)start.outer * height + row) * width + column) * g.channelVectors.divisor + channel;
    }

    __device__ __forceinline__ long long numberOf(const PoolPlace& at) const { return number(at.row, at.column, pass.height(), pass.width(), at.channel); }
};

// Calls f with the kind of tile of this launch.
template <typename T, bool backward, typename F> __device__ __forceinline__ void withTile(const PoolGeometry& g, const PoolTiling& t, const F& f)
{
    extern __shared__ uint4 memory[];
    if (t.planes) f(RowTile<T, backward>(g, t, memory));
    else f(SliceTile<T, backward>(g, t, memory));
}

// Waits for what the block has brought.
__device__ __forceinline__ void arrive()
{
    commitCopies(), waitCopies<0>();
    __syncthreads();
}

// Calls f(at, end) for this thread's parts of columns: the first result, and the row behind the last.
template <typename Tile, typename F> __device__ __forceinline__ void eachPiece(const Tile& tile, const F& f)
{
    for (int i = threadIdx.x; i < tile.pieces(); i += Tile::threads) {
        PoolPlace at;
        const int end = tile.locate(i, at);
        f(at, end);
    }
}
