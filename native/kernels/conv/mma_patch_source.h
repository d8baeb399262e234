// Patches as operands for matrix units, in the order (r, s, c). Where an image is NHWC and channels of a group come in whole
// units of 16 bytes (wideIn), a unit has one tap and is copied at once, padding filled with zeros by the copy itself (Units). Else
// it is collected element by element, from any layout; that takes registers, which kernels that copy units keep for sums.
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

// The element at `tap` of a window.
template <class T> __device__ __forceinline__ T tapElement(const ConvGeometry& g, const Corner<T>& corner, const Tap& tap, bool inside)
{
    const int offset = inside ? sourceOffset(g, corner.h + tap.h, corner.w + tap.w) : -1;
    return offset < 0 ? T{} : corner.image[offset + tap.channel * g.in.channel];
}

// Rows are output pixels, the depth is the patch (r, s, c). Pixels are divided up once per block, taps once per step.
template <class T, int Outer, int Threads, bool Units> struct MmaPatchRows
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
        if constexpr (Units) {
            const bool inside = depth < patchLength(g);
            const Tap tap = tapChannelsLast(g, depth);
#pragma unroll
            for (int i = 0; i < passes; ++i) copyTap(place(panel, i, unit), g, corner[i], tap, inside);
        } else {
            collect(panel, unit, depth);
        }
    }

    __device__ __forceinline__ void collect(unsigned panel, int unit, int depth) const
    {
        Unit<T> units[passes];
#pragma unroll
        for (int k = 0; k < unitSize<T>; ++k) {
            const bool inside = depth + k < patchLength(g);
            const Tap tap = tapChannelsLast(g, depth + k);
#pragma unroll
            for (int i = 0; i < passes; ++i) units[i].set(k, tapElement(g, corner[i], tap, inside));
        }
#pragma unroll
        for (int i = 0; i < passes; ++i) units[i].store(place(panel, i, unit));
    }

    __device__ __forceinline__ static unsigned place(unsigned panel, int pass, int unit)
    {
        return panel + Panel::place(threadIdx.x / 4 + pass * (Threads / 4), unit);
    }
};

// Columns are elements of the patch, the depth is output pixels. Taps are divided up once per block, pixels in every step.
template <class T, int Outer, int Threads, bool Units> struct MmaPatchColumns
{
    using Element = T;
    using Panel = MmaPanel<T, Outer, false>;
    static constexpr int units = Outer / unitSize<T>, lines = Threads / units, passes = stepDepth<T> / lines, taps = Units ? 1 : unitSize<T>;
    const ConvGeometry& g;
    const T* x;
    Tap tap[taps];
    int inside;  // elements of this thread's unit that exist

    __device__ __forceinline__ MmaPatchColumns(const T* x, const ConvGeometry& g, int column) : g(g), x(x)
    {
        const int element = column + threadIdx.x % units * unitSize<T>;
        inside = patchLength(g) - element;
#pragma unroll
        for (int k = 0; k < taps; ++k) tap[k] = tapChannelsLast(g, element + k);
    }

    __device__ __forceinline__ void copy(unsigned panel, int step) const
    {
#pragma unroll
        for (int i = 0; i < passes; ++i) {
            const int line = threadIdx.x / units + i * lines, pixel = step * stepDepth<T> + line;
            const unsigned to = panel + Panel::place(line, threadIdx.x % units);
            const int existing = pixel < g.images * outPixels(g) ? inside : 0;
            if constexpr (Units) copyTap(to, g, windowCorner(g, x, pixel), tap[0], existing > 0);
            else collect(to, windowCorner(g, x, pixel), existing);
        }
    }

    __device__ __forceinline__ void collect(unsigned to, const Corner<T>& corner, int existing) const
    {
        Unit<T> unit;
#pragma unroll
        for (int k = 0; k < unitSize<T>; ++k) unit.set(k, tapElement(g, corner, tap[k], k < existing));
        unit.store(to);
    }
};
