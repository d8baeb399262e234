// Operands of a tile that are matrices in memory. `outer` numbers the rows (or columns) of the product, `depth` what is
// summed over. What lies outside the matrix is zero.
#pragma once

#include "common/wide.h"
#include "gemm/tile.h"

struct MatrixView
{
    const float* first;  // of the tile: outer 0, depth 0
    int outer, depth;    // how many there are from there on; outer may exceed the tile
    int pitch;           // elements from one line to the next
    int wide;            // whether every group of four along a line is aligned to 16 bytes
};

// Four neighbours of a line, those from `inside` on as zeros.
__device__ __forceinline__ float4 loadFour(const float* from, int inside, int wide)
{
    if (wide && inside >= 4) return loadWide(from);
    float4 v = {};
    if (inside > 0) v.x = from[0];
    if (inside > 1) v.y = from[1];
    if (inside > 2) v.z = from[2];
    if (inside > 3) v.w = from[3];
    return v;
}

// Lays down numbers of which two threads hold eight per line, four neighbours in the depth each.
template <int Outer, int Threads, int Passes>
__device__ __forceinline__ void stageDepthLines(Panel<Outer>& panel, const float4 (&value)[Passes])
{
    const int depth = threadIdx.x % 2 * 4;
#pragma unroll
    for (int i = 0; i < Passes; ++i) {
        const int outer = threadIdx.x / 2 + i * (Threads / 2);
        panel.set(depth, outer, value[i].x), panel.set(depth + 1, outer, value[i].y);
        panel.set(depth + 2, outer, value[i].z), panel.set(depth + 3, outer, value[i].w);
    }
}

// [outer][depth]: two threads per line, four numbers each.
template <int Outer, int Threads> struct DepthLines
{
    static constexpr int passes = 2 * Outer / Threads;
    static_assert(passes >= 1, "every thread has four numbers to bring");
    const MatrixView view;
    float4 value[passes];

    __device__ __forceinline__ explicit DepthLines(const MatrixView& view) : view(view) {}

    __device__ __forceinline__ void fetch(int step)
    {
        const int depth = step * tileDepth + threadIdx.x % 2 * 4;
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int outer = threadIdx.x / 2 + i * (Threads / 2);
            const int inside = outer < view.outer ? view.depth - depth : 0;
            value[i] = loadFour(view.first + (long long)outer * view.pitch + depth, inside, view.wide);
        }
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const { stageDepthLines<Outer, Threads>(panel, value); }
};

// [depth][outer]: a thread takes four neighbouring rows (or columns) of one line.
template <int Outer, int Threads> struct OuterLines
{
    static constexpr int quads = Outer / 4, step = Threads / quads, passes = tileDepth / step;
    const MatrixView view;
    float4 value[passes];

    __device__ __forceinline__ explicit OuterLines(const MatrixView& view) : view(view) {}

    __device__ __forceinline__ void fetch(int tileStep)
    {
        const int outer = threadIdx.x % quads * 4;
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int depth = tileStep * tileDepth + threadIdx.x / quads + i * step;
            const int inside = depth < view.depth ? view.outer - outer : 0;
            value[i] = loadFour(view.first + (long long)depth * view.pitch + outer, inside, view.wide);
        }
    }

    __device__ __forceinline__ void stage(Panel<Outer>& panel) const
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) panel.line[threadIdx.x / quads + i * step][threadIdx.x % quads] = value[i];
    }
};
