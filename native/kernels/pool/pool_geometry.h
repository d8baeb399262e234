// The sizes of one pooling and the walk over its elements; twin of the C# struct PoolGeometry. x (N, C, H, W) -> y (N, C, P, Q),
// windows of R x S.
#pragma once

#include "common/divide.h"

struct PoolGeometry
{
    int height, width, windowHeight, windowWidth, padHeight, padWidth, dilationHeight, dilationWidth;
    int countIncludePad;
    FastDivisor outHeight, outWidth;                 // P, Q
    FastDivisor inHeight, inWidth;                   // H, W again, to divide by
    FastDivisor strideHeight, strideWidth;
    FastDivisor channelVectors;                      // NHWC: C / elements per thread; NCHW: 1
    int outputs, inputs;                             // elements of y and of x, over elements per thread

    // From the first to the last row and column of a window.
    __device__ __forceinline__ int spanHeight() const { return (windowHeight - 1) * dilationHeight + 1; }
    __device__ __forceinline__ int spanWidth() const { return (windowWidth - 1) * dilationWidth + 1; }
};

// Where a thread's element is: in NCHW `outer` is the plane n * C + c and `channel` 0, in NHWC `outer` is the image and `channel` the
// number of the vector of channels.
struct PoolPlace
{
    int outer, row, column, channel;
};

__device__ __forceinline__ PoolPlace poolPlace(int index, const FastDivisor& height, const FastDivisor& width, const PoolGeometry& g)
{
    PoolPlace place;
    index = divide(index, g.channelVectors, place.channel);
    index = divide(index, width, place.column);
    place.outer = divide(index, height, place.row);
    return place;
}

// A range of numbers: first up to, not including, end.
struct Range
{
    int first, end;
};

// The places of a window, along one axis, that lie inside an image of `size`; `start` is that of place 0.
__device__ __forceinline__ Range placesInside(int start, int window, int dilation, int size)
{
    const int before = max(-start, 0), upTo = max(size - start, 0);
    if (dilation == 1) return {before, min(window, upTo)};
    return {(before + dilation - 1) / dilation, min(window, (upTo + dilation - 1) / dilation)};
}

// The output rows (or columns) whose windows, of `span` from first to last element, can reach an input row; `padded` is that row
// counted from the first padded one.
__device__ __forceinline__ Range windowsOver(int padded, int span, const FastDivisor& stride, int outputs)
{
    const int first = divide(max(padded - span + 1, 0) + (int)stride.divisor - 1, stride);
    return {first, min(divide(padded, stride) + 1, outputs)};
}
