// Convolution as one product, the patches gathered as they are needed (implicit GEMM), f32:
//
//   y[n, k, p, q] = clamp(sum over c, r, s of w[k, (c, r, s)] x[n, c, p * strideH + originH + r * tapH, ...] + bias[k])
//
// rows = filters of a group, columns = output pixels of all images, depth = the patch: (r, s, c) for channels last, and for
// channels first where channels of a group come in multiples of 8 (taps), else (c, r, s). w holds the filters as lines of that
// depth, group by group. The data gradient is the same
// kernel on dy (conv/geometry.h).
//
// Grid (tiles, 1, groups * splits), tiles count rows fastest: blocks that run together share patches in L2. With more than
// one split y is a workspace of partial sums that sum_splits adds up. Limited by FMA.
#include "conv/patch_source.h"
#include "gemm/output.h"

template <class T, template <int, int> class Patches>
__device__ __forceinline__ void convForward(const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias, float* __restrict__ y,
                                            const ConvGeometry& g, const DepthSplit& split, const Epilogue& epilogue)
{
    const int rowTiles = (g.filters + T::rows - 1) / T::rows, group = blockIdx.z / split.splits, part = blockIdx.z % split.splits;
    const int row = blockIdx.x % rowTiles * T::rows, column = blockIdx.x / rowTiles * T::columns;
    const int depth = patchLength(g), steps = (depth + tileDepth - 1) / tileDepth, first = part * split.stepsPerSplit;
    const float* const filters = w + ((long long)group * g.filters + row) * depth;
    DepthLines<T::rows, T::threads> rows({filters, g.filters - row, depth, depth, g.wideWeights});
    Patches<T::columns, T::threads> columns(x + (long long)group * g.channels * g.in.channel, g, column);
    typename T::Sums sum = {};
    multiplyTile<T>(rows, columns, first, min(steps, first + split.stepsPerSplit), sum);

    float* const out = y + (long long)group * g.filters * g.out.channel + part * split.partialStride;
    const TileOutput output = {out, bias ? bias + group * g.filters : nullptr, nullptr, g.out.channel, g.filters, g.images * outPixels(g), g.wideOut};
    storeTile<T>(sum, row, column, output, epilogue, [&](int j) {
        const Pixel pixel = outPixel(g, j);
        return pixel.n * g.out.image + (long long)(pixel.h * g.out.row + pixel.w * g.out.column);
    });
}

extern "C" __global__ __launch_bounds__(256) void conv_forward_nchw_128x128(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile128x128, PatchesChannelsFirst>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_nchw_64x64(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile64x64, PatchesChannelsFirst>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_nchw_32x128(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile32x128, PatchesChannelsFirst>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_nchw_32x32(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile32x32, PatchesChannelsFirst>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void conv_forward_nhwc_128x128(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile128x128, PatchesChannelsLast>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_nhwc_64x64(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile64x64, PatchesChannelsLast>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_nhwc_32x128(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile32x128, PatchesChannelsLast>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_nhwc_32x32(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile32x32, PatchesChannelsLast>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void conv_forward_taps_128x128(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile128x128, PatchesByTap>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_taps_64x64(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile64x64, PatchesByTap>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_taps_32x128(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile32x128, PatchesByTap>(x, w, bias, y, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(64) void conv_forward_taps_32x32(const float* x, const float* w, const float* bias, float* y,
                                                                      ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    convForward<Tile32x32, PatchesByTap>(x, w, bias, y, geometry, split, epilogue);
}
