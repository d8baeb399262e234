// Gradient of a convolution by its filters as one product, patches gathered as they are needed, f32:
//
//   dw[k, (c, r, s)] = sum over n, p, q of dy[n, k, p, q] x[n, c, p * strideH + originH + r * tapH, ...]
//
// rows = filters of a group, columns = elements of the patch, (c, r, s) for channels first and (r, s, c) for channels last,
// depth = output pixels of all images. dw holds lines of that column order, group by group.
//
// Grid (tiles, 1, groups * splits), tiles count rows fastest. The depth is long and the result small, so that it is split
// to fill the chip: partial sums go to a workspace, and sum_splits adds them up in order. Limited by FMA; by bytes where
// filters are few.
#include "common/math.h"
#include "conv/gradient_source.h"
#include "gemm/output.h"

// NHWC: dy is a matrix of (pixels, filters of all groups).
template <int Outer, int Threads> struct GradientChannelsLast : OuterLines<Outer, Threads>
{
    __device__ __forceinline__ GradientChannelsLast(const float* dy, const ConvGeometry& g, int row)
        : OuterLines<Outer, Threads>({dy + row, g.filters - row, g.images * outPixels(g), g.out.column, g.wideOut != wideNone})
    {
    }
};

template <class T, template <int, int> class Gradient, template <int, int> class Taps>
__device__ __forceinline__ void convWgrad(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw, const ConvGeometry& g,
                                          const DepthSplit& split, int wideResult)
{
    const int rowTiles = (g.filters + T::rows - 1) / T::rows, group = blockIdx.z / split.splits, part = blockIdx.z % split.splits;
    const int row = blockIdx.x % rowTiles * T::rows, column = blockIdx.x / rowTiles * T::columns;
    Gradient<T::rows, T::threads> rows(dy + (long long)group * g.filters * g.out.channel, g, row);
    Taps<T::columns, T::threads> columns(x + (long long)group * g.channels * g.in.channel, g, column);
    typename T::Sums sum = {};
    const int steps = (g.images * outPixels(g) + tileDepth - 1) / tileDepth, first = part * split.stepsPerSplit;
    multiplyTile<T>(rows, columns, first, min(steps, first + split.stepsPerSplit), sum);

    const int length = patchLength(g);
    float* const out = dw + (long long)group * g.filters * length + part * split.partialStride;
    const Epilogue asIs = {-cnn::infinity, cnn::infinity};
    storeTile<T>(sum, row, column, {out, nullptr, nullptr, length, g.filters, length, wideResult}, asIs, [](int j) { return (long long)j; });
}

extern "C" __global__ __launch_bounds__(256) void conv_wgrad_nchw_128x128(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile128x128, GradientChannelsFirst, TapsChannelsFirst>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(64, 4) void conv_wgrad_nchw_64x64(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile64x64, GradientChannelsFirst, TapsChannelsFirst>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(64) void conv_wgrad_nchw_32x128(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile32x128, GradientChannelsFirst, TapsChannelsFirst>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(64) void conv_wgrad_nchw_32x32(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile32x32, GradientChannelsFirst, TapsChannelsFirst>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(256) void conv_wgrad_nhwc_128x128(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile128x128, GradientChannelsLast, TapsChannelsLast>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(64) void conv_wgrad_nhwc_64x64(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile64x64, GradientChannelsLast, TapsChannelsLast>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(64) void conv_wgrad_nhwc_32x128(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile32x128, GradientChannelsLast, TapsChannelsLast>(x, dy, dw, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(64) void conv_wgrad_nhwc_32x32(const float* x, const float* dy, float* dw, ConvGeometry geometry,
                                                                    DepthSplit split, int wideResult)
{
    convWgrad<Tile32x32, GradientChannelsLast, TapsChannelsLast>(x, dy, dw, geometry, split, wideResult);
}
