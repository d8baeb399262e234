// Gradient of a depthwise convolution by its input, NCHW, windows of 3x3, 5x5 and 7x7 with stride 2, zeros as padding:
//
//   dx[n, k, h, w] = sum over r, s, p, q with 2 p + r = h + padH and 2 q + s = w + padW of w[k, r, s] dy[n, k, p, q]
//
// Geometry is that of the forward pass: `in` is dx, `out` is dy. Grid: a block per tile of dx (conv/plane_tile.h), strips fastest. A
// column of dx meets every other column of the filter. A thread slides down rows of dy and leaves two rows of dx at each step.
// Limited by bytes.
#include "conv/plane_tile.h"

template <class T, int Size>
__device__ __forceinline__ void depthwiseDgrad(const T* __restrict__ dy, const T* __restrict__ w, T* __restrict__ dx, const ConvGeometry& g,
                                               const DepthwisePlanes& d)
{
    extern __shared__ uint4 memory[];
    constexpr int area = Size * Size, across = (Size + 1) / 2;
    const int padH = -g.originH, padW = -g.originW;
    const int all = g.images * g.filters, firstPlane = blockIdx.x / d.strips * d.planes, planes = min(d.planes, all - firstPlane);
    const int top = blockIdx.x % d.strips * d.rows, rows = min(d.rows, g.height - top);
    const RowRange seen = rowRange(d, (top + padH) / 2 - (across - 1), (top + rows - 1 + padH) / 2, g.outHeight);
    const int plane = (seen.high - seen.low) * g.outWidth;
    const FlatTile<T, planeThreads> in = {memory, ((long long)firstPlane * g.outHeight + seen.low) * g.outWidth, planes * plane, d.wide};
    const FlatTile<T, planeThreads> out = {memory + d.second, ((long long)firstPlane * g.height + top) * g.width, planes * rows * g.width, d.wide};
    in.copyIn(dy, (long long)all * g.outHeight * g.outWidth), commitCopies(), waitCopies<0>();
    __syncthreads();

    for (int i = threadIdx.x; i < d.planes * d.parts * g.width; i += planeThreads) {
        const ColumnRange at = columnRange(d, i, g.width, planes, rows);
        if (at.count <= 0) continue;
        const T* const filter = w + (long long)((firstPlane + at.plane) % g.filters) * area;
        const int parity = (at.column + padW) % 2;
        Lane<1> taps[Size][across];
        int columns[across];
#pragma unroll
        for (int k = 0; k < across; ++k) {
            const int s = parity + 2 * k, q = (at.column + padW) / 2 - k;
            columns[k] = q < g.outWidth ? q : -1;
#pragma unroll
            for (int r = 0; r < Size; ++r) taps[r][k].v[0] = s < Size ? load(filter + r * Size + s) : 0.f;
        }
        const int above = top + at.first, p = (above + padH) / 2 - (across - 1), lines = (above + at.count + padH - 2 * p + 1) / 2;
        const T* const source = in.elements() + at.plane * plane;
        T* const target = out.elements() + at.plane * rows * g.width + at.column;
        slideBackward<Size, 2, across, 1>(
            taps, lines,
            [&](int row, Lane<1>(&line)[across]) {
                const bool inside = p + row >= seen.low && p + row < seen.high;
                const T* const from = source + (p + row - seen.low) * g.outWidth;
#pragma unroll
                for (int k = 0; k < across; ++k) line[k].v[0] = inside && columns[k] >= 0 ? load(from + columns[k]) : 0.f;
            },
            [&](int result, const Lane<1>& sum) {
                const int row = 2 * p - padH + result - above;
                if (row >= 0 && row < at.count) store(target + (at.first + row) * g.width, sum.v[0]);
            });
    }
    __syncthreads();
    out.copyOut(dx);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_3x3_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<float, 3>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_3x3_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<Bf16, 3>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_3x3_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<Fp16, 3>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_5x5_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<float, 5>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_5x5_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<Bf16, 5>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_5x5_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<Fp16, 5>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_7x7_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<float, 7>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_7x7_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<Bf16, 7>(dy, w, dx, geometry, planes);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_nchw_7x7_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwisePlanes planes)
{
    depthwiseDgrad<Fp16, 7>(dy, w, dx, geometry, planes);
}
