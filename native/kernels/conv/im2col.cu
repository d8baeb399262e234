// The explicit way to convolve, which teaches: write down what every window sees, then multiply matrices.
//
//   im2col: columns[n][(c, r, s)][(p, q)] (channels first) or columns[(n, p, q)][(r, s, c)] (channels last)
//           = x[n, c, p * strideH + originH + r * tapH, ...]
//   col2im: dx[n, c, h, w] = sum of columns over the (r, s, p, q) whose window read (h, w); no padding modes but zeros
//
// One group of channels per launch. Grid (blocks over the elements of an image, images), one element of the target per
// thread: windows that overlap meet in a sum of fixed order, no atomics.
// Elements of f32, bf16 or f16; col2im sums in f32 and rounds once.
// Limited by bytes: R * S times the image is written and read again, which is why nobody computes so who is in a hurry.
#include "common/dtype.h"
#include "conv/geometry.h"

template <bool ChannelsLast, class T>
__device__ __forceinline__ void im2col(const T* __restrict__ x, T* __restrict__ columns, const ConvGeometry& g)
{
    const int i = blockIdx.x * 256 + threadIdx.x, length = patchLength(g), pixels = outPixels(g);
    if (i >= length * pixels) return;
    const int element = ChannelsLast ? i % length : i / pixels, place = ChannelsLast ? i / length : i % pixels;
    const Tap tap = ChannelsLast ? tapChannelsLast(g, element) : tapChannelsFirst(g, element);
    const Pixel pixel = outPixel(g, place);
    const int offset = sourceOffset(g, pixel.h * g.strideH + g.originH + tap.h, pixel.w * g.strideW + g.originW + tap.w);
    for (int n = blockIdx.y; n < g.images; n += gridDim.y)
        columns[(long long)n * length * pixels + i] = offset < 0 ? T{} : x[n * g.in.image + tap.channel * g.in.channel + offset];
}

// The output row (column) whose window reads place `at` with a tap at `tap`; -1 if none does.
__device__ __forceinline__ int windowOf(int at, int tap, int stride, int count)
{
    const int distance = at - tap;
    return distance >= 0 && distance % stride == 0 && distance / stride < count ? distance / stride : -1;
}

template <bool ChannelsLast, class T>
__device__ __forceinline__ float sumOfWindows(const T* columns, const ConvGeometry& g, int channel, int h, int w)
{
    const int pixels = outPixels(g), length = patchLength(g);
    float sum = 0.f;
    for (int r = 0; r < g.windowHeight; ++r) {
        const int p = windowOf(h - g.originH, r * g.tapH, g.strideH, g.outHeight);
        for (int s = 0; p >= 0 && s < g.windowWidth; ++s) {
            const int q = windowOf(w - g.originW, s * g.tapW, g.strideW, g.outWidth);
            if (q < 0) continue;
            const int place = p * g.outWidth + q, tap = r * g.windowWidth + s;
            sum += load(columns + (ChannelsLast ? place * length + tap * g.channels + channel
                                                : (channel * g.windowHeight * g.windowWidth + tap) * pixels + place));
        }
    }
    return sum;
}

template <bool ChannelsLast, class T>
__device__ __forceinline__ void col2im(const T* __restrict__ columns, T* __restrict__ dx, const ConvGeometry& g)
{
    const int i = blockIdx.x * 256 + threadIdx.x, area = g.height * g.width;
    if (i >= g.channels * area) return;
    const int channel = ChannelsLast ? i % g.channels : i / area, place = ChannelsLast ? i / g.channels : i % area;
    const int h = place / g.width, w = place % g.width;
    const long long image = (long long)patchLength(g) * outPixels(g);
    for (int n = blockIdx.y; n < g.images; n += gridDim.y)
        store(dx + n * g.in.image + channel * g.in.channel + h * g.in.row + w * g.in.column,
              sumOfWindows<ChannelsLast>(columns + n * image, g, channel, h, w));
}

extern "C" __global__ __launch_bounds__(256) void im2col_nchw_f32(const float* x, float* columns, ConvGeometry geometry)
{
    im2col<false>(x, columns, geometry);
}

extern "C" __global__ __launch_bounds__(256) void im2col_nchw_bf16(const Bf16* x, Bf16* columns, ConvGeometry geometry)
{
    im2col<false>(x, columns, geometry);
}

extern "C" __global__ __launch_bounds__(256) void im2col_nchw_f16(const Fp16* x, Fp16* columns, ConvGeometry geometry)
{
    im2col<false>(x, columns, geometry);
}

extern "C" __global__ __launch_bounds__(256) void im2col_nhwc_f32(const float* x, float* columns, ConvGeometry geometry)
{
    im2col<true>(x, columns, geometry);
}

extern "C" __global__ __launch_bounds__(256) void im2col_nhwc_bf16(const Bf16* x, Bf16* columns, ConvGeometry geometry)
{
    im2col<true>(x, columns, geometry);
}

extern "C" __global__ __launch_bounds__(256) void im2col_nhwc_f16(const Fp16* x, Fp16* columns, ConvGeometry geometry)
{
    im2col<true>(x, columns, geometry);
}

extern "C" __global__ __launch_bounds__(256) void col2im_nchw_f32(const float* columns, float* dx, ConvGeometry geometry)
{
    col2im<false>(columns, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void col2im_nchw_bf16(const Bf16* columns, Bf16* dx, ConvGeometry geometry)
{
    col2im<false>(columns, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void col2im_nchw_f16(const Fp16* columns, Fp16* dx, ConvGeometry geometry)
{
    col2im<false>(columns, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void col2im_nhwc_f32(const float* columns, float* dx, ConvGeometry geometry)
{
    col2im<true>(columns, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void col2im_nhwc_bf16(const Bf16* columns, Bf16* dx, ConvGeometry geometry)
{
    col2im<true>(columns, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void col2im_nhwc_f16(const Fp16* columns, Fp16* dx, ConvGeometry geometry)
{
    col2im<true>(columns, dx, geometry);
}
