// Depthwise convolution of NHWC images, windows of 3x3, 5x5 and 7x7 with stride 1 or 2, no dilation, a filter per channel:
//
//   y[n, p, q, k] = clamp(sum over r, s of w[k, r, s] x[n, p * stride + originH + r, q * stride + originW + s, k] + bias[k])
//
// w is (K, R, S) and may be read backwards (filterStep -1 from the last tap): that is the data gradient of stride 1.
//
// Grid: blocks of conv/row_ring.h. A warp slides along a row of y: a line is the column of x that a window sees, from the ring;
// taps and open sums stay in registers. Limited by bytes, each moved once but for columns that tiles share; 7x7 by FMA.
#include "conv/row_ring.h"
#include "gemm/output.h"

template <class T, int Size, int Stride>
__device__ __forceinline__ void depthwiseForward(const T* __restrict__ x, const T* __restrict__ w, const T* __restrict__ bias, T* __restrict__ y,
                                                 const ConvGeometry& g, const DepthwiseRows& d, int filterStep, const Epilogue& epilogue)
{
    extern __shared__ uint4 memory[];
    constexpr int L = laneChannels<T>, open = (Size + Stride - 1) / Stride, area = Size * Size;
    const RowBlock b = rowBlock(d, blockIdx.x / d.slices, blockIdx.x % d.slices * sliceChannels<T>, g.outHeight, g.outWidth);
    const RowRing<T> ring = {{x + b.n * g.in.image + b.channel, g.in, g.height, g.width, g.padding, g.filters - b.channel}, (unsigned*)memory,
                             b.row * Stride + g.originH, b.column * Stride + g.originW, (b.rows - 1) * Stride + Size, (b.columns - 1) * Stride + Size,
                             d.slots, (d.columns + open - 1) * Stride, d.wide};
    const int window = (d.rowsPerStep - 1) * Stride + Size, advance = d.rowsPerStep * Stride;
    ring.copyRows(0, window), commitCopies();

    const int channel = b.channel + threadIdx.x % 32 * L, existing = g.filters - channel;
    const T* const filters = w + (long long)channel * area + (filterStep < 0 ? area - 1 : 0);
    Lane<L> taps[Size][Size];
#pragma unroll
    for (int t = 0; t < area; ++t) taps[t % Size][t / Size] = loadTap(filters, t * filterStep, area, existing);
    const Lane<L> start = bias ? loadTap(bias + channel, 0, 1, existing) : Lane<L>{};
    const ColumnPart part = columnPart(d, b.columns);

    for (int row = 0; row < b.rows; row += d.rowsPerStep) {
        waitCopies<0>();
        __syncthreads();
        ring.copyRows(row * Stride + window, row * Stride + window + advance), commitCopies();
        const int p = row + stepRow(d);
        if (p >= b.rows || part.count <= 0) continue;
        const unsigned* lines[Size];
#pragma unroll
        for (int r = 0; r < Size; ++r) lines[r] = ring.lane(p * Stride + r) + part.first * Stride * 32;
        T* const out = y + b.n * g.out.image + (long long)(b.row + p) * g.out.row + (b.column + part.first) * g.out.column + channel;
        slideForward<Size, Stride, L>(
            taps, start, part.count,
            [&](int column, Lane<L>(&line)[Size]) {
#pragma unroll
                for (int r = 0; r < Size; ++r) line[r] = laneOf<T>(lines[r][column * 32]);
            },
            [&](int q, Lane<L> sum) {
#pragma unroll
                for (int k = 0; k < L; ++k) sum.v[k] = clamp(sum.v[k], epilogue);
                storeLane(out + q * g.out.column, sum, existing, d.wide);
            });
    }
}

template <class T, int Size>
__device__ __forceinline__ void depthwiseForward(const T* x, const T* w, const T* bias, T* y, const ConvGeometry& g, const DepthwiseRows& d, int filterStep,
                                                 const Epilogue& epilogue)
{
    if (g.strideH == 1) depthwiseForward<T, Size, 1>(x, w, bias, y, g, d, filterStep, epilogue);
    else depthwiseForward<T, Size, 2>(x, w, bias, y, g, d, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_3x3_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<float, 3>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_3x3_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Bf16, 3>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_3x3_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Fp16, 3>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_5x5_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<float, 5>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_5x5_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Bf16, 5>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_5x5_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Fp16, 5>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_7x7_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<float, 7>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128, 2) void depthwise_nhwc_7x7_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Bf16, 7>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128, 2) void depthwise_nhwc_7x7_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwiseRows rows, int filterStep, Epilogue epilogue)
{
    depthwiseForward<Fp16, 7>(x, w, bias, y, geometry, rows, filterStep, epilogue);
}
