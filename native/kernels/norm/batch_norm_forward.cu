// Batch normalisation of x (N, C, ...), M = N * pixels elements per channel, with what stands behind it (activation.h):
//   y = clamp(gamma (x - mean) / sqrt(variance + eps) + beta + residual), with the variance over M elements divided by M.
// Training, where channels are large:
//   batch_norm_statistics_*   Moments of each part of each channel; grid (channels or bundles, parts)
//   batch_norm_finish         mean and 1 / sqrt(variance + eps) from the parts; a warp per channel, 8 per block
//   batch_norm_apply_*        y; 16 bytes per thread
// and where they are small, all in one: batch_norm_small_*, a block per channel (planes) or bundle of channels (rows), which
// keeps a channel of planes in shared memory if it fits, and else finds its second reading in the caches. Inference is finish's second half (inverse_deviation) and apply.
// gamma, beta (null: 1 and 0) and the statistics are float whatever x is. Limited by bytes: x is read twice, or once where it is kept; y is written once.
#include "norm/activation.h"
#include "norm/channel_map.h"
#include "norm/channels.h"
#include "norm/moments.h"

// What follows the statistics; twin of the C# struct of the same name.
struct BatchNormOutput
{
    const float *gamma, *beta;
    Clamp clamp;
};

__device__ __forceinline__ float inverseDeviation(double variance, float eps) { return (float)(1.0 / sqrt(variance + eps)); }

// The first element of a channel, which its moments are counted from.
template <typename T> __device__ __forceinline__ float shiftOfPlane(const T* x, const ChannelGeometry& g, int channel)
{
    return g.vectors ? load(x + (long long)channel * g.plane.divisor * g.width) : 0.0f;
}

template <typename T> __device__ __forceinline__ float shiftOfColumn(const T* x, const ChannelGeometry& g, int channel)
{
    return g.vectors ? load(x + channel) : 0.0f;
}

// Moments of this thread's share of a channel, and of each channel of its vector.
template <typename T, int width>
__device__ __forceinline__ Moments planeMoments(const T* x, const ChannelGeometry& g, int channel, int part)
{
    const float shift = shiftOfPlane(x, g, channel);
    DistanceSums sums;
    eachInPlanes(g, channel, part, [&](long long vector, int i) {
        const auto values = Elements<T, width>::load(x, vector);
        if (g.keeps) values.store(keptElements<T>(), i);
#pragma unroll
        for (int k = 0; k < width; ++k) sums.add(values.at[k] - shift);
    });
    return sums.moments();
}

template <typename T, int width>
__device__ __forceinline__ void rowMoments(const T* x, const ChannelGeometry& g, const RowThread& thread, int part, Moments (&moments)[width])
{
    DistanceSums sums[width];
    if (thread.hasChannels()) {
        float shift[width];
#pragma unroll
        for (int k = 0; k < width; ++k) shift[k] = shiftOfColumn(x, g, thread.vector * width + k);
        thread.each(g, part, [&](long long vector) {
            const auto values = Elements<T, width>::load(x, vector);
#pragma unroll
            for (int k = 0; k < width; ++k) sums[k].add(values.at[k] - shift[k]);
        });
    }
#pragma unroll
    for (int k = 0; k < width; ++k) moments[k] = sums[k].moments();
    joinRows(moments, thread);
}

template <typename T, int width> __device__ __forceinline__ void statisticsOfRows(const T* x, const ChannelGeometry& g, PartMoments* parts)
{
    const RowThread thread(g);
    Moments moments[width];
    rowMoments<T, width>(x, g, thread, blockIdx.y, moments);
    if (thread.row != 0 || !thread.hasChannels()) return;
#pragma unroll
    for (int k = 0; k < width; ++k) {
        const int channel = thread.vector * width + k;
        parts[(long long)blockIdx.y * g.channels + channel] = {moments[k], shiftOfColumn(x, g, channel)};
    }
}

// Mean and inverse deviation of a channel from the moments of the distances from `shift`; stored.
__device__ __forceinline__ float2 finishChannel(Moments moments, float shift, float eps, int channel, float* mean, float* inverse)
{
    const float2 result = make_float2(shift + moments.mean(), inverseDeviation((double)moments.squares() / moments.count(), eps));
    mean[channel] = result.x;
    inverse[channel] = result.y;
    return result;
}

template <typename T, int width>
__device__ __forceinline__ void normalize(const T* from, long long at, const ChannelScale& scale, const Clamp& clamp, T* y, long long vector)
{
    auto values = Elements<T, width>::load(from, at);
#pragma unroll
    for (int k = 0; k < width; ++k) values.at[k] = clamp(scale(values.at[k]));
    values.store(y, vector);
}

template <typename T, int width>
__device__ __forceinline__ void smallOfPlanes(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, float eps, T* y, float* mean, float* inverse)
{
    __shared__ float2 shared;
    const int channel = blockIdx.x;
    const Moments moments = joinBlock(planeMoments<T, width>(x, g, channel, 0));
    if (threadIdx.x == 0) shared = finishChannel(moments, shiftOfPlane(x, g, channel), eps, channel, mean, inverse);
    __syncthreads();
    const ChannelScale scale = channelScale(channel, shared.x, shared.y, output.gamma, output.beta);
    // Two loops, for one would load from addresses of either memory.
    if (g.keeps) eachInPlanes(g, channel, 0, [&](long long vector, int i) { normalize<T, width>(keptElements<T>(), i, scale, output.clamp, y, vector); });
    else eachInPlanes(g, channel, 0, [&](long long vector, int) { normalize<T, width>(x, vector, scale, output.clamp, y, vector); });
}

template <typename T, int width>
__device__ __forceinline__ void smallOfRows(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, float eps, T* y, float* mean, float* inverse)
{
    __shared__ float2 shared[warpSize32 * width];
    const RowThread thread(g);
    Moments moments[width];
    rowMoments<T, width>(x, g, thread, 0, moments);
    const int first = thread.vector * width;
    if (thread.row == 0 && thread.hasChannels()) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            shared[thread.lane * width + k] = finishChannel(moments[k], shiftOfColumn(x, g, first + k), eps, first + k, mean, inverse);
    }
    __syncthreads();
    if (!thread.hasChannels()) return;
    ChannelScale scale[width];
#pragma unroll
    for (int k = 0; k < width; ++k) {
        const float2 statistics = shared[thread.lane * width + k];
        scale[k] = channelScale(first + k, statistics.x, statistics.y, output.gamma, output.beta);
    }
    thread.each(g, 0, [&](long long vector) {
        auto values = Elements<T, width>::load(x, vector);
#pragma unroll
        for (int k = 0; k < width; ++k) values.at[k] = output.clamp(scale[k](values.at[k]));
        values.store(y, vector);
    });
}

template <typename T> __device__ __forceinline__ void statisticsPlanes(const T* x, const ChannelGeometry& g, PartMoments* parts)
{
    const Moments moments = joinBlock(
        g.width == 1 ? planeMoments<T, 1>(x, g, blockIdx.x, blockIdx.y) : planeMoments<T, vectorWidth<T>>(x, g, blockIdx.x, blockIdx.y));
    if (threadIdx.x == 0) parts[(long long)blockIdx.y * g.channels + blockIdx.x] = {moments, shiftOfPlane(x, g, blockIdx.x)};
}

template <typename T> __device__ __forceinline__ void statisticsRows(const T* x, const ChannelGeometry& g, PartMoments* parts)
{
    if (g.width == 1) statisticsOfRows<T, 1>(x, g, parts);
    else statisticsOfRows<T, vectorWidth<T>>(x, g, parts);
}

template <typename T>
__device__ __forceinline__ void smallPlanes(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, float eps, T* y, float* mean, float* inverse)
{
    if (g.width == 1) smallOfPlanes<T, 1>(x, g, output, eps, y, mean, inverse);
    else smallOfPlanes<T, vectorWidth<T>>(x, g, output, eps, y, mean, inverse);
}

template <typename T>
__device__ __forceinline__ void smallRows(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, float eps, T* y, float* mean, float* inverse)
{
    if (g.width == 1) smallOfRows<T, 1>(x, g, output, eps, y, mean, inverse);
    else smallOfRows<T, vectorWidth<T>>(x, g, output, eps, y, mean, inverse);
}

// residual may be null. Gives the decisions of the activation.
template <typename T> struct ApplyMap
{
    const T *x, *residual;
    const float *mean, *inverse;
    const BatchNormOutput& output;
    T* y;

    template <int width, typename ChannelOf>
    __device__ __forceinline__ unsigned operator()(Width<width>, long long vector, const ChannelOf& channelOf) const
    {
        using Values = Elements<T, width>;
        auto values = Values::load(x, vector);
        const auto summands = residual ? Values::load(residual, vector) : Values();
        unsigned decisions = 0;
#pragma unroll
        for (int k = 0; k < width; ++k) {
            const int channel = channelOf(k);
            const float normal = channelScale(channel, mean[channel], inverse[channel], output.gamma, output.beta)(values.at[k]);
            const float z = residual ? normal + summands.at[k] : normal;
            decisions |= (unsigned)output.clamp.passes(z) << k;
            values.at[k] = output.clamp(z);
        }
        values.store(y, vector);
        return decisions;
    }
};

template <typename T>
__device__ __forceinline__ void apply(const T* x, const T* residual, const ChannelMap& map, const float* mean, const float* inverse,
    const BatchNormOutput& output, T* y, unsigned char* decisions)
{
    const unsigned bits = eachByChannel<T>(map, aligned16(x, residual, y), ApplyMap<T>{x, residual, mean, inverse, output, y});
    if (decisions) storeDecisions<T>(decisions, firstElement<T>(), map.count, bits);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_finish(
    const PartMoments* parts, int count, int channels, float eps, float* mean, float* inverse)
{
    const int channel = blockIdx.x * (channelThreads / warpSize32) + threadIdx.x / warpSize32;
    if (channel >= channels) return;
    const Moments moments = joinParts(count, [=](int part) { return parts[(long long)part * channels + channel].moments; });
    if (threadIdx.x % warpSize32 == 0) finishChannel(moments, parts[channel].shift, eps, channel, mean, inverse);
}

// 1 / sqrt(variance + eps), a thread per channel.
extern "C" __global__ __launch_bounds__(256) void batch_norm_inverse_deviation(
    const float* variance, float eps, int channels, float* inverse)
{
    const int channel = blockIdx.x * channelThreads + threadIdx.x;
    if (channel < channels) inverse[channel] = inverseDeviation(variance[channel], eps);
}

// running = (1 - momentum) running + momentum batch, with the unbiased variance, recovered from the inverse deviation; count = M.
extern "C" __global__ __launch_bounds__(256) void batch_norm_update_running(
    const float* mean, const float* inverse, float eps, long long count, float momentum, int channels, float* runningMean, float* runningVariance)
{
    const int channel = blockIdx.x * channelThreads + threadIdx.x;
    if (channel >= channels) return;
    const double deviation = 1.0 / inverse[channel], biased = deviation * deviation - eps, weight = momentum;
    const double variance = (biased < 0.0 ? 0.0 : biased) * count / (count - 1);
    runningMean[channel] = (float)((1.0 - weight) * runningMean[channel] + weight * mean[channel]);
    runningVariance[channel] = (float)((1.0 - weight) * runningVariance[channel] + weight * variance);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_statistics_planes_f32(const float* x, ChannelGeometry geometry,
    PartMoments* parts)
{
    statisticsPlanes(x, geometry, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_statistics_rows_f32(const float* x, ChannelGeometry geometry,
    PartMoments* parts)
{
    statisticsRows(x, geometry, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_planes_f32(const float* x, ChannelGeometry geometry,
    BatchNormOutput output, float eps, float* y, float* mean, float* inverse)
{
    smallPlanes(x, geometry, output, eps, y, mean, inverse);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_rows_f32(const float* x, ChannelGeometry geometry,
    BatchNormOutput output, float eps, float* y, float* mean, float* inverse)
{
    smallRows(x, geometry, output, eps, y, mean, inverse);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_apply_f32(const float* x, const float* residual, ChannelMap map,
    const float* mean, const float* inverse, BatchNormOutput output, float* y, unsigned char* decisions)
{
    apply(x, residual, map, mean, inverse, output, y, decisions);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_statistics_planes_bf16(const Bf16* x, ChannelGeometry geometry,
    PartMoments* parts)
{
    statisticsPlanes(x, geometry, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_statistics_rows_bf16(const Bf16* x, ChannelGeometry geometry,
    PartMoments* parts)
{
    statisticsRows(x, geometry, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_planes_bf16(const Bf16* x, ChannelGeometry geometry,
    BatchNormOutput output, float eps, Bf16* y, float* mean, float* inverse)
{
    smallPlanes(x, geometry, output, eps, y, mean, inverse);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_rows_bf16(const Bf16* x, ChannelGeometry geometry,
    BatchNormOutput output, float eps, Bf16* y, float* mean, float* inverse)
{
    smallRows(x, geometry, output, eps, y, mean, inverse);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_apply_bf16(const Bf16* x, const Bf16* residual, ChannelMap map,
    const float* mean, const float* inverse, BatchNormOutput output, Bf16* y, unsigned char* decisions)
{
    apply(x, residual, map, mean, inverse, output, y, decisions);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_statistics_planes_f16(const Fp16* x, ChannelGeometry geometry,
    PartMoments* parts)
{
    statisticsPlanes(x, geometry, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_statistics_rows_f16(const Fp16* x, ChannelGeometry geometry,
    PartMoments* parts)
{
    statisticsRows(x, geometry, parts);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_planes_f16(const Fp16* x, ChannelGeometry geometry,
    BatchNormOutput output, float eps, Fp16* y, float* mean, float* inverse)
{
    smallPlanes(x, geometry, output, eps, y, mean, inverse);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_rows_f16(const Fp16* x, ChannelGeometry geometry,
    BatchNormOutput output, float eps, Fp16* y, float* mean, float* inverse)
{
    smallRows(x, geometry, output, eps, y, mean, inverse);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_apply_f16(const Fp16* x, const Fp16* residual, ChannelMap map,
    const float* mean, const float* inverse, BatchNormOutput output, Fp16* y, unsigned char* decisions)
{
    apply(x, residual, map, mean, inverse, output, y, decisions);
}
