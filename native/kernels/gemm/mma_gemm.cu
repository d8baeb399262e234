// C[m x n] = clamp(op(A) op(B) + rowBias + columnBias), on matrix units: bf16, f16, or f32 rounded to tf32; sums in f32. Row
// major; op transposes: A is (m, k) or, for t, (k, m); B is (k, n) or (n, k).
//
// Grid (tiles, 1, batch * splits), tiles count columns fastest. A block makes one tile over its split of the depth
// (gemm/mma_tile.h). Sums that sum_splits is to add up go to `partial` as they are, in f32; where that is null, results go to
// c. Limited by the matrix units where m, n and k are large, by bytes else.
#include "gemm/mma_output.h"
#include "gemm/mma_source.h"
#include "gemm/problem.h"

template <class T, class M> struct MmaRowsN : MmaDepthLines<T, M::rows, M::threads>
{
    __device__ MmaRowsN(const T* a, const GemmProblem& p, int row)
        : MmaDepthLines<T, M::rows, M::threads>({a + (long long)row * p.pitchA, p.m - row, p.k, p.pitchA, p.wideA}) {}
};

template <class T, class M> struct MmaRowsT : MmaOuterLines<T, M::rows, M::threads>
{
    __device__ MmaRowsT(const T* a, const GemmProblem& p, int row) : MmaOuterLines<T, M::rows, M::threads>({a + row, p.m - row, p.k, p.pitchA, p.wideA}) {}
};

template <class T, class M> struct MmaColumnsN : MmaOuterLines<T, M::columns, M::threads>
{
    __device__ MmaColumnsN(const T* b, const GemmProblem& p, int column)
        : MmaOuterLines<T, M::columns, M::threads>({b + column, p.n - column, p.k, p.pitchB, p.wideB}) {}
};

template <class T, class M> struct MmaColumnsT : MmaDepthLines<T, M::columns, M::threads>
{
    __device__ MmaColumnsT(const T* b, const GemmProblem& p, int column)
        : MmaDepthLines<T, M::columns, M::threads>({b + (long long)column * p.pitchB, p.n - column, p.k, p.pitchB, p.wideB}) {}
};

template <class T, class M, template <class, class> class Rows, template <class, class> class Columns>
__device__ __forceinline__ void mmaGemm(const T* __restrict__ a, const T* __restrict__ b, const T* __restrict__ rowBias, const T* __restrict__ columnBias,
                                        T* __restrict__ c, float* __restrict__ partial, const GemmProblem& p, const DepthSplit& split,
                                        const Epilogue& epilogue)
{
    extern __shared__ uint4 memory[];
    const int columnTiles = (p.n + M::columns - 1) / M::columns, batch = blockIdx.z / split.splits, part = blockIdx.z % split.splits;
    const int row = blockIdx.x / columnTiles * M::rows, column = blockIdx.x % columnTiles * M::columns;
    const Rows<T, M> rows(a + batch * p.batchA, p, row);
    const Columns<T, M> columns(b + batch * p.batchB, p, column);
    typename M::Sums sum = {};
    const int steps = (p.k + stepDepth<T> - 1) / stepDepth<T>, step = part * split.stepsPerSplit;
    multiplyMmaTile<M>(rows, columns, sharedAddress(memory), step, min(steps, step + split.stepsPerSplit), sum);

    const auto place = [&](int i) { return i * p.rowStride; };
    const long long first = batch * p.batchC;
    if (partial) storeMmaTile<float, M>(sum, memory, row, column, {partial + first + part * split.partialStride, nullptr, nullptr, p.m, p.n, p.wideC, 1}, epilogue, place);
    else storeMmaTile<T, M>(sum, memory, row, column, {c + first, rowBias, columnBias, p.m, p.n, p.wideC, 1}, epilogue, place);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_nn_128x128_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma128x128, MmaRowsN, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_nt_128x128_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma128x128, MmaRowsN, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_tn_128x128_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma128x128, MmaRowsT, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_tt_128x128_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma128x128, MmaRowsT, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_nn_64x64_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma64x64, MmaRowsN, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_nt_64x64_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma64x64, MmaRowsN, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_tn_64x64_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma64x64, MmaRowsT, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_tt_64x64_bf16(const Bf16* a, const Bf16* b, const Bf16* rowBias, const Bf16* columnBias, Bf16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Bf16, Mma64x64, MmaRowsT, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_nn_128x128_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma128x128, MmaRowsN, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_nt_128x128_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma128x128, MmaRowsN, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_tn_128x128_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma128x128, MmaRowsT, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_tt_128x128_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma128x128, MmaRowsT, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_nn_64x64_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma64x64, MmaRowsN, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_nt_64x64_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma64x64, MmaRowsN, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_tn_64x64_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma64x64, MmaRowsT, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_tt_64x64_f16(const Fp16* a, const Fp16* b, const Fp16* rowBias, const Fp16* columnBias, Fp16* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<Fp16, Mma64x64, MmaRowsT, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_nn_128x128_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma128x128, MmaRowsN, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_nt_128x128_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma128x128, MmaRowsN, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_tn_128x128_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma128x128, MmaRowsT, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_gemm_tt_128x128_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma128x128, MmaRowsT, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_nn_64x64_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma64x64, MmaRowsN, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_nt_64x64_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma64x64, MmaRowsN, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_tn_64x64_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma64x64, MmaRowsT, MmaColumnsN>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_gemm_tt_64x64_f32(const float* a, const float* b, const float* rowBias, const float* columnBias, float* c,
    float* partial, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    mmaGemm<float, Mma64x64, MmaRowsT, MmaColumnsT>(a, b, rowBias, columnBias, c, partial, problem, split, epilogue);
}
