// y[i] = clamp(sum over s of partial[s, i] + bias[i / biasStride % biases]): the second stage of a sum whose depth was split.
// The order of the sum is that of the splits, so that every run gives the same bits.
//
// Grid-stride over elements, one per thread; limited by bytes: splits + 1 times the output.
#include "gemm/output.h"

extern "C" __global__ __launch_bounds__(256) void sum_splits(const float* __restrict__ partial, const float* __restrict__ bias, float* __restrict__ y,
                                                             long long count, int splits, int biases, int biasStride, Epilogue epilogue)
{
    const long long stride = (long long)gridDim.x * 256;
    for (long long i = blockIdx.x * 256ll + threadIdx.x; i < count; i += stride) {
        float sum = 0.f;
        for (int s = 0; s < splits; ++s) sum += partial[s * count + i];
        if (bias) sum += bias[i / biasStride % biases];
        y[i] = clamp(sum, epilogue);
    }
}
