// Sum and maximum of n floats: grid-stride loop, shuffles inside the warps, shared memory between them, one atomic per
// block. out[0] += sum; bits[0] = max of the order-preserving integer image of the values. Limited by bytes.
#include "common/cuda_compat.h"

__device__ __forceinline__ unsigned ordered(float value)
{
    const unsigned bits = __float_as_uint(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

extern "C" __global__ __launch_bounds__(256) void reduce(const float* __restrict__ x, float* __restrict__ out,
                                                         unsigned* __restrict__ bits, int n)
{
    __shared__ float sums[8];
    __shared__ unsigned greatest[8];
    float sum = 0.0f;
    unsigned most = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        sum += x[i];
        most = max(most, ordered(x[i]));
    }
    for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_down_sync(0xffffffffu, sum, offset);
    most = __reduce_max_sync(0xffffffffu, most);
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    if (lane == 0) sums[warp] = sum, greatest[warp] = most;
    __syncthreads();
    if (warp != 0) return;
    sum = lane < 8 ? sums[lane] : 0.0f;
    most = lane < 8 ? greatest[lane] : 0u;
    for (int offset = 4; offset > 0; offset /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, offset);
        most = max(most, __shfl_xor_sync(0xffffffffu, most, offset));
    }
    if (lane != 0) return;
    atomicAdd(out, sum);
    atomicMax(bits, most);
}
