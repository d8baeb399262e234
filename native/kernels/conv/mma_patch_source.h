// Patches of NHWC images as operands for matrix units. Channels of a group come in whole units of 16 bytes, so that a unit
// has one tap; one that reads padding is filled with zeros by the copy itself.
#pragma once

#include "conv/geometry.h"
#include "gemm/mma_source.h"

// Copies the unit at `tap` of a window.
template <class T>
__device__ __forceinline__ void copyTap(unsigned to, const ConvGeometry& g, const Corner<T>& corner, const Tap& tap, bool inside)
{
    const int offset = inside ? sourceOffset(g, corner.h + tap.h, corner.w + tap.w) : -1;
    copyAsync(to, corner.image + (offset < 0 ? 0 : offset + tap.channel), offset < 0 ? 0 : 16);
}

// Rows are output pixels, the depth is the patch (r, s, c). Pixels are divided up once per block, taps once per step.
template <class T, int Outer, int Threads> struct MmaPatchRows
{
    using Element = T;
    using Panel = MmaPanel<T, Outer, true>;
    static constexpr int passes = Outer * 4 / Threads;
    const ConvGeometry& g;
    Corner<T> corner[passes];

    __device__ __forceinline__ MmaPatchRows(const T* x, const ConvGeometry& g, int row) : g(g)
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) corner[i] = windowCorner(g, x, row + threadIdx.x / 4 + i * (Threads / 4));
    }

    __device__ __forceinline__ void copy(unsigned panel, int step) const
    {
        const int unit = threadIdx.x % 4, depth = step * stepDepth<T> + unit * unitSize<T>;
        const bool inside = depth < patchLength(g);
        const Tap tap = tapChannelsLast(g, depth);
#pragma unroll
        for (int i = 0; i < passes; ++i) copyTap(panel + Panel::place(threadIdx.x / 4 + i * (Threads / 4), unit), g, corner[i], tap, inside);
    }
};

// Columns are elements of the patch, the depth is output pixels. Taps are divided up once per block, pixels in every step.
template <class T, int Outer, int Threads> struct MmaPatchColumns
{
    using Element = T;
    using Panel = MmaPanel<T, Outer, false>;
    static constexpr int units = Outer / unitSize<T>, lines = Threads / units, passes = stepDepth<T> / lines;
    const ConvGeometry& g;
    const T* x;
    Tap tap;
    bool inside;

    __device__ __forceinline__ MmaPatchColumns(const T* x, const ConvGeometry& g, int column) : g(g), x(x)
    {
        const int element = column + threadIdx.x % units * unitSize<T>;
        inside = element < patchLength(g);
        tap = tapChannelsLast(g, inside ? element : 0);
    }

    __device__ __forceinline__ void copy(unsigned panel, int step) const
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int line = threadIdx.x / units + i * lines, pixel = step * stepDepth<T> + line;
            copyTap(panel + Panel::place(line, threadIdx.x % units), g, windowCorner(g, x, pixel), tap, inside && pixel < g.images * outPixels(g));
        }
    }
};
