// The part that all products on matrix units share: one block sums a tile of rows x columns over a range of the depth, in
// steps of 64 bytes of depth per row (32 halves or 16 floats).
//
// Sources copy operands to shared memory with cp.async, `mmaStages` steps ahead, in one of two orders: lines of the depth per
// row or column (DepthMajor = true), or lines of rows or columns per number of the depth (false), as they lie in memory.
// 16-byte units of a line are XORed with bits of its number, so that neither copies nor ldmatrix meet a bank twice.
// Fragments of the second order are transposed by ldmatrix; tf32, which it cannot transpose, reads single words from lines
// that are 32 bytes longer.
#pragma once

#include "common/unit.h"
#include "gemm/output.h"

constexpr int mmaStages = 4, lineBytes = 64, slices = 2;

template <class T> constexpr int stepDepth = lineBytes / sizeof(T);  // elements of the depth per step

template <int Rows, int Columns, int WarpRows, int WarpColumns> struct MmaTile
{
    static constexpr int rows = Rows, columns = Columns, warpsAcross = Columns / WarpColumns, threads = Rows / WarpRows * warpsAcross * 32;
    static constexpr int rowFragments = WarpRows / 16, columnFragments = WarpColumns / 8;
    static_assert(columnFragments % 2 == 0, "columns are loaded two fragments at a time");

    using Sums = float[rowFragments][columnFragments][4];

    // Shared memory of a block, enough for every type and order: the stages, and in their place the tile on its way out.
    static constexpr int sharedBytes = mmaStages * stepDepth<float> * (Rows * 4 + Columns * 4 + 64);

    static __device__ __forceinline__ int thread() { return threadIdx.x; }
    static __device__ __forceinline__ void sync() { __syncthreads(); }
    static __device__ __forceinline__ int warpRow() { return threadIdx.x / 32 / warpsAcross * WarpRows; }
    static __device__ __forceinline__ int warpColumn() { return threadIdx.x / 32 % warpsAcross * WarpColumns; }
};

using Mma128x128 = MmaTile<128, 128, 64, 32>;  // 256 threads
using Mma64x64 = MmaTile<64, 64, 32, 32>;      // 128 threads

// Where units of an operand's tile stand in shared memory.
template <class T, int Outer, bool DepthMajor> struct MmaPanel;

template <class T, int Outer> struct MmaPanel<T, Outer, true>
{
    static constexpr int bytes = Outer * lineBytes;

    // Unit `unit` of row `line`: two lines fill the banks.
    static __device__ __forceinline__ unsigned place(int line, int unit) { return line * lineBytes + ((unit ^ (line / 2 % 4)) * 16); }

    // Fragments of the 16 rows from `outer` on.
    static __device__ __forceinline__ void rows(unsigned (&f)[4], unsigned panel, int outer, int slice)
    {
        const int lane = threadIdx.x % 32;
        loadMatrices(f, panel + place(outer + lane % 16, slice * 2 + lane / 16));
    }

    // Fragments of the 16 columns from `outer` on: two of the first eight, two of the others.
    static __device__ __forceinline__ void columns(unsigned (&f)[4], unsigned panel, int outer, int slice)
    {
        const int lane = threadIdx.x % 32;
        loadMatrices(f, panel + place(outer + lane / 16 * 8 + lane % 8, slice * 2 + lane / 8 % 2));
    }
};

template <class T, int Outer> struct MmaPanel<T, Outer, false>
{
    static constexpr int bytes = Outer * lineBytes;

    static __device__ __forceinline__ unsigned place(int line, int unit) { return line * (Outer * 2) + ((unit ^ (line % 8)) * 16); }

    static __device__ __forceinline__ void rows(unsigned (&f)[4], unsigned panel, int outer, int slice)
    {
        const int lane = threadIdx.x % 32;
        loadMatricesTransposed(f, panel + place(slice * 16 + lane / 16 * 8 + lane % 8, outer / 8 + lane / 8 % 2));
    }

    static __device__ __forceinline__ void columns(unsigned (&f)[4], unsigned panel, int outer, int slice)
    {
        const int lane = threadIdx.x % 32;
        loadMatricesTransposed(f, panel + place(slice * 16 + lane % 16, outer / 8 + lane / 16));
    }
};

template <int Outer> struct MmaPanel<float, Outer, false>
{
    static constexpr int pitch = Outer * 4 + 32, bytes = pitch * stepDepth<float>;

    static __device__ __forceinline__ unsigned place(int line, int unit) { return line * pitch + unit * 16; }
    static __device__ __forceinline__ unsigned word(unsigned panel, int depth, int outer) { return loadShared(panel + depth * pitch + outer * 4); }

    static __device__ __forceinline__ void rows(unsigned (&f)[4], unsigned panel, int outer, int slice)
    {
        const int row = outer + threadIdx.x % 32 / 4, depth = slice * 8 + threadIdx.x % 4;
        f[0] = word(panel, depth, row), f[1] = word(panel, depth, row + 8);
        f[2] = word(panel, depth + 4, row), f[3] = word(panel, depth + 4, row + 8);
    }

    static __device__ __forceinline__ void columns(unsigned (&f)[4], unsigned panel, int outer, int slice)
    {
        const int column = outer + threadIdx.x % 32 / 4, depth = slice * 8 + threadIdx.x % 4;
        f[0] = word(panel, depth, column), f[1] = word(panel, depth + 4, column);
        f[2] = word(panel, depth, column + 8), f[3] = word(panel, depth + 4, column + 8);
    }
};

__device__ __forceinline__ void roundFragment(unsigned (&f)[4], float)
{
#pragma unroll
    for (int i = 0; i < 4; ++i) roundToTf32(f[i]);
}
template <class T> __device__ __forceinline__ void roundFragment(unsigned (&)[4], T) {}

template <class T, class M, class RowPanel, class ColumnPanel>
__device__ __forceinline__ void multiplyStage(unsigned rowPanel, unsigned columnPanel, typename M::Sums& sum)
{
#pragma unroll
    for (int slice = 0; slice < slices; ++slice) {
        unsigned rows[M::rowFragments][4], columns[M::columnFragments / 2][4];
#pragma unroll
        for (int i = 0; i < M::rowFragments; ++i) RowPanel::rows(rows[i], rowPanel, M::warpRow() + i * 16, slice), roundFragment(rows[i], T{});
#pragma unroll
        for (int j = 0; j < M::columnFragments / 2; ++j)
            ColumnPanel::columns(columns[j], columnPanel, M::warpColumn() + j * 16, slice), roundFragment(columns[j], T{});
#pragma unroll
        for (int i = 0; i < M::rowFragments; ++i)
#pragma unroll
            for (int j = 0; j < M::columnFragments; ++j)
                multiplyAdd(sum[i][j], rows[i], columns[j / 2][j % 2 * 2], columns[j / 2][j % 2 * 2 + 1], T{});
    }
}

// Adds the products of steps first to last - 1 of the depth. Sources have copy(panel, step), an element T and a Panel.
template <class M, class RowSource, class ColumnSource>
__device__ __forceinline__ void multiplyMmaTile(const RowSource& rows, const ColumnSource& columns, unsigned memory, int first, int last, typename M::Sums& sum)
{
    using RowPanel = typename RowSource::Panel;
    using ColumnPanel = typename ColumnSource::Panel;
    constexpr int stageBytes = RowPanel::bytes + ColumnPanel::bytes;
    static_assert(mmaStages * stageBytes <= M::sharedBytes, "the host asks for this much");
    // The first steps only fetch: `mmaStages` - 1 stages are ahead of the one that is multiplied.
    for (int step = first - (mmaStages - 1); step < last; ++step) {
        const bool multiplies = step >= first;
        if (multiplies) {
            waitCopies<mmaStages - 2>();
            __syncthreads();
        }
        const int next = step + mmaStages - 1;
        if (next < last) {
            const unsigned stage = memory + (next - first) % mmaStages * stageBytes;
            rows.copy(stage, next), columns.copy(stage + RowPanel::bytes, next);
        }
        commitCopies();
        if (!multiplies) continue;
        const unsigned stage = memory + (step - first) % mmaStages * stageBytes;
        multiplyStage<typename RowSource::Element, M, RowPanel, ColumnPanel>(stage, stage + RowPanel::bytes, sum);
    }
    waitCopies<0>();
    __syncthreads();
}
