// Gradient of a depthwise convolution by its filters, any window, stride, dilation, padding mode and number of filters per channel:
//
//   dw[k, r, s] = sum over n, p, q of dy[n, k, p, q] x[n, k / multiplier, p * strideH + originH + r * tapH, ...]
//
// Grid (filters, or in NHWC slices of 32 of them; splits): a split is a range of output pixels. NCHW: all threads share the
// pixels of one filter. NHWC: a lane for each filter, warps share the pixels. Seven taps are summed at a time, so that dy is
// read once for seven; sums are added in order and go to partial[split][k][r, s] in f32, which sum_splits adds up. x and dy
// come from L1 but for their first reading; addresses limit it.
#include "common/dtype.h"
#include "common/reduce.h"
#include "conv/geometry.h"

// Seven: with eight, their sums and places do not fit the registers that ptxas gives them.
constexpr int weightThreads = 128, weightWarps = weightThreads / warpSize32, tapsAtOnce = 7;

// How the sums are divided; twin of the C# struct of the same name.
struct DepthwiseSums
{
    int pixels, pixelsPerSplit;  // of y, over all images
    FastDivisor byMultiplier;
};

// Adds products of pixels first, first + step, ... below end to the sums of the taps from `firstTap` on.
template <class T>
__device__ __forceinline__ void addPixels(float (&sums)[tapsAtOnce], const T* x, const T* dy, const ConvGeometry& g, int firstTap, int first, int end, int step)
{
    int tapH[tapsAtOnce], tapW[tapsAtOnce];
#pragma unroll
    for (int t = 0; t < tapsAtOnce; ++t) {
        const int r = divide(firstTap + t, g.byWindowWidth, tapW[t]);
        tapH[t] = r * g.tapH, tapW[t] *= g.tapW;
    }
    const int taps = g.windowHeight * g.windowWidth - firstTap;
    for (int pixel = first; pixel < end; pixel += step) {
        const Pixel at = outPixel(g, pixel);
        const float gradient = load(dy + at.n * g.out.image + at.h * g.out.row + at.w * g.out.column);
        const T* const image = x + at.n * g.in.image;
        const int top = at.h * g.strideH + g.originH, left = at.w * g.strideW + g.originW;
#pragma unroll
        for (int t = 0; t < tapsAtOnce; ++t) {
            const int offset = t < taps ? sourceOffset(g, top + tapH[t], left + tapW[t]) : -1;
            if (offset >= 0) sums[t] = fmaf(gradient, load(image + offset), sums[t]);
        }
    }
}

// One filter: lanes by shuffles, then the warps in order. The result is thread t's for tap t.
__device__ __forceinline__ float addThreads(const float (&sums)[tapsAtOnce], float (&memory)[weightWarps][tapsAtOnce][warpSize32])
{
    const int warp = threadIdx.x / warpSize32, lane = threadIdx.x % warpSize32;
#pragma unroll
    for (int t = 0; t < tapsAtOnce; ++t) {
        const float sum = warpSum(sums[t]);
        if (lane == 0) memory[warp][t][0] = sum;
    }
    __syncthreads();
    float total = 0.f;
    for (int w = 0; w < weightWarps && threadIdx.x < tapsAtOnce; ++w) total += memory[w][threadIdx.x][0];
    return total;
}

template <class T>
__device__ __forceinline__ void depthwiseWgradAnyFirst(const T* __restrict__ x, const T* __restrict__ dy, float* __restrict__ partial,
                                                       const ConvGeometry& g, const DepthwiseSums& d)
{
    __shared__ float memory[weightWarps][tapsAtOnce][warpSize32];
    const int filter = blockIdx.x, taps = g.windowHeight * g.windowWidth;
    const int first = blockIdx.y * d.pixelsPerSplit, end = first + min(d.pixelsPerSplit, d.pixels - first);
    const T* const channel = x + (long long)divide(filter, d.byMultiplier) * g.in.channel;
    const T* const gradient = dy + (long long)filter * g.out.channel;
    float* const out = partial + ((long long)blockIdx.y * g.filters + filter) * taps;
    for (int tap = 0; tap < taps; tap += tapsAtOnce) {
        float sums[tapsAtOnce] = {};
        addPixels(sums, channel, gradient, g, tap, first + threadIdx.x, end, weightThreads);
        const float total = addThreads(sums, memory);
        if ((int)threadIdx.x < min(tapsAtOnce, taps - tap)) out[tap + threadIdx.x] = total;
        __syncthreads();  // the next taps come into the same memory
    }
}

template <class T>
__device__ __forceinline__ void depthwiseWgradAnyLast(const T* __restrict__ x, const T* __restrict__ dy, float* __restrict__ partial,
                                                      const ConvGeometry& g, const DepthwiseSums& d)
{
    __shared__ float memory[weightWarps][tapsAtOnce][warpSize32];
    const int warp = threadIdx.x / warpSize32, lane = threadIdx.x % warpSize32, filter = blockIdx.x * warpSize32 + lane;
    const int taps = g.windowHeight * g.windowWidth;
    const bool exists = filter < g.filters;
    const int first = blockIdx.y * d.pixelsPerSplit, end = exists ? first + min(d.pixelsPerSplit, d.pixels - first) : 0;
    const T* const channel = x + divide(exists ? filter : 0, d.byMultiplier) * g.in.channel;
    float* const out = partial + ((long long)blockIdx.y * g.filters + filter) * taps;
    for (int tap = 0; tap < taps; tap += tapsAtOnce) {
        float sums[tapsAtOnce] = {};
        addPixels(sums, channel, dy + filter * g.out.channel, g, tap, first + warp, end, weightWarps);
#pragma unroll
        for (int t = 0; t < tapsAtOnce; ++t) memory[warp][t][lane] = sums[t];
        __syncthreads();
        for (int t = warp; t < min(tapsAtOnce, taps - tap) && exists; t += weightWarps) {
            float total = 0.f;
            for (int w = 0; w < weightWarps; ++w) total += memory[w][t][lane];
            out[tap + t] = total;
        }
        __syncthreads();
    }
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_any_nchw_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseSums sums)
{
    depthwiseWgradAnyFirst(x, dy, partial, geometry, sums);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_any_nchw_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwiseSums sums)
{
    depthwiseWgradAnyFirst(x, dy, partial, geometry, sums);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_any_nchw_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwiseSums sums)
{
    depthwiseWgradAnyFirst(x, dy, partial, geometry, sums);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_any_nhwc_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry,
    DepthwiseSums sums)
{
    depthwiseWgradAnyLast(x, dy, partial, geometry, sums);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_any_nhwc_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry,
    DepthwiseSums sums)
{
    depthwiseWgradAnyLast(x, dy, partial, geometry, sums);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_wgrad_any_nhwc_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry,
    DepthwiseSums sums)
{
    depthwiseWgradAnyLast(x, dy, partial, geometry, sums);
}
