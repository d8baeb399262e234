// What stands behind a batch normalisation: y = min(max(z, low), high) of z = gamma (x - mean) inverse + beta + residual, where
// (low, high) is (-infinity, infinity) for the identity, (0, infinity) for ReLU and (0, 6) for ReLU6.
//
// The gradient passes where low < z < high, or z is NaN. Without a residual the backward pass computes z again from x, which it reads
// anyway; with one it reads a bit per element that the forward pass recorded: an 1/32 (16-bit types: 1/16) of the residual's bytes.
#pragma once

#include "common/elements.h"
#include "common/math.h"
#include "common/reduce.h"

struct Clamp
{
    float low, high;

    __device__ __forceinline__ float operator()(float z) const { return cnn::minNan(cnn::maxNan(z, low), high); }
    __device__ __forceinline__ bool passes(float z) const { return !(z <= low || z >= high); }
};

// How the backward pass knows where the gradient passes; twin of the C# enumeration of the same name.
enum class Gate : int {
    open,        // everywhere: the identity
    recomputed,  // from x
    recorded,    // from bits
};

// Bit i % 8 of byte i / 8 belongs to element i in the order of memory. The bits of a vector are the lowest of the result.
template <int width> __device__ __forceinline__ unsigned loadDecisions(const unsigned char* decisions, long long vector)
{
    const long long element = vector * width;
    return decisions[element / 8] >> (element % 8);
}

// Stores the bits of the 16 bytes of elements of each thread of a map; every lane of the warp must take part.
template <typename T> __device__ __forceinline__ void storeDecisions(unsigned char* decisions, long long first, long long count, unsigned bits)
{
    if constexpr (vectorWidth<T> == 4) bits |= __shfl_down_sync(allLanes, bits, 1) << 4;
    if (first % 8 == 0 && first < count) decisions[first / 8] = (unsigned char)bits;
}

// What normalises one channel: z = (x - mean) factor + shift. The subtraction comes first, so that a large mean costs no digits.
struct ChannelScale
{
    float mean, factor, shift;

    __device__ __forceinline__ float operator()(float x) const { return fmaf(x - mean, factor, shift); }
};

// gamma, beta null: 1 and 0.
__device__ __forceinline__ ChannelScale channelScale(int channel, float mean, float inverse, const float* gamma, const float* beta)
{
    return {mean, gamma ? inverse * gamma[channel] : inverse, beta ? beta[channel] : 0.0f};
}

// The same for each element of a vector; `channels` knows theirs (channel_map.h).
template <int width, typename Channels>
__device__ __forceinline__ void channelScales(
    ChannelScale (&scale)[width], const Channels& channels, const float* mean, const float* inverse, const float* gamma, const float* beta)
{
    float means[width], inverses[width], gammas[width], betas[width];
    channels.load(mean, means), channels.load(inverse, inverses);
    if (gamma) channels.load(gamma, gammas);
    if (beta) channels.load(beta, betas);
#pragma unroll
    for (int k = 0; k < width; ++k) scale[k] = {means[k], gamma ? inverses[k] * gammas[k] : inverses[k], beta ? betas[k] : 0.0f};
}
