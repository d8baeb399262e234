// Max pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, in NCHW or NHWC:
//   y = max over (r, s) of x[h, w] inside the image, h = p strideH - padH + r dilationH, w likewise; the first of equals in row-major
//       order counts, NaN wins over what came before; -infinity where a window sees no pixel. The place r * S + s goes to one
//       byte (four where a window has more than 256 places), in y's order in memory.
//   dx = sum of dy over the windows whose place is this element: gathered in the order of the windows, so without atomics.
// Mapping: 256 threads; a thread per element of y (forward) or x (backward) in NCHW; in NHWC per 16 bytes of channels where C and the
// addresses allow (the *_vector entries). Windows that overlap share their reads in L1. Limited by bytes: x, y and the places
// are moved once. Windows of 2 x 2 and 3 x 3 are unrolled.
#include "common/elements.h"
#include "common/math.h"
#include "pool/places.h"
#include "pool/pool_geometry.h"

template <typename T, int width, int fixedHeight, int fixedWidth>
__device__ __forceinline__ void maxOfWindow(
    const T* x, const PoolGeometry& g, const PoolPlace& at, Elements<T, width>& best, int (&place)[width])
{
    constexpr int unrollHeight = fixedHeight ? fixedHeight : 1, unrollWidth = fixedWidth ? fixedWidth : 1;
    const int windowHeight = fixedHeight ? fixedHeight : g.windowHeight, windowWidth = fixedWidth ? fixedWidth : g.windowWidth;
    const int top = at.row * (int)g.strideHeight.divisor - g.padHeight, left = at.column * (int)g.strideWidth.divisor - g.padWidth;
#pragma unroll unrollHeight
    for (int r = 0; r < windowHeight; ++r) {
        const int h = top + r * g.dilationHeight;
        if (h < 0 || h >= g.height) continue;
#pragma unroll unrollWidth
        for (int s = 0; s < windowWidth; ++s) {
            const int w = left + s * g.dilationWidth;
            if (w < 0 || w >= g.width) continue;
            const auto values = Elements<T, width>::load(x, poolOffset(at, g.height, g.width, h, w, g));
#pragma unroll
            for (int k = 0; k < width; ++k) {
                const float value = values.at[k];
                if (place[k] < 0 || value > best.at[k] || cnn::isNan(value)) best.at[k] = value, place[k] = r * windowWidth + s;
            }
        }
    }
}

template <typename T, int width>
__device__ __forceinline__ void maxPoolForward(const T* x, T* y, PlaceArray places, const PoolGeometry& g)
{
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= g.outputs) return;
    const PoolPlace at = poolPlace(index, g.outHeight, g.outWidth, g);
    Elements<T, width> best;
    int place[width];
#pragma unroll
    for (int k = 0; k < width; ++k) best.at[k] = -cnn::infinity, place[k] = -1;
    if (g.windowHeight == 2 && g.windowWidth == 2) maxOfWindow<T, width, 2, 2>(x, g, at, best, place);
    else if (g.windowHeight == 3 && g.windowWidth == 3) maxOfWindow<T, width, 3, 3>(x, g, at, best, place);
    else maxOfWindow<T, width, 0, 0>(x, g, at, best, place);
#pragma unroll
    for (int k = 0; k < width; ++k) place[k] = max(place[k], 0);
    best.store(y, index);
    places.store(place, index);
}

// The place in a window at `start` that is `padded`, or -1 where the dilation steps over it. -1 never equals a place.
__device__ __forceinline__ int placeInWindow(int padded, int start, int dilation)
{
    const int distance = padded - start;
    if (dilation == 1) return distance;
    return distance % dilation == 0 ? distance / dilation : -1;
}

template <typename T, int width>
__device__ __forceinline__ void maxPoolBackward(const T* dy, PlaceArray places, T* dx, const PoolGeometry& g)
{
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= g.inputs) return;
    const PoolPlace at = poolPlace(index, g.inHeight, g.inWidth, g);
    const int padH = at.row + g.padHeight, padW = at.column + g.padWidth, outHeight = g.outHeight.divisor, outWidth = g.outWidth.divisor;
    const Range rows = windowsOver(padH, (g.windowHeight - 1) * g.dilationHeight + 1, g.strideHeight, outHeight);
    const Range columns = windowsOver(padW, (g.windowWidth - 1) * g.dilationWidth + 1, g.strideWidth, outWidth);
    Elements<T, width> sum = {};
    for (int p = rows.first; p < rows.end; ++p) {
        const int r = placeInWindow(padH, p * (int)g.strideHeight.divisor, g.dilationHeight);
        if (r < 0) continue;
        for (int q = columns.first; q < columns.end; ++q) {
            const int s = placeInWindow(padW, q * (int)g.strideWidth.divisor, g.dilationWidth);
            if (s < 0) continue;
            const long long from = poolOffset(at, outHeight, outWidth, p, q, g);
            int place[width];
            places.load(place, from);
            const auto gradient = Elements<T, width>::load(dy, from);
#pragma unroll
            for (int k = 0; k < width; ++k)
                if (place[k] == r * g.windowWidth + s) sum.at[k] += gradient.at[k];
        }
    }
    sum.store(dx, index);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_forward_f32(const float* x, float* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward<float, 1>(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_backward_f32(const float* dy, unsigned char* bytes, int* integers,
    float* dx, PoolGeometry geometry)
{
    maxPoolBackward<float, 1>(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_vector_forward_f32(const float* x, float* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward<float, vectorWidth<float>>(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_vector_backward_f32(const float* dy, unsigned char* bytes,
    int* integers, float* dx, PoolGeometry geometry)
{
    maxPoolBackward<float, vectorWidth<float>>(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_forward_bf16(const Bf16* x, Bf16* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward<Bf16, 1>(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_backward_bf16(const Bf16* dy, unsigned char* bytes, int* integers,
    Bf16* dx, PoolGeometry geometry)
{
    maxPoolBackward<Bf16, 1>(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_vector_forward_bf16(const Bf16* x, Bf16* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward<Bf16, vectorWidth<Bf16>>(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_vector_backward_bf16(const Bf16* dy, unsigned char* bytes,
    int* integers, Bf16* dx, PoolGeometry geometry)
{
    maxPoolBackward<Bf16, vectorWidth<Bf16>>(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_forward_f16(const Fp16* x, Fp16* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward<Fp16, 1>(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_backward_f16(const Fp16* dy, unsigned char* bytes, int* integers,
    Fp16* dx, PoolGeometry geometry)
{
    maxPoolBackward<Fp16, 1>(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_vector_forward_f16(const Fp16* x, Fp16* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward<Fp16, vectorWidth<Fp16>>(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_vector_backward_f16(const Fp16* dy, unsigned char* bytes,
    int* integers, Fp16* dx, PoolGeometry geometry)
{
    maxPoolBackward<Fp16, vectorWidth<Fp16>>(dy, {bytes, integers}, dx, geometry);
}
