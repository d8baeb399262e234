// What the average over a window is taken of.
#pragma once

#include "pool/pixels.h"

// The part of a window that lies in the image, and what its sum is divided by.
struct AverageWindow
{
    Range rows, columns;
    float divisor;

    __device__ __forceinline__ AverageWindow(int row, int column, const PoolGeometry& g)
    {
        const Range h = padded(row * (int)g.strideHeight.divisor - g.padHeight, g.windowHeight, g.height + g.padHeight);
        const Range w = padded(column * (int)g.strideWidth.divisor - g.padWidth, g.windowWidth, g.width + g.padWidth);
        rows = {max(h.first, 0), min(h.end, g.height)};
        columns = {max(w.first, 0), min(w.end, g.width)};
        const Range &high = g.countIncludePad ? h : rows, &wide = g.countIncludePad ? w : columns;
        divisor = (float)((high.end - high.first) * (wide.end - wide.first));
    }

    __device__ __forceinline__ static Range padded(int first, int window, int limit) { return {first, min(first + window, limit)}; }
};

// The average over a window: the sums of its rows come first, then theirs, as in average_column.h.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> averageOfWindow(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at)
{
    const AverageWindow window(at.row, at.column, g);
    Elements<T, width> sum = {};
    for (int h = window.rows.first; h < window.rows.end; ++h) {
        Elements<T, width> row = {};
        for (int w = window.columns.first; w < window.columns.end; ++w) add(x.load(h, w), row);
        add(row, sum);
    }
#pragma unroll
    for (int k = 0; k < width; ++k) sum.at[k] /= window.divisor;
    return sum;
}

// The sum of dy / divisor over the windows that hold an element of x, in the order of the windows.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> gradientOfAverages(const Pixels<T, width>& dy, const PoolGeometry& g, const PoolPlace& at)
{
    const Range rows = windowsOver(at.row + g.padHeight, g.windowHeight, g.strideHeight, g.outHeight.divisor);
    const Range columns = windowsOver(at.column + g.padWidth, g.windowWidth, g.strideWidth, g.outWidth.divisor);
    Elements<T, width> sum = {};
    for (int p = rows.first; p < rows.end; ++p) {
        for (int q = columns.first; q < columns.end; ++q) {
            const float divisor = AverageWindow(p, q, g).divisor;
            const auto gradient = dy.load(p, q);
#pragma unroll
            for (int k = 0; k < width; ++k) sum.at[k] += gradient.at[k] / divisor;
        }
    }
    return sum;
}
