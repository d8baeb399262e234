// Gradient of a depthwise convolution by its filters, f32, square windows of 3, 5 and 7 with stride 1 or 2:
//
//   dw[k, r, s] = sum over n, p, q of dy[n, k, p, q] x[n, k / multiplier, p * stride + originH + r * tapH, ...]
//
// All R * S sums of a filter stay in registers while a thread follows its columns downwards, so that x and dy are read once.
// Grid (filters, or slices of 32 for channels last; splits): a split is a range of strips of all images. The block adds its
// threads' sums in a fixed order and writes partial[split][k][r, s]; sum_splits adds those up. Limited by bytes; 7x7 by FMA.
#include "common/reduce.h"
#include "conv/depthwise_window.h"

constexpr int wgradThreads = 128;

// Adds dy times window over this worker's columns. Workers share the columns of a split's strips.
template <int Size, int Stride>
__device__ __forceinline__ void sumStrips(const float* __restrict__ x, const float* __restrict__ dy, const ConvGeometry& g, const DepthwiseStrips& d,
                                          int filter, int stripsPerSplit, int worker, int workers, float (&sum)[Size * Size])
{
    const float* const channel = x + (long long)divide(filter, d.byMultiplier) * g.in.channel;
    const float* const gradient = dy + (long long)filter * g.out.channel;
    const int first = blockIdx.y * stripsPerSplit, count = (min(first + stripsPerSplit, g.images * d.strips) - first) * g.outWidth;
    for (int i = worker; i < count; i += workers) {
        int q, strip;
        const int n = divide(first + divide(i, d.byWidth, q), d.byStrips, strip);
        SlidingWindow<Size, Stride, 1> window(g, channel + n * g.in.image, q);
        const float* const column = gradient + n * g.out.image + q * g.out.column;
        const int top = strip * d.rows, bottom = min(top + d.rows, g.outHeight);
        for (int p = top; p < bottom; ++p) {
            if (p == top) window.start(p);
            else window.advance(p);
            const float v = column[p * g.out.row];
#pragma unroll
            for (int t = 0; t < Size * Size; ++t) sum[t] = fmaf(v, window.at[t / Size][t % Size], sum[t]);
        }
    }
}

// A filter per block.
template <int Size, int Stride>
__device__ __forceinline__ void wgradChannelsFirst(const float* x, const float* dy, float* partial, const ConvGeometry& g, const DepthwiseStrips& d,
                                                   int stripsPerSplit)
{
    constexpr int taps = Size * Size, warps = wgradThreads / warpSize32;
    __shared__ float warpSums[warps][taps];
    const int filter = blockIdx.x, thread = threadIdx.x;
    float sum[taps] = {};
    sumStrips<Size, Stride>(x, dy, g, d, filter, stripsPerSplit, thread, wgradThreads, sum);
#pragma unroll
    for (int t = 0; t < taps; ++t) {
        const float total = warpSum(sum[t]);
        if (thread % warpSize32 == 0) warpSums[thread / warpSize32][t] = total;
    }
    __syncthreads();
    if (thread >= taps) return;
    float total = 0.f;
    for (int warp = 0; warp < warps; ++warp) total += warpSums[warp][thread];
    partial[((long long)blockIdx.y * gridDim.x + filter) * taps + thread] = total;
}

// A filter per lane, so that loads of neighbouring channels coalesce; warps share the columns.
template <int Size, int Stride>
__device__ __forceinline__ void wgradChannelsLast(const float* x, const float* dy, float* partial, const ConvGeometry& g, const DepthwiseStrips& d,
                                                  int stripsPerSplit)
{
    constexpr int taps = Size * Size, warps = wgradThreads / warpSize32;
    __shared__ float warpSums[warps][taps][warpSize32];
    const int lane = threadIdx.x % warpSize32, warp = threadIdx.x / warpSize32, filter = blockIdx.x * warpSize32 + lane;
    float sum[taps] = {};
    if (filter < g.filters) sumStrips<Size, Stride>(x, dy, g, d, filter, stripsPerSplit, warp, warps, sum);
#pragma unroll
    for (int t = 0; t < taps; ++t) warpSums[warp][t][lane] = sum[t];
    __syncthreads();
    if (filter >= g.filters) return;
    for (int t = warp; t < taps; t += warps) {
        float total = 0.f;
        for (int i = 0; i < warps; ++i) total += warpSums[i][t][lane];
        partial[((long long)blockIdx.y * g.filters + filter) * taps + t] = total;
    }
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_3x3_s1(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsFirst<3, 1>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_3x3_s2(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsFirst<3, 2>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_5x5_s1(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsFirst<5, 1>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_5x5_s2(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsFirst<5, 2>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_7x7_s1(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsFirst<7, 1>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nchw_7x7_s2(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsFirst<7, 2>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_3x3_s1(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsLast<3, 1>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_3x3_s2(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsLast<3, 2>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_5x5_s1(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsLast<5, 1>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_5x5_s2(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsLast<5, 2>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_7x7_s1(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsLast<7, 1>(x, dy, partial, geometry, strips, stripsPerSplit);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_nhwc_7x7_s2(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseStrips strips, int stripsPerSplit)
{
    wgradChannelsLast<7, 2>(x, dy, partial, geometry, strips, stripsPerSplit);
}
