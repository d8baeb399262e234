// C[M x N] = A[M x K] B[N x K]^T, bf16 in, f32 out, row major. M and N multiples of 128, K of 32.
// Grid (N / 128, M / 128), 256 threads: eight warps of 64 x 32. Three stages of 128 x 32 tiles filled by cp.async, read by
// ldmatrix (16-byte units XORed with bits of the row: no bank conflicts), multiplied by mma.sync m16n8k16.
#include "common/cuda_compat.h"

constexpr int tile = 128, depth = 32, stages = 3, stageBytes = 2 * tile * depth * 2;

// Byte of unit `unit` (8 bf16) of row `row` in a 128 x 32 tile: rows of 64 bytes, two to a line.
__device__ __forceinline__ unsigned place(int row, int unit) { return row * 64 + ((unit ^ (row / 2 % 4)) * 16); }

__device__ __forceinline__ void copy16(unsigned to, const void* from)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

__device__ __forceinline__ void load4(unsigned (&r)[4], unsigned from)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(from) : "memory");
}

__device__ __forceinline__ void multiply(float (&d)[4], const unsigned (&a)[4], unsigned b0, unsigned b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm(const uint4* __restrict__ a, const uint4* __restrict__ b,
                                                           float2* __restrict__ c, int n, int k)
{
    extern __shared__ uint4 memory[];
    const unsigned base = (unsigned)__cvta_generic_to_shared(memory);
    const int thread = threadIdx.x, lane = thread % 32, warp = thread / 32, warpRow = warp / 4 * 64, warpColumn = warp % 4 * 32;
    const int unitsPerRow = k / 8;
    a += (size_t)blockIdx.y * tile * unitsPerRow;
    b += (size_t)blockIdx.x * tile * unitsPerRow;

    auto fetch = [&](int step) {
        const unsigned to = base + step % stages * stageBytes;
        for (int half = 0; half < 2; ++half) {
            const int row = thread / 4 + half * 64, unit = thread % 4;
            const size_t from = (size_t)row * unitsPerRow + step * (depth / 8) + unit;
            copy16(to + place(row, unit), a + from);
            copy16(to + tile * depth * 2 + place(row, unit), b + from);
        }
    };
    const int steps = k / depth;
    for (int step = 0; step < stages - 1; ++step) {
        if (step < steps) fetch(step);
        asm volatile("cp.async.commit_group;" ::: "memory");
    }
    float sum[4][4][4] = {};
    for (int step = 0; step < steps; ++step) {
        asm volatile("cp.async.wait_group 1;" ::: "memory");
        __syncthreads();
        if (step + stages - 1 < steps) fetch(step + stages - 1);
        asm volatile("cp.async.commit_group;" ::: "memory");
        const unsigned aTile = base + step % stages * stageBytes, bTile = aTile + tile * depth * 2;
#pragma unroll
        for (int slice = 0; slice < depth / 16; ++slice) {
            unsigned rows[4][4], columns[2][4];
#pragma unroll
            for (int i = 0; i < 4; ++i) load4(rows[i], aTile + place(warpRow + i * 16 + lane % 16, slice * 2 + lane / 16));
            // Matrices: columns 0-7 k 0-7, columns 0-7 k 8-15, then columns 8-15.
#pragma unroll
            for (int j = 0; j < 2; ++j)
                load4(columns[j], bTile + place(warpColumn + j * 16 + lane / 16 * 8 + lane % 8, slice * 2 + lane / 8 % 2));
#pragma unroll
            for (int i = 0; i < 4; ++i)
#pragma unroll
                for (int j = 0; j < 4; ++j) multiply(sum[i][j], rows[i], columns[j / 2][j % 2 * 2], columns[j / 2][j % 2 * 2 + 1]);
        }
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const int row = blockIdx.y * tile + warpRow + i * 16 + lane / 4, column = blockIdx.x * tile + warpColumn + j * 8 + lane % 4 * 2;
            c[((size_t)row * n + column) / 2] = make_float2(sum[i][j][0], sum[i][j][1]);
            c[((size_t)(row + 8) * n + column) / 2] = make_float2(sum[i][j][2], sum[i][j][3]);
        }
}
