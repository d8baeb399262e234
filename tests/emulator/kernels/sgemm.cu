// C[M x N] = A[M x K] B[K x N], row major, f32. M and N multiples of 128, K of 8.
// Grid (N / 128, M / 128), 256 threads. A block makes a 128 x 128 tile, a thread 8 x 8 of it: two groups of four rows and
// two of four columns, so that shared memory is read in float4 without bank conflicts. Two buffers, one barrier per step.
// Limited by FMA: 64 of them for four 16-byte shared loads.
#include "common/cuda_compat.h"

constexpr int tile = 128, depth = 8;

extern "C" __global__ __launch_bounds__(256) void sgemm(const float4* __restrict__ a, const float4* __restrict__ b,
                                                        float4* __restrict__ c, int n, int k)
{
    __shared__ float4 rows[2][depth][tile / 4];     // A, transposed: [k][m]
    __shared__ float4 columns[2][depth][tile / 4];  // B: [k][n]
    const int thread = threadIdx.x, tx = thread % 16, ty = thread / 16;
    const float4* aTile = a + (size_t)(blockIdx.y * tile + thread / 2) * (k / 4) + thread % 2;
    const float4* bTile = b + (size_t)(thread / 32) * (n / 4) + blockIdx.x * (tile / 4) + thread % 32;
    float sum[8][8] = {};

    auto stage = [&](int buffer, float4 av, float4 bv) {
        float* column = &rows[buffer][thread % 2 * 4][0].x + thread / 2;
        column[0] = av.x, column[tile] = av.y, column[2 * tile] = av.z, column[3 * tile] = av.w;
        columns[buffer][thread / 32][thread % 32] = bv;
    };
    stage(0, *aTile, *bTile);
    __syncthreads();
    for (int step = 0, buffer = 0; step < k; step += depth, buffer ^= 1) {
        // The last step loads its own tile again: vectors that are set in one branch alone would live in local memory.
        const int ahead = step + depth < k ? step + depth : step;
        const float4 av = aTile[ahead / 4], bv = bTile[(size_t)ahead * (n / 4)];
#pragma unroll
        for (int d = 0; d < depth; ++d) {
            const float4 m0 = rows[buffer][d][ty], m1 = rows[buffer][d][ty + 16];
            const float4 n0 = columns[buffer][d][tx], n1 = columns[buffer][d][tx + 16];
            const float m[8] = {m0.x, m0.y, m0.z, m0.w, m1.x, m1.y, m1.z, m1.w};
            const float v[8] = {n0.x, n0.y, n0.z, n0.w, n1.x, n1.y, n1.z, n1.w};
#pragma unroll
            for (int i = 0; i < 8; ++i)
#pragma unroll
                for (int j = 0; j < 8; ++j) sum[i][j] = fmaf(m[i], v[j], sum[i][j]);
        }
        stage(buffer ^ 1, av, bv);
        __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const int row = blockIdx.y * tile + i / 4 * 64 + ty * 4 + i % 4;
        float4* out = c + (size_t)row * (n / 4) + blockIdx.x * (tile / 4);
        out[tx] = make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
        out[tx + 16] = make_float4(sum[i][4], sum[i][5], sum[i][6], sum[i][7]);
    }
}
