// Average pooling with windows of 2 x 2, or of 3 x 3 with a padding of 1, in steps of 2, and its gradient: average_pool.cu for the shapes
// of halving.h. Grid: threads of the walk over 256. Limited by bytes: x and y are moved once, but for the row that two strips share.
#include "pool/average_window.h"
#include "pool/halving.h"

// Sums over the columns of each window in row h of x, added to `sums`.
template <int window, typename Piece, typename T>
__device__ __forceinline__ void addRow(const Piece& piece, const T* x, int h, bool wanted, float (&sums)[Piece::outputs])
{
    float columns[3][Piece::outputs];
    piece.load(x, h, wanted && piece.at.active && h >= 0 && h < piece.g.height, columns);
#pragma unroll
    for (int s = 3 - window; s < 3; ++s) {
#pragma unroll
        for (int j = 0; j < Piece::outputs; ++j)
            if (piece.has(s, j)) sums[j] += columns[s][j];
    }
}

template <typename T> struct AverageForward
{
    const T* x;
    T* y;
    const HalvingWalk& walk;

    template <int window, typename Piece> __device__ __forceinline__ void operator()(const Piece& piece) const
    {
        constexpr int outputs = Piece::outputs;
        const int first = piece.at.strip * walk.stripRows, height = piece.g.outHeight.divisor;
        float above[outputs] = {};
        if (window == 3) addRow<window>(piece, x, 2 * first - 1, true, above);
        for (int i = 0; i < walk.stripRows; ++i) {
            const int p = first + i;
            float middle[outputs] = {}, below[outputs] = {};
            addRow<window>(piece, x, 2 * p, p < height, middle);
            addRow<window>(piece, x, 2 * p + 1, p < height, below);
            Elements<T, outputs> values;
#pragma unroll
            for (int j = 0; j < outputs; ++j) {
                values.at[j] = (above[j] + middle[j] + below[j]) / AverageWindow(p, piece.columnOf(j), piece.g).divisor;
                if (window == 3) above[j] = below[j];
            }
            if (piece.at.active && p < height) piece.storeOutputs(y, p, values);
        }
    }
};

template <typename T> struct AverageBackward
{
    const T* dy;
    T* dx;
    const HalvingWalk& walk;

    template <int window, typename Piece> __device__ __forceinline__ void operator()(const Piece& piece) const
    {
        eachPairOfRows<window>(*this, piece, walk);
    }

    // Shares: each dy over the size of its window.
    template <typename Piece>
    __device__ __forceinline__ void load(const Piece& piece, int p, bool present, GradientRow<Piece::outputs>& row) const
    {
        piece.loadGradients(dy, p, present, row);
#pragma unroll
        for (int j = 0; j < Piece::outputs; ++j) {
            if (row.here[j] != 0.0f) row.here[j] /= AverageWindow(p, piece.columnOf(j), piece.g).divisor;
            if (row.next[j] != 0.0f) row.next[j] /= AverageWindow(p, piece.columnOf(j) + 1, piece.g).divisor;
        }
    }

    template <int window, typename Piece>
    __device__ __forceinline__ void store(
        const Piece& piece, int h, const GradientRow<Piece::outputs>& row, const GradientRow<Piece::outputs>& next) const
    {
        float even[Piece::outputs], odd[Piece::outputs];
#pragma unroll
        for (int j = 0; j < Piece::outputs; ++j) even[j] = row.here[j], odd[j] = window == 3 ? row.here[j] + row.next[j] : row.here[j];
        piece.storePair(dx, h, even, odd);
        if (h + 1 == piece.g.height) return;
#pragma unroll
        for (int j = 0; j < Piece::outputs && window == 3; ++j) even[j] += next.here[j], odd[j] = odd[j] + next.here[j] + next.next[j];
        piece.storePair(dx, h + 1, even, odd);
    }
};

extern "C" __global__ __launch_bounds__(256) void average_pool_halving_forward_f32(const float* x, float* y, PoolGeometry geometry,
    HalvingWalk walk)
{
    withPiece<float>(geometry, walk, AverageForward<float>{x, y, walk});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_halving_forward_bf16(const Bf16* x, Bf16* y, PoolGeometry geometry,
    HalvingWalk walk)
{
    withPiece<Bf16>(geometry, walk, AverageForward<Bf16>{x, y, walk});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_halving_forward_f16(const Fp16* x, Fp16* y, PoolGeometry geometry,
    HalvingWalk walk)
{
    withPiece<Fp16>(geometry, walk, AverageForward<Fp16>{x, y, walk});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_halving_backward_f32(const float* dy, float* dx, PoolGeometry geometry,
    HalvingWalk walk)
{
    withPiece<float>(geometry, walk, AverageBackward<float>{dy, dx, walk});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_halving_backward_bf16(const Bf16* dy, Bf16* dx, PoolGeometry geometry,
    HalvingWalk walk)
{
    withPiece<Bf16>(geometry, walk, AverageBackward<Bf16>{dy, dx, walk});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_halving_backward_f16(const Fp16* dy, Fp16* dx, PoolGeometry geometry,
    HalvingWalk walk)
{
    withPiece<Fp16>(geometry, walk, AverageBackward<Fp16>{dy, dx, walk});
}
