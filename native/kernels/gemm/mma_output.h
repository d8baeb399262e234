// From the sums of matrix units to memory: bias, clamp, and through shared memory, so that stores are 16 bytes wide
// where memory allows it and coalesced where it does not. What stores a tile (M) is a block, or one of its warps for itself.
#pragma once

#include "gemm/mma_tile.h"

template <class Out> struct MmaOutput
{
    Out* first;              // row 0, column 0
    const Out* rowBias;      // one per row, or null
    const Out* columnBias;   // one per column, or null
    int rows, columns;
    int wide;                // whether lines come in units of 16 bytes, aligned
    long long columnStride;  // elements from one column to the next
};

// The tile on its way out. Its lines are what lies together in memory: rows, or columns (an image whose channels come first).
template <class Out, class M, bool ColumnLines> struct OutTile
{
    static constexpr int lines = ColumnLines ? M::columns : M::rows, length = ColumnLines ? M::rows : M::columns;
    static constexpr int pitch = length + (ColumnLines ? 16 / (int)sizeof(Out) : 8);  // threads that store neighbouring rows meet different banks
    static_assert(lines * pitch * (int)sizeof(Out) <= M::sharedBytes, "the tile fits where the stages were");

    static __device__ __forceinline__ int place(int row, int column) { return ColumnLines ? column * pitch + row : row * pitch + column; }

    // Neighbours in a row.
    static __device__ __forceinline__ void put(Out* tile, int row, int column, float first, float second)
    {
        if constexpr (ColumnLines) store(tile + place(row, column), first), store(tile + place(row, column + 1), second);
        else storePair(tile + place(row, column), first, second);
    }
};

template <class Out> __device__ __forceinline__ float biasAt(const Out* bias, int i, int count)
{
    return bias && i < count ? load(bias + i) : 0.f;
}

template <class Out, class M, class Tile>
__device__ __forceinline__ void stageSums(const typename M::Sums& sum, Out* tile, int row0, int column0, const MmaOutput<Out>& out,
                                          const Epilogue& epilogue)
{
    const int lane = threadIdx.x % 32, firstRow = M::warpRow() + lane / 4;
    float rowBias[2 * M::rowFragments];
#pragma unroll
    for (int i = 0; i < 2 * M::rowFragments; ++i) rowBias[i] = biasAt(out.rowBias, row0 + firstRow + i * 8, out.rows);
#pragma unroll
    for (int j = 0; j < M::columnFragments; ++j) {
        const int column = M::warpColumn() + j * 8 + lane % 4 * 2;
        const float first = biasAt(out.columnBias, column0 + column, out.columns), second = biasAt(out.columnBias, column0 + column + 1, out.columns);
#pragma unroll
        for (int i = 0; i < 2 * M::rowFragments; ++i) {
            const float* const pair = &sum[i / 2][j][i % 2 * 2];
            Tile::put(tile, firstRow + i * 8, column, clamp(pair[0] + rowBias[i] + first, epilogue), clamp(pair[1] + rowBias[i] + second, epilogue));
        }
    }
}

// Copies a staged tile, so many elements at once.
template <int width, class Out, class M, bool ColumnLines, class RowOffset>
__device__ __forceinline__ void copyTile(const Out* tile, int row0, int column0, const MmaOutput<Out>& out, RowOffset offset)
{
    using Tile = OutTile<Out, M, ColumnLines>;
    constexpr int perLine = Tile::length / width;
    for (int i = M::thread(); i < Tile::lines * perLine; i += M::threads) {
        const int line = i / perLine, along = i % perLine * width;
        const int row = ColumnLines ? along : line, column = ColumnLines ? line : along;
        if (row0 + row >= out.rows || column0 + column >= out.columns) continue;
        const Out* const from = tile + Tile::place(row, column);
        Out* const to = out.first + offset(row0 + row) + (column0 + column) * out.columnStride;
        if constexpr (width == 1) *to = *from;
        else storeWide((float*)to, *(const float4*)from);
    }
}

// Stores the tile with columns (ColumnLines) or rows side by side in memory; offset(row) is the place of a row from `first`.
template <class Out, class M, bool ColumnLines = false, class RowOffset>
__device__ __forceinline__ void storeMmaTile(const typename M::Sums& sum, void* memory, int row0, int column0, const MmaOutput<Out>& out,
                                             const Epilogue& epilogue, RowOffset offset)
{
    Out* const tile = (Out*)memory;
    stageSums<Out, M, OutTile<Out, M, ColumnLines>>(sum, tile, row0, column0, out, epilogue);
    M::sync();
    if (out.wide) copyTile<unitSize<Out>, Out, M, ColumnLines>(tile, row0, column0, out, offset);
    else copyTile<1, Out, M, ColumnLines>(tile, row0, column0, out, offset);
}
