// Batch normalisation of x (N, C, ...), M = N * pixels elements per channel, with what stands behind it (activation.h):
//   y = clamp(gamma (x - mean) / sqrt(variance + eps) + beta + residual), with the variance over M elements divided by M.
// Training, where channels are large:
//   batch_norm_statistics_*   Moments of each part of each channel; grid (channels or bundles, parts)
//   batch_norm_finish         mean and 1 / sqrt(variance + eps) from the parts, and the running statistics; a warp per channel, 8 per block
//   batch_norm_apply_*        y; 16 bytes per thread
// and where they are small, all in one: batch_norm_small_*, a block per channel (planes) or bundle of channels (rows), which
// keeps them in shared memory if they fit, and else finds its second reading in the caches. Inference is finish's second half (inverse_deviation) and apply.
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

// Where the statistics of a batch go; twin of the C# struct of the same name.
struct BatchStatistics
{
    float *mean, *inverse;                  // (C), of this batch: inverse = 1 / sqrt(variance + eps)
    float *runningMean, *runningVariance;  // (C), updated: running = (1 - momentum) running + momentum batch; null: none are kept
    float momentum, eps;
};

__device__ __forceinline__ float inverseDeviation(double variance, float eps) { return (float)(1.0 / sqrt(variance + eps)); }

// What the moments of a channel are counted from: its first element, if that is finite.
template <typename T> __device__ __forceinline__ float shiftOfPlane(const T* x, const ChannelGeometry& g, int channel)
{
    return g.vectors ? finiteOrZero(load(x + (long long)channel * g.plane.divisor * g.width)) : 0.0f;
}

template <typename T> __device__ __forceinline__ float shiftOfColumn(const T* x, const ChannelGeometry& g, int channel)
{
    return g.vectors ? finiteOrZero(load(x + channel)) : 0.0f;
}

// Moments of this thread's share of a channel, and of each channel of its vector.
template <typename T, int width>
__device__ __forceinline__ Moments planeMoments(const T* x, const ChannelGeometry& g, int channel, int part)
{
    const float shift = shiftOfPlane(x, g, channel);
    MovingMoments<width> series;
    eachInPlanes(g, channel, part, [&](long long vector, int i) {
        auto values = Elements<T, width>::load(x, vector);
        if (g.keeps) values.keep(keptElements<T>(), i);
#pragma unroll
        for (int k = 0; k < width; ++k) values.at[k] -= shift;
        series.add(values.at);
    });
    Moments all = series.of(0);
#pragma unroll
    for (int k = 1; k < width; ++k) all.merge(series.of(k));
    return all;
}

template <typename T, int width>
__device__ __forceinline__ void rowMoments(const T* x, const ChannelGeometry& g, const RowThread& thread, int part, Moments (&moments)[width])
{
    MovingMoments<width> series;
    if (thread.hasChannels()) {
        float shift[width];
#pragma unroll
        for (int k = 0; k < width; ++k) shift[k] = shiftOfColumn(x, g, thread.vector * width + k);
        thread.each(g, part, [&](long long vector, int i) {
            auto values = Elements<T, width>::load(x, vector);
            if (g.keeps) values.keep(keptElements<T>(), i);
#pragma unroll
            for (int k = 0; k < width; ++k) values.at[k] -= shift[k];
            series.add(values.at);
        });
    }
#pragma unroll
    for (int k = 0; k < width; ++k) moments[k] = series.of(k);
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

// Mean and inverse deviation of a channel from the moments of the distances from `shift`; stored. The running variance takes the unbiased
// one, divided by M - 1.
__device__ __forceinline__ float2 finishChannel(Moments moments, float shift, int channel, const BatchStatistics& statistics)
{
    const double squares = moments.squares(), count = moments.count();
    const float mean = shift + moments.mean(), inverse = inverseDeviation(squares / count, statistics.eps);
    statistics.mean[channel] = mean;
    statistics.inverse[channel] = inverse;
    if (statistics.runningMean) {
        const double weight = statistics.momentum;
        auto update = [=](float& running, double batch) { running = (float)((1.0 - weight) * running + weight * batch); };
        update(statistics.runningMean[channel], mean);
        update(statistics.runningVariance[channel], squares / (count - 1.0));
    }
    return make_float2(mean, inverse);
}

template <typename T, int width>
__device__ __forceinline__ void normalize(const T* from, long long at, const ChannelScale (&scale)[width], const Clamp& clamp, T* y, long long vector)
{
    auto values = Elements<T, width>::load(from, at);
#pragma unroll
    for (int k = 0; k < width; ++k) values.at[k] = clamp(scale[k](values.at[k]));
    values.store(y, vector);
}

template <typename T, int width>
__device__ __forceinline__ void smallOfPlanes(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, const BatchStatistics& statistics, T* y)
{
    __shared__ float2 shared;
    const int channel = blockIdx.x;
    const Moments moments = joinBlock(planeMoments<T, width>(x, g, channel, 0));
    if (threadIdx.x == 0) shared = finishChannel(moments, shiftOfPlane(x, g, channel), channel, statistics);
    __syncthreads();
    ChannelScale scale[width];
#pragma unroll
    for (int k = 0; k < width; ++k) scale[k] = channelScale(channel, shared.x, shared.y, output.gamma, output.beta);
    // Two loops, for one would load from addresses of either memory.
    if (g.keeps) eachInPlanes(g, channel, 0, [&](long long vector, int i) { normalize<T, width>(keptElements<T>(), i, scale, output.clamp, y, vector); });
    else eachInPlanes(g, channel, 0, [&](long long vector, int) { normalize<T, width>(x, vector, scale, output.clamp, y, vector); });
}

template <typename T, int width>
__device__ __forceinline__ void smallOfRows(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, const BatchStatistics& statistics, T* y)
{
    __shared__ float2 shared[warpSize32 * width];
    const RowThread thread(g);
    Moments moments[width];
    rowMoments<T, width>(x, g, thread, 0, moments);
    const int first = thread.vector * width;
    if (thread.row == 0 && thread.hasChannels()) {
#pragma unroll
        for (int k = 0; k < width; ++k)
            shared[thread.lane * width + k] = finishChannel(moments[k], shiftOfColumn(x, g, first + k), first + k, statistics);
    }
    __syncthreads();
    if (!thread.hasChannels()) return;
    ChannelScale scale[width];
#pragma unroll
    for (int k = 0; k < width; ++k) {
        const float2 found = shared[thread.lane * width + k];
        scale[k] = channelScale(first + k, found.x, found.y, output.gamma, output.beta);
    }
    if (g.keeps) thread.each(g, 0, [&](long long vector, int i) { normalize<T, width>(keptElements<T>(), i, scale, output.clamp, y, vector); });
    else thread.each(g, 0, [&](long long vector, int) { normalize<T, width>(x, vector, scale, output.clamp, y, vector); });
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
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, const BatchStatistics& statistics, T* y)
{
    if (g.width == 1) smallOfPlanes<T, 1>(x, g, output, statistics, y);
    else smallOfPlanes<T, vectorWidth<T>>(x, g, output, statistics, y);
}

template <typename T>
__device__ __forceinline__ void smallRows(
    const T* x, const ChannelGeometry& g, const BatchNormOutput& output, const BatchStatistics& statistics, T* y)
{
    if (g.width == 1) smallOfRows<T, 1>(x, g, output, statistics, y);
    else smallOfRows<T, vectorWidth<T>>(x, g, output, statistics, y);
}

// residual may be null. Gives the decisions of the activation.
template <typename T> struct ApplyMap
{
    const T *x, *residual;
    const float *mean, *inverse;
    const BatchNormOutput& output;
    T* y;

    __device__ __forceinline__ bool areParametersAligned() const { return aligned16(mean, inverse, output.gamma, output.beta); }

    template <int width, typename Channels>
    __device__ __forceinline__ unsigned operator()(Width<width>, long long vector, const Channels& channels) const
    {
        using Values = Elements<T, width>;
        auto values = Values::load(x, vector);
        const auto summands = residual ? Values::load(residual, vector) : Values();
        ChannelScale scale[width];
        channelScales(scale, channels, mean, inverse, output.gamma, output.beta);
        unsigned decisions = 0;
#pragma unroll
        for (int k = 0; k < width; ++k) {
            const float normal = scale[k](values.at[k]);
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
    if (decisions) storeDecisions<T>(decisions, firstFromTheEnd<T>(), map.count, bits);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_finish(
    const PartMoments* parts, int count, int channels, BatchStatistics statistics)
{
    const int channel = blockIdx.x * (channelThreads / warpSize32) + threadIdx.x / warpSize32;
    if (channel >= channels) return;
    const Moments moments = joinParts(count, [=](int part) { return parts[(long long)part * channels + channel].moments; });
    if (threadIdx.x % warpSize32 == 0) finishChannel(moments, parts[channel].shift, channel, statistics);
}

// 1 / sqrt(variance + eps), a thread per channel.
extern "C" __global__ __launch_bounds__(256) void batch_norm_inverse_deviation(
    const float* variance, float eps, int channels, float* inverse)
{
    const int channel = blockIdx.x * channelThreads + threadIdx.x;
    if (channel < channels) inverse[channel] = inverseDeviation(variance[channel], eps);
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
    BatchNormOutput output, BatchStatistics statistics, float* y)
{
    smallPlanes(x, geometry, output, statistics, y);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_rows_f32(const float* x, ChannelGeometry geometry,
    BatchNormOutput output, BatchStatistics statistics, float* y)
{
    smallRows(x, geometry, output, statistics, y);
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
    BatchNormOutput output, BatchStatistics statistics, Bf16* y)
{
    smallPlanes(x, geometry, output, statistics, y);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_rows_bf16(const Bf16* x, ChannelGeometry geometry,
    BatchNormOutput output, BatchStatistics statistics, Bf16* y)
{
    smallRows(x, geometry, output, statistics, y);
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
    BatchNormOutput output, BatchStatistics statistics, Fp16* y)
{
    smallPlanes(x, geometry, output, statistics, y);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_small_rows_f16(const Fp16* x, ChannelGeometry geometry,
    BatchNormOutput output, BatchStatistics statistics, Fp16* y)
{
    smallRows(x, geometry, output, statistics, y);
}

extern "C" __global__ __launch_bounds__(256) void batch_norm_apply_f16(const Fp16* x, const Fp16* residual, ChannelMap map,
    const float* mean, const float* inverse, BatchNormOutput output, Fp16* y, unsigned char* decisions)
{
    apply(x, residual, map, mean, inverse, output, y, decisions);
}
