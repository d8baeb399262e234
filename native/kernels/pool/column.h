// How a thread goes down a column of results of square windows of `window` x `window` places without dilation: rows that several windows
// share are taken once, and what stands outside the image is settled once per column.
#pragma once

#include "pool/pixels.h"

// The columns of a window in an image of x, those outside moved to its edge.
template <int window, typename T, int width> struct WindowColumns
{
    const T* tap[window];  // in row 0
    int place[window];     // of what the tap sees, in a row of the window
    const int rowPitch, height;

    __device__ __forceinline__ WindowColumns(const Pixels<T, width>& x, int left, const PoolGeometry& g) : rowPitch(x.rowPitch * width), height(g.height)
    {
#pragma unroll
        for (int s = 0; s < window; ++s) {
            const int w = min(max(left + s, 0), g.width - 1);
            tap[s] = x.first + x.number(0, w) * width, place[s] = w - left;
        }
    }

    __device__ __forceinline__ bool isInside(int s) const { return place[s] == s; }
    __device__ __forceinline__ Elements<T, width> load(int s, int h) const { return Elements<T, width>::load(tap[s] + h * rowPitch, 0); }
};

// Down a column of y, from at.row up to `end`: calls take(h) for each row of x that its windows see, and give(at, top) when that was the
// last of a window, whose first is `top`. Unrolled, so that what rows leave to the next ones need not be moved. Windows do not lie farther
// apart than they are high.
template <int window, typename Take, typename Give>
__device__ __forceinline__ void eachResult(const PoolGeometry& g, PoolPlace at, int end, const Take& take, const Give& give)
{
    if (at.row >= end) return;
    int top = at.row * (int)g.strideHeight.divisor - g.padHeight;
    for (int h = top; at.row != end;) {
#pragma unroll
        for (int unrolled = 0; unrolled < window; ++unrolled, ++h) {
            if (at.row == end) return;
            take(h);
            if (h < top + window - 1) continue;
            give(at, top);
            ++at.row, top += g.strideHeight.divisor;
        }
    }
}

// Down a column of dx, from at.row up to `end`: calls take(p, sums) for each row p of dy that it gets something from, which is added to
// sums[r] of the r-th row of dx below, then give(at, sum) for the row that got all. Unrolled as above.
template <int window, typename T, int width, typename Take, typename Give>
__device__ __forceinline__ void eachGradient(const PoolGeometry& g, PoolPlace at, int end, const Take& take, const Give& give)
{
    const int first = at.row, outputs = g.outHeight.divisor;
    if (first >= end) return;
    int p = windowsOver(first + g.padHeight, window, g.strideHeight, outputs).first, top = p * (int)g.strideHeight.divisor - g.padHeight;
    Elements<T, width> sums[window] = {};
    for (at.row = top; at.row != end;) {
#pragma unroll
        for (int unrolled = 0; unrolled < window; ++unrolled, ++at.row) {
            if (at.row == end) return;
            if (at.row == top && p < outputs) {
                take(p, sums);
                ++p, top += g.strideHeight.divisor;
            }
            if (at.row >= first) give(at, sums[0]);
#pragma unroll
            for (int r = 0; r + 1 < window; ++r) sums[r] = sums[r + 1];
            sums[window - 1] = {};
        }
    }
}

// The windows over a column of dx, at most `window`, by their column.
struct ColumnWindows
{
    int first, count, place, stride;  // place: of the column in a row of the first window

    __device__ __forceinline__ ColumnWindows(int column, int window, const PoolGeometry& g) : stride(g.strideWidth.divisor)
    {
        const int padded = column + g.padWidth;
        const Range range = windowsOver(padded, window, g.strideWidth, g.outWidth.divisor);
        first = range.first, count = range.end - range.first, place = padded - first * stride;
    }
};

// The side of windows that are unrolled, at most `largest`: square ones without dilation that leave nothing out between them; 0: others.
template <int largest> __device__ __forceinline__ int unrolledSide(const PoolGeometry& g)
{
    const int side = g.windowHeight;
    const bool isPlain = g.windowWidth == side && g.dilationHeight == 1 && g.dilationWidth == 1 && (int)g.strideHeight.divisor <= side;
    return isPlain && (side == 2 || side == 3 || side == 5) && side <= largest ? side : 0;
}

// Calls f.operator()<side>() with the side of unrolled windows, or 0.
template <int largest, typename F> __device__ __forceinline__ void withSide(const PoolGeometry& g, const F& f)
{
    switch (unrolledSide<largest>(g)) {
    case 2: f.template operator()<2>(); break;
    case 3: f.template operator()<3>(); break;
    case 5:
        if constexpr (largest >= 5) f.template operator()<5>();
        break;
    default: f.template operator()<0>();
    }
}
