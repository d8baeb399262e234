// Depthwise convolution, f32: every channel has filters of its own, `multiplier` of them.
//
//   y[n, k, p, q] = clamp(sum over r, s of w[k, r, s] x[n, k / multiplier, p * stride + originH + r * tapH, ...] + bias[k])
//
// w is (K, R, S) and may be read backwards (filterStep -1 from the last tap): that is the data gradient of stride 1.
// Square windows of 3, 5 and 7 with stride 1 or 2 keep window and filter in registers; depthwise_any serves the rest.
// Grid: a thread per strip of a column, all channels. Limited by bytes: x is read once, y written once; rows that two strips
// share, and columns that neighbours share, come from L1.
#include "conv/depthwise_window.h"
#include "gemm/output.h"

__device__ __forceinline__ float clampLane(float v, const Epilogue& e) { return clamp(v, e); }
__device__ __forceinline__ float4 clampLane(float4 v, const Epilogue& e)
{
    return make_float4(clamp(v.x, e), clamp(v.y, e), clamp(v.z, e), clamp(v.w, e));
}

// Tap `tap` of the filters of a lane's channels.
__device__ __forceinline__ float filterTap(const float* w, int tap, int, float) { return w[tap]; }
__device__ __forceinline__ float4 filterTap(const float* w, int tap, int taps, float4)
{
    return make_float4(w[tap], w[tap + taps], w[tap + 2 * taps], w[tap + 3 * taps]);
}

template <bool ChannelsLast, int Size, int Stride, int Channels>
__device__ __forceinline__ void depthwise(const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias, float* __restrict__ y,
                                          const ConvGeometry& g, const DepthwiseStrips& d, int filterStep, const Epilogue& epilogue)
{
    using Value = typename Lane<Channels>::Type;
    const int index = blockIdx.x * 128 + threadIdx.x;
    if (index >= d.total) return;
    const Strip strip = stripOf<ChannelsLast, Channels>(d, index);
    const int source = divide(strip.channel, d.byMultiplier);
    SlidingWindow<Size, Stride, Channels> window(g, x + strip.n * g.in.image + (long long)source * g.in.channel, strip.q);
    float* const out = y + strip.n * g.out.image + (long long)strip.channel * g.out.channel + strip.q * g.out.column;

    Value filter[Size][Size];
    const float* const taps = w + (long long)strip.channel * (Size * Size) + (filterStep < 0 ? Size * Size - 1 : 0);
#pragma unroll
    for (int t = 0; t < Size * Size; ++t) filter[t / Size][t % Size] = filterTap(taps, t * filterStep, Size * Size, Value{});
    const Value start = bias ? loadLane(bias + strip.channel, Value{}) : Value{};

    const int last = min(strip.first + d.rows, g.outHeight);
    for (int p = strip.first; p < last; ++p) {
        if (p == strip.first) window.start(p);
        else window.advance(p);
        Value sum = start;
#pragma unroll
        for (int t = 0; t < Size * Size; ++t) sum = multiplyAdd(filter[t / Size][t % Size], window.at[t / Size][t % Size], sum);
        storeLane(out + p * g.out.row, clampLane(sum, epilogue));
    }
}

// Any window, stride and dilation: taps one by one, from L1.
template <bool ChannelsLast>
__device__ __forceinline__ void depthwiseAny(const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias, float* __restrict__ y,
                                             const ConvGeometry& g, const DepthwiseStrips& d, const Epilogue& epilogue)
{
    const int index = blockIdx.x * 128 + threadIdx.x;
    if (index >= d.total) return;
    const Strip strip = stripOf<ChannelsLast, 1>(d, index);
    const float* const channel = x + strip.n * g.in.image + (long long)divide(strip.channel, d.byMultiplier) * g.in.channel;
    float* const out = y + strip.n * g.out.image + (long long)strip.channel * g.out.channel + strip.q * g.out.column;
    const float* const filter = w + (long long)strip.channel * g.windowHeight * g.windowWidth;
    const int last = min(strip.first + d.rows, g.outHeight);
    for (int p = strip.first; p < last; ++p) {
        float sum = bias ? bias[strip.channel] : 0.f;
        for (int r = 0; r < g.windowHeight; ++r)
            for (int s = 0; s < g.windowWidth; ++s) {
                const int offset = sourceOffset(g, p * g.strideH + g.originH + r * g.tapH, strip.q * g.strideW + g.originW + s * g.tapW);
                if (offset >= 0) sum = fmaf(filter[r * g.windowWidth + s], channel[offset], sum);
            }
        out[p * g.out.row] = clamp(sum, epilogue);
    }
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_3x3_s1(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<false, 3, 1, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_3x3_s2(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<false, 3, 2, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_5x5_s1(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<false, 5, 1, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_5x5_s2(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<false, 5, 2, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_7x7_s1(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<false, 7, 1, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_7x7_s2(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<false, 7, 2, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_3x3_s1(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<true, 3, 1, 4>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_3x3_s2(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<true, 3, 2, 4>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_5x5_s1(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<true, 5, 1, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_5x5_s2(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<true, 5, 2, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_7x7_s1(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<true, 7, 1, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_7x7_s2(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, int filterStep, Epilogue epilogue)
{
    depthwise<true, 7, 2, 1>(x, w, bias, y, geometry, strips, filterStep, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nchw_any(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<false>(x, w, bias, y, geometry, strips, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_nhwc_any(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<true>(x, w, bias, y, geometry, strips, epilogue);
}
