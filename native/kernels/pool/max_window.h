// The maximum over a window, and what it gets back of the gradient; formulas and ties in max_pool.cu.
#pragma once

#include "common/math.h"
#include "pool/pixels.h"
#include "pool/places.h"

// Takes `value` at `at`, if it is larger than the best so far or NaN.
template <int width, typename T>
__device__ __forceinline__ void takeLarger(const Elements<T, width>& values, int at, Elements<T, width>& best, int (&place)[width])
{
#pragma unroll
    for (int k = 0; k < width; ++k) {
        const bool takes = values.at[k] > best.at[k] || cnn::isNan(values.at[k]);
        best.at[k] = takes ? values.at[k] : best.at[k], place[k] = takes ? at : place[k];
    }
}

// A square window without dilation, unrolled. Its places outside the image are moved to the edge: what is met again changes neither
// the maximum nor the first place of equals nor the last NaN.
template <int window, typename T, int width>
__device__ __forceinline__ void maxOfSquare(const Pixels<T, width>& x, const PoolGeometry& g, int top, int left, Elements<T, width>& best, int (&place)[width])
{
#pragma unroll
    for (int r = 0; r < window; ++r) {
        const int h = min(max(top + r, 0), g.height - 1);
#pragma unroll
        for (int s = 0; s < window; ++s) {
            const int w = min(max(left + s, 0), g.width - 1);
            takeLarger(x.load(h, w), (h - top) * window + w - left, best, place);
        }
    }
}

// The maxima of a window, and their places.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> maxOfWindow(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at, int (&place)[width])
{
    const int top = at.row * (int)g.strideHeight.divisor - g.padHeight, left = at.column * (int)g.strideWidth.divisor - g.padWidth;
    const Range rows = placesInside(top, g.windowHeight, g.dilationHeight, g.height), columns = placesInside(left, g.windowWidth, g.dilationWidth, g.width);
    const bool sees = rows.first < rows.end && columns.first < columns.end;
    const int first = sees ? rows.first * g.windowWidth + columns.first : 0, square = g.windowHeight == g.windowWidth && g.spanHeight() == g.spanWidth() ? g.spanWidth() : 0;
    Elements<T, width> best;
#pragma unroll
    for (int k = 0; k < width; ++k) best.at[k] = -cnn::infinity, place[k] = first;
    if (square == 2 && g.windowWidth == 2) {
        maxOfSquare<2>(x, g, top, left, best, place);
    } else if (square == 3 && g.windowWidth == 3) {
        maxOfSquare<3>(x, g, top, left, best, place);
    } else {
        for (int r = rows.first; r < rows.end; ++r)
            for (int s = columns.first; s < columns.end; ++s)
                takeLarger(x.load(top + r * g.dilationHeight, left + s * g.dilationWidth), r * g.windowWidth + s, best, place);
    }
    return best;
}

// The place in a window at `start` that is `padded`, or -1 where the dilation steps over it. -1 never equals a place.
__device__ __forceinline__ int placeInWindow(int padded, int start, int dilation)
{
    const int distance = padded - start;
    if (dilation == 1) return distance;
    return distance % dilation == 0 ? distance / dilation : -1;
}

// The sum of dy over the windows whose maximum is this element of x, in the order of the windows. `places` lie as dy does.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> gradientOfMaxima(
    const Pixels<T, width>& dy, const PlaceArray& places, const PoolGeometry& g, const PoolPlace& at)
{
    const int padH = at.row + g.padHeight, padW = at.column + g.padWidth;
    const Range rows = windowsOver(padH, g.spanHeight(), g.strideHeight, g.outHeight.divisor);
    const Range columns = windowsOver(padW, g.spanWidth(), g.strideWidth, g.outWidth.divisor);
    Elements<T, width> sum = {};
    for (int p = rows.first; p < rows.end; ++p) {
        const int r = placeInWindow(padH, p * (int)g.strideHeight.divisor, g.dilationHeight);
        if (r < 0) continue;
#pragma unroll 1
        for (int q = columns.first; q < columns.end; ++q) {
            const int s = placeInWindow(padW, q * (int)g.strideWidth.divisor, g.dilationWidth);
            if (s < 0) continue;
            int place[width];
            places.load(place, dy.number(p, q));
            const auto gradient = dy.load(p, q);
#pragma unroll
            for (int k = 0; k < width; ++k) sum.at[k] += place[k] == r * g.windowWidth + s ? gradient.at[k] : 0.0f;
        }
    }
    return sum;
}
