// Matrix units of compute capability 8.0 and later, and the copies that feed them. Operands are Bf16, Fp16, or float, which
// is rounded to tf32 (8 bits of exponent, 10 of mantissa); sums are float.
//
// A multiplication is 16 x 8 x (32 bytes of depth): m16n8k16 for halves, m16n8k8 for tf32.
#pragma once

#include "common/dtype.h"

__device__ __forceinline__ unsigned sharedAddress(const void* p) { return (unsigned)__cvta_generic_to_shared(p); }

// Copies `bytes` of 16 and fills up with zeros, asynchronously. Both addresses are multiples of 16 even where nothing is read.
__device__ __forceinline__ void copyAsync(unsigned to, const void* from, int bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

// Copies 4, 8 or 16 bytes, asynchronously; both addresses are multiples of that.
template <int bytes> __device__ __forceinline__ void copyAsync(unsigned to, const void* from)
{
    if constexpr (bytes == 16) asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
    else asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(to), "l"(from), "n"(bytes) : "memory");
}

__device__ __forceinline__ void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits until all but the latest `Pending` groups have arrived.
template <int Pending> __device__ __forceinline__ void waitCopies() { asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory"); }

// Four 8 x 8 matrices of 16 bits: lanes 8 i to 8 i + 7 give the addresses of the rows of matrix i, 16 bytes each.
__device__ __forceinline__ void loadMatrices(unsigned (&r)[4], unsigned from)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(from) : "memory");
}

__device__ __forceinline__ void loadMatricesTransposed(unsigned (&r)[4], unsigned from)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(from) : "memory");
}

__device__ __forceinline__ unsigned loadShared(unsigned from)
{
    unsigned v;
    asm volatile("ld.shared.b32 %0, [%1];" : "=r"(v) : "r"(from) : "memory");
    return v;
}

// The nearest tf32, ties away from zero; the unit itself would cut the mantissa off.
__device__ __forceinline__ void roundToTf32(unsigned& v) { asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(v) : "f"(__uint_as_float(v))); }

// sum += a b.
#define CNN_MMA(type, shape)                                                                                         \
    __device__ __forceinline__ void multiplyAdd(float (&sum)[4], const unsigned (&a)[4], unsigned b0, unsigned b1, type) \
    {                                                                                                                \
        asm volatile("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"    \
                     : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])                                        \
                     : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                                \
    }
CNN_MMA(Bf16, "m16n8k16.row.col.f32.bf16.bf16.f32")
CNN_MMA(Fp16, "m16n8k16.row.col.f32.f16.f16.f32")
CNN_MMA(float, "m16n8k8.row.col.f32.tf32.tf32.f32")
#undef CNN_MMA
