// Gradient of a depthwise convolution by its filters, NHWC, windows of 3x3, 5x5 and 7x7 with stride 1 or 2:
//
//   dw[k, r, s] = sum over n, p, q of dy[n, p, q, k] x[n, p * stride + originH + r, q * stride + originW + s, k]
//
// Grid (slices of channels, splits): a split is a range of the blocks of conv/row_ring.h. All R * S sums of a channel stay in
// registers while warps slide along rows; the block adds those of its warps in order and writes partial[split][k][r, s] in f32,
// which sum_splits adds up. x and dy are read once. Limited by bytes; 7x7 by FMA.
#include "conv/row_ring.h"

// Adds the products of one block of rows.
template <class T, int Size, int Stride>
__device__ __forceinline__ void addRows(Lane<laneChannels<T>> (&sums)[Size][Size], const RowRing<T>& ring, const RowRing<T>& gradient, const DepthwiseRows& d,
                                        const ColumnPart& part)
{
    constexpr int L = laneChannels<T>;
    const int window = (d.rowsPerStep - 1) * Stride + Size, advance = d.rowsPerStep * Stride;
    ring.copyRows(0, window), gradient.copyRows(0, d.rowsPerStep), commitCopies();
    for (int row = 0; row < gradient.rows; row += d.rowsPerStep) {
        waitCopies<0>();
        __syncthreads();
        ring.copyRows(row * Stride + window, row * Stride + window + advance);
        gradient.copyRows(row + d.rowsPerStep, row + 2 * d.rowsPerStep), commitCopies();
        const int p = row + stepRow(d);
        if (p >= gradient.rows || part.count <= 0) continue;
        const unsigned* lines[Size];
#pragma unroll
        for (int r = 0; r < Size; ++r) lines[r] = ring.lane(p * Stride + r) + part.first * Stride * 32;
        const unsigned* const dy = gradient.lane(p) + part.first * 32;
        slideWeight<Size, Stride, L>(
            sums, part.count,
            [&](int column, Lane<L>(&line)[Size]) {
#pragma unroll
                for (int r = 0; r < Size; ++r) line[r] = laneOf<T>(lines[r][column * 32]);
            },
            [&](int q) { return laneOf<T>(dy[q * 32]); });
    }
    // The next block of rows comes into the same memory.
    __syncthreads();
}

// Adds the sums of the block's warps and stores them.
template <int Size, int L>
__device__ __forceinline__ void storeSums(const Lane<L> (&sums)[Size][Size], float* memory, float* partial, int existing)
{
    constexpr int area = Size * Size, width = 32 * L;
#pragma unroll
    for (int t = 0; t < area; ++t)
#pragma unroll
        for (int k = 0; k < L; ++k) memory[(threadIdx.x / 32 * area + t) * width + k * 32 + threadIdx.x % 32] = sums[t % Size][t / Size].v[k];
    __syncthreads();
    for (int i = threadIdx.x; i < area * width; i += ringWarps * 32) {
        const int tap = i / width, channel = i % 32 * L + i % width / 32;
        float total = 0.f;
        for (int warp = 0; warp < ringWarps; ++warp) total += memory[warp * area * width + i];
        if (channel < existing) partial[channel * area + tap] = total;
    }
}

template <class T, int Size, int Stride>
__device__ __forceinline__ void depthwiseWgrad(const T* __restrict__ x, const T* __restrict__ dy, float* __restrict__ partial, const ConvGeometry& g,
                                               const DepthwiseRows& d)
{
    extern __shared__ uint4 memory[];
    constexpr int L = laneChannels<T>, open = (Size + Stride - 1) / Stride;
    const int channel = blockIdx.x * sliceChannels<T>, existing = g.filters - channel, pitch = (d.columns + open - 1) * Stride;
    unsigned* const words = (unsigned*)memory;
    Lane<L> sums[Size][Size] = {};
    const int first = (int)blockIdx.y * d.itemsPerSplit, last = min(first + d.itemsPerSplit, d.items);
    for (int item = first; item < last; ++item) {
        const RowBlock b = rowBlock(d, item, channel, g.outHeight, g.outWidth);
        const RowRing<T> ring = {{x + b.n * g.in.image + channel, g.in, g.height, g.width, g.padding, existing}, words,
                                 b.row * Stride + g.originH, b.column * Stride + g.originW, (b.rows - 1) * Stride + Size, (b.columns - 1) * Stride + Size,
                                 d.slots, pitch, d.wide};
        const RowRing<T> gradient = {{dy + b.n * g.out.image + channel, g.out, g.outHeight, g.outWidth, paddingZeros, existing}, words + d.slots * pitch * 32,
                                     b.row, b.column, b.rows, b.columns, 2 * d.rowsPerStep, d.columns, d.wide};
        addRows<T, Size, Stride>(sums, ring, gradient, d, columnPart(d, b.columns));
    }
    storeSums<Size, L>(sums, (float*)memory, partial + ((long long)blockIdx.y * g.filters + channel) * (Size * Size), existing);
}

template <class T, int Size>
__device__ __forceinline__ void depthwiseWgrad(const T* x, const T* dy, float* partial, const ConvGeometry& g, const DepthwiseRows& d)
{
    if (g.strideH == 1) depthwiseWgrad<T, Size, 1>(x, dy, partial, g, d);
    else depthwiseWgrad<T, Size, 2>(x, dy, partial, g, d);
}

extern "C" __global__ __launch_bounds__(128, 4) void depthwise_wgrad_nhwc_3x3_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<float, 3>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_3x3_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<Bf16, 3>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_3x3_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<Fp16, 3>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128, 4) void depthwise_wgrad_nhwc_5x5_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<float, 5>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_5x5_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<Bf16, 5>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_5x5_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<Fp16, 5>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_7x7_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<float, 7>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128, 3) void depthwise_wgrad_nhwc_7x7_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<Bf16, 7>(x, dy, partial, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128, 3) void depthwise_wgrad_nhwc_7x7_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseWgrad<Fp16, 7>(x, dy, partial, geometry, rows);
}
