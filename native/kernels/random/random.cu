// Random tensors; element i in NCHW order depends on the stream and on i alone, with u(i) = word i of the stream as a number below 1:
//   uniform  y = low + (high - low) u(i), rounded once, and at most the float below high
//   normal   y = mean + deviation z, with z from Box and Muller: u(2j) and u(2j + 1) give sqrt(-2 ln(u(2j) + 2^-24)) times the
//            cosine (even element) and the sine (odd) of 2 pi u(2j + 1)
// Mapping: 256 threads, four elements (a Philox block) per thread; grid ceil(count / 1024). Limited by arithmetic.
#include "common/dtype.h"
#include "common/element_order.h"
#include "common/math.h"
#include "common/philox.h"

// y[4b] to y[4b + 3] = f(words of block b), for the block of this thread.
template <typename T, typename F>
__device__ __forceinline__ void generate(T* y, long long count, const RandomSource& source, const ElementOrder& order, F f)
{
    const long long block = (long long)blockIdx.x * blockDim.x + threadIdx.x, first = 4 * block;
    if (first >= count) return;
    const float4 values = f(PhiloxStream(source).words(block));
    if (first + 4 <= count && !order.channelsLast && aligned16(y)) {
        storeFour(y + first, values);
        return;
    }
    const float each[4] = {values.x, values.y, values.z, values.w};
#pragma unroll
    for (int k = 0; k < 4; ++k)
        if (first + k < count) store(y + placeOf(first + k, order), each[k]);
}

template <typename T>
__device__ __forceinline__ void uniform(
    T* y, long long count, float low, float range, float largest, const RandomSource& source, const ElementOrder& order)
{
    generate(y, count, source, order, [=](uint4 words) {
        auto value = [=](unsigned word) { return fminf(fmaf(range, unitFloat(word), low), largest); };
        return make_float4(value(words.x), value(words.y), value(words.z), value(words.w));
    });
}

// The pair of normal numbers from a pair of words.
__device__ __forceinline__ float2 boxMuller(unsigned a, unsigned b)
{
    // u + 2^-24 is exact and lies in (0, 1].
    const float radius = sqrtf(cnn::log(unitFloat(a) + 1.0f / 16777216.0f) * -2.0f);
    const float2 direction = cnn::cosSinOfTurns(unitFloat(b));
    return make_float2(__fmul_rn(radius, direction.x), __fmul_rn(radius, direction.y));
}

template <typename T>
__device__ __forceinline__ void normal(
    T* y, long long count, float mean, float deviation, const RandomSource& source, const ElementOrder& order)
{
    generate(y, count, source, order, [=](uint4 words) {
        const float2 a = boxMuller(words.x, words.y), b = boxMuller(words.z, words.w);
        return make_float4(fmaf(deviation, a.x, mean), fmaf(deviation, a.y, mean), fmaf(deviation, b.x, mean), fmaf(deviation, b.y, mean));
    });
}

extern "C" __global__ __launch_bounds__(256) void uniform_f32(float* y, long long count, float low, float range,
    float largest, RandomSource source, ElementOrder order)
{
    uniform(y, count, low, range, largest, source, order);
}

extern "C" __global__ __launch_bounds__(256) void uniform_bf16(Bf16* y, long long count, float low, float range,
    float largest, RandomSource source, ElementOrder order)
{
    uniform(y, count, low, range, largest, source, order);
}

extern "C" __global__ __launch_bounds__(256) void uniform_f16(Fp16* y, long long count, float low, float range,
    float largest, RandomSource source, ElementOrder order)
{
    uniform(y, count, low, range, largest, source, order);
}

extern "C" __global__ __launch_bounds__(256) void normal_f32(float* y, long long count, float mean, float deviation,
    RandomSource source, ElementOrder order)
{
    normal(y, count, mean, deviation, source, order);
}

extern "C" __global__ __launch_bounds__(256) void normal_bf16(Bf16* y, long long count, float mean, float deviation,
    RandomSource source, ElementOrder order)
{
    normal(y, count, mean, deviation, source, order);
}

extern "C" __global__ __launch_bounds__(256) void normal_f16(Fp16* y, long long count, float mean, float deviation,
    RandomSource source, ElementOrder order)
{
    normal(y, count, mean, deviation, source, order);
}
