// Max pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, by tiles of shared memory (tile.h): formulas, ties and places as in
// max_pool.cu. Grid: a block of 128 (RowTile) or 256 threads per tile. Bytes: x, y and places are moved once, but for what tiles share.
// Windows of 2, 3 and 5 rows go down columns (max_column.h). Memory would allow some 6.9 instructions per byte: in NHWC these kernels stay
// about there in f32, forward. In NCHW, one element to a thread, instructions limit them: 3 x 3 in steps of 1 takes 80 (f32, 8.8 per
// byte) to 86 (halves, 17) per element of x forward, of which the comparisons are 18, and 93 to 100 backward; 5 x 5 in steps of 2 takes 54
// to 60 and 76 to 80. Steps of 2 in f32 ask for every second bank, two wavefronts for one: fewer than the instructions leave time for.
#include "pool/max_column.h"
#include "pool/tile.h"

// Of vectors of channels, five rows of maxima and their places would take most registers.
template <typename Tile> constexpr int largestSide = Tile::width == 1 ? 5 : 3;

template <typename T, typename Tile> struct MaximaOfTile
{
    const Tile& tile;
    T* y;
    unsigned char* places;

    template <int side> __device__ __forceinline__ void operator()() const
    {
        eachPiece(tile, [&](PoolPlace at, int end) {
            const auto source = tile.source(at);
            const auto keep = [&](const PoolPlace& result, const Elements<T, Tile::width>& values, const int (&place)[Tile::width]) {
                tile.keep(y, result, values);
                if (places) tile.keepPlaces(places, result, place);
            };
            if constexpr (side) {
                eachMaximum<side>(source, tile.g, at, end, keep);
            } else {
                for (; at.row < end; ++at.row) {
                    int place[Tile::width];
                    const auto values = maxOfWindow(source, tile.g, at, place);
                    keep(at, values, place);
                }
            }
        });
    }
};

template <typename T> struct MaxForward
{
    const T* x;
    T* y;
    unsigned char* places;

    template <typename Tile> __device__ __forceinline__ void operator()(const Tile& tile) const
    {
        tile.bring(x, 0);
        arrive();
        withSide<largestSide<Tile>>(tile.g, MaximaOfTile<T, Tile>{tile, y, places});
        __syncthreads();
        tile.send(y, tile.t.resultsAt);
        if (places) tile.send(places, tile.t.resultPlacesAt);
    }
};

template <typename T, typename Tile> struct GradientsOfTile
{
    const Tile& tile;
    T* dx;

    template <int side> __device__ __forceinline__ void operator()() const
    {
        eachPiece(tile, [&](PoolPlace at, int end) {
            const auto source = tile.source(at);
            const auto keep = [&](const PoolPlace& result, const Elements<T, Tile::width>& values) { tile.keep(dx, result, values); };
            if constexpr (side) {
                eachGradientOfMaxima<side>(source, tile.places(), tile.g, at, end, keep);
            } else {
                for (; at.row < end; ++at.row) keep(at, gradientOfMaxima(source, PlaceArray{tile.places(), nullptr}, tile.g, at));
            }
        });
    }
};

template <typename T> struct MaxBackward
{
    const T* dy;
    const unsigned char* places;
    T* dx;

    template <typename Tile> __device__ __forceinline__ void operator()(const Tile& tile) const
    {
        tile.bring(dy, 0);
        tile.bring(places, tile.t.placesAt);
        arrive();
        withSide<largestSide<Tile>>(tile.g, GradientsOfTile<T, Tile>{tile, dx});
        __syncthreads();
        tile.send(dx, tile.t.resultsAt);
    }
};

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_forward_f32(const float* x, float* y, unsigned char* places,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<float, false>(geometry, tiling, MaxForward<float>{x, y, places});
}

// At least one block: without that bound ptxas spills to fit more of them.
extern "C" __global__ __launch_bounds__(256, 1) void max_pool_tile_backward_f32(const float* dy, const unsigned char* places, float* dx,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<float, true>(geometry, tiling, MaxBackward<float>{dy, places, dx});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_forward_bf16(const Bf16* x, Bf16* y, unsigned char* places,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Bf16, false>(geometry, tiling, MaxForward<Bf16>{x, y, places});
}

extern "C" __global__ __launch_bounds__(256, 1) void max_pool_tile_backward_bf16(const Bf16* dy, const unsigned char* places, Bf16* dx,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Bf16, true>(geometry, tiling, MaxBackward<Bf16>{dy, places, dx});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_forward_f16(const Fp16* x, Fp16* y, unsigned char* places,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Fp16, false>(geometry, tiling, MaxForward<Fp16>{x, y, places});
}

extern "C" __global__ __launch_bounds__(256, 1) void max_pool_tile_backward_f16(const Fp16* dy, const unsigned char* places, Fp16* dx,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Fp16, true>(geometry, tiling, MaxBackward<Fp16>{dy, places, dx});
}
