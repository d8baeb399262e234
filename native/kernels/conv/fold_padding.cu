// Gradient of padding by reflection, replication or wrapping: dx[n, c, h, w] = the sum of padded[n, c, i, j] over the places
// (i, j) of the padded image that show pixel (h, w). Every pixel collects its own, in a fixed order.
//
// Grid (blocks over the elements of an image, images). A thread per element of dx, in the order of memory. Limited by bytes:
// the padded gradient is read once, dx written once.
#include "common/dtype.h"
#include "conv/geometry.h"

struct FoldGeometry
{
    ImageStrides padded, dx;
    int images, height, width, top, bottom, left, right;
    int padding;                // PaddingMode
    int count;                  // elements of an image
    FastDivisor inner, middle;  // sizes of the last and the last but one dimension in memory
};

// Calls visit(i) for every place i of a padded axis that shows pixel `at`.
template <class Visit>
__device__ __forceinline__ void forEachPlace(int at, int size, int before, int after, int padding, Visit visit)
{
    visit(at + before);
    for (int i = 0; i < before; ++i)
        if (sourcePixel(i - before, size, padding) == at) visit(i);
    for (int i = 0; i < after; ++i)
        if (sourcePixel(size + i, size, padding) == at) visit(before + size + i);
}

template <class T> __device__ __forceinline__ float foldPixel(const T* channel, const FoldGeometry& g, int h, int w)
{
    float sum = 0.f;
    forEachPlace(h, g.height, g.top, g.bottom, g.padding, [&](int i) {
        forEachPlace(w, g.width, g.left, g.right, g.padding, [&](int j) { sum += load(channel + i * g.padded.row + j * g.padded.column); });
    });
    return sum;
}

template <bool ChannelsLast, class T>
__device__ __forceinline__ void foldPadding(const T* __restrict__ padded, T* __restrict__ dx, const FoldGeometry& g)
{
    const int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= g.count) return;
    int middle, inner;
    const int outer = divide(divide(i, g.inner, inner), g.middle, middle);
    const int channel = ChannelsLast ? inner : outer, h = ChannelsLast ? outer : middle, w = ChannelsLast ? middle : inner;
    for (int n = blockIdx.y; n < g.images; n += gridDim.y)
        store(dx + n * g.dx.image + i, foldPixel(padded + n * g.padded.image + (long long)channel * g.padded.channel, g, h, w));
}

extern "C" __global__ __launch_bounds__(256) void fold_padding_nchw_f32(const float* padded, float* dx, FoldGeometry geometry)
{
    foldPadding<false>(padded, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void fold_padding_nchw_bf16(const Bf16* padded, Bf16* dx, FoldGeometry geometry)
{
    foldPadding<false>(padded, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void fold_padding_nchw_f16(const Fp16* padded, Fp16* dx, FoldGeometry geometry)
{
    foldPadding<false>(padded, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void fold_padding_nhwc_f32(const float* padded, float* dx, FoldGeometry geometry)
{
    foldPadding<true>(padded, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void fold_padding_nhwc_bf16(const Bf16* padded, Bf16* dx, FoldGeometry geometry)
{
    foldPadding<true>(padded, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void fold_padding_nhwc_f16(const Fp16* padded, Fp16* dx, FoldGeometry geometry)
{
    foldPadding<true>(padded, dx, geometry);
}
