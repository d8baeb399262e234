// Max pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, by tiles of shared memory (tile.h): formulas, ties and places as in
// max_pool.cu. Grid: a block of 256 threads per tile. Limited by bytes: x, y and places are moved once, but for what tiles share.
#include "pool/max_column.h"
#include "pool/tile.h"

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
        withSide<Tile::width>(tile.g, MaximaOfTile<T, Tile>{tile, y, places});
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
        withSide<Tile::width>(tile.g, GradientsOfTile<T, Tile>{tile, dx});
        __syncthreads();
        tile.send(dx, tile.t.resultsAt);
    }
};

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_forward_f32(const float* x, float* y, unsigned char* places,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<float, false>(geometry, tiling, MaxForward<float>{x, y, places});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_backward_f32(const float* dy, const unsigned char* places, float* dx,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<float, true>(geometry, tiling, MaxBackward<float>{dy, places, dx});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_forward_bf16(const Bf16* x, Bf16* y, unsigned char* places,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Bf16, false>(geometry, tiling, MaxForward<Bf16>{x, y, places});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_backward_bf16(const Bf16* dy, const unsigned char* places, Bf16* dx,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Bf16, true>(geometry, tiling, MaxBackward<Bf16>{dy, places, dx});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_forward_f16(const Fp16* x, Fp16* y, unsigned char* places,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Fp16, false>(geometry, tiling, MaxForward<Fp16>{x, y, places});
}

extern "C" __global__ __launch_bounds__(256) void max_pool_tile_backward_f16(const Fp16* dy, const unsigned char* places, Fp16* dx,
    PoolGeometry geometry, PoolTiling tiling)
{
    withTile<Fp16, true>(geometry, tiling, MaxBackward<Fp16>{dy, places, dx});
}
