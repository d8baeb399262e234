// Accesses of 16 bytes to global memory that stay 16 bytes wide. Where a kernel chooses between a wide access and narrow ones (at an
// edge, or because a row is not aligned), or stores in several branches, clang merges them into narrow ones; inline PTX is left alone.
#pragma once

#include "common/cuda_compat.h"

// From memory that no thread writes while the kernel runs.
__device__ __forceinline__ float4 loadWide(const float* from)
{
    float4 v;
    asm volatile("ld.global.nc.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"(from));
    return v;
}

// The same from memory that threads may write. Clang also moves the narrow parts of a load into the branches that use them.
__device__ __forceinline__ uint4 loadWhole(const void* from)
{
    uint4 v;
    asm volatile("ld.global.v4.b32 {%0, %1, %2, %3}, [%4];" : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w) : "l"(from));
    return v;
}

__device__ __forceinline__ void storeWide(float* to, float4 v)
{
    asm volatile("st.global.v4.f32 [%0], {%1, %2, %3, %4};" ::"l"(to), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w) : "memory");
}

__device__ __forceinline__ void storeWide(void* to, uint4 v)
{
    asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(to), "r"(v.x), "r"(v.y), "r"(v.z), "r"(v.w) : "memory");
}
