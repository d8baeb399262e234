// The gradient before an activation and by the bias in front of it, in one pass: dx = dy f'(x), computed from y = f(x), and
// db[c] = the sum of dx over everything but the channels, before dx is rounded.
//   activation_sums_planes_*   (N, C, pixels) in NCHW, and
//   activation_sums_rows_*     a matrix (rows, C), so NHWC too: see norm/channels.h; one part writes db itself, more write
//                              parts[part * C + c], which channel_sums_finish_* joins. dx may be dy.
// Limited by bytes: y, dy and dx are moved once; two passes would read dx again.
#include "activation/gradient.h"
#include "norm/channel_sums.h"

// Computes the vectors of dx where sums ask for them.
template <typename T, int width, typename Gradient> struct GradientVectors
{
    const T *y, *dy;
    T* dx;
    Gradient gradient;

    struct Fetched
    {
        Elements<T, width> y, dy;
    };

    __device__ __forceinline__ Fetched fetch(long long vector) const { return {Elements<T, width>::load(y, vector), Elements<T, width>::load(dy, vector)}; }

    __device__ __forceinline__ Elements<T, width> values(const Fetched& fetched, long long vector) const
    {
        Elements<T, width> result;
#pragma unroll
        for (int k = 0; k < width; ++k) result.at[k] = gradient(fetched.y.at[k], fetched.dy.at[k]);
        result.store(dx, vector);
        return result;
    }
};

// Calls sum(width, source) for a kind and a geometry.
template <typename T, typename Sum>
__device__ __forceinline__ void withGradientVectors(int kind, const T* y, const T* dy, const ChannelGeometry& g, T* dx, Sum sum)
{
    withGradient(ActivationKind(kind), [&](auto gradient) {
        withWidth<T>(g, [&](auto width) { sum(width, GradientVectors<T, width.value, decltype(gradient)>{y, dy, dx, gradient}); });
    });
}

template <typename T>
__device__ __forceinline__ void activationSumsPlanes(int kind, const T* y, const T* dy, const ChannelGeometry& g, T* dx, float* parts, T* db)
{
    withGradientVectors(kind, y, dy, g, dx, [&](auto, auto source) { planeSum(g, parts, db, source); });
}

template <typename T>
__device__ __forceinline__ void activationSumsRows(int kind, const T* y, const T* dy, const ChannelGeometry& g, T* dx, float* parts, T* db)
{
    withGradientVectors(kind, y, dy, g, dx, [&](auto width, auto source) { rowSums<width.value>(g, parts, db, source); });
}

extern "C" __global__ __launch_bounds__(256) void activation_sums_planes_f32(int kind, const float* y, const float* dy,
    ChannelGeometry geometry, float* dx, float* parts, float* db)
{
    activationSumsPlanes(kind, y, dy, geometry, dx, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void activation_sums_rows_f32(int kind, const float* y, const float* dy,
    ChannelGeometry geometry, float* dx, float* parts, float* db)
{
    activationSumsRows(kind, y, dy, geometry, dx, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void activation_sums_planes_bf16(int kind, const Bf16* y, const Bf16* dy,
    ChannelGeometry geometry, Bf16* dx, float* parts, Bf16* db)
{
    activationSumsPlanes(kind, y, dy, geometry, dx, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void activation_sums_rows_bf16(int kind, const Bf16* y, const Bf16* dy,
    ChannelGeometry geometry, Bf16* dx, float* parts, Bf16* db)
{
    activationSumsRows(kind, y, dy, geometry, dx, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void activation_sums_planes_f16(int kind, const Fp16* y, const Fp16* dy,
    ChannelGeometry geometry, Fp16* dx, float* parts, Fp16* db)
{
    activationSumsPlanes(kind, y, dy, geometry, dx, parts, db);
}

extern "C" __global__ __launch_bounds__(256) void activation_sums_rows_f16(int kind, const Fp16* y, const Fp16* dy,
    ChannelGeometry geometry, Fp16* dx, float* parts, Fp16* db)
{
    activationSumsRows(kind, y, dy, geometry, dx, parts, db);
}
