// What the average over a window is taken of.
#pragma once

#include "pool/pool_geometry.h"

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
