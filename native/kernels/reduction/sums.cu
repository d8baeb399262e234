// Sums in a fixed order: of all elements, and over everything but the channels (the gradient of a bias).
//   sum_partial_*           partials[b] = sum of every gridDim-th piece of 16 bytes per thread; grid of at most 1024 blocks
//   sum_finish_*            one block: y[0] = the sum of the partials, in double
//   channel_sums_planes_*   db[c] for (N, C, pixels) in NCHW, and
//   channel_sums_rows_*     for a matrix (rows, C), so for NHWC too: see norm/channels.h; one part writes db itself, more write
//                           parts[part * C + c], which channel_sums_finish_* joins, a warp per channel
// Limited by bytes.
#include "norm/channel_sums.h"

template <typename T> __device__ __forceinline__ void sumPartial(const T* x, long long count, float* partials)
{
    constexpr int width = vectorWidth<T>;
    const long long step = (long long)gridDim.x * blockDim.x * width;
    float sum = 0.0f;
    for (long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * width; i < count; i += step) {
        if (i + width <= count && aligned16(x)) {
            const Vector<T> values = loadVector(x + i);
#pragma unroll
            for (int k = 0; k < width; ++k) sum += values[k];
        } else {
            for (long long j = i; j < i + width && j < count; ++j) sum += load(x + j);
        }
    }
    sum = blockSum<channelThreads>(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

template <typename T> __device__ __forceinline__ void sumFinish(const float* partials, int count, T* y)
{
    double sum = 0.0;
    for (int i = threadIdx.x; i < count; i += channelThreads) sum += partials[i];
    sum = blockSum<channelThreads>(sum);
    if (threadIdx.x == 0) store(y, (float)sum);
}

template <typename T> __device__ __forceinline__ void channelSumsPlanes(const T* x, const ChannelGeometry& g, float* parts, T* db)
{
    withWidth<T>(g, [&](auto width) { planeSum(g, parts, db, ReadVectors<T, width.value>{x}); });
}

template <typename T> __device__ __forceinline__ void channelSumsRows(const T* x, const ChannelGeometry& g, float* parts, T* db)
{
    withWidth<T>(g, [&](auto width) { rowSums<width.value>(g, parts, db, ReadVectors<T, width.value>{x}); });
}

template <typename T> __device__ __forceinline__ void channelSumsFinish(const float* parts, int count, int channels, T* db)
{
    const int channel = blockIdx.x * (channelThreads / warpSize32) + threadIdx.x / warpSize32;
    if (channel >= channels) return;
    const Sums<1> sum = joinParts(count, [=](int part) { return Sums<1>{{parts[(long long)part * channels + channel]}}; });
    if (threadIdx.x % warpSize32 == 0) store(db + channel, sum.v[0]);
}

extern "C" __global__ __launch_bounds__(256) void sum_partial_f32(const float* x, long long count, float* partials)
{
    sumPartial(x, count, partials);
}

extern "C" __global__ __launch_bounds__(256) void sum_finish_f32(const float* partials, int count, float* y)
{
    sumFinish(partials, count, y);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_planes_f32(const float* x, ChannelGeometry geometry,
    float* parts, float* db)
{
    channelSumsPlanes(x, geometry, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_rows_f32(const float* x, ChannelGeometry geometry,
    float* parts, float* db)
{
    channelSumsRows(x, geometry, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_finish_f32(const float* parts, int count, int channels,
    float* db)
{
    channelSumsFinish(parts, count, channels, db);
}

extern "C" __global__ __launch_bounds__(256) void sum_partial_bf16(const Bf16* x, long long count, float* partials)
{
    sumPartial(x, count, partials);
}

extern "C" __global__ __launch_bounds__(256) void sum_finish_bf16(const float* partials, int count, Bf16* y)
{
    sumFinish(partials, count, y);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_planes_bf16(const Bf16* x, ChannelGeometry geometry,
    float* parts, Bf16* db)
{
    channelSumsPlanes(x, geometry, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_rows_bf16(const Bf16* x, ChannelGeometry geometry,
    float* parts, Bf16* db)
{
    channelSumsRows(x, geometry, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_finish_bf16(const float* parts, int count, int channels,
    Bf16* db)
{
    channelSumsFinish(parts, count, channels, db);
}

extern "C" __global__ __launch_bounds__(256) void sum_partial_f16(const Fp16* x, long long count, float* partials)
{
    sumPartial(x, count, partials);
}

extern "C" __global__ __launch_bounds__(256) void sum_finish_f16(const float* partials, int count, Fp16* y)
{
    sumFinish(partials, count, y);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_planes_f16(const Fp16* x, ChannelGeometry geometry,
    float* parts, Fp16* db)
{
    channelSumsPlanes(x, geometry, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_rows_f16(const Fp16* x, ChannelGeometry geometry,
    float* parts, Fp16* db)
{
    channelSumsRows(x, geometry, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void channel_sums_finish_f16(const float* parts, int count, int channels,
    Fp16* db)
{
    channelSumsFinish(parts, count, channels, db);
}
