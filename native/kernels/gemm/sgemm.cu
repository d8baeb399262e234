// C[m x n] = clamp(op(A) op(B) + bias), f32, row major; op transposes: A is (m, k) or, for t, (k, m); B is (k, n) or (n, k).
//
// Grid (tiles, 1, batch * splits): tiles count rows fastest, so that blocks that run together share the columns of B in L2.
// A block makes one tile of C over its split of the depth (gemm/tile.h); with more than one split, C is a workspace of
// partial sums that sum_splits adds up. Limited by FMA where m, n and k are large, by bytes of the larger operand else.
#include "gemm/matrix_source.h"
#include "gemm/output.h"
#include "gemm/problem.h"

// Operands by how they lie in memory: N as the formula has it, T transposed.
template <class T> struct RowsN : DepthLines<T::rows, T::threads>
{
    __device__ RowsN(const float* a, const GemmProblem& p, int row)
        : DepthLines<T::rows, T::threads>({a + (long long)row * p.pitchA, p.m - row, p.k, p.pitchA, p.wideA}) {}
};

template <class T> struct RowsT : OuterLines<T::rows, T::threads>
{
    __device__ RowsT(const float* a, const GemmProblem& p, int row)
        : OuterLines<T::rows, T::threads>({a + row, p.m - row, p.k, p.pitchA, p.wideA}) {}
};

template <class T> struct ColumnsN : OuterLines<T::columns, T::threads>
{
    __device__ ColumnsN(const float* b, const GemmProblem& p, int column)
        : OuterLines<T::columns, T::threads>({b + column, p.n - column, p.k, p.pitchB, p.wideB}) {}
};

template <class T> struct ColumnsT : DepthLines<T::columns, T::threads>
{
    __device__ ColumnsT(const float* b, const GemmProblem& p, int column)
        : DepthLines<T::columns, T::threads>({b + (long long)column * p.pitchB, p.n - column, p.k, p.pitchB, p.wideB}) {}
};

template <class T, template <class> class Rows, template <class> class Columns>
__device__ __forceinline__ void sgemm(const float* __restrict__ a, const float* __restrict__ b, const float* __restrict__ rowBias,
                                      const float* __restrict__ columnBias, float* __restrict__ c, const GemmProblem& p,
                                      const DepthSplit& split, const Epilogue& epilogue)
{
    const int rowTiles = (p.m + T::rows - 1) / T::rows, batch = blockIdx.z / split.splits, part = blockIdx.z % split.splits;
    const int row = blockIdx.x % rowTiles * T::rows, column = blockIdx.x / rowTiles * T::columns;
    Rows<T> rows(a + batch * p.batchA, p, row);
    Columns<T> columns(b + batch * p.batchB, p, column);
    typename T::Sums sum = {};
    const int steps = (p.k + tileDepth - 1) / tileDepth, first = part * split.stepsPerSplit;
    multiplyTile<T>(rows, columns, first, min(steps, first + split.stepsPerSplit), sum);

    float* const out = c + batch * p.batchC + part * split.partialStride;
    const TileOutput output = {out, rowBias, columnBias, p.rowStride, p.m, p.n, p.wideC};
    storeTile<T>(sum, row, column, output, epilogue, [&](int j) { return j * p.columnStride; });
}

extern "C" __global__ __launch_bounds__(256) void sgemm_nn_128x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile128x128, RowsN, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void sgemm_nt_128x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile128x128, RowsN, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void sgemm_tn_128x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile128x128, RowsT, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void sgemm_tt_128x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile128x128, RowsT, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_nn_64x64(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile64x64, RowsN, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_nt_64x64(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile64x64, RowsN, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_tn_64x64(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile64x64, RowsT, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_tt_64x64(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile64x64, RowsT, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_nn_32x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x128, RowsN, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_nt_32x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x128, RowsN, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_tn_32x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x128, RowsT, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_tt_32x128(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x128, RowsT, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_nn_32x32(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x32, RowsN, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_nt_32x32(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x32, RowsN, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_tn_32x32(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x32, RowsT, ColumnsN>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void sgemm_tt_32x32(const float* a, const float* b, const float* rowBias, const float* columnBias,
                                                                float* c, GemmProblem problem, DepthSplit split, Epilogue epilogue)
{
    sgemm<Tile32x32, RowsT, ColumnsT>(a, b, rowBias, columnBias, c, problem, split, epilogue);
}
