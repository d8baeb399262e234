// Average pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, in NCHW or NHWC:
//   y = sum over the part of the window inside the image, over its number of elements (or, where padding counts, of those inside the
//       padded image);   dx = sum of dy / (that number) over the windows that hold the element, in the order of the windows.
// Mapping: 256 threads; a thread per element of y (forward) or x (backward); average_pool_wide_forward_*, for large windows in NCHW, a
// warp per element of y whose lanes take neighbouring elements of the window. For windows that no tile of shared memory holds
// (average_pool_tile.cu takes the others, global_average_pool.cu those as large as the image). Limited by bytes.
#include "common/reduce.h"
#include "pool/average_window.h"

template <typename T> __device__ __forceinline__ void averagePoolForward(const T* x, T* y, const PoolGeometry& g)
{
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= g.outputs) return;
    const PoolPlace at = poolPlace(index, g.outHeight, g.outWidth, g);
    averageOfWindow(pixelsOf(x, at, g.height, g.width, g), g, at).store(y, index);
}

template <typename T> __device__ __forceinline__ void averagePoolWideForward(const T* x, T* y, const PoolGeometry& g)
{
    const int index = blockIdx.x * (blockDim.x / warpSize32) + threadIdx.x / warpSize32, lane = threadIdx.x % warpSize32;
    if (index >= g.outputs) return;
    const PoolPlace at = poolPlace(index, g.outHeight, g.outWidth, g);
    const AverageWindow window(at.row, at.column, g);
    const T* plane = x + (long long)at.outer * g.height * g.width;
    int height = window.rows.end - window.rows.first, length = window.columns.end - window.columns.first;
    // Windows as wide as the plane are one run of memory.
    if (length == g.width && height > 0) length *= height, height = 1;
    float sum = 0.0f;
    for (int row = 0; row < height; ++row) {
        const T* line = plane + (window.rows.first + row) * g.width + window.columns.first;
        for (int i = lane; i < length; i += warpSize32) sum += load(line + i);
    }
    sum = warpSum(sum);
    if (lane == 0) store(y + index, sum / window.divisor);
}

template <typename T> __device__ __forceinline__ void averagePoolBackward(const T* dy, T* dx, const PoolGeometry& g)
{
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= g.inputs) return;
    const PoolPlace at = poolPlace(index, g.inHeight, g.inWidth, g);
    gradientOfAverages(pixelsOf(dy, at, g.outHeight.divisor, g.outWidth.divisor, g), g, at).store(dx, index);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_forward_f32(const float* x, float* y, PoolGeometry geometry)
{
    averagePoolForward(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_backward_f32(const float* dy, float* dx,
    PoolGeometry geometry)
{
    averagePoolBackward(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_wide_forward_f32(const float* x, float* y,
    PoolGeometry geometry)
{
    averagePoolWideForward(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_forward_bf16(const Bf16* x, Bf16* y, PoolGeometry geometry)
{
    averagePoolForward(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_backward_bf16(const Bf16* dy, Bf16* dx, PoolGeometry geometry)
{
    averagePoolBackward(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_wide_forward_bf16(const Bf16* x, Bf16* y,
    PoolGeometry geometry)
{
    averagePoolWideForward(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_forward_f16(const Fp16* x, Fp16* y, PoolGeometry geometry)
{
    averagePoolForward(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_backward_f16(const Fp16* dy, Fp16* dx, PoolGeometry geometry)
{
    averagePoolBackward(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void average_pool_wide_forward_f16(const Fp16* x, Fp16* y,
    PoolGeometry geometry)
{
    averagePoolWideForward(x, y, geometry);
}
