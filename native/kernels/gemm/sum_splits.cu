// y[i] = clamp(sum over s of partial[s, i] + bias[i / biasStride % biases]): the second stage of a sum whose depth was split.
// The order of the sum is that of the splits, or where elements are few and splits many, that of eight threads, which take every eighth and are
// added in order: a function of the sizes and the device, so that every run gives the same bits.
//
// Partial sums are f32 whatever the result is. Blocks of (256, 1) or (32, 8) threads, elements by threads of one; grid-stride over elements.
// Limited by bytes: splits + 1 times the output.
#include "common/dtype.h"
#include "gemm/output.h"

constexpr int fewElements = 32, threadsOfElement = 8;

// The sum of the threads of an element, in the first of them. Called by whole blocks.
__device__ __forceinline__ float sumOfThreads(float mine)
{
    __shared__ float sums[threadsOfElement][fewElements];
    // The last reading of the call before is over when all threads are here.
    __syncthreads();
    sums[threadIdx.y][threadIdx.x] = mine;
    __syncthreads();
    for (int thread = 1; thread < threadsOfElement && threadIdx.y == 0; ++thread) mine += sums[thread][threadIdx.x];
    return mine;
}

template <class T>
__device__ __forceinline__ void sumSplits(const float* __restrict__ partial, const T* __restrict__ bias, T* __restrict__ y, long long count, int splits,
                                          int biases, int biasStride, const Epilogue& epilogue)
{
    const long long stride = (long long)gridDim.x * blockDim.x;
    for (long long first = (long long)blockIdx.x * blockDim.x; first < count; first += stride) {
        const long long i = first + threadIdx.x;
        float sum = 0.f;
        for (int s = threadIdx.y; i < count && s < splits; s += blockDim.y) sum += partial[s * count + i];
        if (blockDim.y > 1) sum = sumOfThreads(sum);
        if (i >= count || threadIdx.y > 0) continue;
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
