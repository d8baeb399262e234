// From the sums of a tile to memory: bias, clamp (an activation: ReLU is [0, inf), ReLU6 [0, 6]), and 16-byte stores
// along rows or columns where the layout allows.
#pragma once

#include "common/wide.h"
#include "gemm/tile.h"

// Part of a fused operation that differs from call to call. A split sum stores its partials as they are and leaves the
// epilogue to sum_splits.
struct Epilogue
{
    float low, high;  // -inf and inf: none
};

// How the depth is divided over blocks (blockIdx.z counts splits fastest): partial i goes partialStride * i behind.
struct DepthSplit
{
    int splits, stepsPerSplit;
    long long partialStride;
};

enum Wide { wideNone, wideColumns, wideRows };

struct TileOutput
{
    float* first;          // of the tile's group or matrix, row 0
    const float* rowBias;     // one per row, or null
    const float* columnBias;  // one per column, or null
    long long rowStride;
    int rows, columns;     // there are
    int wide;              // Wide: along what four neighbours are stored at once
};

// Not fminf and fmaxf: NaN must stay NaN.
__device__ __forceinline__ float clamp(float value, const Epilogue& epilogue)
{
    return value < epilogue.low ? epilogue.low : value > epilogue.high ? epilogue.high : value;
}

template <class T>
__device__ __forceinline__ void finish(typename T::Sums& sum, int row0, int column0, const TileOutput& out, const Epilogue& epilogue)
{
#pragma unroll
    for (int i = 0; i < T::rowsPerThread; ++i) {
        const int row = row0 + T::row(i);
        const float rowBias = out.rowBias && row < out.rows ? out.rowBias[row] : 0.f;
#pragma unroll
        for (int j = 0; j < T::columnsPerThread; ++j) {
            const int column = column0 + T::column(j);
            const float columnBias = out.columnBias && column < out.columns ? out.columnBias[column] : 0.f;
            sum[i][j] = clamp(sum[i][j] + rowBias + columnBias, epilogue);
        }
    }
}

// Four neighbouring columns are stored at once.
template <class T, class ColumnOffset>
__device__ __forceinline__ void storeColumns(const typename T::Sums& sum, int row0, int column0, const TileOutput& out, ColumnOffset offset)
{
#pragma unroll
    for (int j = 0; j < T::columnsPerThread; j += 4) {
        const int column = column0 + T::column(j);
        if (column >= out.columns) continue;
        float* const line = out.first + offset(column);
#pragma unroll
        for (int i = 0; i < T::rowsPerThread; ++i) {
            const int row = row0 + T::row(i);
            if (row < out.rows) storeWide(line + row * out.rowStride, make_float4(sum[i][j], sum[i][j + 1], sum[i][j + 2], sum[i][j + 3]));
        }
    }
}

// Four neighbouring rows are stored at once, or each number by itself.
template <class T, class ColumnOffset>
__device__ __forceinline__ void storeRows(const typename T::Sums& sum, int row0, int column0, const TileOutput& out, ColumnOffset offset)
{
#pragma unroll
    for (int j = 0; j < T::columnsPerThread; ++j) {
        const int column = column0 + T::column(j);
        if (column >= out.columns) continue;
        float* const line = out.first + offset(column);
#pragma unroll
        for (int i = 0; i < T::rowsPerThread; i += 4) {
            const int row = row0 + T::row(i);
            if (out.wide == wideRows) {
                if (row < out.rows) storeWide(line + row, make_float4(sum[i][j], sum[i + 1][j], sum[i + 2][j], sum[i + 3][j]));
                continue;
            }
#pragma unroll
            for (int k = 0; k < 4; ++k)
                if (row + k < out.rows) line[(row + k) * out.rowStride] = sum[i + k][j];
        }
    }
}

// Stores the tile whose first row and column are given; offset(column) is the place of a column from `first`. Wide stores
// need rows (columns) in multiples of four, neighbours in memory, at addresses that are multiples of 16 bytes.
template <class T, class ColumnOffset>
__device__ __forceinline__ void storeTile(typename T::Sums& sum, int row0, int column0, const TileOutput& out, const Epilogue& epilogue,
                                          ColumnOffset offset)
{
    finish<T>(sum, row0, column0, out, epilogue);
    if (out.wide == wideColumns) storeColumns<T>(sum, row0, column0, out, offset);
    else storeRows<T>(sum, row0, column0, out, offset);
}
