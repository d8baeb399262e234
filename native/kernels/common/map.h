// y[i] = f(a[i], b[i], ...) over whole arrays: the shape of every elementwise kernel.
//
// One thread computes 16 bytes of the output, so that all traffic is in 16-byte accesses and one vector per input is in flight
// per thread; where an address is not a multiple of 16 (a view into a tensor), and at the end, it goes element by element.
// Grid: ceil(count / (block * elements in 16 bytes)) in x. The output may be one of the inputs.
#pragma once

#include "common/dtype.h"

// First element of this thread.
template <typename T> __device__ __forceinline__ long long firstElement()
{
    return ((long long)blockIdx.x * blockDim.x + threadIdx.x) * vectorWidth<T>;
}

template <typename T, typename F, typename... Vectors>
__device__ __forceinline__ Vector<T> mapVector(F f, const Vectors&... inputs)
{
    Vector<T> result;
#pragma unroll
    for (int k = 0; k < Vector<T>::width; ++k) result[k] = f(inputs[k]...);
    return result;
}

template <typename T, typename F, typename... Inputs>
__device__ __forceinline__ void mapElements(long long count, T* y, F f, const Inputs*... inputs)
{
    const long long first = firstElement<T>(), end = first + vectorWidth<T>;
    if (end <= count && aligned16(y, inputs...)) {
        storeVector(y + first, mapVector<T>(f, loadVector(inputs + first)...));
    } else {
#pragma unroll 1
        for (long long i = first; i < end && i < count; ++i) store(y + i, f(load(inputs + i)...));
    }
}
