// Max pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, by tiles of shared memory (tile.h): formulas, ties and places as in
// max_pool.cu. Grid: a block of 256 threads per tile. Limited by bytes: x, y and places are moved once, but for what tiles share.
#include "pool/max_window.h"
#include "pool/tile.h"

template <typename T> struct MaxForward
{
    const T* x;
    T* y;
    unsigned char* places;

    template <typename Tile> __device__ __forceinline__ void operator()(const Tile& tile) const
    {
        tile.bring(x, 0);
        arrive();
        for (int i = threadIdx.x; i < tile.pieces(); i += poolThreads) {
            PoolPlace at;
            const int end = tile.locate(i, at);
            const auto source = tile.source(at);
            for (; at.row < end; ++at.row) {
                int place[Tile::width];
                tile.keep(y, at, maxOfWindow(source, tile.g, at, place));
                if (places) tile.keepPlaces(places, at, place);
            }
        }
        __syncthreads();
        tile.send(y, tile.t.resultsAt);
        if (places) tile.send(places, tile.t.resultPlacesAt);
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
        for (int i = threadIdx.x; i < tile.pieces(); i += poolThreads) {
            PoolPlace at;
            const int end = tile.locate(i, at);
            const auto source = tile.source(at);
            for (; at.row < end; ++at.row) tile.keep(dx, at, gradientOfMaxima(source, PlaceArray{tile.places(), nullptr}, tile.g, at));
        }
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
