// Convolution on matrix units, bf16, f16, or f32 rounded to tf32; sums in f32:
//
//   y[n, k, p, q] = clamp(sum over r, s, c of x[n, c, p * strideH + originH + r * tapH, ...] w[k, r, s, c] + bias[k])
//
// rows = output pixels of all images, columns = filters of a group, depth = the patch (r, s, c), in which w has its lines. x and y
// may be NHWC or NCHW: x and w are copied in units of 16 bytes (mma_conv_forward_*), or collected by elements where channels do not
// allow that (mma_conv_forward_collect_*, see conv/mma_patch_source.h); y is stored along what lies together. The data gradient is the same kernel on dy (conv/geometry.h).
//
// Grid (tiles, 1, groups * splits), tiles count columns fastest: blocks that run together share patches in L2. With more than
// one split sums go to `partial` in f32, which has the layout of y. Limited by the matrix units; by the arithmetic of addresses
// where elements are collected.
#include "conv/mma_patch_source.h"
#include "conv/pixel_output.h"

// Lines are what lies together in memory: the channels of a pixel, or the pixels of a channel.
template <class Out, class M>
__device__ __forceinline__ void storePixels(const typename M::Sums& sum, void* memory, int row, int column, const MmaOutput<Out>& out, const ConvGeometry& g,
                                            const Epilogue& epilogue)
{
    if (g.out.channel == 1) storeMmaTile<Out, M>(sum, memory, row, column, out, epilogue, PixelPlaces{g});
    else storeMmaTile<Out, M, true>(sum, memory, row, column, out, epilogue, PixelPlaces{g});
}

template <bool Units, class T, class M>
__device__ __forceinline__ void mmaConvForward(const T* __restrict__ x, const T* __restrict__ w, const T* __restrict__ bias, T* __restrict__ y,
                                               float* __restrict__ partial, const ConvGeometry& g, const DepthSplit& split, const Epilogue& epilogue)
{
    extern __shared__ uint4 memory[];
    const int columnTiles = (g.filters + M::columns - 1) / M::columns, group = blockIdx.z / split.splits, part = blockIdx.z % split.splits;
    const int row = blockIdx.x / columnTiles * M::rows, column = blockIdx.x % columnTiles * M::columns, depth = patchLength(g);
    const T* const filters = w + ((long long)group * g.filters + column) * depth;
    const MmaPatchRows<T, M::rows, M::threads, Units> rows(x + (long long)group * g.channels * g.in.channel, g, row);
    const MmaDepthLines<T, M::columns, M::threads> columns({filters, g.filters - column, depth, depth, Units || g.wideWeights});
    typename M::Sums sum = {};
    const int steps = (depth + stepDepth<T> - 1) / stepDepth<T>, first = part * split.stepsPerSplit;
    multiplyMmaTile<M>(rows, columns, sharedAddress(memory), first, min(steps, first + split.stepsPerSplit), sum);

    const int channel = group * g.filters;
    if (split.splits == 1) storePixels<T, M>(sum, memory, row, column, pixelOutput(g, y, bias, channel), g, epilogue);
    else storePixels<float, M>(sum, memory, row, column, pixelOutput<float>(g, partial + part * split.partialStride, nullptr, channel), g, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_forward_128x128_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<true, Bf16, Mma128x128>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_forward_64x64_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<true, Bf16, Mma64x64>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_forward_128x128_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<true, Fp16, Mma128x128>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_forward_64x64_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<true, Fp16, Mma64x64>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_forward_128x128_f32(const float* x, const float* w, const float* bias, float* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<true, float, Mma128x128>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_forward_64x64_f32(const float* x, const float* w, const float* bias, float* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<true, float, Mma64x64>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_forward_collect_128x128_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<false, Bf16, Mma128x128>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_forward_collect_64x64_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<false, Bf16, Mma64x64>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_forward_collect_128x128_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<false, Fp16, Mma128x128>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_forward_collect_64x64_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<false, Fp16, Mma64x64>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_forward_collect_128x128_f32(const float* x, const float* w, const float* bias, float* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<false, float, Mma128x128>(x, w, bias, y, partial, geometry, split, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_forward_collect_64x64_f32(const float* x, const float* w, const float* bias, float* y, float* partial,
    ConvGeometry geometry, DepthSplit split, Epilogue epilogue)
{
    mmaConvForward<false, float, Mma64x64>(x, w, bias, y, partial, geometry, split, epilogue);
}
