// y[i] = clamp(sum over s of partial[s, i] + bias[i / biasStride % biases]): the second stage of a sum whose depth was split.
// The order of the sum is that of the splits, so that every run gives the same bits.
//
// Partial sums are f32 whatever the result is. Grid-stride over elements, one per thread; limited by bytes: splits + 1 times the output.
#include "common/dtype.h"
#include "gemm/output.h"

template <class T>
__device__ __forceinline__ void sumSplits(const float* __restrict__ partial, const T* __restrict__ bias, T* __restrict__ y, long long count, int splits,
                                          int biases, int biasStride, const Epilogue& epilogue)
{
    const long long stride = (long long)gridDim.x * 256;
    for (long long i = blockIdx.x * 256ll + threadIdx.x; i < count; i += stride) {
        float sum = 0.f;
        for (int s = 0; s < splits; ++s) sum += partial[s * count + i];
        if (bias) sum += load(bias + i / biasStride % biases);
        store(y + i, clamp(sum, epilogue));
    }
}

extern "C" __global__ __launch_bounds__(256) void sum_splits_f32(const float* partial, const float* bias, float* y, long long count, int splits, int biases,
    int biasStride, Epilogue epilogue)
{
    sumSplits(partial, bias, y, count, splits, biases, biasStride, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void sum_splits_bf16(const float* partial, const Bf16* bias, Bf16* y, long long count, int splits, int biases,
    int biasStride, Epilogue epilogue)
{
    sumSplits(partial, bias, y, count, splits, biases, biasStride, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void sum_splits_f16(const float* partial, const Fp16* bias, Fp16* y, long long count, int splits, int biases,
    int biasStride, Epilogue epilogue)
{
    sumSplits(partial, bias, y, count, splits, biases, biasStride, epilogue);
}
