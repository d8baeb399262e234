// Gradients of batch normalisation and what stands behind it (activation.h), for each channel of M elements:
//   dz = dy where the activation lets it pass, else 0; it is also the gradient by the residual
//   dbeta = sum(dz)    dgamma = inverse * sum(dz (x - mean))
//   dx = gamma inverse (dz - sum(dz) / M - (x - mean) inverse^2 sum(dz (x - mean)) / M), without the sums where the statistics were given
// (batch = 0). What cancels is subtracted before it is scaled, so that it cancels exactly.
// Where channels are large:
//   batch_norm_gradient_sums_*    the two sums of each part of each channel; grid (channels or bundles, parts)
//   batch_norm_gradient_finish    dgamma, dbeta, and the sums over M; a warp per channel, 8 per block
//   batch_norm_input_gradient     dx and dz; 16 bytes per thread
// and where they are small, all in one: batch_norm_small_backward_*. dx, dz, dgamma and dbeta may be null.
// Limited by bytes: x and dy are read twice, or once where a channel is kept in shared memory; dx and dz are written once.
#include "norm/activation.h"
#include "norm/channel_map.h"
#include "norm/channels.h"

// sum(dz), sum(dz (x - mean)).
using GradientSums = Sums<2>;

// The tensors of a backward pass; twin of the C# struct of the same name.
struct BatchNormGradients
{
    const float *gamma, *beta, *mean, *inverse;
    float *dgamma, *dbeta;
    const unsigned char* decisions;  // bits, where the gate is recorded
    Clamp clamp;
    Gate gate;
    float m;    // elements per channel
    int batch;  // whether the statistics came from x
};

__device__ __forceinline__ ChannelScale forwardScale(const BatchNormGradients& b, int channel)
{
    return channelScale(channel, b.mean[channel], b.inverse[channel], b.gamma, b.beta);
}

// dx of one channel: factor (dz - constant - (x - mean) slope).
struct ChannelGradient
{
    float mean, factor, constant, slope;

    __device__ __forceinline__ float operator()(float x, float dz) const { return factor * fmaf(mean - x, slope, dz - constant); }
};

// `means` are the sums over M; both 0 where the statistics were given.
__device__ __forceinline__ ChannelGradient channelGradient(int channel, const BatchNormGradients& b, float2 means)
{
    const float deviation = b.inverse[channel];
    return {b.mean[channel], b.gamma ? deviation * b.gamma[channel] : deviation, means.x, deviation * deviation * means.y};
}

// One vector of x and of dz. `scale` is that of the forward pass for each element, read where the gate is recomputed.
template <typename T, int width> struct GatedElements
{
    Elements<T, width> x, dz;

    __device__ __forceinline__ GatedElements(
        const T* from, const T* dy, long long vector, const BatchNormGradients& b, const ChannelScale (&scale)[width])
        : x(Elements<T, width>::load(from, vector)), dz(Elements<T, width>::load(dy, vector))
    {
        if (b.gate == Gate::open) return;
        const bool recorded = b.gate == Gate::recorded;
        const unsigned open = recorded ? loadDecisions<width>(b.decisions, vector) : 0;
#pragma unroll
        for (int k = 0; k < width; ++k) {
            const bool passes = recorded ? open >> k & 1 : b.clamp.passes(scale[k](x.at[k]));
            if (!passes) dz.at[k] = 0.0f;
        }
    }

    // What keep(i) kept: x, and behind all of x dz, which is dy or 0 and so loses nothing.
    __device__ __forceinline__ GatedElements(int i, const ChannelGeometry& g)
        : x(Elements<T, width>::load(keptElements<T>(), i)), dz(Elements<T, width>::load(keptElements<T>(), keptVectors(g) + i))
    {
    }

    __device__ __forceinline__ void keep(int i, const ChannelGeometry& g) const
    {
        x.keep(keptElements<T>(), i);
        dz.keep(keptElements<T>(), keptVectors(g) + i);
    }

    // Stores dx and dz; either may be null.
    __device__ __forceinline__ void store(const ChannelGradient (&gradient)[width], T* dx, T* dzOut, long long vector) const
    {
        if (dzOut) dz.store(dzOut, vector);
        if (!dx) return;
        Elements<T, width> result;
#pragma unroll
        for (int k = 0; k < width; ++k) result.at[k] = gradient[k](x.at[k], dz.at[k]);
        result.store(dx, vector);
    }
};

// Stores dgamma and dbeta, and gives the sums over M.
__device__ __forceinline__ float2 finishGradient(const GradientSums& sums, int channel, const BatchNormGradients& b)
{
    if (b.dgamma) b.dgamma[channel] = sums.v[1] * b.inverse[channel];
    if (b.dbeta) b.dbeta[channel] = sums.v[0];
    return b.batch ? make_float2(sums.v[0] / b.m, sums.v[1] / b.m) : make_float2(0.0f, 0.0f);
}

__device__ __forceinline__ void addProduct(GradientSums& sums, float x, float dz, float mean)
{
    sums.v[0] += dz;
    sums.v[1] = fmaf(dz, x - mean, sums.v[1]);
}

template <typename T, int width>
__device__ __forceinline__ GradientSums planeGradientSums(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, int channel, int part)
{
    GradientSums sums = {};
    ChannelScale scale[width];
#pragma unroll
    for (int k = 0; k < width; ++k) scale[k] = forwardScale(b, channel);
    eachInPlanes(g, channel, part, [&](long long vector, int i) {
        const GatedElements<T, width> elements(x, dy, vector, b, scale);
        if (g.keeps) elements.keep(i, g);
#pragma unroll
        for (int k = 0; k < width; ++k) addProduct(sums, elements.x.at[k], elements.dz.at[k], scale[k].mean);
    });
    return sums;
}

template <typename T, int width>
__device__ __forceinline__ void rowGradientSums(
    const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, const RowThread& thread, int part, GradientSums (&sums)[width])
{
#pragma unroll
    for (int k = 0; k < width; ++k) sums[k] = {};
    if (thread.hasChannels()) {
        ChannelScale scale[width];
#pragma unroll
        for (int k = 0; k < width; ++k) scale[k] = forwardScale(b, thread.vector * width + k);
        thread.each(g, part, [&](long long vector, int i) {
            const GatedElements<T, width> elements(x, dy, vector, b, scale);
            if (g.keeps) elements.keep(i, g);
#pragma unroll
            for (int k = 0; k < width; ++k) addProduct(sums[k], elements.x.at[k], elements.dz.at[k], scale[k].mean);
        });
    }
    joinRows(sums, thread);
}

template <typename T, int width>
__device__ __forceinline__ void gradientSumsOfRows(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, GradientSums* parts)
{
    const RowThread thread(g);
    GradientSums sums[width];
    rowGradientSums<T, width>(x, dy, g, b, thread, blockIdx.y, sums);
    if (thread.row != 0 || !thread.hasChannels()) return;
#pragma unroll
    for (int k = 0; k < width; ++k) parts[(long long)blockIdx.y * g.channels + thread.vector * width + k] = sums[k];
}

template <typename T, int width>
__device__ __forceinline__ void smallBackwardOfPlanes(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx, T* dz)
{
    __shared__ float2 shared;
    const int channel = blockIdx.x;
    const GradientSums sums = joinBlock(planeGradientSums<T, width>(x, dy, g, b, channel, 0));
    if (threadIdx.x == 0) shared = finishGradient(sums, channel, b);
    __syncthreads();
    if (!dx && !dz) return;
    ChannelScale scale[width];
    ChannelGradient gradient[width];
#pragma unroll
    for (int k = 0; k < width; ++k) {
        scale[k] = forwardScale(b, channel);
        gradient[k] = channelGradient(channel, b, shared);
    }
    // Two loops, for one would choose between the memories at each vector.
    if (g.keeps) eachInPlanes(g, channel, 0, [&](long long vector, int i) { GatedElements<T, width>(i, g).store(gradient, dx, dz, vector); });
    else eachInPlanes(g, channel, 0, [&](long long vector, int) { GatedElements<T, width>(x, dy, vector, b, scale).store(gradient, dx, dz, vector); });
}

template <typename T, int width>
__device__ __forceinline__ void smallBackwardOfRows(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx, T* dz)
{
    __shared__ float2 shared[warpSize32 * width];
    const RowThread thread(g);
    GradientSums sums[width];
    rowGradientSums<T, width>(x, dy, g, b, thread, 0, sums);
    const int first = thread.vector * width;
    if (thread.row == 0 && thread.hasChannels()) {
#pragma unroll
        for (int k = 0; k < width; ++k) shared[thread.lane * width + k] = finishGradient(sums[k], first + k, b);
    }
    __syncthreads();
    if (!thread.hasChannels() || (!dx && !dz)) return;
    ChannelScale scale[width];
    ChannelGradient gradient[width];
#pragma unroll
    for (int k = 0; k < width; ++k) {
        scale[k] = forwardScale(b, first + k);
        gradient[k] = channelGradient(first + k, b, shared[thread.lane * width + k]);
    }
    if (g.keeps) thread.each(g, 0, [&](long long vector, int i) { GatedElements<T, width>(i, g).store(gradient, dx, dz, vector); });
    else thread.each(g, 0, [&](long long vector, int) { GatedElements<T, width>(x, dy, vector, b, scale).store(gradient, dx, dz, vector); });
}

template <typename T>
__device__ __forceinline__ void gradientSumsPlanes(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, GradientSums* parts)
{
    const int channel = blockIdx.x, part = blockIdx.y;
    const GradientSums sums = joinBlock(
        g.width == 1 ? planeGradientSums<T, 1>(x, dy, g, b, channel, part) : planeGradientSums<T, vectorWidth<T>>(x, dy, g, b, channel, part));
    if (threadIdx.x == 0) parts[(long long)part * g.channels + channel] = sums;
}

template <typename T>
__device__ __forceinline__ void gradientSumsRows(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, GradientSums* parts)
{
    if (g.width == 1) gradientSumsOfRows<T, 1>(x, dy, g, b, parts);
    else gradientSumsOfRows<T, vectorWidth<T>>(x, dy, g, b, parts);
}

template <typename T>
__device__ __forceinline__ void smallBackwardPlanes(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx, T* dz)
{
    if (g.width == 1) smallBackwardOfPlanes<T, 1>(x, dy, g, b, dx, dz);
    else smallBackwardOfPlanes<T, vectorWidth<T>>(x, dy, g, b, dx, dz);
}

template <typename T>
__device__ __forceinline__ void smallBackwardRows(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx, T* dz)
{
    if (g.width == 1) smallBackwardOfRows<T, 1>(x, dy, g, b, dx, dz);
    else smallBackwardOfRows<T, vectorWidth<T>>(x, dy, g, b, dx, dz);
}

// `means` null stands for zeros: the statistics were given.
template <typename T> struct InputGradientMap
{
    const T *x, *dy;
    const BatchNormGradients& b;
    const float2* means;
    T *dx, *dz;

    __device__ __forceinline__ bool areParametersAligned() const { return aligned16(b.mean, b.inverse, b.gamma, b.beta, means); }

    template <int width, typename Channels>
    __device__ __forceinline__ unsigned operator()(Width<width>, long long vector, const Channels& channels) const
    {
        ChannelScale scale[width];
        channelScales(scale, channels, b.mean, b.inverse, b.gamma, b.beta);
        float inverses[width];
        float2 sums[width] = {};
        channels.load(b.inverse, inverses);
        if (means) channels.load(means, sums);
        ChannelGradient gradient[width];
#pragma unroll
        for (int k = 0; k < width; ++k) gradient[k] = {scale[k].mean, scale[k].factor, sums[k].x, inverses[k] * inverses[k] * sums[k].y};
        GatedElements<T, width>(x, dy, vector, b, scale).store(gradient, dx, dz, vector);
        return 0;
    }
};

template <typename T>
__device__ __forceinline__ void inputGradient(
    const T* x, const T* dy, const ChannelMap& map, const BatchNormGradients& b, const float2* means, T* dx, T* dz)
{
    eachByChannel<T>(map, aligned16(x, dy, dx, dz), InputGradientMap<T>{x, dy, b, means, dx, dz});
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_finish(
    const GradientSums* parts, int count, int channels, BatchNormGradients gradients, float2* means)
{
    const int channel = blockIdx.x * (channelThreads / warpSize32) + threadIdx.x / warpSize32;
    if (channel >= channels) return;
    const GradientSums sums = joinParts(count, [=](int part) { return parts[(long long)part * channels + channel]; });
    if (threadIdx.x % warpSize32 == 0)
        means[channel] = finishGradient(sums, channel, gradients);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_planes_f32(const float* x, const float* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, GradientSums* parts)
{
    gradientSumsPlanes(x, dy, geometry, gradients, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_rows_f32(const float* x, const float* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, GradientSums* parts)
{
    gradientSumsRows(x, dy, geometry, gradients, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_planes_f32(const float* x, const float* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, float* dx, float* dz)
{
    smallBackwardPlanes(x, dy, geometry, gradients, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_rows_f32(const float* x, const float* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, float* dx, float* dz)
{
    smallBackwardRows(x, dy, geometry, gradients, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_input_gradient_f32(const float* x, const float* dy,
    ChannelMap map, BatchNormGradients gradients, const float2* means, float* dx, float* dz)
{
    inputGradient(x, dy, map, gradients, means, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_planes_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, GradientSums* parts)
{
    gradientSumsPlanes(x, dy, geometry, gradients, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_rows_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, GradientSums* parts)
{
    gradientSumsRows(x, dy, geometry, gradients, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_planes_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Bf16* dx, Bf16* dz)
{
    smallBackwardPlanes(x, dy, geometry, gradients, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_rows_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Bf16* dx, Bf16* dz)
{
    smallBackwardRows(x, dy, geometry, gradients, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_input_gradient_bf16(const Bf16* x, const Bf16* dy,
    ChannelMap map, BatchNormGradients gradients, const float2* means, Bf16* dx, Bf16* dz)
{
    inputGradient(x, dy, map, gradients, means, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_planes_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, GradientSums* parts)
{
    gradientSumsPlanes(x, dy, geometry, gradients, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_rows_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, GradientSums* parts)
{
    gradientSumsRows(x, dy, geometry, gradients, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_planes_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Fp16* dx, Fp16* dz)
{
    smallBackwardPlanes(x, dy, geometry, gradients, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_rows_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Fp16* dx, Fp16* dz)
{
    smallBackwardRows(x, dy, geometry, gradients, dx, dz);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_input_gradient_f16(const Fp16* x, const Fp16* dy,
    ChannelMap map, BatchNormGradients gradients, const float2* means, Fp16* dx, Fp16* dz)
{
    inputGradient(x, dy, map, gradients, means, dx, dz);
}
