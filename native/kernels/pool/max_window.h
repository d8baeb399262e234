// The maximum over a window, and what it gets back of the gradient; formulas and ties in max_pool.cu.
#pragma once

#include "common/math.h"
#include "pool/pixels.h"
#include "pool/places.h"

// Takes what comes at a later place, if it is larger than the best so far or NaN.
__device__ __forceinline__ void takeLarger(float value, int at, float& best, int& place)
{
    const bool takes = value > best || cnn::isNan(value);
    best = takes ? value : best, place = takes ? at : place;
}

// The maxima of a window, and their places.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> maxOfWindow(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at, int (&place)[width])
{
    const int top = at.row * (int)g.strideHeight.divisor - g.padHeight, left = at.column * (int)g.strideWidth.divisor - g.padWidth;
    const Range rows = placesInside(top, g.windowHeight, g.dilationHeight, g.height), columns = placesInside(left, g.windowWidth, g.dilationWidth, g.width);
    const bool sees = rows.first < rows.end && columns.first < columns.end;
    Elements<T, width> best;
#pragma unroll
    for (int k = 0; k < width; ++k) best.at[k] = -cnn::infinity, place[k] = sees ? rows.first * g.windowWidth + columns.first : 0;
    for (int r = rows.first; r < rows.end; ++r) {
        for (int s = columns.first; s < columns.end; ++s) {
            const auto values = x.load(top + r * g.dilationHeight, left + s * g.dilationWidth);
#pragma unroll
            for (int k = 0; k < width; ++k) takeLarger(values.at[k], r * g.windowWidth + s, best.at[k], place[k]);
        }
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
