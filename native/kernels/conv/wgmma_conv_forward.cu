// ptx: sm_90a
// Convolution on Hopper's matrix units, bf16 or f16; sums in f32:
//
//   y[n, k, p, q] = clamp(sum over r, s, c of x[n, c, p * strideH + originH + r * tapH, ...] w[k, r, s, c] + bias[k])
//
// rows = output pixels of all images, columns = filters of a group, depth = (tap, c) with c in slices of 64 channels, the last filled up
// with zeros. x is NHWC; the copy engine collects 128 pixels of a tap and a slice at a time (im2col, zeros outside of the image). w is (k, tap,
// c); y is NHWC or NCHW. The data gradient is the same kernel on dy (conv/geometry.h).
//
// xMap: im2col of (C, W, H, N) by 64 channels x 128 pixels; wMap: (c, tap, k) by 64 x 1 x as many filters as the tile has. Channels of a group
// come in whole slices where there are several groups: what lies beyond belongs to the next.
//
// Grid: as many blocks as multiprocessors, or tiles; each makes every gridDim.x-th of groups * splits * tiles, columns fastest
// (gemm/wgmma_tile.h). With more than one split sums go to `partial` in f32, which has the layout of y. Limited by the matrix units.
#include "conv/pixel_output.h"
#include "conv/wgmma_patch.h"
#include "gemm/wgmma_tile.h"

struct ConvTile
{
    int group, part, row, column, first, last;
    PatchPlace place;
};

template <class M> struct ConvForwardWork
{
    using T = typename M::Element;
    static constexpr bool depthMajorRows = true, depthMajorColumns = true;
    unsigned long long x, w;
    const T* bias;
    T* y;
    float* partial;
    const ConvGeometry& g;
    const DepthSplit& split;
    const Epilogue& epilogue;
    int count;  // of tiles, over all groups and splits

    __device__ __forceinline__ int slices() const { return (g.channels + M::stepDepth - 1) / M::stepDepth; }

    __device__ __forceinline__ ConvTile tile(int index) const
    {
        const int columnTiles = (g.filters + M::columns - 1) / M::columns, tiles = (g.images * outPixels(g) + M::rows - 1) / M::rows * columnTiles;
        const int product = index / tiles, at = index % tiles, steps = g.windowHeight * g.windowWidth * slices();
        const int group = product / split.splits, part = product % split.splits, first = part * split.stepsPerSplit, row = at / columnTiles * M::rows;
        return {group, part, row, at % columnTiles * M::columns, first, min(steps, first + split.stepsPerSplit), patchPlace(g, row, group * g.channels)};
    }

    __device__ __forceinline__ void copy(const ConvTile& tile, unsigned stage, int step, unsigned barrier) const
    {
        const int tap = step / slices(), channel = step % slices() * M::stepDepth;
        PatchPlace place = tile.place;
        place.c += channel;
        copyTap(stage, x, g, place, tap, barrier);
        copyBox(stage + M::rowBytes, w, channel, tap, tile.group * g.filters + tile.column, barrier);
    }

    template <class Out> __device__ __forceinline__ void storePixels(const ConvTile& tile, const typename M::Sums& sum, void* memory, const MmaOutput<Out>& out) const
    {
        if (g.out.channel == 1) storeWarpRows<Out, M>(sum, memory, tile.row, tile.column, out, epilogue, PixelPlaces{g});
        else storeWarpRows<Out, M, true>(sum, memory, tile.row, tile.column, out, epilogue, PixelPlaces{g});
    }

    __device__ __forceinline__ void store(const ConvTile& tile, const typename M::Sums& sum, void* memory) const
    {
        const int channel = tile.group * g.filters;
        if (split.splits == 1) storePixels(tile, sum, memory, pixelOutput(g, y, bias, channel));
        else storePixels(tile, sum, memory, pixelOutput<float>(g, partial + tile.part * split.partialStride, nullptr, channel));
    }
};

template <class T, int Columns>
__device__ __forceinline__ void wgmmaConvForward(unsigned long long x, unsigned long long w, const T* __restrict__ bias, T* __restrict__ y,
                                                 float* __restrict__ partial, const ConvGeometry& g, const DepthSplit& split, const Epilogue& epilogue, int tiles)
{
    using M = WgmmaTile<T, Columns>;
    multiplyWgmmaTiles<M>(ConvForwardWork<M>{x, w, bias, y, partial, g, split, epilogue, tiles});
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_forward_128x256_bf16(const TensorMap xMap, const TensorMap wMap, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaConvForward<Bf16, 256>(CNN_PARAMETER(wgmma_conv_forward_128x256_bf16, 0, xMap), CNN_PARAMETER(wgmma_conv_forward_128x256_bf16, 1, wMap), bias, y, partial, geometry, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_forward_128x128_bf16(const TensorMap xMap, const TensorMap wMap, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaConvForward<Bf16, 128>(CNN_PARAMETER(wgmma_conv_forward_128x128_bf16, 0, xMap), CNN_PARAMETER(wgmma_conv_forward_128x128_bf16, 1, wMap), bias, y, partial, geometry, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_forward_128x64_bf16(const TensorMap xMap, const TensorMap wMap, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaConvForward<Bf16, 64>(CNN_PARAMETER(wgmma_conv_forward_128x64_bf16, 0, xMap), CNN_PARAMETER(wgmma_conv_forward_128x64_bf16, 1, wMap), bias, y, partial, geometry, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_forward_128x256_f16(const TensorMap xMap, const TensorMap wMap, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaConvForward<Fp16, 256>(CNN_PARAMETER(wgmma_conv_forward_128x256_f16, 0, xMap), CNN_PARAMETER(wgmma_conv_forward_128x256_f16, 1, wMap), bias, y, partial, geometry, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_forward_128x128_f16(const TensorMap xMap, const TensorMap wMap, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaConvForward<Fp16, 128>(CNN_PARAMETER(wgmma_conv_forward_128x128_f16, 0, xMap), CNN_PARAMETER(wgmma_conv_forward_128x128_f16, 1, wMap), bias, y, partial, geometry, split, epilogue, tiles);
}

extern "C" __global__ __launch_bounds__(384) void wgmma_conv_forward_128x64_f16(const TensorMap xMap, const TensorMap wMap, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue, int tiles)
{
    wgmmaConvForward<Fp16, 64>(CNN_PARAMETER(wgmma_conv_forward_128x64_f16, 0, xMap), CNN_PARAMETER(wgmma_conv_forward_128x64_f16, 1, wMap), bias, y, partial, geometry, split, epilogue, tiles);
}
