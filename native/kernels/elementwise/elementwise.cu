// Elementwise arithmetic over n elements in memory order: fill, y = a + b, y = a * b, y = factor * x, y = factor * scalar[0],
// and the increment of a counter. y may be an input.
// Mapping: 256 threads, 16 bytes of y per thread (common/map.h). Limited by bytes: each is moved once.
#include "common/map.h"

template <typename T> __device__ __forceinline__ void fill(T* y, float value, long long count)
{
    mapElements(count, y, [value] { return value; });
}

template <typename T> __device__ __forceinline__ void add(const T* a, const T* b, T* y, long long count)
{
    mapElements(count, y, [](float left, float right) { return left + right; }, a, b);
}

template <typename T> __device__ __forceinline__ void multiply(const T* a, const T* b, T* y, long long count)
{
    mapElements(count, y, [](float left, float right) { return left * right; }, a, b);
}

template <typename T> __device__ __forceinline__ void scale(const T* x, float factor, T* y, long long count)
{
    mapElements(count, y, [factor](float value) { return factor * value; }, x);
}

extern "C" __global__ __launch_bounds__(256) void fill_f32(float* y, float value, long long count)
{
    fill(y, value, count);
}
extern "C" __global__ __launch_bounds__(256) void add_f32(const float* a, const float* b, float* y, long long count)
{
    add(a, b, y, count);
}
extern "C" __global__ __launch_bounds__(256) void multiply_f32(const float* a, const float* b, float* y, long long count)
{
    multiply(a, b, y, count);
}
extern "C" __global__ __launch_bounds__(256) void scale_f32(const float* x, float factor, float* y, long long count)
{
    scale(x, factor, y, count);
}
extern "C" __global__ __launch_bounds__(256) void broadcast_f32(const float* scalar, float factor, float* y, long long count)
{
    fill(y, factor * load(scalar), count);
}
extern "C" __global__ __launch_bounds__(256) void fill_bf16(Bf16* y, float value, long long count)
{
    fill(y, value, count);
}
extern "C" __global__ __launch_bounds__(256) void add_bf16(const Bf16* a, const Bf16* b, Bf16* y, long long count)
{
    add(a, b, y, count);
}
extern "C" __global__ __launch_bounds__(256) void multiply_bf16(const Bf16* a, const Bf16* b, Bf16* y, long long count)
{
    multiply(a, b, y, count);
}
extern "C" __global__ __launch_bounds__(256) void scale_bf16(const Bf16* x, float factor, Bf16* y, long long count)
{
    scale(x, factor, y, count);
}
extern "C" __global__ __launch_bounds__(256) void broadcast_bf16(const Bf16* scalar, float factor, Bf16* y, long long count)
{
    fill(y, factor * load(scalar), count);
}
extern "C" __global__ __launch_bounds__(256) void fill_f16(Fp16* y, float value, long long count)
{
    fill(y, value, count);
}
extern "C" __global__ __launch_bounds__(256) void add_f16(const Fp16* a, const Fp16* b, Fp16* y, long long count)
{
    add(a, b, y, count);
}
extern "C" __global__ __launch_bounds__(256) void multiply_f16(const Fp16* a, const Fp16* b, Fp16* y, long long count)
{
    multiply(a, b, y, count);
}
extern "C" __global__ __launch_bounds__(256) void scale_f16(const Fp16* x, float factor, Fp16* y, long long count)
{
    scale(x, factor, y, count);
}
extern "C" __global__ __launch_bounds__(256) void broadcast_f16(const Fp16* scalar, float factor, Fp16* y, long long count)
{
    fill(y, factor * load(scalar), count);
}

extern "C" __global__ __launch_bounds__(32) void increment(long long* counter)
{
    if (threadIdx.x == 0) ++*counter;
}
