// The CUDA vocabulary that kernels are written in, for a clang without the CUDA toolkit.
//
// nvcc knows all of it but the integers of <cstdint>. Under clang it declares the keywords, the built-in
// variables, the vector types and those intrinsics that clang has builtins for. It is no runtime: no host side,
// no launch syntax, no libdevice (expf, logf, tanhf: write them on __nvvm_ex2_approx_f and __nvvm_lg2_approx_f).
//
//   clang++ -x cuda --cuda-device-only --cuda-gpu-arch=sm_90a -nocudainc -nocudalib -Xclang -target-feature -Xclang +ptx83
#pragma once

#ifdef __CUDACC_VER_MAJOR__

#include <cstdint>

#else

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
// (threads of a block[, blocks that a multiprocessor must hold]). Without the second, ptxas 12.4 spills a few registers in some kernels to
// make room for more blocks; those name a number that leaves enough.
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __align__(n) __attribute__((aligned(n)))

typedef __SIZE_TYPE__ size_t;
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __UINTPTR_TYPE__ uintptr_t;

// Vector types: x, y, z, w with the alignment that makes one wide load or store of them.
#define CNN_VECTOR_TYPES(element, name, align2, align4)                                                              \
    struct name##1 { element x; };                                                                                   \
    struct alignas(align2) name##2 { element x, y; };                                                                \
    struct name##3 { element x, y, z; };                                                                             \
    struct alignas(align4) name##4 { element x, y, z, w; };                                                          \
    __device__ __forceinline__ name##2 make_##name##2(element x, element y) { return {x, y}; }                       \
    __device__ __forceinline__ name##3 make_##name##3(element x, element y, element z) { return {x, y, z}; }         \
    __device__ __forceinline__ name##4 make_##name##4(element x, element y, element z, element w) { return {x, y, z, w}; }
CNN_VECTOR_TYPES(signed char, char, 2, 4)
CNN_VECTOR_TYPES(unsigned char, uchar, 2, 4)
CNN_VECTOR_TYPES(short, short, 4, 8)
CNN_VECTOR_TYPES(unsigned short, ushort, 4, 8)
CNN_VECTOR_TYPES(int, int, 8, 16)
CNN_VECTOR_TYPES(unsigned int, uint, 8, 16)
CNN_VECTOR_TYPES(long long, longlong, 16, 16)
CNN_VECTOR_TYPES(unsigned long long, ulonglong, 16, 16)
CNN_VECTOR_TYPES(float, float, 8, 16)
CNN_VECTOR_TYPES(double, double, 16, 16)
#undef CNN_VECTOR_TYPES

struct dim3
{
    unsigned x = 1, y = 1, z = 1;
};

#include <__clang_cuda_builtin_vars.h>

// Memory order and the clock.
__device__ __forceinline__ void __threadfence_block() { __nvvm_membar_cta(); }
__device__ __forceinline__ void __threadfence() { __nvvm_membar_gl(); }
__device__ __forceinline__ void __threadfence_system() { __nvvm_membar_sys(); }
__device__ __forceinline__ void __syncwarp(unsigned mask = 0xffffffffu) { __nvvm_bar_warp_sync(mask); }
__device__ __forceinline__ void __trap() { __builtin_trap(); }

// Votes and matches over the lanes of `mask`.
__device__ __forceinline__ int __all_sync(unsigned mask, int predicate) { return __nvvm_vote_all_sync(mask, predicate); }
__device__ __forceinline__ int __any_sync(unsigned mask, int predicate) { return __nvvm_vote_any_sync(mask, predicate); }
__device__ __forceinline__ unsigned __ballot_sync(unsigned mask, int predicate) { return __nvvm_vote_ballot_sync(mask, predicate); }
__device__ __forceinline__ unsigned __activemask() { return __nvvm_activemask(); }

// Shuffles. The last operand of the instruction holds the clamp lane (low) and the mask of sub-warps of `width` lanes.
#define CNN_SHUFFLE(name, instruction, clamp, offset_type)                                                           \
    __device__ __forceinline__ int name(unsigned mask, int value, offset_type offset, int width = 32)                \
    {                                                                                                                \
        return __nvvm_shfl_sync_##instruction##_i32(mask, value, offset, ((32 - width) << 8) | clamp);               \
    }                                                                                                                \
    __device__ __forceinline__ unsigned name(unsigned mask, unsigned value, offset_type offset, int width = 32)      \
    {                                                                                                                \
        return (unsigned)name(mask, (int)value, offset, width);                                                      \
    }                                                                                                                \
    __device__ __forceinline__ float name(unsigned mask, float value, offset_type offset, int width = 32)            \
    {                                                                                                                \
        return __nvvm_shfl_sync_##instruction##_f32(mask, value, offset, ((32 - width) << 8) | clamp);               \
    }                                                                                                                \
    __device__ __forceinline__ unsigned long long name(unsigned mask, unsigned long long value, offset_type offset,  \
                                                       int width = 32)                                               \
    {                                                                                                                \
        unsigned low = name(mask, (unsigned)value, offset, width);                                                   \
        unsigned high = name(mask, (unsigned)(value >> 32), offset, width);                                          \
        return (unsigned long long)high << 32 | low;                                                                 \
    }                                                                                                                \
    __device__ __forceinline__ double name(unsigned mask, double value, offset_type offset, int width = 32)          \
    {                                                                                                                \
        return __builtin_bit_cast(double, name(mask, __builtin_bit_cast(unsigned long long, value), offset, width)); \
    }
CNN_SHUFFLE(__shfl_sync, idx, 31, int)
CNN_SHUFFLE(__shfl_up_sync, up, 0, unsigned)
CNN_SHUFFLE(__shfl_down_sync, down, 31, unsigned)
CNN_SHUFFLE(__shfl_xor_sync, bfly, 31, int)
#undef CNN_SHUFFLE

// The builtins take the value first.
__device__ __forceinline__ unsigned __reduce_add_sync(unsigned mask, unsigned value) { return __nvvm_redux_sync_add(value, mask); }
__device__ __forceinline__ unsigned __reduce_min_sync(unsigned mask, unsigned value) { return __nvvm_redux_sync_umin(value, mask); }
__device__ __forceinline__ unsigned __reduce_max_sync(unsigned mask, unsigned value) { return __nvvm_redux_sync_umax(value, mask); }

// Atomics that are relaxed at device scope, as CUDA's are.
__device__ __forceinline__ int atomicAdd(int* p, int v) { return __nvvm_atom_add_gen_i(p, v); }
__device__ __forceinline__ unsigned atomicAdd(unsigned* p, unsigned v) { return (unsigned)__nvvm_atom_add_gen_i((int*)p, (int)v); }
__device__ __forceinline__ unsigned long long atomicAdd(unsigned long long* p, unsigned long long v)
{
    return (unsigned long long)__nvvm_atom_add_gen_ll((long long*)p, (long long)v);
}
__device__ __forceinline__ float atomicAdd(float* p, float v) { return __nvvm_atom_add_gen_f(p, v); }
__device__ __forceinline__ double atomicAdd(double* p, double v) { return __nvvm_atom_add_gen_d(p, v); }
__device__ __forceinline__ int atomicMax(int* p, int v) { return __nvvm_atom_max_gen_i(p, v); }
__device__ __forceinline__ int atomicMin(int* p, int v) { return __nvvm_atom_min_gen_i(p, v); }
__device__ __forceinline__ unsigned atomicMax(unsigned* p, unsigned v) { return __nvvm_atom_max_gen_ui(p, v); }
__device__ __forceinline__ unsigned atomicMin(unsigned* p, unsigned v) { return __nvvm_atom_min_gen_ui(p, v); }
__device__ __forceinline__ int atomicExch(int* p, int v) { return __nvvm_atom_xchg_gen_i(p, v); }
__device__ __forceinline__ unsigned atomicExch(unsigned* p, unsigned v) { return (unsigned)__nvvm_atom_xchg_gen_i((int*)p, (int)v); }
__device__ __forceinline__ int atomicCAS(int* p, int expected, int v) { return __nvvm_atom_cas_gen_i(p, expected, v); }
__device__ __forceinline__ unsigned atomicCAS(unsigned* p, unsigned expected, unsigned v)
{
    return (unsigned)__nvvm_atom_cas_gen_i((int*)p, (int)expected, (int)v);
}

// Bits.
__device__ __forceinline__ int __popc(unsigned v) { return __builtin_popcount(v); }
__device__ __forceinline__ int __clz(int v) { return v ? __builtin_clz((unsigned)v) : 32; }
__device__ __forceinline__ int __ffs(int v) { return __builtin_ffs(v); }
__device__ __forceinline__ unsigned __brev(unsigned v) { return __builtin_bitreverse32(v); }
__device__ __forceinline__ unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
__device__ __forceinline__ float __int_as_float(int v) { return __builtin_bit_cast(float, v); }
__device__ __forceinline__ float __uint_as_float(unsigned v) { return __builtin_bit_cast(float, v); }
__device__ __forceinline__ int __float_as_int(float v) { return __builtin_bit_cast(int, v); }
__device__ __forceinline__ unsigned __float_as_uint(float v) { return __builtin_bit_cast(unsigned, v); }

// Arithmetic that needs no library.
__device__ __forceinline__ float __fadd_rn(float a, float b) { return __nvvm_add_rn_f(a, b); }  // never fused
__device__ __forceinline__ float __fmul_rn(float a, float b) { return __nvvm_mul_rn_f(a, b); }
__device__ __forceinline__ float fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
__device__ __forceinline__ float fmaxf(float a, float b) { return __builtin_fmaxf(a, b); }
__device__ __forceinline__ float fminf(float a, float b) { return __builtin_fminf(a, b); }
__device__ __forceinline__ float fabsf(float v) { return __builtin_fabsf(v); }
__device__ __forceinline__ float floorf(float v) { return __builtin_floorf(v); }
__device__ __forceinline__ float rintf(float v) { return __builtin_rintf(v); }
__device__ __forceinline__ float sqrtf(float v) { return __builtin_sqrtf(v); }
__device__ __forceinline__ double sqrt(double v) { return __builtin_sqrt(v); }
__device__ __forceinline__ float rsqrtf(float v) { return __nvvm_rsqrt_approx_f(v); }
__device__ __forceinline__ int min(int a, int b) { return a < b ? a : b; }
__device__ __forceinline__ int max(int a, int b) { return a > b ? a : b; }
__device__ __forceinline__ unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
__device__ __forceinline__ unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }

// The 32-bit address of a shared-memory object, as inline PTX wants it.
__device__ __forceinline__ size_t __cvta_generic_to_shared(const void* pointer)
{
    return (size_t)(__attribute__((address_space(3))) const void*)pointer;
}

#endif
