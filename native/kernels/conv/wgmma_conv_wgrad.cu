// ptx: sm_90a
// Gradient of a convolution by its filters on Hopper's matrix units, NHWC, bf16 or f16; sums in f32:
//
//   dw[k, (r, s, c)] = sum over n, p, q of dy[n, p, q, k] x[n, p * strideH + originH + r * tapH, ..., c]
//
// rows = filters of a group, columns = (tap, c) with c in slices of 64 channels, depth = output pixels of all images, 64 per step. The copy
// engine brings 64 pixels x 64 filters of dy, and for every slice of the tile 64 pixels x 64 channels of x at its tap (im2col); lines of both
// run along rows and columns.
//
// xMap: im2col of (C, W, H, N) by 64 channels x 64 pixels; dyMap: (K, pixels) by 64 x 64.
//
// Grid: as many blocks as multiprocessors, or tiles; each makes every gridDim.x-th of groups * splits * tiles, rows fastest
// (gemm/wgmma_tile.h). The depth is long and the result small: it is split to fill the chip, sums go to partial[split][k][(r, s, c)] in f32,
// and sum_splits adds them up. Limited by the matrix units.
#include "common/math.h"
#include "conv/wgmma_patch.h"
#include "gemm/wgmma_tile.h"

struct WgradTile { int group, part, row, column, first, last; };

template <class M> struct ConvWgradWork
{
    static constexpr bool depthMajorRows = false, depthMajorColumns = false;
    static constexpr int slice = swizzledLines;
    unsigned long long x, dy;
    float* partial;
    const ConvGeometry& g;
    const DepthSplit& split;
    int wideResult;
    int count;  // of tiles, over all groups and splits

    __device__ __forceinline__ int slices() const { return (g.channels + slice - 1) / slice; }
    __device__ __forceinline__ int units() const { return g.windowHeight * g.windowWidth * slices(); }

    __device__ __forceinline__ WgradTile tile(int index) const
    {
        const int rowTiles = (g.filters + M::rows - 1) / M::rows, columnTiles = (units() * slice + M::columns - 1) / M::columns, tiles = rowTiles * columnTiles;
        const int product = index / tiles, place = index % tiles, steps = (g.images * outPixels(g) + M::stepDepth - 1) / M::stepDepth;
        const int group = product / split.splits, part = product % split.splits, first = part * split.stepsPerSplit;
        return {group, part, place % rowTiles * M::rows, place / rowTiles * M::columns, first, min(steps, first + split.stepsPerSplit)};
    }

    // Slices that do not exist repeat the last one: their sums are not stored.
    __device__ __forceinline__ void copy(const WgradTile& tile, unsigned stage, int step, unsigned barrier) const
    {
        const int pixel = step * M::stepDepth, last = units() - 1;
        copyOperand<M::rows, false>(stage, dy, tile.group * g.filters + tile.row, pixel, 0, barrier);
        PatchPlace place = patchPlace(g, pixel, 0);
#pragma unroll
        for (int i = 0; i < M::columns / slice; ++i) {
            const int unit = min(tile.column / slice + i, last);
            place.c = tile.group * g.channels + unit % slices() * slice;
            copyTap(stage + M::rowBytes + i * swizzledBlock, x, g, place, unit / slices(), barrier);
        }
    }

    __device__ __forceinline__ void store(const WgradTile& tile, const typename M::Sums& sum, void* memory) const
    {
        const int length = patchLength(g);
        float* const out = partial + (long long)tile.group * g.filters * length + tile.part * split.partialStride;
        const Epilogue asIs = {-cnn::infinity, cnn::infinity};
        const auto place = [&](int i) { return (long long)i * length; };
#pragma unroll
        for (int i = 0; i < M::columns / slice; ++i) {
            const int unit = tile.column / slice + i, channel = unit % slices() * slice;
            if (unit >= units()) continue;
            const auto& part = *reinterpret_cast<const typename WgmmaTile<typename M::Element, slice>::Sums*>(&sum[i * slice / 8]);
            storeWarpRows<float, WgmmaTile<typename M::Element, slice>>(
                part, memory, tile.row, channel, {out + unit / slices() * g.channels, nullptr, nullptr, g.filters, g.channels, wideResult, 1}, asIs, place);
        }
    }
};

template <class T, int Columns>
__device__ __forceinline__ void wgmmaConvWgrad(unsigned long long x, unsigned long long dy, float* __restrict__ partial, const ConvGeometry& g,
                                               const DepthSplit& split, int wideResult, int tiles)
{
    using M = WgmmaTile<T, Columns>;
    multiplyWgmmaTiles<M>(ConvWgradWork<M>{x, dy, partial, g, split, wideResult, tiles});
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_wgrad_128x256_bf16(const TensorMap xMap, const TensorMap dyMap, float* partial, ConvGeometry geometry,
    DepthSplit split, int wideResult, int tiles)
{
    wgmmaConvWgrad<Bf16, 256>(CNN_PARAMETER(wgmma_conv_wgrad_128x256_bf16, 0, xMap), CNN_PARAMETER(wgmma_conv_wgrad_128x256_bf16, 1, dyMap), partial, geometry, split, wideResult, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_wgrad_128x128_bf16(const TensorMap xMap, const TensorMap dyMap, float* partial, ConvGeometry geometry,
    DepthSplit split, int wideResult, int tiles)
{
    wgmmaConvWgrad<Bf16, 128>(CNN_PARAMETER(wgmma_conv_wgrad_128x128_bf16, 0, xMap), CNN_PARAMETER(wgmma_conv_wgrad_128x128_bf16, 1, dyMap), partial, geometry, split, wideResult, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_wgrad_128x64_bf16(const TensorMap xMap, const TensorMap dyMap, float* partial, ConvGeometry geometry,
    DepthSplit split, int wideResult, int tiles)
{
    wgmmaConvWgrad<Bf16, 64>(CNN_PARAMETER(wgmma_conv_wgrad_128x64_bf16, 0, xMap), CNN_PARAMETER(wgmma_conv_wgrad_128x64_bf16, 1, dyMap), partial, geometry, split, wideResult, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_wgrad_128x256_f16(const TensorMap xMap, const TensorMap dyMap, float* partial, ConvGeometry geometry,
    DepthSplit split, int wideResult, int tiles)
{
    wgmmaConvWgrad<Fp16, 256>(CNN_PARAMETER(wgmma_conv_wgrad_128x256_f16, 0, xMap), CNN_PARAMETER(wgmma_conv_wgrad_128x256_f16, 1, dyMap), partial, geometry, split, wideResult, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_wgrad_128x128_f16(const TensorMap xMap, const TensorMap dyMap, float* partial, ConvGeometry geometry,
    DepthSplit split, int wideResult, int tiles)
{
    wgmmaConvWgrad<Fp16, 128>(CNN_PARAMETER(wgmma_conv_wgrad_128x128_f16, 0, xMap), CNN_PARAMETER(wgmma_conv_wgrad_128x128_f16, 1, dyMap), partial, geometry, split, wideResult, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_wgrad_128x64_f16(const TensorMap xMap, const TensorMap dyMap, float* partial, ConvGeometry geometry,
    DepthSplit split, int wideResult, int tiles)
{
    wgmmaConvWgrad<Fp16, 64>(CNN_PARAMETER(wgmma_conv_wgrad_128x64_f16, 0, xMap), CNN_PARAMETER(wgmma_conv_wgrad_128x64_f16, 1, dyMap), partial, geometry, split, wideResult, tiles);
}
