// Gradients of batch normalisation, for each channel of M elements:
//   dbeta = sum(dy)    dgamma = inverse * sum(dy (x - mean))
//   dx = gamma inverse (dy - sum(dy) / M - (x - mean) inverse^2 sum(dy (x - mean)) / M), without the sums where the statistics were given
// (batch = 0). What cancels is subtracted before it is scaled, so that it cancels exactly.
// Where channels are large:
//   batch_norm_gradient_sums_*    the two sums of each part of each channel; grid (channels or bundles, parts)
//   batch_norm_gradient_finish    dgamma, dbeta, and the sums over M; a warp per channel, 8 per block
//   batch_norm_input_gradient     dx; 16 bytes per thread
// and where they are small, all in one: batch_norm_small_backward_*. dx, dgamma and dbeta may be null.
// Limited by bytes: x and dy are read twice, dx written once.
#include "norm/channel_map.h"
#include "norm/channels.h"

// sum(dy), sum(dy (x - mean)).
using GradientSums = Sums<2>;

// dx of one channel: factor (dy - constant - (x - mean) slope).
struct ChannelGradient
{
    float mean, factor, constant, slope;

    __device__ __forceinline__ float operator()(float x, float dy) const { return factor * fmaf(mean - x, slope, dy - constant); }
};

// `means` are the sums over M; both 0 where the statistics were given.
__device__ __forceinline__ ChannelGradient channelGradient(int channel, const float* mean, const float* inverse, const float* gamma, float2 means)
{
    const float deviation = inverse[channel];
    return {mean[channel], gamma ? deviation * gamma[channel] : deviation, means.x, deviation * deviation * means.y};
}

// Stores dgamma and dbeta, and gives the sums over M.
__device__ __forceinline__ float2 finishGradient(const GradientSums& sums, int channel, const float* inverse, int batch, float m, float* dgamma, float* dbeta)
{
    if (dgamma) dgamma[channel] = sums.v[1] * inverse[channel];
    if (dbeta) dbeta[channel] = sums.v[0];
    return batch ? make_float2(sums.v[0] / m, sums.v[1] / m) : make_float2(0.0f, 0.0f);
}

__device__ __forceinline__ void addProduct(GradientSums& sums, float x, float dy, float mean)
{
    sums.v[0] += dy;
    sums.v[1] = fmaf(dy, x - mean, sums.v[1]);
}

template <typename T, int width>
__device__ __forceinline__ GradientSums planeGradientSums(const T* x, const T* dy, const ChannelGeometry& g, const float* mean, int channel, int part)
{
    GradientSums sums = {};
    const float center = mean[channel];
    eachInPlanes(g, channel, part, [&](long long vector) {
        const auto values = Elements<T, width>::load(x, vector), gradients = Elements<T, width>::load(dy, vector);
#pragma unroll
        for (int k = 0; k < width; ++k) addProduct(sums, values.at[k], gradients.at[k], center);
    });
    return sums;
}

template <typename T, int width>
__device__ __forceinline__ void rowGradientSums(
    const T* x, const T* dy, const ChannelGeometry& g, const float* mean, const RowThread& thread, int part, GradientSums (&sums)[width])
{
#pragma unroll
    for (int k = 0; k < width; ++k) sums[k] = {};
    if (thread.hasChannels()) {
        float center[width];
#pragma unroll
        for (int k = 0; k < width; ++k) center[k] = mean[thread.vector * width + k];
        thread.each(g, part, [&](long long vector) {
            const auto values = Elements<T, width>::load(x, vector), gradients = Elements<T, width>::load(dy, vector);
#pragma unroll
            for (int k = 0; k < width; ++k) addProduct(sums[k], values.at[k], gradients.at[k], center[k]);
        });
    }
    joinRows(sums, thread);
}

template <typename T, int width>
__device__ __forceinline__ void gradientSumsOfRows(const T* x, const T* dy, const ChannelGeometry& g, const float* mean, GradientSums* parts)
{
    const RowThread thread(g);
    GradientSums sums[width];
    rowGradientSums<T, width>(x, dy, g, mean, thread, blockIdx.y, sums);
    if (thread.row != 0 || !thread.hasChannels()) return;
#pragma unroll
    for (int k = 0; k < width; ++k) parts[(long long)blockIdx.y * g.channels + thread.vector * width + k] = sums[k];
}

// The tensors of a backward pass; twin of the C# struct of the same name.
struct BatchNormGradients
{
    const float *gamma, *mean, *inverse;
    float *dgamma, *dbeta;
    float m;    // elements per channel
    int batch;  // whether the statistics came from x
};

template <typename T, int width>
__device__ __forceinline__ void smallBackwardOfPlanes(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx)
{
    __shared__ float2 shared;
    const int channel = blockIdx.x;
    const GradientSums sums = joinBlock(planeGradientSums<T, width>(x, dy, g, b.mean, channel, 0));
    if (threadIdx.x == 0) shared = finishGradient(sums, channel, b.inverse, b.batch, b.m, b.dgamma, b.dbeta);
    __syncthreads();
    if (!dx) return;
    const ChannelGradient gradient = channelGradient(channel, b.mean, b.inverse, b.gamma, shared);
    eachInPlanes(g, channel, 0, [&](long long vector) {
        const auto values = Elements<T, width>::load(x, vector);
        auto gradients = Elements<T, width>::load(dy, vector);
#pragma unroll
        for (int k = 0; k < width; ++k) gradients.at[k] = gradient(values.at[k], gradients.at[k]);
        gradients.store(dx, vector);
    });
}

template <typename T, int width>
__device__ __forceinline__ void smallBackwardOfRows(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx)
{
    __shared__ float2 shared[warpSize32 * width];
    const RowThread thread(g);
    GradientSums sums[width];
    rowGradientSums<T, width>(x, dy, g, b.mean, thread, 0, sums);
    const int first = thread.vector * width;
    if (thread.row == 0 && thread.hasChannels()) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            shared[thread.lane * width + k] = finishGradient(sums[k], first + k, b.inverse, b.batch, b.m, b.dgamma, b.dbeta);
    }
    __syncthreads();
    if (!thread.hasChannels() || !dx) return;
    ChannelGradient gradient[width];
#pragma unroll
    for (int k = 0; k < width; ++k) gradient[k] = channelGradient(first + k, b.mean, b.inverse, b.gamma, shared[thread.lane * width + k]);
    thread.each(g, 0, [&](long long vector) {
        const auto values = Elements<T, width>::load(x, vector);
        auto gradients = Elements<T, width>::load(dy, vector);
#pragma unroll
        for (int k = 0; k < width; ++k) gradients.at[k] = gradient[k](values.at[k], gradients.at[k]);
        gradients.store(dx, vector);
    });
}

template <typename T>
__device__ __forceinline__ void gradientSumsPlanes(const T* x, const T* dy, const ChannelGeometry& g, const float* mean, GradientSums* parts)
{
    const int channel = blockIdx.x, part = blockIdx.y;
    const GradientSums sums = joinBlock(
        g.width == 1 ? planeGradientSums<T, 1>(x, dy, g, mean, channel, part) : planeGradientSums<T, vectorWidth<T>>(x, dy, g, mean, channel, part));
    if (threadIdx.x == 0) parts[(long long)part * g.channels + channel] = sums;
}

template <typename T>
__device__ __forceinline__ void gradientSumsRows(const T* x, const T* dy, const ChannelGeometry& g, const float* mean, GradientSums* parts)
{
    if (g.width == 1) gradientSumsOfRows<T, 1>(x, dy, g, mean, parts);
    else gradientSumsOfRows<T, vectorWidth<T>>(x, dy, g, mean, parts);
}

template <typename T>
__device__ __forceinline__ void smallBackwardPlanes(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx)
{
    if (g.width == 1) smallBackwardOfPlanes<T, 1>(x, dy, g, b, dx);
    else smallBackwardOfPlanes<T, vectorWidth<T>>(x, dy, g, b, dx);
}

template <typename T>
__device__ __forceinline__ void smallBackwardRows(const T* x, const T* dy, const ChannelGeometry& g, const BatchNormGradients& b, T* dx)
{
    if (g.width == 1) smallBackwardOfRows<T, 1>(x, dy, g, b, dx);
    else smallBackwardOfRows<T, vectorWidth<T>>(x, dy, g, b, dx);
}

// `means` null stands for zeros: the statistics were given.
template <typename T>
__device__ __forceinline__ void inputGradient(
    const T* x, const T* dy, const ChannelMap& map, const BatchNormGradients& b, const float2* means, T* dx)
{
    mapByChannel(map, dx, [=, &b](int channel, float value, float gradient) {
        return channelGradient(channel, b.mean, b.inverse, b.gamma, means ? means[channel] : make_float2(0.0f, 0.0f))(value, gradient);
    }, x, dy);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_finish(
    const GradientSums* parts, int count, int channels, BatchNormGradients gradients, float2* means)
{
    const int channel = blockIdx.x * (channelThreads / warpSize32) + threadIdx.x / warpSize32;
    if (channel >= channels) return;
    const GradientSums sums = joinParts(count, [=](int part) { return parts[(long long)part * channels + channel]; });
    if (threadIdx.x % warpSize32 == 0)
        means[channel] = finishGradient(sums, channel, gradients.inverse, gradients.batch, gradients.m, gradients.dgamma, gradients.dbeta);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_planes_f32(const float* x, const float* dy,
    ChannelGeometry geometry, const float* mean, GradientSums* parts)
{
    gradientSumsPlanes(x, dy, geometry, mean, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_rows_f32(const float* x, const float* dy,
    ChannelGeometry geometry, const float* mean, GradientSums* parts)
{
    gradientSumsRows(x, dy, geometry, mean, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_planes_f32(const float* x, const float* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, float* dx)
{
    smallBackwardPlanes(x, dy, geometry, gradients, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_rows_f32(const float* x, const float* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, float* dx)
{
    smallBackwardRows(x, dy, geometry, gradients, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_input_gradient_f32(const float* x, const float* dy,
    ChannelMap map, BatchNormGradients gradients, const float2* means, float* dx)
{
    inputGradient(x, dy, map, gradients, means, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_planes_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, const float* mean, GradientSums* parts)
{
    gradientSumsPlanes(x, dy, geometry, mean, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_rows_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, const float* mean, GradientSums* parts)
{
    gradientSumsRows(x, dy, geometry, mean, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_planes_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Bf16* dx)
{
    smallBackwardPlanes(x, dy, geometry, gradients, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_rows_bf16(const Bf16* x, const Bf16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Bf16* dx)
{
    smallBackwardRows(x, dy, geometry, gradients, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_input_gradient_bf16(const Bf16* x, const Bf16* dy,
    ChannelMap map, BatchNormGradients gradients, const float2* means, Bf16* dx)
{
    inputGradient(x, dy, map, gradients, means, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_planes_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, const float* mean, GradientSums* parts)
{
    gradientSumsPlanes(x, dy, geometry, mean, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_gradient_sums_rows_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, const float* mean, GradientSums* parts)
{
    gradientSumsRows(x, dy, geometry, mean, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_planes_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Fp16* dx)
{
    smallBackwardPlanes(x, dy, geometry, gradients, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_backward_rows_f16(const Fp16* x, const Fp16* dy,
    ChannelGeometry geometry, BatchNormGradients gradients, Fp16* dx)
{
    smallBackwardRows(x, dy, geometry, gradients, dx);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_input_gradient_f16(const Fp16* x, const Fp16* dy,
    ChannelMap map, BatchNormGradients gradients, const float2* means, Fp16* dx)
{
    inputGradient(x, dy, map, gradients, means, dx);
}
