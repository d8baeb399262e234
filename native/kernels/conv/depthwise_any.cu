// Depthwise convolution with any window, stride, dilation and number of filters per channel (`multiplier`):
//
//   y[n, k, p, q] = clamp(sum over r, s of w[k, r, s] x[n, k / multiplier, p * strideH + originH + r * tapH, ...] + bias[k])
//
// Grid: a thread per strip of a column, all channels (conv/depthwise_strips.h). Taps one by one: x comes from L1 but for its first
// reading, and addresses limit it.
#include "conv/depthwise_strips.h"
#include "gemm/output.h"

template <bool ChannelsLast, class T>
__device__ __forceinline__ void depthwiseAny(const T* __restrict__ x, const T* __restrict__ w, const T* __restrict__ bias, T* __restrict__ y,
                                             const ConvGeometry& g, const DepthwiseStrips& d, const Epilogue& epilogue)
{
    const int index = blockIdx.x * 128 + threadIdx.x;
    if (index >= d.total) return;
    const Strip strip = stripOf<ChannelsLast>(d, index);
    const T* const channel = x + strip.n * g.in.image + (long long)divide(strip.channel, d.byMultiplier) * g.in.channel;
    T* const out = y + strip.n * g.out.image + (long long)strip.channel * g.out.channel + strip.q * g.out.column;
    const T* const filter = w + (long long)strip.channel * g.windowHeight * g.windowWidth;
    const int last = min(strip.first + d.rows, g.outHeight);
    for (int p = strip.first; p < last; ++p) {
        float sum = bias ? load(bias + strip.channel) : 0.f;
        for (int r = 0; r < g.windowHeight; ++r)
            for (int s = 0; s < g.windowWidth; ++s) {
                const int offset = sourceOffset(g, p * g.strideH + g.originH + r * g.tapH, strip.q * g.strideW + g.originW + s * g.tapW);
                if (offset >= 0) sum = fmaf(load(filter + r * g.windowWidth + s), load(channel + offset), sum);
            }
        store(out + p * g.out.row, clamp(sum, epilogue));
    }
}

extern "C" __global__ __launch_bounds__(128) void depthwise_any_nchw_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<false>(x, w, bias, y, geometry, strips, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_any_nchw_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<false>(x, w, bias, y, geometry, strips, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_any_nchw_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<false>(x, w, bias, y, geometry, strips, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_any_nhwc_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<true>(x, w, bias, y, geometry, strips, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_any_nhwc_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<true>(x, w, bias, y, geometry, strips, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void depthwise_any_nhwc_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry,
    DepthwiseStrips strips, Epilogue epilogue)
{
    depthwiseAny<true>(x, w, bias, y, geometry, strips, epilogue);
}
