// Gradient of a depthwise convolution by its input, NHWC, windows of 3x3, 5x5 and 7x7 with stride 2, zeros as padding:
//
//   dx[n, h, w, k] = sum over r, s, p, q with 2 p + r = h + padH and 2 q + s = w + padW of w[k, r, s] dy[n, p, q, k]
//
// Geometry is that of the forward pass: `in` is dx, `out` is dy. Grid: blocks of conv/row_ring.h, over dx. A row of dx meets every
// other row of the filter, always the same ones in one warp, because steps and strips are even. A warp slides along a row of dy and
// leaves two columns of dx at each step. Limited by bytes.
#include "conv/row_ring.h"

template <class T, int Size>
__device__ __forceinline__ void depthwiseDgrad(const T* __restrict__ dy, const T* __restrict__ w, T* __restrict__ dx, const ConvGeometry& g,
                                               const DepthwiseRows& d)
{
    extern __shared__ uint4 memory[];
    constexpr int L = laneChannels<T>, area = Size * Size, across = (Size + 1) / 2;
    const int padH = -g.originH, padW = -g.originW;
    const RowBlock b = rowBlock(d, blockIdx.x / d.slices, blockIdx.x % d.slices * sliceChannels<T>, g.height, g.width);
    const int firstRow = (b.row + padH) / 2 - (across - 1), firstColumn = (b.column + padW) / 2 - (across - 1);
    const RowRing<T> ring = {{dy + b.n * g.out.image + b.channel, g.out, g.outHeight, g.outWidth, paddingZeros, g.filters - b.channel}, (unsigned*)memory,
                             firstRow, firstColumn, (b.row + b.rows - 1 + padH) / 2 - firstRow + 1, (b.column + b.columns - 1 + padW) / 2 - firstColumn + 1,
                             d.slots, d.columns / 2 + across + 1, d.wide};
    const int window = d.rowsPerStep / 2 + across, advance = d.rowsPerStep / 2;
    ring.copyRows(0, window), commitCopies();

    const int channel = b.channel + threadIdx.x % 32 * L, existing = g.filters - channel, parity = (b.row + stepRow(d) + padH) % 2;
    const T* const filters = w + (long long)channel * area;
    Lane<L> taps[Size][across];
#pragma unroll
    for (int s = 0; s < Size; ++s)
#pragma unroll
        for (int k = 0; k < across; ++k) {
            const int r = parity + 2 * k;
            taps[s][k] = loadTap(filters, min(r, Size - 1) * Size + s, area, r < Size ? existing : 0);
        }

    const ColumnPart part = columnPart(d, b.columns);
    const int left = b.column + part.first, q = (left + padW) / 2 - (across - 1), lines = (left + part.count + padW - 2 * q + 1) / 2;
    for (int row = 0; row < b.rows; row += d.rowsPerStep) {
        waitCopies<0>();
        __syncthreads();
        ring.copyRows(row / 2 + window, row / 2 + window + advance), commitCopies();
        const int h = row + stepRow(d);
        if (h >= b.rows || part.count <= 0) continue;
        const unsigned* sources[across];
#pragma unroll
        for (int k = 0; k < across; ++k) {
            const int index = (b.row + h + padH) / 2 - k - firstRow;
            sources[k] = ring.lane(index) + (q - firstColumn) * 32;
        }
        T* const out = dx + b.n * g.in.image + (long long)(b.row + h) * g.in.row + channel;
        slideBackward<Size, 2, across, L>(
            taps, lines,
            [&](int column, Lane<L>(&line)[across]) {
#pragma unroll
                for (int k = 0; k < across; ++k) line[k] = laneOf<T>(sources[k][column * 32]);
            },
            [&](int result, const Lane<L>& sum) {
                const int column = 2 * q - padW + result;
                if (column >= left && column < left + part.count) storeLane(out + column * g.in.column, sum, existing, d.wide);
            });
    }
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_3x3_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<float, 3>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128, 4) void depthwise_dgrad_nhwc_3x3_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<Bf16, 3>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128, 4) void depthwise_dgrad_nhwc_3x3_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<Fp16, 3>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_5x5_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<float, 5>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_5x5_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<Bf16, 5>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_5x5_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<Fp16, 5>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_7x7_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<float, 7>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_7x7_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<Bf16, 7>(dy, w, dx, geometry, rows);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nhwc_7x7_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwiseRows rows)
{
    depthwiseDgrad<Fp16, 7>(dy, w, dx, geometry, rows);
}
