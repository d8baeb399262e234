// From the sums of matrix units to memory: bias, clamp, and through shared memory, so that stores are 16 bytes wide
// where memory allows it and coalesced where it does not.
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
    for (int j = 0; j < M::columnFragments; ++j)
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            const int column = M::warpColumn() + j * 8 + lane % 4 * 2 + k;
            const float bias = biasAt(out.columnBias, column0 + column, out.columns);
#pragma unroll
            for (int i = 0; i < M::rowFragments; ++i) {
                const int row = firstRow + i * 16;
                store(tile + Tile::place(row, column), clamp(sum[i][j][k] + rowBias[2 * i] + bias, epilogue));
                store(tile + Tile::place(row + 8, column), clamp(sum[i][j][k + 2] + rowBias[2 * i + 1] + bias, epilogue));
            }
        }
}

// Copies a staged tile, so many elements at once.
template <int width, class Out, class M, bool ColumnLines, class RowOffset>
__device__ __forceinline__ void copyTile(const Out* tile, int row0, int column0, const MmaOutput<Out>& out, RowOffset offset)
{
    using Tile = OutTile<Out, M, ColumnLines>;
    constexpr int perLine = Tile::length / width;
    for (int i = threadIdx.x; i < Tile::lines * perLine; i += M::threads) {
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
    __syncthreads();
    if (out.wide) copyTile<unitSize<Out>, Out, M, ColumnLines>(tile, row0, column0, out, offset);
    else copyTile<1, Out, M, ColumnLines>(tile, row0, column0, out, offset);
}
