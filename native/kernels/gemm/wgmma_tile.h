// The part that all products on Hopper's matrix units share. A block stays on its multiprocessor and makes one tile of 128 x columns after
// the other, in steps of 64 numbers of the depth:
//
//   one thread of the last warpgroup lets the copy engine fill a ring of stages, as far ahead as there are stages, also while the others store;
//   two warpgroups multiply 64 rows each, straight from shared memory, and say when a stage is free again;
//   each of their warps brings its 16 rows to memory through 3 KB of its own, so that no warp waits for another.
//
// Per stage a barrier for "full" (the copied bytes) and one for "empty" (both warpgroups). A tile asks L2 for 128 + columns numbers per step of
// the depth: with 256 columns three quarters of what the same products take in tiles of 128 x 128.
#pragma once

#include "common/mbarrier.h"
#include "common/tensor_copy.h"
#include "common/wgmma.h"
#include "gemm/mma_output.h"

template <class T, int Columns> struct WgmmaTile
{
    using Element = T;
    using Sums = float[Columns / 8][4];  // of a thread: its part of 16 rows of a warp
    static constexpr int rows = 128, columns = Columns, stepDepth = swizzledLine / (int)sizeof(T);
    static constexpr int rowBytes = rows * swizzledLine, stageBytes = (rows + columns) * swizzledLine, stages = 196608 / stageBytes;
    static constexpr int consumers = 256, threads = consumers + 128;  // two warpgroups multiply, one copies
    static constexpr bool movesRegisters = columns > 64;  // with fewer sums all threads have registers enough
    static constexpr int warpBytes = 3072, outBytes = consumers / 32 * warpBytes;
    static constexpr int sharedBytes = stages * stageBytes + outBytes + 2 * 8 * stages;
    static_assert(sharedBytes <= 221312, "the host asks for this much");
};

// What one warp stores at a time, in the terms of gemm/mma_output.h: lines of 128 bytes.
template <class Out> struct WarpTile
{
    static constexpr int rows = 16, columns = 128 / (int)sizeof(Out), threads = 32, sharedBytes = 3072;
    static constexpr int rowFragments = 1, columnFragments = columns / 8;
    using Sums = float[rowFragments][columnFragments][4];

    static __device__ __forceinline__ int thread() { return threadIdx.x % 32; }
    static __device__ __forceinline__ int warpRow() { return 0; }
    static __device__ __forceinline__ int warpColumn() { return 0; }
    static __device__ __forceinline__ void sync() { __syncwarp(); }
};

// Copies an operand's part of a stage: the tile's rows (or columns) from `outer` on, 64 numbers of the depth.
template <int Outer, bool DepthMajor>
__device__ __forceinline__ void copyOperand(unsigned to, unsigned long long map, int outer, int depth, int matrix, unsigned barrier)
{
    if constexpr (DepthMajor) {
        copyBox(to, map, depth, outer, matrix, barrier);
    } else {
#pragma unroll
        for (int i = 0; i < Outer / swizzledLines; ++i) copyBox(to + i * swizzledBlock, map, outer + i * swizzledLines, depth, matrix, barrier);
    }
}

// The barriers of a block, behind its stages and what its warps store through.
template <class M> struct WgmmaBarriers
{
    unsigned first;

    __device__ __forceinline__ unsigned full(int stage) const { return first + 8 * stage; }
    __device__ __forceinline__ unsigned empty(int stage) const { return first + 8 * (M::stages + stage); }

    __device__ __forceinline__ void init() const
    {
        for (int s = 0; s < M::stages; ++s) initBarrier(full(s), 1), initBarrier(empty(s), M::consumers / 128);
        publishBarriers();
    }
};

template <class M, class Work> __device__ __forceinline__ void copyTiles(const Work& work, unsigned memory, const WgmmaBarriers<M>& barriers)
{
    StageRing<M::stages> ring;
    for (int i = blockIdx.x; i < work.count; i += gridDim.x) {
        const auto tile = work.tile(i);
        for (int step = tile.first; step < tile.last; ++step, ring.advance()) {
            waitPhase(barriers.empty(ring.stage), ring.parity ^ 1);
            arriveExpecting(barriers.full(ring.stage), M::stageBytes);
            work.copy(tile, memory + ring.stage * M::stageBytes, step, barriers.full(ring.stage));
        }
    }
}

template <class M, class Work> __device__ __forceinline__ void multiplyStage(unsigned stage, typename M::Sums& sum)
{
    const unsigned long long rows = matrixDescriptor(stage + threadIdx.x / 128 * swizzledBlock), columns = matrixDescriptor(stage + M::rowBytes);
#pragma unroll
    for (int slice = 0; slice < M::stepDepth / wgmmaDepth; ++slice)
        multiplyAdd<!Work::depthMajorRows, !Work::depthMajorColumns>(
            sum, rows + slice * nextSlice<Work::depthMajorRows>, columns + slice * nextSlice<Work::depthMajorColumns>, typename M::Element{});
}

// Sums are registers that the matrix units write behind the compiler's back: nothing that uses them may move before the wait.
template <int Fragments> __device__ __forceinline__ void holdSums(float (&sum)[Fragments][4])
{
#pragma unroll
    for (int j = 0; j < Fragments; ++j)
#pragma unroll
        for (int k = 0; k < 4; ++k) asm volatile("" : "+f"(sum[j][k])::"memory");
}

// One step is multiplied while the next is waited for: a stage is free when the products of the step behind it are on their way.
template <class M, class Work>
__device__ __forceinline__ void multiplySteps(int steps, unsigned memory, const WgmmaBarriers<M>& barriers, StageRing<M::stages>& ring, typename M::Sums& sum)
{
    const bool speaks = threadIdx.x % 128 == 0;
    int busy = 0;
    holdSums(sum);
    for (int step = 0; step < steps; ++step, ring.advance()) {
        waitPhase(barriers.full(ring.stage), ring.parity);
        orderSums();
        multiplyStage<M, Work>(memory + ring.stage * M::stageBytes, sum);
        commitProducts();
        waitProducts<1>();
        if (step > 0 && speaks) arrive(barriers.empty(busy));
        busy = ring.stage;
    }
    waitProducts<0>();
    holdSums(sum);
    if (steps > 0 && speaks) arrive(barriers.empty(busy));
}

// Stores a warp's 16 rows of a tile whose first row and column are given; `memory` is the warp's own.
template <class Out, class M, bool ColumnLines = false, class RowOffset>
__device__ __forceinline__ void storeWarpRows(const typename M::Sums& sum, void* memory, int row, int column, const MmaOutput<Out>& out,
                                              const Epilogue& epilogue, RowOffset offset)
{
    using W = WarpTile<Out>;
    const int firstRow = row + threadIdx.x / 32 * W::rows;
#pragma unroll
    for (int chunk = 0; chunk < M::columns / W::columns; ++chunk) {
        if (column + chunk * W::columns >= out.columns) continue;
        const auto& part = *reinterpret_cast<const typename W::Sums*>(&sum[chunk * W::columnFragments]);
        storeMmaTile<Out, W, ColumnLines>(part, memory, firstRow, column + chunk * W::columns, out, epilogue, offset);
        W::sync();
    }
}

// Work has `count` tiles in all; tile(i) is one, with steps `first` to `last` - 1 of the depth; copy(tile, stage, step, barrier) fills a stage;
// store(tile, sums, memory of the warp) stores; depthMajorRows and -Columns say how operands lie.
template <class M, class Work> __device__ __forceinline__ void multiplyWgmmaTiles(const Work& work)
{
    extern __shared__ __align__(1024) unsigned char wgmmaMemory[];
    const unsigned memory = sharedAddress(wgmmaMemory);
    const WgmmaBarriers<M> barriers{memory + M::stages * M::stageBytes + M::outBytes};
    if (threadIdx.x == 0) barriers.init();
    __syncthreads();
    if (threadIdx.x >= M::consumers) {
        if constexpr (M::movesRegisters) giveRegisters<40>();
        if (threadIdx.x == M::consumers) copyTiles<M>(work, memory, barriers);
        return;
    }
    if constexpr (M::movesRegisters) takeRegisters<232>();
    void* const own = wgmmaMemory + M::stages * M::stageBytes + threadIdx.x / 32 * M::warpBytes;
    StageRing<M::stages> ring;
    for (int i = blockIdx.x; i < work.count; i += gridDim.x) {
        const auto tile = work.tile(i);
        typename M::Sums sum = {};
        multiplySteps<M, Work>(tile.last - tile.first, memory, barriers, ring, sum);
        work.store(tile, sum, own);
    }
}
