// Matrix units of compute capability 9.0: a warpgroup (four warps) multiplies 64 rows by 64 to 256 columns straight from shared
// memory, asynchronously. Sums are float; of 64 x (8 j + 8) a warp has 16 rows, in the fragments of mma.sync m16n8.
//
// Operands lie as the copy engine leaves boxes with lines of 128 bytes under the 128-byte swizzle: 64 lines make 8 KB. Lines run along the
// depth (DepthMajor: 64 numbers of the depth of one row or column) or along rows or columns (64 of them for one number of the depth).
#pragma once

#include "common/dtype.h"

constexpr int wgmmaDepth = 16, swizzledLine = 128, swizzledLines = 64, swizzledBlock = swizzledLines * swizzledLine;

// Where an operand lies: bits 0-13 its start, 16-29 the way to the next 64 rows or columns where lines run along them, 32-45 the way to the
// next eight lines, all in units of 16 bytes; bit 62: 128-byte swizzle.
__device__ __forceinline__ unsigned long long matrixDescriptor(unsigned address)
{
    return 1ull << 62 | (unsigned long long)(8 * swizzledLine / 16) << 32 | (unsigned long long)(swizzledBlock / 16) << 16 | (address & 0x3ffff) >> 4;
}

// From a descriptor to that of the next 16 numbers of the depth.
template <bool DepthMajor> constexpr int nextSlice = (DepthMajor ? wgmmaDepth * 2 : wgmmaDepth * swizzledLine) / 16;

// Before the first product of a sequence: registers that it adds to have been written.
__device__ __forceinline__ void orderSums() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ __forceinline__ void commitProducts() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

// Waits until all but the latest `Pending` sequences are done.
template <int Pending> __device__ __forceinline__ void waitProducts() { asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Pending) : "memory"); }

// Gives registers back for other warpgroups, or takes them: so many per thread from now on.
template <int Registers> __device__ __forceinline__ void giveRegisters() { asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers)); }
template <int Registers> __device__ __forceinline__ void takeRegisters() { asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers)); }

// sum += a b, over 16 numbers of the depth; TransposeA, TransposeB: lines do not run along the depth.
#define CNN_4(j) "+f"(sum[j][0]), "+f"(sum[j][1]), "+f"(sum[j][2]), "+f"(sum[j][3])
#define CNN_32(j) CNN_4(j), CNN_4(j + 1), CNN_4(j + 2), CNN_4(j + 3), CNN_4(j + 4), CNN_4(j + 5), CNN_4(j + 6), CNN_4(j + 7)
#define CNN_NAMES_0 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define CNN_NAMES_1 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define CNN_NAMES_2 "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define CNN_NAMES_3 "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define CNN_WGMMA(type, format, columns, names, others, ...)                                                                                       \
    template <bool TransposeA, bool TransposeB>                                                                                                    \
    __device__ __forceinline__ void multiplyAdd(float (&sum)[columns / 8][4], unsigned long long a, unsigned long long b, type)                    \
    {                                                                                                                                              \
        asm volatile("{\n.reg .pred add;\nsetp.eq.u32 add, 0, 0;\nwgmma.mma_async.sync.aligned.m64n" #columns "k16.f32." format " {" names "}, " others ";\n}" \
                     : __VA_ARGS__ : "l"(a), "l"(b), "n"((int)TransposeA), "n"((int)TransposeB));                                                  \
    }
#define CNN_WGMMA_ALL(type, format)                                                                                                                \
    CNN_WGMMA(type, format, 64, CNN_NAMES_0, "%32, %33, add, 1, 1, %34, %35", CNN_32(0))                                                          \
    CNN_WGMMA(type, format, 128, CNN_NAMES_0 ", " CNN_NAMES_1, "%64, %65, add, 1, 1, %66, %67", CNN_32(0), CNN_32(8))                             \
    CNN_WGMMA(type, format, 256, CNN_NAMES_0 ", " CNN_NAMES_1 ", " CNN_NAMES_2 ", " CNN_NAMES_3, "%128, %129, add, 1, 1, %130, %131", CNN_32(0), CNN_32(8), CNN_32(16), CNN_32(24))
CNN_WGMMA_ALL(Bf16, "bf16.bf16")
CNN_WGMMA_ALL(Fp16, "f16.f16")
#undef CNN_WGMMA_ALL
#undef CNN_WGMMA
#undef CNN_NAMES_3
#undef CNN_NAMES_2
#undef CNN_NAMES_1
#undef CNN_NAMES_0
#undef CNN_32
#undef CNN_4
