// Boxes of tensors, copied to shared memory by the copy engine of compute capability 9.0 (TMA). One thread issues a copy; its bytes
// arrive at an mbarrier. What lies outside of the tensor arrives as zeros.
#pragma once

#include "common/cuda_compat.h"

// The host makes it (CUtensorMap). A kernel takes it by value; what goes to a copy is its address as a parameter.
struct alignas(64) TensorMap
{
    unsigned long long words[16];
};

// The address of a kernel's parameter. That of the variable would be a copy in local memory, where the engine cannot read.
#define CNN_PARAMETER(kernel, index, variable)                                                                        \
    [&] {                                                                                                             \
        (void)variable;                                                                                               \
        unsigned long long address;                                                                                   \
        asm("{\n.reg .b64 t;\nmov.b64 t, " #kernel "_param_" #index ";\ncvta.param.u64 %0, t;\n}" : "=l"(address)); \
        return address;                                                                                               \
    }()

// The box at (x, y, z), x innermost.
__device__ __forceinline__ void copyBox(unsigned to, unsigned long long map, int x, int y, int z, unsigned barrier)
{
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], [%5];"
                 ::"r"(to), "l"(map), "r"(x), "r"(y), "r"(z), "r"(barrier) : "memory");
}

struct PatchPlace { int c, w, h, n; };  // channel, and the first pixel of a column as its tap (0, 0) sees it

// A column of pixels of an image (C, W, H, N), each `right` and `down` of where its window begins.
__device__ __forceinline__ void copyPixels(unsigned to, unsigned long long map, const PatchPlace& at, int right, int down, unsigned barrier)
{
    asm volatile("cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4, %5}], [%6], {%7, %8};"
                 ::"r"(to), "l"(map), "r"(at.c), "r"(at.w), "r"(at.h), "r"(at.n), "r"(barrier), "h"((unsigned short)right), "h"((unsigned short)down)
                 : "memory");
}
