// Gradient of a depthwise convolution by its input, any window, stride and dilation, zeros as padding:
//
//   dx[n, c, h, w] = sum over the filters k of channel c, and the (r, s) whose window reads (h, w), of w[k, r, s] dy[n, k, p, q]
//
// Geometry is that of the forward pass: `in` is dx, `out` is dy. Grid: a thread per strip of a column of dx; the columns
// of dy that meet it are found once. Limited by bytes where windows are small: dx is written once, dy comes from L1 but for
// its first reading.
#include "conv/depthwise_strips.h"

// The place of output whose tap reads `at`; -1 if none does.
__device__ __forceinline__ int windowOf(int at, int tap, const FastDivisor& stride, int count)
{
    int rest;
    if (at < tap) return -1;
    const int place = divide(at - tap, stride, rest);
    return rest == 0 && place < count ? place : -1;
}

template <bool ChannelsLast, class T>
__device__ __forceinline__ void depthwiseDgradAny(const T* __restrict__ dy, const T* __restrict__ w, T* __restrict__ dx, const ConvGeometry& g,
                                               const DepthwiseStrips& d, const FastDivisor& byStrideH, const FastDivisor& byStrideW)
{
    const int index = blockIdx.x * 128 + threadIdx.x;
    if (index >= d.total) return;
    const Strip strip = stripOf<ChannelsLast>(d, index);
    const int firstFilter = strip.channel * d.multiplier, taps = g.windowHeight * g.windowWidth;
    const T* const gradient = dy + strip.n * g.out.image + (long long)firstFilter * g.out.channel;
    T* const out = dx + strip.n * g.in.image + (long long)strip.channel * g.in.channel + strip.q * g.in.column;
    const int last = min(strip.first + d.rows, g.height);
    for (int h = strip.first; h < last; ++h) {
        float sum = 0.f;
        for (int r = 0; r < g.windowHeight; ++r) {
            const int p = windowOf(h - g.originH, r * g.tapH, byStrideH, g.outHeight);
            for (int s = 0; p >= 0 && s < g.windowWidth; ++s) {
                const int q = windowOf(strip.q - g.originW, s * g.tapW, byStrideW, g.outWidth);
                if (q < 0) continue;
                const T* const from = gradient + p * g.out.row + q * g.out.column;
                const T* const tap = w + (long long)firstFilter * taps + r * g.windowWidth + s;
                for (int m = 0; m < d.multiplier; ++m) sum = fmaf(load(tap + m * taps), load(from + (long long)m * g.out.channel), sum);
            }
        }
        store(out + h * g.in.row, sum);
    }
}

extern "C" __global__ __launch_bounds__(128, 4) void depthwise_dgrad_any_nchw_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwiseStrips strips, FastDivisor byStrideH, FastDivisor byStrideW)
{
    depthwiseDgradAny<false>(dy, w, dx, geometry, strips, byStrideH, byStrideW);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_any_nchw_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwiseStrips strips, FastDivisor byStrideH, FastDivisor byStrideW)
{
    depthwiseDgradAny<false>(dy, w, dx, geometry, strips, byStrideH, byStrideW);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_any_nchw_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwiseStrips strips, FastDivisor byStrideH, FastDivisor byStrideW)
{
    depthwiseDgradAny<false>(dy, w, dx, geometry, strips, byStrideH, byStrideW);
}

extern "C" __global__ __launch_bounds__(128, 4) void depthwise_dgrad_any_nhwc_f32(const float* dy, const float* w, float* dx, ConvGeometry geometry,
    DepthwiseStrips strips, FastDivisor byStrideH, FastDivisor byStrideW)
{
    depthwiseDgradAny<true>(dy, w, dx, geometry, strips, byStrideH, byStrideW);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_any_nhwc_bf16(const Bf16* dy, const Bf16* w, Bf16* dx, ConvGeometry geometry,
    DepthwiseStrips strips, FastDivisor byStrideH, FastDivisor byStrideW)
{
    depthwiseDgradAny<true>(dy, w, dx, geometry, strips, byStrideH, byStrideW);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_dgrad_any_nhwc_f16(const Fp16* dy, const Fp16* w, Fp16* dx, ConvGeometry geometry,
    DepthwiseStrips strips, FastDivisor byStrideH, FastDivisor byStrideW)
{
    depthwiseDgradAny<true>(dy, w, dx, geometry, strips, byStrideH, byStrideW);
}
