// Accesses of 16 bytes that stay 16 bytes wide. Where a kernel chooses between a wide access and narrow ones (at an edge, or
// because a row is not aligned), clang merges the two into narrow ones; inline PTX is left alone.
#pragma once

#include "common/cuda_compat.h"

// From memory that no thread writes while the kernel runs.
__device__ __forceinline__ float4 loadWide(const float* from)
{
    float4 v;
    asm volatile("ld.global.nc.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"(from));
    return v;
}

__device__ __forceinline__ void storeWide(float* to, float4 v)
{
    asm volatile("st.global.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(to), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w) : "memory");
}
