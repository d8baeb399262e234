// Gradient of a depthwise convolution by its filters, NCHW, windows of 3x3, 5x5 and 7x7 with stride 1 or 2:
//
//   dw[k, r, s] = sum over n, p, q of dy[n, k, p, q] x[n, k, p * stride + originH + r, q * stride + originW + s]
//
// Grid (groups of planes of an image, splits): a split is a range of the images, strip by strip (conv/plane_tile.h). All R * S sums of
// a column stay in registers while its thread slides down the same planes of image after image; the block adds those of a plane's
// threads in order and writes partial[split][k][r, s] in f32, which sum_splits adds up. x and dy are read once. Limited by bytes;
// 7x7 by FMA.
#include "conv/plane_tile.h"

// Adds the products of one tile.
template <class T, int Size, int Stride>
__device__ __forceinline__ void addTile(Lane<1> (&sums)[Size][Size], const FlatTile<T, planeThreads>& in, const FlatTile<T, planeThreads>& gradient, const RowRange& seen, int top, int rows,
                                        const ColumnRange& at, const ConvGeometry& g, int lanes)
{
    const int firstRow = (top + at.first) * Stride + g.originH, lastRow = (at.count - 1) * Stride + Size - 1;
    const T* const source = in.elements() + at.plane * (seen.high - seen.low) * g.width;
#pragma unroll 1
    for (int q = at.column; q < g.outWidth; q += lanes) {
        const T* const dy = gradient.elements() + (at.plane * rows + at.first) * g.outWidth + q;
        int columns[Size];
#pragma unroll
        for (int s = 0; s < Size; ++s) columns[s] = sourcePixel(q * Stride + g.originW + s, g.width, g.padding);
        slideWeight<Size, Stride, 1>(
            sums, at.count,
            [&](int row, Lane<1>(&line)[Size]) {
                const int h = row <= lastRow ? sourcePixel(firstRow + row, g.height, g.padding) : -1;
                const T* const from = source + (h - seen.low) * g.width;
#pragma unroll
                for (int s = 0; s < Size; ++s) line[s].v[0] = (h | columns[s]) < 0 ? 0.f : load(from + columns[s]);
            },
            [&](int row) { return Lane<1>{{load(dy + row * g.outWidth)}}; });
    }
}

// Adds the sums of each plane's threads, which are neighbours, and stores them.
template <int Size>
__device__ __forceinline__ void storeSums(const Lane<1> (&sums)[Size][Size], float* memory, float* partial, const DepthwisePlanes& d, int planes)
{
    constexpr int area = Size * Size, pitch = planeThreads + 1;  // threads that read neighbouring taps meet different banks
#pragma unroll
    for (int t = 0; t < area; ++t) memory[t * pitch + threadIdx.x] = sums[t / Size][t % Size].v[0];
    __syncthreads();
    const int threadsOfPlane = d.parts * d.lanes;
    for (int i = threadIdx.x; i < d.planes * area; i += planeThreads) {
        const int plane = i / area * d.planeStep % d.planes;
        if (plane >= planes) continue;
        const float* const first = memory + i % area * pitch + i / area * threadsOfPlane;
        float total = 0.f;
        for (int thread = 0; thread < threadsOfPlane; ++thread) total += first[thread];
        partial[plane * area + i % area] = total;
    }
}

template <class T, int Size, int Stride>
__device__ __forceinline__ void depthwiseWgrad(const T* __restrict__ x, const T* __restrict__ dy, float* __restrict__ partial, const ConvGeometry& g,
                                               const DepthwisePlanes& d)
{
    extern __shared__ uint4 memory[];
    const int channel = blockIdx.x * d.planes, planes = min(d.planes, g.filters - channel);
    const long long all = (long long)g.images * g.filters;
    const int firstItem = (int)blockIdx.y * d.itemsPerSplit, lastItem = min(firstItem + d.itemsPerSplit, d.items);
    Lane<1> sums[Size][Size] = {};
    for (int item = firstItem; item < lastItem; ++item) {
        const int top = item % d.strips * d.rows, rows = min(d.rows, g.outHeight - top);
        const long long plane = (long long)(item / d.strips) * g.filters + channel;
        const RowRange seen = rowRange(d, top * Stride + g.originH, (top + rows - 1) * Stride + g.originH + Size - 1, g.height);
        const FlatTile<T, planeThreads> in = {memory, (plane * g.height + seen.low) * g.width, planes * (seen.high - seen.low) * g.width, d.wide};
        const FlatTile<T, planeThreads> gradient = {memory + d.second, (plane * g.outHeight + top) * g.outWidth, planes * rows * g.outWidth, d.wide};
        in.copyIn(x, all * g.height * g.width), gradient.copyIn(dy, all * g.outHeight * g.outWidth), commitCopies(), waitCopies<0>();
        __syncthreads();
        const ColumnRange at = columnRange(d, threadIdx.x, d.lanes, planes, rows);
        if (at.count > 0) addTile<T, Size, Stride>(sums, in, gradient, seen, top, rows, at, g, d.lanes);
        // The next tile comes into the same memory.
        __syncthreads();
    }
    storeSums<Size>(sums, (float*)memory, partial + ((long long)blockIdx.y * g.filters + channel) * (Size * Size), d, planes);
}

template <class T, int Size>
__device__ __forceinline__ void depthwiseWgrad(const T* x, const T* dy, float* partial, const ConvGeometry& g, const DepthwisePlanes& d)
{
    if (g.strideH == 1) depthwiseWgrad<T, Size, 1>(x, dy, partial, g, d);
    else depthwiseWgrad<T, Size, 2>(x, dy, partial, g, d);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_3x3_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<float, 3>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_3x3_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<Bf16, 3>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_3x3_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<Fp16, 3>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_5x5_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<float, 5>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_5x5_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<Bf16, 5>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_5x5_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<Fp16, 5>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_7x7_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<float, 7>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_7x7_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<Bf16, 7>(x, dy, partial, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_7x7_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseWgrad<Fp16, 7>(x, dy, partial, geometry, planes);
}
