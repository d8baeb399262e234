// y = x in another element type, rounded to nearest even. Mapping: 256 threads, 8 elements per thread, in 16-byte accesses
// where the addresses allow. Limited by bytes.
#include "common/dtype.h"

template <typename From, typename To> __device__ __forceinline__ void cast(const From* x, To* y, long long count)
{
    constexpr int width = 8;
    const long long first = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * width, end = first + width;
    if (end > count || !aligned16(x, y)) {
#pragma unroll 1
        for (long long i = first; i < end && i < count; ++i) store(y + i, load(x + i));
        return;
    }
    float values[width];
#pragma unroll
    for (int k = 0; k < width; k += vectorWidth<From>) {
        const Vector<From> part = loadVector(x + first + k);
#pragma unroll
        for (int j = 0; j < vectorWidth<From>; ++j) values[k + j] = part[j];
    }
#pragma unroll
    for (int k = 0; k < width; k += vectorWidth<To>) {
        Vector<To> part;
#pragma unroll
        for (int j = 0; j < vectorWidth<To>; ++j) part[j] = values[k + j];
        storeVector(y + first + k, part);
    }
}

extern "C" __global__ __launch_bounds__(256) void cast_from_f32_f32(const float* x, float* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_f32_bf16(const float* x, Bf16* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_f32_f16(const float* x, Fp16* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_bf16_f32(const Bf16* x, float* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_bf16_bf16(const Bf16* x, Bf16* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_bf16_f16(const Bf16* x, Fp16* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_f16_f32(const Fp16* x, float* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_f16_bf16(const Fp16* x, Bf16* y, long long count)
{
    cast(x, y, count);
}

extern "C" __global__ __launch_bounds__(256) void cast_from_f16_f16(const Fp16* x, Fp16* y, long long count)
{
    cast(x, y, count);
}
