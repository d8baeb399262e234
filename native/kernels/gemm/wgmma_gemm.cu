// ptx: sm_90a
// C[m x n] = clamp(op(A) op(B) + rowBias + columnBias) on Hopper's matrix units: bf16 or f16, sums in f32. Row major; op transposes: A is
// (m, k) or, for t, (k, m); B is (k, n) or (n, k).
//
// a and b are tensor maps (x along stored lines, y over lines, z over matrices of a batch): boxes of 64 numbers of the depth and as many
// lines as the tile has where lines run along the depth, of 64 x 64 where they do not. Tails of m, n and k are zeros that the copies bring.
//
// Grid: as many blocks as multiprocessors, or tiles; each makes every gridDim.x-th of batch * splits * tiles, columns fastest
// (gemm/wgmma_tile.h). Sums that sum_splits is to add up go to `partial` as they are, in f32; where that is null, results go to c. Limited
// by the matrix units where m, n and k are large, by bytes else.
#include "gemm/problem.h"
#include "gemm/wgmma_tile.h"

// Which of the matrices of a batch, rows and columns, and steps of the depth.
struct GemmTile { int batch, part, row, column, first, last; };

template <class M, bool TransposeA, bool TransposeB> struct GemmWork
{
    using T = typename M::Element;
    static constexpr bool depthMajorRows = !TransposeA, depthMajorColumns = TransposeB;
    unsigned long long a, b;
    const T *rowBias, *columnBias;
    T* c;
    float* partial;
    const GemmProblem& p;
    const DepthSplit& split;
    const Epilogue& epilogue;
    int count;  // of tiles, over all products and splits

    __device__ __forceinline__ GemmTile tile(int index) const
    {
        const int columnTiles = (p.n + M::columns - 1) / M::columns, tiles = (p.m + M::rows - 1) / M::rows * columnTiles;
        const int product = index / tiles, place = index % tiles, steps = (p.k + M::stepDepth - 1) / M::stepDepth;
        const int batch = product / split.splits, part = product % split.splits, first = part * split.stepsPerSplit;
        return {batch, part, place / columnTiles * M::rows, place % columnTiles * M::columns, first, min(steps, first + split.stepsPerSplit)};
    }

    // A matrix that all products share has a map of one.
    __device__ __forceinline__ void copy(const GemmTile& tile, unsigned stage, int step, unsigned barrier) const
    {
        copyOperand<M::rows, depthMajorRows>(stage, a, tile.row, step * M::stepDepth, p.batchA ? tile.batch : 0, barrier);
        copyOperand<M::columns, depthMajorColumns>(stage + M::rowBytes, b, tile.column, step * M::stepDepth, p.batchB ? tile.batch : 0, barrier);
    }

    __device__ __forceinline__ void store(const GemmTile& tile, const typename M::Sums& sum, void* memory) const
    {
        const auto place = [&](int i) { return i * p.rowStride; };
        const long long first = tile.batch * p.batchC;
        if (partial) storeWarpRows<float, M>(sum, memory, tile.row, tile.column, {partial + first + tile.part * split.partialStride, nullptr, nullptr, p.m, p.n, p.wideC, 1}, epilogue, place);
        else storeWarpRows<T, M>(sum, memory, tile.row, tile.column, {c + first, rowBias, columnBias, p.m, p.n, p.wideC, 1}, epilogue, place);
    }
};

template <class T, int Columns, bool TransposeA, bool TransposeB>
__device__ __forceinline__ void wgmmaGemm(unsigned long long a, unsigned long long b, const T* __restrict__ rowBias, const T* __restrict__ columnBias,
                                          T* __restrict__ c, float* __restrict__ partial, const GemmProblem& p, const DepthSplit& split,
                                          const Epilogue& epilogue, int tiles)
{
    using M = WgmmaTile<T, Columns>;
    multiplyWgmmaTiles<M>(GemmWork<M, TransposeA, TransposeB>{a, b, rowBias, columnBias, c, partial, p, split, epilogue, tiles});
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nn_128x256_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 256, false, false>(CNN_PARAMETER(wgmma_gemm_nn_128x256_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_nn_128x256_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nt_128x256_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 256, false, true>(CNN_PARAMETER(wgmma_gemm_nt_128x256_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_nt_128x256_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_tn_128x256_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 256, true, false>(CNN_PARAMETER(wgmma_gemm_tn_128x256_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_tn_128x256_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nn_128x128_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 128, false, false>(CNN_PARAMETER(wgmma_gemm_nn_128x128_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_nn_128x128_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nt_128x128_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 128, false, true>(CNN_PARAMETER(wgmma_gemm_nt_128x128_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_nt_128x128_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_tn_128x128_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 128, true, false>(CNN_PARAMETER(wgmma_gemm_tn_128x128_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_tn_128x128_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nn_128x64_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 64, false, false>(CNN_PARAMETER(wgmma_gemm_nn_128x64_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_nn_128x64_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nt_128x64_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 64, false, true>(CNN_PARAMETER(wgmma_gemm_nt_128x64_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_nt_128x64_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_tn_128x64_bf16(const TensorMap a, const TensorMap b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Bf16, 64, true, false>(CNN_PARAMETER(wgmma_gemm_tn_128x64_bf16, 0, a), CNN_PARAMETER(wgmma_gemm_tn_128x64_bf16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nn_128x256_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 256, false, false>(CNN_PARAMETER(wgmma_gemm_nn_128x256_f16, 0, a), CNN_PARAMETER(wgmma_gemm_nn_128x256_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nt_128x256_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 256, false, true>(CNN_PARAMETER(wgmma_gemm_nt_128x256_f16, 0, a), CNN_PARAMETER(wgmma_gemm_nt_128x256_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_tn_128x256_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 256, true, false>(CNN_PARAMETER(wgmma_gemm_tn_128x256_f16, 0, a), CNN_PARAMETER(wgmma_gemm_tn_128x256_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nn_128x128_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 128, false, false>(CNN_PARAMETER(wgmma_gemm_nn_128x128_f16, 0, a), CNN_PARAMETER(wgmma_gemm_nn_128x128_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nt_128x128_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 128, false, true>(CNN_PARAMETER(wgmma_gemm_nt_128x128_f16, 0, a), CNN_PARAMETER(wgmma_gemm_nt_128x128_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_tn_128x128_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 128, true, false>(CNN_PARAMETER(wgmma_gemm_tn_128x128_f16, 0, a), CNN_PARAMETER(wgmma_gemm_tn_128x128_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nn_128x64_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 64, false, false>(CNN_PARAMETER(wgmma_gemm_nn_128x64_f16, 0, a), CNN_PARAMETER(wgmma_gemm_nn_128x64_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_nt_128x64_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 64, false, true>(CNN_PARAMETER(wgmma_gemm_nt_128x64_f16, 0, a), CNN_PARAMETER(wgmma_gemm_nt_128x64_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_gemm_tn_128x64_f16(const TensorMap a, const TensorMap b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaGemm<Fp16, 64, true, false>(CNN_PARAMETER(wgmma_gemm_tn_128x64_f16, 0, a), CNN_PARAMETER(wgmma_gemm_tn_128x64_f16, 1, b), rowBias, columnBias, c, partial, problem, split, epilogue, tiles);
}
