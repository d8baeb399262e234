// Max pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, in NCHW or NHWC:
//   y = max over (r, s) of x[h, w] inside the image, h = p strideH - padH + r dilationH, w likewise; the first of equals in row-major
//       order counts, NaN wins over what came before; -infinity where a window sees no pixel. The place r * S + s goes to one
//       byte (four where a window has more than 256 places), in y's order in memory.
//   dx = sum of dy over the windows whose place is this element: gathered in the order of the windows, so without atomics.
// Mapping: 256 threads; a thread per element of y (forward) or x (backward). For windows that no tile of shared memory holds
// (max_pool_tile.cu takes the others): windows that overlap share their reads in L1. Limited by bytes.
#include "pool/max_window.h"

template <typename T> __device__ __forceinline__ void maxPoolForward(const T* x, T* y, const PlaceArray& places, const PoolGeometry& g)
{
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= g.outputs) return;
    const PoolPlace at = poolPlace(index, g.outHeight, g.outWidth, g);
    int place[1];
    maxOfWindow(pixelsOf(x, at, g.height, g.width, g), g, at, place).store(y, index);
    places.store(place, index);
}

template <typename T> __device__ __forceinline__ void maxPoolBackward(const T* dy, const PlaceArray& places, T* dx, const PoolGeometry& g)
{
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= g.inputs) return;
    const PoolPlace at = poolPlace(index, g.inHeight, g.inWidth, g);
    gradientOfMaxima(pixelsOf(dy, at, g.outHeight.divisor, g.outWidth.divisor, g), places, g, at).store(dx, index);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_forward_f32(const float* x, float* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_backward_f32(const float* dy, unsigned char* bytes, int* integers,
    float* dx, PoolGeometry geometry)
{
    maxPoolBackward(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_forward_bf16(const Bf16* x, Bf16* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_backward_bf16(const Bf16* dy, unsigned char* bytes, int* integers,
    Bf16* dx, PoolGeometry geometry)
{
    maxPoolBackward(dy, {bytes, integers}, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_forward_f16(const Fp16* x, Fp16* y, unsigned char* bytes,
    int* integers, PoolGeometry geometry)
{
    maxPoolForward(x, y, {bytes, integers}, geometry);
}

extern "C" __global__ __launch_bounds__(256) void max_pool_backward_f16(const Fp16* dy, unsigned char* bytes, int* integers,
    Fp16* dx, PoolGeometry geometry)
{
    maxPoolBackward(dy, {bytes, integers}, dx, geometry);
}
