// target[i] = w[start + sum over d of index_d * stride_d]: filters in the order that a kernel wants. i counts five dimensions, the last fastest.
// Serves channels-last filters made of channels-first ones and back, and the filters of the data gradient: channels and
// filters exchanged, and of the taps only those that a phase meets.
//
// Grid-stride, one element per thread. Filters are small: limited by the launch.
#include "common/divide.h"
#include "common/dtype.h"

struct FilterOrder
{
    int stride[5], start, count;
    FastDivisor size[4];  // of dimensions 1 to 4
};

template <class T> __device__ __forceinline__ void gatherFilters(const T* __restrict__ w, T* __restrict__ target, const FilterOrder& order)
{
    for (int i = blockIdx.x * 256 + threadIdx.x; i < order.count; i += gridDim.x * 256) {
        int rest = i, offset = order.start;
#pragma unroll
        for (int d = 4; d > 0; --d) {
            int index;
            rest = divide(rest, order.size[d - 1], index);
            offset += index * order.stride[d];
        }
        target[i] = w[offset + rest * order.stride[0]];
    }
}

extern "C" __global__ __launch_bounds__(256) void gather_filters_f32(const float* w, float* target, FilterOrder order)
{
    gatherFilters(w, target, order);
}

extern "C" __global__ __launch_bounds__(256) void gather_filters_bf16(const Bf16* w, Bf16* target, FilterOrder order)
{
    gatherFilters(w, target, order);
}

extern "C" __global__ __launch_bounds__(256) void gather_filters_f16(const Fp16* w, Fp16* target, FilterOrder order)
{
    gatherFilters(w, target, order);
}
