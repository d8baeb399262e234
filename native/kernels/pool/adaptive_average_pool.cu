// Adaptive average pooling, x (N, C, H, W) -> y (N, C, P, Q), and its gradient, in NCHW or NHWC:
//   y[p, q] = mean of x[h, w] over floor(p H / P) <= h < ceil((p + 1) H / P), w likewise;
//   dx[h, w] = sum of dy[p, q] / (elements of its window) over the windows that hold (h, w), in their order. They are
//       floor(h P / H) <= p < ceil((h + 1) P / H), q likewise: the formula above with H and P exchanged.
// Mapping, in NCHW by elements, in NHWC by 16 bytes of channels where C and the addresses allow (the *_vector entries): forward, a thread per
// element of y, or a group of lanes where windows are large; backward, a thread goes down a strip of a column of dx and keeps what the
// last row of dy gives to that column, for neighbouring rows of dx get mostly the same. Windows overlap by a row and a column, so a block
// takes a run of rows or planes, in NHWC of a slice of up to 128 bytes of channels, that is long against what it shares with the next
// block; within the block L1 brings each sector once.
// Limited by bytes in NHWC; in NCHW by instructions, for rows begin anywhere and elements are moved one by one.
#include "common/elements.h"
#include "common/reduce.h"
#include "pool/pool_geometry.h"

// Sizes, and the walk over the elements of y or strips of x in the order plane or image, slice, strip, column, lane, vector of channels; twin
// of the C# struct of the same name.
struct AdaptiveGeometry
{
    FastDivisor inHeight, inWidth, outHeight, outWidth;  // H, W, P, Q
    FastDivisor vectors, lanes, slices;  // vectors of channels in a slice and lanes to a window (vectors * lanes is a power of two up to 32,
                                         // or lanes is 1); slices of an image. NCHW: 1 vector, 1 slice
    FastDivisor strips;                  // rows of y (forward), strips of rows of x (backward)
    int stripRows;                       // rows of a strip
    int channelVectors;                  // of a pixel: C / elements per thread; NCHW: 1
    int threads, perBlock;               // in the walk; those of a block
    int isLong;                          // whether an index times a size takes more than 31 bits
};

// floor(index * size / count) up to ceil((index + 1) * size / count).
__device__ __forceinline__ Range adaptiveWindow(int index, const FastDivisor& size, const FastDivisor& count, const AdaptiveGeometry& g)
{
    const int of = size.divisor, over = count.divisor;
    if (g.isLong) return {(int)((long long)index * of / over), (int)(((index + 1LL) * of + over - 1) / over)};
    return {divide(index * of, count), divide((index + 1) * of + over - 1, count)};
}

__device__ __forceinline__ int length(const Range& range) { return range.end - range.first; }

struct AdaptivePlace
{
    bool active;
    int outer, strip, column, lane, channel;

    // `number` of the block's part of the walk.
    __device__ __forceinline__ AdaptivePlace(int number, const FastDivisor& columns, const AdaptiveGeometry& g)
    {
        int index = blockIdx.x * g.perBlock + number, vector, slice;
        active = number < g.perBlock && index < g.threads;
        index = divide(active ? index : 0, g.vectors, vector);
        index = divide(index, g.lanes, lane);
        index = divide(index, columns, column);
        index = divide(index, g.strips, strip);
        outer = divide(index, g.slices, slice);
        channel = slice * (int)g.vectors.divisor + vector;
        active = active && channel < g.channelVectors;  // the last slice may be shorter
    }

    // Vector number of an element of a height x width plane at this channel.
    __device__ __forceinline__ long long offset(int h, int w, const FastDivisor& height, const FastDivisor& width, const AdaptiveGeometry& g) const
    {
        return (((long long)outer * height.divisor + h) * width.divisor + w) * g.channelVectors + channel;
    }
};

template <typename T, int width>
__device__ __forceinline__ void adaptiveForward(const T* x, T* y, const AdaptiveGeometry& g)
{
    const int lanes = g.lanes.divisor;
    for (int first = 0; first < g.perBlock; first += blockDim.x) {
        const AdaptivePlace at(first + threadIdx.x, g.outWidth, g);
        const Range rows = adaptiveWindow(at.strip, g.inHeight, g.outHeight, g), columns = adaptiveWindow(at.column, g.inWidth, g.outWidth, g);
        Elements<T, width> sum = {};
        for (int h = rows.first; at.active && h < rows.end; ++h) {
            Elements<T, width> row = {};
            const long long start = at.offset(h, 0, g.inHeight, g.inWidth, g);
#pragma unroll 1
            for (int w = columns.first + at.lane; w < columns.end; w += lanes) add(Elements<T, width>::load(x, start + w * g.channelVectors), row);
            add(row, sum);
        }
        for (int apart = lanes / 2 * g.vectors.divisor; apart >= (int)g.vectors.divisor; apart /= 2) {
#pragma unroll
            for (int k = 0; k < width; ++k) sum.at[k] += __shfl_xor_sync(allLanes, sum.at[k], apart);
        }
        const float elements = (float)(length(rows) * length(columns));
#pragma unroll
        for (int k = 0; k < width; ++k) sum.at[k] /= elements;
        if (at.active && at.lane == 0) sum.store(y, at.offset(at.strip, at.column, g.outHeight, g.outWidth, g));
    }
}

// What row p of dy gives to each row of its windows in one column, which windows `columns` hold; `from`: the first of these in row 0.
template <typename T, int width>
__device__ __forceinline__ Elements<T, width> sharesOfRow(const T* from, int p, const Range& columns, const AdaptiveGeometry& g)
{
    const int height = length(adaptiveWindow(p, g.inHeight, g.outHeight, g)), pixel = g.channelVectors * width;
    from += (long long)p * g.outWidth.divisor * pixel;
    Elements<T, width> shares = {};
#pragma unroll 1
    for (int q = columns.first; q < columns.end; ++q, from += pixel) {
        const float share = 1.0f / (float)(height * length(adaptiveWindow(q, g.inWidth, g.outWidth, g)));
        const auto gradient = Elements<T, width>::load(from, 0);
#pragma unroll
        for (int k = 0; k < width; ++k) shares.at[k] += gradient.at[k] * share;
    }
    return shares;
}

template <typename T, int width>
__device__ __forceinline__ void adaptiveBackward(const T* dy, T* dx, const AdaptiveGeometry& g)
{
    const int pixel = g.channelVectors * width;
    for (int first = 0; first < g.perBlock; first += blockDim.x) {
        const AdaptivePlace at(first + threadIdx.x, g.inWidth, g);
        if (!at.active) continue;
        const Range columns = adaptiveWindow(at.column, g.outWidth, g.inWidth, g);
        const int top = at.strip * g.stripRows, end = min(top + g.stripRows, (int)g.inHeight.divisor);
        const T* from = dy + at.offset(0, columns.first, g.outHeight, g.outWidth, g) * width;
        T* to = dx + at.offset(top, at.column, g.inHeight, g.inWidth, g) * width;
        Elements<T, width> held = {};
        int heldRow = -1;
#pragma unroll 1
        for (int h = top; h < end; ++h, to += g.inWidth.divisor * pixel) {
            const Range rows = adaptiveWindow(h, g.outHeight, g.inHeight, g);
            Elements<T, width> sum = {};
#pragma unroll 1
            for (int p = rows.first; p < rows.end; ++p) {
                if (p != heldRow) held = sharesOfRow<T, width>(from, p, columns, g);
                heldRow = p;
                add(held, sum);
            }
            sum.store(to, 0);
        }
    }
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_forward_f32(const float* x, float* y,
    AdaptiveGeometry geometry)
{
    adaptiveForward<float, 1>(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_backward_f32(const float* dy, float* dx,
    AdaptiveGeometry geometry)
{
    adaptiveBackward<float, 1>(dy, dx, geometry);
}

// At least one block: without that bound ptxas spills to fit more of them.
extern "C" __global__ __launch_bounds__(256, 1) void adaptive_average_pool_vector_forward_f32(const float* x, float* y,
    AdaptiveGeometry geometry)
{
    adaptiveForward<float, vectorWidth<float>>(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_vector_backward_f32(const float* dy, float* dx,
    AdaptiveGeometry geometry)
{
    adaptiveBackward<float, vectorWidth<float>>(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_forward_bf16(const Bf16* x, Bf16* y,
    AdaptiveGeometry geometry)
{
    adaptiveForward<Bf16, 1>(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_backward_bf16(const Bf16* dy, Bf16* dx,
    AdaptiveGeometry geometry)
{
    adaptiveBackward<Bf16, 1>(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256, 1) void adaptive_average_pool_vector_forward_bf16(const Bf16* x, Bf16* y,
    AdaptiveGeometry geometry)
{
    adaptiveForward<Bf16, vectorWidth<Bf16>>(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_vector_backward_bf16(const Bf16* dy, Bf16* dx,
    AdaptiveGeometry geometry)
{
    adaptiveBackward<Bf16, vectorWidth<Bf16>>(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_forward_f16(const Fp16* x, Fp16* y,
    AdaptiveGeometry geometry)
{
    adaptiveForward<Fp16, 1>(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_backward_f16(const Fp16* dy, Fp16* dx,
    AdaptiveGeometry geometry)
{
    adaptiveBackward<Fp16, 1>(dy, dx, geometry);
}

extern "C" __global__ __launch_bounds__(256, 1) void adaptive_average_pool_vector_forward_f16(const Fp16* x, Fp16* y,
    AdaptiveGeometry geometry)
{
    adaptiveForward<Fp16, vectorWidth<Fp16>>(x, y, geometry);
}

extern "C" __global__ __launch_bounds__(256) void adaptive_average_pool_vector_backward_f16(const Fp16* dy, Fp16* dx,
    AdaptiveGeometry geometry)
{
    adaptiveBackward<Fp16, vectorWidth<Fp16>>(dy, dx, geometry);
}
