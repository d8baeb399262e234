// Operands for matrix units that are matrices in memory. Lines that start at multiples of 16 bytes are copied in units of 16,
// others element by element. What lies outside is zero.
#pragma once

#include "common/unit.h"
#include "gemm/mma_tile.h"

template <class T> struct MmaView
{
    const T* first;    // of the tile: outer 0, depth 0
    int outer, depth;  // how many there are from there on
    int pitch;         // elements from one line to the next
    int wide;          // whether every unit of a line is aligned to 16 bytes
};

// [outer][depth].
template <class T, int Outer, int Threads> struct MmaDepthLines
{
    using Element = T;
    using Panel = MmaPanel<T, Outer, true>;
    static constexpr int passes = Outer * 4 / Threads;
    static_assert(passes * Threads == Outer * 4, "threads share the units evenly");
    const MmaView<T> view;

    __device__ __forceinline__ explicit MmaDepthLines(const MmaView<T>& view) : view(view) {}

    __device__ __forceinline__ void copy(unsigned panel, int step) const
    {
        const int unit = threadIdx.x % 4, depth = step * stepDepth<T> + unit * unitSize<T>;
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int line = threadIdx.x / 4 + i * (Threads / 4);
            bringUnit(panel + Panel::place(line, unit), view.first, (long long)line * view.pitch + depth, line < view.outer ? view.depth - depth : 0, view.wide);
        }
    }
};

// [depth][outer].
template <class T, int Outer, int Threads> struct MmaOuterLines
{
    using Element = T;
    using Panel = MmaPanel<T, Outer, false>;
    static constexpr int units = Outer / unitSize<T>, lines = Threads / units, passes = stepDepth<T> / lines;
    static_assert(passes * lines == stepDepth<T>, "threads share the units evenly");
    const MmaView<T> view;

    __device__ __forceinline__ explicit MmaOuterLines(const MmaView<T>& view) : view(view) {}

    __device__ __forceinline__ void copy(unsigned panel, int step) const
    {
        const int unit = threadIdx.x % units, outer = unit * unitSize<T>;
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int line = threadIdx.x / units + i * lines, depth = step * stepDepth<T> + line;
            bringUnit(panel + Panel::place(line, unit), view.first, (long long)depth * view.pitch + outer, depth < view.depth ? view.outer - outer : 0, view.wide);
        }
    }
};
