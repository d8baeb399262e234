// The maximum over a window, and what it gets back of the gradient; formulas and ties in max_pool.cu.
#pragma once

#include "common/math.h"
#include "pool/pixels.h"
#include "pool/places.h"

// Windows of a fixed size are unrolled; 0 is any size.
template <typename T, int width, int fixedHeight, int fixedWidth>
__device__ __forceinline__ void maxOfWindow(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at, Elements<T, width>& best, int (&place)[width])
{
    constexpr int unrollHeight = fixedHeight ? fixedHeight : 1, unrollWidth = fixedWidth ? fixedWidth : 1;
    const int windowHeight = fixedHeight ? fixedHeight : g.windowHeight, windowWidth = fixedWidth ? fixedWidth : g.windowWidth;
    const int top = at.row * (int)g.strideHeight.divisor - g.padHeight, left = at.column * (int)g.strideWidth.divisor - g.padWidth;
#pragma unroll unrollHeight
    for (int r = 0; r < windowHeight; ++r) {
        const int h = top + r * g.dilationHeight;
        if (h < 0 || h >= g.height) continue;
#pragma unroll unrollWidth
        for (int s = 0; s < windowWidth; ++s) {
            const int w = left + s * g.dilationWidth;
            if (w < 0 || w >= g.width) continue;
            const auto values = x.load(h, w);
#pragma unroll
            for (int k = 0; k < width; ++k) {
                const float value = values.at[k];
                if (place[k] < 0 || value > best.at[k] || cnn::isNan(value)) best.at[k] = value, place[k] = r * windowWidth + s;
            }
        }
    }
}

// The maxima of a window, and their places.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> maxOfWindow(const Pixels<T, width>& x, const PoolGeometry& g, const PoolPlace& at, int (&place)[width])
{
    Elements<T, width> best;
#pragma unroll
    for (int k = 0; k < width; ++k) best.at[k] = -cnn::infinity, place[k] = -1;
    if (g.windowHeight == 2 && g.windowWidth == 2) maxOfWindow<T, width, 2, 2>(x, g, at, best, place);
    else if (g.windowHeight == 3 && g.windowWidth == 3) maxOfWindow<T, width, 3, 3>(x, g, at, best, place);
    else maxOfWindow<T, width, 0, 0>(x, g, at, best, place);
#pragma unroll
    for (int k = 0; k < width; ++k) place[k] = max(place[k], 0);
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
