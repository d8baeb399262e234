// Copies blocks of contiguous units: block b goes from source[sourceStart + b * sourceStep] to target[targetStart + b * targetStep].
// The host chooses the widest unit (1 to 16 bytes) that divides all starts, steps, the length and both addresses.
// A thread per unit, 256 per block; grid ceil(count / 256). Limited by bytes.
#include "layout/block_copy.h"

template <typename T> __device__ __forceinline__ void copyBlocks(const T* source, T* target, const BlockCopyPlan& plan)
{
    const long long unit = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (unit >= plan.count) return;
    int within;
    const long long block = divide((int)unit, plan.length, within);
    target[plan.targetStart + block * plan.targetStep + within] = source[plan.sourceStart + block * plan.sourceStep + within];
}

extern "C" __global__ __launch_bounds__(256) void copy_blocks_b8(const void* source, void* target, BlockCopyPlan plan)
{
    copyBlocks((const unsigned char*)source, (unsigned char*)target, plan);
}

extern "C" __global__ __launch_bounds__(256) void copy_blocks_b16(const void* source, void* target, BlockCopyPlan plan)
{
    copyBlocks((const unsigned short*)source, (unsigned short*)target, plan);
}

extern "C" __global__ __launch_bounds__(256) void copy_blocks_b32(const void* source, void* target, BlockCopyPlan plan)
{
    copyBlocks((const unsigned*)source, (unsigned*)target, plan);
}

extern "C" __global__ __launch_bounds__(256) void copy_blocks_b64(const void* source, void* target, BlockCopyPlan plan)
{
    copyBlocks((const uint2*)source, (uint2*)target, plan);
}

extern "C" __global__ __launch_bounds__(256) void copy_blocks_b128(const void* source, void* target, BlockCopyPlan plan)
{
    copyBlocks((const uint4*)source, (uint4*)target, plan);
}
