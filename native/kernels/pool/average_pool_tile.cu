// Average pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, by tiles of shared memory (tile.h): formulas as in average_pool.cu.
// Grid: a block of 128 (RowTile) or 256 threads per tile. Bytes: x and y are moved once, but for what tiles share. Windows of 2, 3 and 5 rows
// go down columns (average_column.h). Memory would allow some 6.9 instructions per byte: NHWC stays below in f32, forward; NCHW, one
// element to a thread, is limited by instructions: 3 x 3 in steps of 1 takes 69 (f32, 8.6 per byte) to 75 (halves, 19) per element
// of x forward and 85 to 91 backward, where a division is one of PTX and several of the machine; 5 x 5 in steps of 2 takes 45 to 51 and 65
// to 68.
#include "pool/average_column.h"
#include "pool/tile.h"

template <typename T, bool backward, typename Tile> struct AveragesOfTile
{
    const Tile& tile;
    T* target;

    template <int side> __device__ __forceinline__ void operator()() const
    {
        eachPiece(tile, [&](PoolPlace at, int end) {
            const auto source = tile.source(at);
            const auto keep = [&](const PoolPlace& result, const Elements<T, Tile::width>& values) { tile.keep(target, result, values); };
            if constexpr (side && backward) {
                eachGradientOfAverages<side>(source, tile.g, at, end, keep);
            } else if constexpr (side) {
                eachAverage<side>(source, tile.g, at, end, keep);
            } else {
                for (; at.row < end; ++at.row) keep(at, backward ? gradientOfAverages(source, tile.g, at) : averageOfWindow(source, tile.g, at));
            }
        });
    }
};

template <typename T, bool backward> struct AverageOfTile
{
    const T* source;
    T* target;

    template <typename Tile> __device__ __forceinline__ void operator()(const Tile& tile) const
    {
        tile.bring(source, 0);
        arrive();
        withSide<5>(tile.g, AveragesOfTile<T, backward, Tile>{tile, target});
        __syncthreads();
        tile.send(target, tile.t.resultsAt);
    }
};

extern "C" __global__ __launch_bounds__(256) void average_pool_tile_forward_f32(const float* x, float* y, PoolGeometry geometry,
    PoolTiling tiling)
{
    withTile<float, false>(geometry, tiling, AverageOfTile<float, false>{x, y});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_tile_backward_f32(const float* dy, float* dx, PoolGeometry geometry,
    PoolTiling tiling)
{
    withTile<float, true>(geometry, tiling, AverageOfTile<float, true>{dy, dx});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_tile_forward_bf16(const Bf16* x, Bf16* y, PoolGeometry geometry,
    PoolTiling tiling)
{
    withTile<Bf16, false>(geometry, tiling, AverageOfTile<Bf16, false>{x, y});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_tile_backward_bf16(const Bf16* dy, Bf16* dx, PoolGeometry geometry,
    PoolTiling tiling)
{
    withTile<Bf16, true>(geometry, tiling, AverageOfTile<Bf16, true>{dy, dx});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_tile_forward_f16(const Fp16* x, Fp16* y, PoolGeometry geometry,
    PoolTiling tiling)
{
    withTile<Fp16, false>(geometry, tiling, AverageOfTile<Fp16, false>{x, y});
}

extern "C" __global__ __launch_bounds__(256) void average_pool_tile_backward_f16(const Fp16* dy, Fp16* dx, PoolGeometry geometry,
    PoolTiling tiling)
{
    withTile<Fp16, true>(geometry, tiling, AverageOfTile<Fp16, true>{dy, dx});
}
