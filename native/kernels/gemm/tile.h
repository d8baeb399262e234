// The part that all products on FMA units share: one block sums a tile of rows x columns over a range of the depth.
//
//   sum[row, column] = sum over d of rowOperand[row, d] * columnOperand[d, column]
//
// Where operands come from is the business of their sources: fetch(step) brings tileDepth numbers of every row (or
// column) from global memory into registers, stage(panel) lays them down in shared memory as [depth][row]. Two panels
// per operand: the loads of the next step run under the arithmetic of this one, and one barrier per step is enough.
//
// A thread owns groups of four neighbouring rows and columns, the groups half a tile apart, so that it reads its operands
// in 16-byte pieces without bank conflicts. A warp covers four such rows by eight columns: per step of the depth it reads
// few distinct pieces. Limited by FMA: 8 x 8 of them for four 16-byte reads of shared memory.
#pragma once

#include "common/cuda_compat.h"

constexpr int tileDepth = 8;

template <int Rows, int Columns, int RowsPerThread, int ColumnsPerThread> struct Tile
{
    static constexpr int rows = Rows, columns = Columns, rowsPerThread = RowsPerThread, columnsPerThread = ColumnsPerThread;
    static constexpr int threadsDown = Rows / RowsPerThread, threadsAcross = Columns / ColumnsPerThread;
    static constexpr int threads = threadsDown * threadsAcross;
    static_assert(RowsPerThread % 4 == 0 && ColumnsPerThread % 4 == 0, "operands are read four at a time");
    static_assert(threadsDown % 4 == 0 && threadsAcross % 8 == 0, "a warp is four threads down and eight across");

    using Sums = float[RowsPerThread][ColumnsPerThread];

    // Which of the threads down, and which across, this one is.
    static __device__ __forceinline__ int threadRow() { return threadIdx.x / 32 / (threadsAcross / 8) * 4 + threadIdx.x % 32 / 8; }
    static __device__ __forceinline__ int threadColumn() { return threadIdx.x / 32 % (threadsAcross / 8) * 8 + threadIdx.x % 8; }

    // The row (column) in the tile of this thread's i-th.
    static __device__ __forceinline__ int row(int i) { return i / 4 * 4 * threadsDown + threadRow() * 4 + i % 4; }
    static __device__ __forceinline__ int column(int j) { return j / 4 * 4 * threadsAcross + threadColumn() * 4 + j % 4; }
};

using Tile128x128 = Tile<128, 128, 8, 8>;  // 256 threads
using Tile64x64 = Tile<64, 64, 8, 8>;      // 64 threads
using Tile32x128 = Tile<32, 128, 8, 8>;    // 64 threads
using Tile32x32 = Tile<32, 32, 4, 4>;      // 64 threads

// An operand's tile in shared memory. Lines are four floats longer than the tile: threads that write one number each to
// four neighbouring lines meet different banks.
template <int Outer> struct Panel
{
    static constexpr int pitch = Outer + 4;
    float4 line[tileDepth][pitch / 4];

    __device__ __forceinline__ void set(int depth, int outer, float value) { (&line[0][0].x)[depth * pitch + outer] = value; }
};

template <int Count, int Threads>
__device__ __forceinline__ void readFragment(float (&fragment)[Count], const float4* line, int thread)
{
#pragma unroll
    for (int group = 0; group < Count / 4; ++group) {
        const float4 v = line[group * Threads + thread];
        fragment[group * 4] = v.x, fragment[group * 4 + 1] = v.y, fragment[group * 4 + 2] = v.z, fragment[group * 4 + 3] = v.w;
    }
}

template <class T>
__device__ __forceinline__ void multiplyPanels(const Panel<T::rows>& rows, const Panel<T::columns>& columns, typename T::Sums& sum)
{
#pragma unroll
    for (int d = 0; d < tileDepth; ++d) {
        float row[T::rowsPerThread], column[T::columnsPerThread];
        readFragment<T::rowsPerThread, T::threadsDown>(row, rows.line[d], T::threadRow());
        readFragment<T::columnsPerThread, T::threadsAcross>(column, columns.line[d], T::threadColumn());
#pragma unroll
        for (int i = 0; i < T::rowsPerThread; ++i)
#pragma unroll
            for (int j = 0; j < T::columnsPerThread; ++j) sum[i][j] = fmaf(row[i], column[j], sum[i][j]);
    }
}

// Adds the products of steps first to last - 1 of the depth, tileDepth each.
template <class T, class RowSource, class ColumnSource>
__device__ __forceinline__ void multiplyTile(RowSource& rows, ColumnSource& columns, int first, int last, typename T::Sums& sum)
{
    __shared__ Panel<T::rows> rowPanel[2];
    __shared__ Panel<T::columns> columnPanel[2];
    if (first >= last) return;
    rows.fetch(first), columns.fetch(first);
    rows.stage(rowPanel[0]), columns.stage(columnPanel[0]);
    __syncthreads();
    for (int step = first, buffer = 0; step < last; ++step, buffer ^= 1) {
        const bool more = step + 1 < last;
        if (more) rows.fetch(step + 1), columns.fetch(step + 1);
        multiplyPanels<T>(rowPanel[buffer], columnPanel[buffer], sum);
        if (more) rows.stage(rowPanel[buffer ^ 1]), columns.stage(columnPanel[buffer ^ 1]);
        __syncthreads();
    }
}
