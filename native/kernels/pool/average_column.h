// Averages down a column of y, and their gradients down a column of dx; formulas in average_pool.cu.
#pragma once

#include "pool/average_window.h"
#include "pool/column.h"

// give(at, averages) for each window: the sums of its rows come first, then theirs.
template <int window, typename T, int width, typename Give>
__device__ __forceinline__ void eachAverage(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at, int end, const Give& give)
{
    const WindowColumns<window, T, width> columns(x, at.column * (int)g.strideWidth.divisor - g.padWidth, g);
    Elements<T, width> rows[window] = {};
    eachResult<window>(
        g, at, end,
        [&](int h) {
#pragma unroll
            for (int r = 0; r + 1 < window; ++r) rows[r] = rows[r + 1];
            rows[window - 1] = {};
            if ((unsigned)h >= (unsigned)columns.height) return;
#pragma unroll
            for (int s = 0; s < window; ++s) {
                const auto values = columns.load(s, h);
#pragma unroll
                for (int k = 0; k < width; ++k) rows[window - 1].at[k] += columns.isInside(s) ? values.at[k] : 0.0f;
            }
        },
        [&](const PoolPlace& result, int) {
            const float divisor = AverageWindow(result.row, result.column, g).divisor;
            Elements<T, width> average = rows[0];
#pragma unroll
            for (int k = 0; k < width; ++k) {
#pragma unroll
                for (int r = 1; r < window; ++r) average.at[k] += rows[r].at[k];
                average.at[k] /= divisor;
            }
            give(result, average);
        });
}

// give(at, gradients) for each element of the column of dx. All rows of a window get the same of it: a row of windows gives the column a
// sum once, not once per row.
template <int window, typename T, int width, typename Give>
__device__ __forceinline__ void eachGradientOfAverages(const Pixels<T, width>& dy, const PoolGeometry& g, const PoolPlace& at, int end, const Give& give)
{
    const ColumnWindows windows(at.column, window, g);
    eachGradient<window, T, width>(
        g, at, end,
        [&](int p, Elements<T, width> (&sums)[window]) {
            const T* gradients = dy.first + dy.number(p, windows.first) * width;
            Elements<T, width> share = {};
#pragma unroll
            for (int j = 0; j < window; ++j) {
                if (j >= windows.count) break;
                const float divisor = AverageWindow(p, windows.first + j, g).divisor;
                const auto gradient = Elements<T, width>::load(gradients + j * dy.columnPitch * width, 0);
#pragma unroll
                for (int k = 0; k < width; ++k) share.at[k] += gradient.at[k] / divisor;
            }
#pragma unroll
            for (int r = 0; r < window; ++r) {
#pragma unroll
                for (int k = 0; k < width; ++k) sums[r].at[k] += share.at[k];
            }
        },
        give);
}
