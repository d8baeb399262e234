// Gradient of a convolution by its filters on matrix units, NHWC, bf16, f16, or f32 rounded to tf32; sums in f32:
//
//   dw[k, (r, s, c)] = sum over n, p, q of dy[n, p, q, k] x[n, p * strideH + originH + r * tapH, ..., c]
//
// rows = filters of a group, columns = elements of the patch, depth = output pixels of all images. Channels and filters are
// copied in units of 16 bytes (mma_conv_wgrad_*), or collected by elements where groups do not have whole units of them (mma_conv_wgrad_collect_*).
//
// Grid (tiles, 1, groups * splits), tiles count rows fastest. The depth is long and the result small: it is split to fill the
// chip, sums go to partial[split][k][(r, s, c)] in f32, and sum_splits adds them up. Limited by the matrix units.
#include "common/math.h"
#include "conv/mma_patch_source.h"
#include "gemm/mma_output.h"

template <bool Units, class T, class M>
__device__ __forceinline__ void mmaConvWgrad(const T* __restrict__ x, const T* __restrict__ dy, float* __restrict__ partial, const ConvGeometry& g,
                                             const DepthSplit& split, int wideResult)
{
    extern __shared__ uint4 memory[];
    const int rowTiles = (g.filters + M::rows - 1) / M::rows, group = blockIdx.z / split.splits, part = blockIdx.z % split.splits;
    const int row = blockIdx.x % rowTiles * M::rows, column = blockIdx.x / rowTiles * M::columns;
    const int pixels = g.images * outPixels(g), length = patchLength(g);
    const MmaOuterLines<T, M::rows, M::threads> rows({dy + (long long)group * g.filters + row, g.filters - row, pixels, g.out.column, Units || g.wideOut});
    const MmaPatchColumns<T, M::columns, M::threads, Units> columns(x + (long long)group * g.channels, g, column);
    typename M::Sums sum = {};
    const int steps = (pixels + stepDepth<T> - 1) / stepDepth<T>, first = part * split.stepsPerSplit;
    multiplyMmaTile<M>(rows, columns, sharedAddress(memory), first, min(steps, first + split.stepsPerSplit), sum);

    float* const out = partial + (long long)group * g.filters * length + part * split.partialStride;
    const Epilogue asIs = {-cnn::infinity, cnn::infinity};
    storeMmaTile<float, M>(sum, memory, row, column, {out, nullptr, nullptr, g.filters, length, wideResult, 1}, asIs, [&](int i) { return (long long)i * length; });
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_wgrad_128x128_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<true, Bf16, Mma128x128>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_wgrad_64x64_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<true, Bf16, Mma64x64>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_wgrad_128x128_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<true, Fp16, Mma128x128>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_wgrad_64x64_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<true, Fp16, Mma64x64>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_wgrad_128x128_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<true, float, Mma128x128>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_wgrad_64x64_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<true, float, Mma64x64>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_wgrad_collect_128x128_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<false, Bf16, Mma128x128>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_wgrad_collect_64x64_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<false, Bf16, Mma64x64>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_wgrad_collect_128x128_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<false, Fp16, Mma128x128>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_wgrad_collect_64x64_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<false, Fp16, Mma64x64>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(256) void mma_conv_wgrad_collect_128x128_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<false, float, Mma128x128>(x, dy, partial, geometry, split, wideResult);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_wgrad_collect_64x64_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry, DepthSplit split,
    int wideResult)
{
    mmaConvWgrad<false, float, Mma64x64>(x, dy, partial, geometry, split, wideResult);
}
