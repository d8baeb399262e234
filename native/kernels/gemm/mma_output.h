// From the sums of matrix units to memory: bias per column, clamp, and through shared memory, so that stores are 16 bytes wide.
#pragma once

#include "gemm/mma_tile.h"

template <class Out> struct MmaOutput
{
    Out* first;       // row 0, column 0
    const Out* bias;  // one per column, or null
    int rows, columns;
    int wide;         // whether lines allow 16-byte stores
};

template <class Out, class M>
__device__ __forceinline__ void stageSums(const typename M::Sums& sum, Out* tile, int column0, const MmaOutput<Out>& out, const Epilogue& epilogue)
{
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int j = 0; j < M::columnFragments; ++j)
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            const int column = M::warpColumn() + j * 8 + lane % 4 * 2 + k;
            const float bias = out.bias && column0 + column < out.columns ? load(out.bias + column0 + column) : 0.f;
#pragma unroll
            for (int i = 0; i < M::rowFragments; ++i) {
                Out* const to = tile + (M::warpRow() + i * 16 + lane / 4) * M::outPitch + column;
                store(to, clamp(sum[i][j][k] + bias, epilogue));
                store(to + 8 * M::outPitch, clamp(sum[i][j][k + 2] + bias, epilogue));
            }
        }
}

// Stores the tile; offset(row) is the place of a row from `first`.
template <class Out, class M, class RowOffset>
__device__ __forceinline__ void storeMmaTile(const typename M::Sums& sum, void* memory, int row0, int column0, const MmaOutput<Out>& out,
                                             const Epilogue& epilogue, RowOffset offset)
{
    constexpr int unit = unitSize<Out>, units = M::columns / unit;
    Out* const tile = (Out*)memory;
    stageSums<Out, M>(sum, tile, column0, out, epilogue);
    __syncthreads();
    for (int i = threadIdx.x; i < M::rows * units; i += M::threads) {
        const int row = i / units, column = i % units * unit, inside = out.columns - column0 - column;
        if (row0 + row >= out.rows || inside <= 0) continue;
        const Out* const from = tile + row * M::outPitch + column;
        Out* const to = out.first + offset(row0 + row) + column0 + column;
        if (out.wide && inside >= unit) {
            storeWide((float*)to, *(const float4*)from);
            continue;
        }
        for (int k = 0; k < unit && k < inside; ++k) to[k] = from[k];
    }
}
