// Depthwise convolution of NCHW images, windows of 3x3, 5x5 and 7x7 with stride 1 or 2, no dilation, a filter per channel:
//
//   y[n, k, p, q] = clamp(sum over r, s of w[k, r, s] x[n, k, p * stride + originH + r, q * stride + originW + s] + bias[k])
//
// w is (K, R, S) and may be read backwards (filterStep -1 from the last tap): that is the data gradient of stride 1.
//
// Grid: a block per tile of conv/plane_tile.h, strips fastest. A thread slides down a column of y: a line is the row of x that a
// window sees; taps and open sums stay in registers. Limited by bytes, each moved once but for rows that strips share; 7x7 by FMA.
#include "conv/plane_tile.h"
#include "gemm/output.h"

template <class T, int Size, int Stride>
__device__ __forceinline__ void depthwiseForward(const T* __restrict__ x, const T* __restrict__ w, const T* __restrict__ bias, T* __restrict__ y,
                                                 const ConvGeometry& g, const DepthwisePlanes& d, int filterStep, const Epilogue& epilogue)
{
    extern __shared__ uint4 memory[];
    constexpr int area = Size * Size;
    const int all = g.images * g.filters, firstPlane = blockIdx.x / d.strips * d.planes, planes = min(d.planes, all - firstPlane);
    const int top = blockIdx.x % d.strips * d.rows, rows = min(d.rows, g.outHeight - top);
    const RowRange seen = rowRange(d, top * Stride + g.originH, (top + rows - 1) * Stride + g.originH + Size - 1, g.height);
    const int plane = (seen.high - seen.low) * g.width;
    const FlatTile<T, planeThreads> in = {memory, ((long long)firstPlane * g.height + seen.low) * g.width, planes * plane, d.wide};
    const FlatTile<T, planeThreads> out = {memory + d.second, ((long long)firstPlane * g.outHeight + top) * g.outWidth, planes * rows * g.outWidth, d.wide};
    in.copyIn(x, (long long)all * g.height * g.width), commitCopies(), waitCopies<0>();
    __syncthreads();

    for (int i = threadIdx.x; i < d.planes * d.parts * g.outWidth; i += planeThreads) {
        const ColumnRange at = columnRange(d, i, g.outWidth, planes, rows);
        if (at.count <= 0) continue;
        const int filter = (firstPlane + at.plane) % g.filters, firstRow = (top + at.first) * Stride + g.originH, lastRow = (at.count - 1) * Stride + Size - 1;
        const T* const taps0 = w + (long long)filter * area + (filterStep < 0 ? area - 1 : 0);
        Lane<1> taps[Size][Size];
        int columns[Size];
#pragma unroll
        for (int t = 0; t < area; ++t) taps[t / Size][t % Size].v[0] = load(taps0 + t * filterStep);
#pragma unroll
        for (int s = 0; s < Size; ++s) columns[s] = sourcePixel(at.column * Stride + g.originW + s, g.width, g.padding);
        const Lane<1> start = {{bias ? load(bias + filter) : 0.f}};
        const T* const source = in.elements() + at.plane * plane;
        T* const target = out.elements() + (at.plane * rows + at.first) * g.outWidth + at.column;
        slideForward<Size, Stride, 1>(
            taps, start, at.count,
            [&](int row, Lane<1>(&line)[Size]) {
                const int h = row <= lastRow ? sourcePixel(firstRow + row, g.height, g.padding) : -1;
                const T* const from = source + (h - seen.low) * g.width;
#pragma unroll
                for (int s = 0; s < Size; ++s) line[s].v[0] = (h | columns[s]) < 0 ? 0.f : load(from + columns[s]);
            },
            [&](int row, const Lane<1>& sum) { store(target + row * g.outWidth, clamp(sum.v[0], epilogue)); });
    }
    __syncthreads();
    out.copyOut(y);
}

template <class T, int Size>
__device__ __forceinline__ void depthwiseForward(const T* x, const T* w, const T* bias, T* y, const ConvGeometry& g, const DepthwisePlanes& d, int filterStep,
                                                 const Epilogue& epilogue)
{
    if (g.strideH == 1) depthwiseForward<T, Size, 1>(x, w, bias, y, g, d, filterStep, epilogue);
    else depthwiseForward<T, Size, 2>(x, w, bias, y, g, d, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_3x3_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<float, 3>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_3x3_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Bf16, 3>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_3x3_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Fp16, 3>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

// At least one block: without that bound ptxas spills to fit more of them.
extern "C" __global__ __launch_bounds__(128, 1) void depthwise_nchw_5x5_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<float, 5>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128, 1) void depthwise_nchw_5x5_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Bf16, 5>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128, 1) void depthwise_nchw_5x5_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Fp16, 5>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_7x7_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<float, 7>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_7x7_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Bf16, 7>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_7x7_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwisePlanes planes, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Fp16, 7>(x, w, bias, y, geometry, planes, filterStep, epilogue);
}
