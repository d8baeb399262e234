// ptx: sm_90a
// C[M x N] = A[M x K] B[N x K]^T, bf16 in, f32 out, row major. M and N multiples of 128, K of 8: the tail of K is filled
// with zeros by the copy engine.
// Grid (N / 128, M / 128), 384 threads: warpgroup 0 issues tensor copies (one thread), warpgroups 1 and 2 multiply 64 x 128
// each by wgmma m64n128k16. Four stages of 128 x 64 tiles, swizzle 128 B; a full and an empty mbarrier per stage.
// a and b are tensor maps of boxes of 64 x 128.
#include "common/mbarrier.h"
#include "common/tensor_copy.h"

constexpr int tile = 128, depth = 64, stages = 4, tileBytes = tile * depth * 2;

__device__ __forceinline__ void copyTile(unsigned to, unsigned long long map, int k, int row, unsigned barrier)
{
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];"
                 ::"r"(to), "l"(map), "r"(k), "r"(row), "r"(barrier) : "memory");
}

// K-major, swizzle 128 B: groups of 8 rows are 1024 bytes apart.
__device__ __forceinline__ unsigned long long descriptor(unsigned address)
{
    return 1ull << 62 | (unsigned long long)(1024 / 16) << 32 | 1ull << 16 | (address & 0x3ffff) >> 4;
}

#define CNN_8(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
__device__ __forceinline__ void multiply(float (&d)[64], unsigned long long a, unsigned long long b, int accumulate)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\nwgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
                 "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, %64, %65, p, 1, 1, 0, 0;\n}"
                 : CNN_8(0), CNN_8(8), CNN_8(16), CNN_8(24), CNN_8(32), CNN_8(40), CNN_8(48), CNN_8(56)
                 : "l"(a), "l"(b), "r"(accumulate));
}
#undef CNN_8

extern "C" __global__ __launch_bounds__(384) void tma_gemm(const TensorMap a, const TensorMap b,
                                                          float2* __restrict__ c, int n, int k)
{
    extern __shared__ __align__(1024) unsigned char memory[];
    __shared__ unsigned long long barriers[2 * stages];
    const unsigned base = (unsigned)__cvta_generic_to_shared(memory), full = (unsigned)__cvta_generic_to_shared(barriers);
    const unsigned empty = full + 8 * stages;
    const int thread = threadIdx.x, group = thread / 128, steps = (k + depth - 1) / depth;
    if (thread == 0) {
        for (int s = 0; s < stages; ++s) initBarrier(full + 8 * s, 1), initBarrier(empty + 8 * s, 2);
        publishBarriers();
    }
    __syncthreads();

    if (group == 0) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        if (thread != 0) return;
        const unsigned long long aMap = CNN_PARAMETER(tma_gemm, 0, a), bMap = CNN_PARAMETER(tma_gemm, 1, b);
        for (int step = 0; step < steps; ++step) {
            const int s = step % stages;
            waitPhase(empty + 8 * s, (step / stages & 1) ^ 1);
            arriveExpecting(full + 8 * s, 2 * tileBytes);
            copyTile(base + s * 2 * tileBytes, aMap, step * depth, blockIdx.y * tile, full + 8 * s);
            copyTile(base + s * 2 * tileBytes + tileBytes, bMap, step * depth, blockIdx.x * tile, full + 8 * s);
        }
        return;
    }

    asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
    float sum[64];
#pragma unroll
    for (int i = 0; i < 64; ++i) sum[i] = 0.0f;
    for (int step = 0; step < steps; ++step) {
        const int s = step % stages;
        waitPhase(full + 8 * s, step / stages & 1);
        const unsigned long long aTile = descriptor(base + s * 2 * tileBytes + (group - 1) * 64 * depth * 2);
        const unsigned long long bTile = descriptor(base + s * 2 * tileBytes + tileBytes);
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int slice = 0; slice < depth / 16; ++slice) multiply(sum, aTile + 2 * slice, bTile + 2 * slice, 1);
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
        if (thread % 128 == 0) arrive(empty + 8 * s);
    }
    const int lane = thread % 32, row = blockIdx.y * tile + (group - 1) * 64 + thread % 128 / 32 * 16 + lane / 4;
#pragma unroll
    for (int j = 0; j < 16; ++j) {
        const int column = blockIdx.x * tile + j * 8 + lane % 4 * 2;
        c[((size_t)row * n + column) / 2] = make_float2(sum[4 * j], sum[4 * j + 1]);
        c[((size_t)(row + 8) * n + column) / 2] = make_float2(sum[4 * j + 2], sum[4 * j + 3]);
    }
}
