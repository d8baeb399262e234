// Maxima down a column of y, and their gradients down a column of dx; formulas and ties in max_pool.cu.
#pragma once

#include "pool/column.h"
#include "pool/max_window.h"

// The largest elements that were met, and where: row and column of x in one number, row by row.
template <typename T, int width> struct Maxima
{
    Elements<T, width> value;
    int place[width];

    Maxima() = default;
    __device__ __forceinline__ Maxima(const Elements<T, width>& value, int at) : value(value)
    {
#pragma unroll
        for (int k = 0; k < width; ++k) place[k] = at;
    }

    __device__ __forceinline__ void take(const Maxima& later)
    {
#pragma unroll
        for (int k = 0; k < width; ++k) takeLarger(later.value.at[k], later.place[k], value.at[k], place[k]);
    }
};

// give(at, values, places) for each window. The maxima of the rows of a window come first, then that of these: S - 1 + R - 1 comparisons,
// which find the first of equals and the last NaN as R S - 1 in row-major order do. Places outside the image are moved to its edge:
// what is met again changes neither.
template <int window, typename T, int width, typename Give>
__device__ __forceinline__ void eachMaximum(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at, int end, const Give& give)
{
    const WindowColumns<window, T, width> columns(x, at.column * (int)g.strideWidth.divisor - g.padWidth, g);
    Maxima<T, width> rows[window] = {};
    eachResult<window>(
        g, at, end,
        [&](int h) {
            h = min(max(h, 0), columns.height - 1);
#pragma unroll
            for (int r = 0; r + 1 < window; ++r) rows[r] = rows[r + 1];
            Maxima<T, width> best(columns.load(0, h), h * window + columns.place[0]);
#pragma unroll
            for (int s = 1; s < window; ++s) best.take({columns.load(s, h), h * window + columns.place[s]});
            rows[window - 1] = best;
        },
        [&](const PoolPlace& result, int top) {
            Maxima<T, width> best = rows[0];
#pragma unroll
            for (int r = 1; r < window; ++r) best.take(rows[r]);
#pragma unroll
            for (int k = 0; k < width; ++k) best.place[k] -= top * window;
            give(result, best.value, best.place);
        });
}

// sum += value where two places are equal: one predicated addition, for which compilers take a selection and an addition.
__device__ __forceinline__ void addWhere(int place, int wanted, float value, float& sum)
{
    asm("{\n\t.reg .pred same;\n\tsetp.eq.s32 same, %1, %2;\n\t@same add.f32 %0, %0, %3;\n\t}" : "+f"(sum) : "r"(place), "r"(wanted), "f"(value));
}

// give(at, gradients) for each element of the column of dx: dy of each window is added to the row that its place names, window by window.
template <int window, typename T, int width, typename Give>
__device__ __forceinline__ void eachGradientOfMaxima(
    const Pixels<T, width>& dy, const unsigned char* places, const PoolGeometry& g, const PoolPlace& at, int end, const Give& give)
{
    const ColumnWindows windows(at.column, window, g);
    eachGradient<window, T, width>(
        g, at, end,
        [&](int p, Elements<T, width> (&sums)[window]) {
            const int row = dy.number(p, windows.first) * width;
            const T* gradients = dy.first + row;
            const unsigned char* rowOfPlaces = places + row;
#pragma unroll
            for (int j = 0; j < window; ++j) {
                if (j >= windows.count) break;
                const int offset = j * dy.columnPitch * width, s = windows.place - j * windows.stride;
                int place[width];
                loadBytes(rowOfPlaces + offset, place);
                const auto gradient = Elements<T, width>::load(gradients + offset, 0);
#pragma unroll
                for (int k = 0; k < width; ++k) {
#pragma unroll
                    for (int r = 0; r < window; ++r) addWhere(place[k] - s, r * window, gradient.at[k], sums[r].at[k]);
                }
            }
        },
        give);
}
