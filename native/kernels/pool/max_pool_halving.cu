// Max pooling with windows of 2 x 2, or of 3 x 3 with a padding of 1, in steps of 2, and its gradient: max_pool.cu for the shapes of
// halving.h. Ties, NaN and places as there. Grid: threads of the walk over 256. Limited by bytes: x, y and places are moved once, but for
// the row that two strips share.
#include "common/math.h"
#include "pool/halving.h"

template <int count> struct Maxima
{
    float value[count];
    int place[count];  // -1: none yet

    __device__ __forceinline__ Maxima()
    {
#pragma unroll
        for (int j = 0; j < count; ++j) value[j] = -cnn::infinity, place[j] = -1;
    }

    __device__ __forceinline__ void take(int j, float candidate, int at)
    {
        if (place[j] < 0 || candidate > value[j] || cnn::isNan(candidate)) value[j] = candidate, place[j] = at;
    }
};

// Maxima over the columns of each window in row h of x; the places are those in a window's first row.
template <int window, typename Piece, typename T>
__device__ __forceinline__ Maxima<Piece::outputs> maximaOfRow(const Piece& piece, const T* x, int h, bool wanted)
{
    const bool present = wanted && piece.at.active && h >= 0 && h < piece.g.height;
    float columns[3][Piece::outputs];
    piece.load(x, h, present, columns);
    Maxima<Piece::outputs> row;
#pragma unroll
    for (int s = 3 - window; s < 3; ++s) {
#pragma unroll
        for (int j = 0; j < Piece::outputs; ++j)
            if (present && piece.has(s, j)) row.take(j, columns[s][j], s - (3 - window));
    }
    return row;
}

template <typename T> struct MaxForward
{
    const T* x;
    T* y;
    unsigned char* places;
    const HalvingWalk& walk;

    template <int window, typename Piece> __device__ __forceinline__ void operator()(const Piece& piece) const
    {
        constexpr int outputs = Piece::outputs;
        const int first = piece.at.strip * walk.stripRows, height = piece.g.outHeight.divisor;
        Maxima<outputs> above;
        if (window == 3) above = maximaOfRow<window>(piece, x, 2 * first - 1, true);
        for (int i = 0; i < walk.stripRows; ++i) {
            const int p = first + i;
            Maxima<outputs> best = above;
#pragma unroll
            for (int r = 1; r < 3; ++r) {
                const auto row = maximaOfRow<window>(piece, x, 2 * p - 1 + r, p < height);
#pragma unroll
                for (int j = 0; j < outputs; ++j)
                    if (row.place[j] >= 0) best.take(j, row.value[j], row.place[j] + (r - (3 - window)) * window);
                if (window == 3) above = row;
            }
            if (piece.at.active && p < height) store(piece, p, best);
        }
    }

private:
    template <typename Piece> __device__ __forceinline__ void store(const Piece& piece, int p, const Maxima<Piece::outputs>& best) const
    {
        Elements<T, Piece::outputs> values;
        int place[Piece::outputs];
#pragma unroll
        for (int j = 0; j < Piece::outputs; ++j) values.at[j] = best.value[j], place[j] = max(best.place[j], 0);
        piece.storeOutputs(y, p, values);
        if (places) storeBytes(places + piece.output(p) * Piece::outputs, place);
    }
};

template <typename T> struct MaxBackward
{
    const T* dy;
    const unsigned char* places;
    T* dx;
    const HalvingWalk& walk;

    template <int window, typename Piece> __device__ __forceinline__ void operator()(const Piece& piece) const
    {
        eachPairOfRows<window>(*this, piece, walk);
    }

    template <typename Piece>
    __device__ __forceinline__ void load(const Piece& piece, int p, bool present, GradientRow<Piece::outputs>& row) const
    {
        piece.loadGradients(dy, p, present, row);
        piece.loadPlaces(places, p, present, row);
    }

    template <int window, typename Piece>
    __device__ __forceinline__ void store(
        const Piece& piece, int h, const GradientRow<Piece::outputs>& row, const GradientRow<Piece::outputs>& next) const
    {
        float even[Piece::outputs] = {}, odd[Piece::outputs] = {};
        add<window, 1>(row, even, odd);
        piece.storePair(dx, h, even, odd);
        if (h + 1 == piece.g.height) return;
#pragma unroll
        for (int j = 0; j < Piece::outputs; ++j) even[j] = odd[j] = 0.0f;
        add<window, 2>(row, even, odd);
        if (window == 3) add<window, 0>(next, even, odd);
        piece.storePair(dx, h + 1, even, odd);
    }

private:
    // Adds what reaches a row of dx that is row r of the windows: its even columns are their middle, its odd ones their right and left.
    template <int window, int r, int count> __device__ __forceinline__ static void add(const GradientRow<count>& row, float (&even)[count], float (&odd)[count])
    {
        constexpr int offset = 3 - window, first = (r - offset) * window;
#pragma unroll
        for (int j = 0; j < count; ++j) {
            if (row.herePlace[j] == first + 1 - offset) even[j] += row.here[j];
            if (row.herePlace[j] == first + 2 - offset) odd[j] += row.here[j];
            if (window == 3 && row.nextPlace[j] == first) odd[j] += row.next[j];
        }
    }
};

extern "C" __global__ __launch_bounds__(256) void max_pool_halving_forward_f32(const float* x, float* y, unsigned char* places,
    PoolGeometry geometry, HalvingWalk walk)
{
    withPiece<float>(geometry, walk, MaxForward<float>{x, y, places, walk});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_halving_forward_bf16(const Bf16* x, Bf16* y, unsigned char* places,
    PoolGeometry geometry, HalvingWalk walk)
{
    withPiece<Bf16>(geometry, walk, MaxForward<Bf16>{x, y, places, walk});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_halving_forward_f16(const Fp16* x, Fp16* y, unsigned char* places,
    PoolGeometry geometry, HalvingWalk walk)
{
    withPiece<Fp16>(geometry, walk, MaxForward<Fp16>{x, y, places, walk});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_halving_backward_f32(const float* dy, const unsigned char* places,
    float* dx, PoolGeometry geometry, HalvingWalk walk)
{
    withPiece<float>(geometry, walk, MaxBackward<float>{dy, places, dx, walk});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_halving_backward_bf16(const Bf16* dy, const unsigned char* places,
    Bf16* dx, PoolGeometry geometry, HalvingWalk walk)
{
    withPiece<Bf16>(geometry, walk, MaxBackward<Bf16>{dy, places, dx, walk});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_halving_backward_f16(const Fp16* dy, const unsigned char* places,
    Fp16* dx, PoolGeometry geometry, HalvingWalk walk)
{
    withPiece<Fp16>(geometry, walk, MaxBackward<Fp16>{dy, places, dx, walk});
}
