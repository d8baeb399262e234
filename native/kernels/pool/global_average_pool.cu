// Global average pooling, x (N, C, H, W) -> y (N, C, 1, 1), and its gradient: y = mean of x over H * W, dx = dy / (H * W). `area` is H * W.
// Mapping, 256 threads:
//   planes (NCHW)    forward: 2^laneBits lanes, up to a whole block, for each plane; they take its 16-byte vectors in turn, and the elements
//                    before the first and after the last one by one (planes of 7 x 7 begin anywhere). Backward: a thread per 16 bytes of dx,
//                    which may lie in several planes.
//   channels (NHWC)  a block for an image and a slice of 2^vectorBits vectors of 16 bytes of channels; its threads share the rows of x,
//                    and their sums meet in shuffles and shared memory. Backward: a thread reads its dy once and writes it to its rows.
// All addresses are multiples of 16, and in NHWC the channels are whole vectors; other tensors go through average_pool.cu. Limited by bytes:
// every sector is asked for by one block, but for those where two blocks' planes meet.
#include "common/divide.h"
#include "common/elements.h"
#include "common/reduce.h"

constexpr int globalThreads = 256, globalWarps = globalThreads / warpSize32;

// Adds `count` vectors that stand `pitch` vectors apart; all of them are on their way at once.
template <int count, typename T, int width> __device__ __forceinline__ void addVectors(const T* x, long long pitch, Elements<T, width>& sum)
{
    Elements<T, width> values[count];
#pragma unroll
    for (int j = 0; j < count; ++j) values[j] = Elements<T, width>::load(x, j * pitch);
#pragma unroll
    for (int j = 0; j < count; ++j) {
#pragma unroll
        for (int k = 0; k < width; ++k) sum.at[k] += values[j].at[k];
    }
}

// Adds vectors first, first + step, ... below end, which stand `pitch` vectors apart.
template <typename T, int width>
__device__ __forceinline__ void addEvery(const T* x, long long pitch, int first, int end, int step, Elements<T, width>& sum)
{
    constexpr int atOnce = 4;
    const long long apart = step * pitch;
    const T* from = x + first * pitch * width;
    int left = end > first ? (end - first - 1) / step + 1 : 0;
    for (; left >= atOnce; left -= atOnce, from += atOnce * apart * width) addVectors<atOnce>(from, apart, sum);
    for (; left > 0; --left, from += apart * width) addVectors<1>(from, apart, sum);
}

// This lane's part of the sum of x[start] to x[end - 1].
template <typename T> __device__ __forceinline__ float sumOfRun(const T* x, int start, int end, int lane, int lanes)
{
    constexpr int width = vectorWidth<T>;
    const int first = min((start + width - 1) / width * width, end), last = max(end / width * width, first);
    Elements<T, width> sums = {};
    addEvery(x, 1, first / width + lane, last / width, lanes, sums);
    float sum = 0.0f;
#pragma unroll
    for (int k = 0; k < width; ++k) sum += sums.at[k];
    const int before = first - start;
    for (int i = lane; i < before + end - last; i += lanes) sum += load(x + (i < before ? start + i : last + i - before));
    return sum;
}

template <typename T> __device__ __forceinline__ void planesForward(const T* x, T* y, int planes, int area, int laneBits)
{
    const int thread = blockIdx.x * globalThreads + threadIdx.x, lanes = 1 << laneBits, plane = thread >> laneBits, lane = thread & (lanes - 1);
    const int start = plane < planes ? plane * area : 0, end = plane < planes ? start + area : 0;
    float sum = sumOfRun(x, start, end, lane, lanes);
    if (lanes == globalThreads) sum = blockSum<globalThreads>(sum);
    else
        for (int apart = lanes / 2; apart > 0; apart /= 2) sum += __shfl_xor_sync(allLanes, sum, apart);
    if (plane < planes && lane == 0) store(y + plane, sum / (float)area);
}

template <typename T> __device__ __forceinline__ void planesBackward(const T* dy, T* dx, int count, const FastDivisor& area)
{
    constexpr int width = vectorWidth<T>;
    const int first = (blockIdx.x * globalThreads + threadIdx.x) * width, size = area.divisor;
    if (first + width > count) {
#pragma unroll 1
        for (int i = first; i < count; ++i) store(dx + i, load(dy + divide(i, area)) / (float)size);
        return;
    }
    int place, plane = divide(first, area, place);
    float share = load(dy + plane) / (float)size;
    Vector<T> shares;
#pragma unroll
    for (int k = 0; k < width; ++k, ++place) {
        if (place == size) place = 0, share = load(dy + ++plane) / (float)size;
        shares[k] = share;
    }
    storeVector(dx + first, shares);
}

// Where a thread works in NHWC: rows row, row + rowsAtOnce, ... of an image at one vector of channels.
struct ChannelPlace
{
    int image, vector, channel, row, rowsAtOnce;

    __device__ __forceinline__ ChannelPlace(int vectorBits, const FastDivisor& slices)
    {
        int slice;
        image = divide(blockIdx.x, slices, slice);
        vector = threadIdx.x & ((1 << vectorBits) - 1);
        channel = (slice << vectorBits) + vector;
        row = threadIdx.x >> vectorBits;
        rowsAtOnce = globalThreads >> vectorBits;
    }
};

template <typename T>
__device__ __forceinline__ void channelsForward(const T* x, T* y, int area, int channelVectors, int vectorBits, const FastDivisor& slices)
{
    constexpr int width = vectorWidth<T>;
    const ChannelPlace at(vectorBits, slices);
    Elements<T, width> sum = {};
    const int rows = at.channel < channelVectors ? area : 0;
    const long long first = (long long)at.image * area * channelVectors + at.channel;
    addEvery(x + first * width, channelVectors, at.row, rows, at.rowsAtOnce, sum);

    // Lanes of a warp with the same channels; then the warps.
    for (int apart = warpSize32 / 2; apart >= 1 << vectorBits; apart /= 2) {
#pragma unroll
        for (int k = 0; k < width; ++k) sum.at[k] += __shfl_xor_sync(allLanes, sum.at[k], apart);
    }
    __shared__ float partial[globalWarps][width][warpSize32];
    const int warp = threadIdx.x / warpSize32, lane = threadIdx.x % warpSize32;
#pragma unroll
    for (int k = 0; k < width; ++k) partial[warp][k][lane] = sum.at[k];
    __syncthreads();
    if (threadIdx.x >= 1 << vectorBits || rows == 0) return;
#pragma unroll
    for (int k = 0; k < width; ++k) {
#pragma unroll
        for (int other = 1; other < globalWarps; ++other) sum.at[k] += partial[other][k][lane];
        sum.at[k] /= (float)area;
    }
    sum.store(y, (long long)at.image * channelVectors + at.channel);
}

template <typename T>
__device__ __forceinline__ void channelsBackward(const T* dy, T* dx, int area, int channelVectors, int vectorBits, const FastDivisor& slices)
{
    constexpr int width = vectorWidth<T>;
    const ChannelPlace at(vectorBits, slices);
    if (at.channel >= channelVectors) return;
    auto share = Elements<T, width>::load(dy, (long long)at.image * channelVectors + at.channel);
#pragma unroll
    for (int k = 0; k < width; ++k) share.at[k] /= (float)area;
    for (int row = at.row; row < area; row += at.rowsAtOnce) share.store(dx, ((long long)at.image * area + row) * channelVectors + at.channel);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_planes_forward_f32(const float* x, float* y, int planes, int area,
    int laneBits)
{
    planesForward(x, y, planes, area, laneBits);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_planes_backward_f32(const float* dy, float* dx, int count,
    FastDivisor area)
{
    planesBackward(dy, dx, count, area);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_channels_forward_f32(const float* x, float* y, int area,
    int channelVectors, int vectorBits, FastDivisor slices)
{
    channelsForward(x, y, area, channelVectors, vectorBits, slices);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_channels_backward_f32(const float* dy, float* dx, int area,
    int channelVectors, int vectorBits, FastDivisor slices)
{
    channelsBackward(dy, dx, area, channelVectors, vectorBits, slices);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_planes_forward_bf16(const Bf16* x, Bf16* y, int planes, int area,
    int laneBits)
{
    planesForward(x, y, planes, area, laneBits);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_planes_backward_bf16(const Bf16* dy, Bf16* dx, int count,
    FastDivisor area)
{
    planesBackward(dy, dx, count, area);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_channels_forward_bf16(const Bf16* x, Bf16* y, int area,
    int channelVectors, int vectorBits, FastDivisor slices)
{
    channelsForward(x, y, area, channelVectors, vectorBits, slices);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_channels_backward_bf16(const Bf16* dy, Bf16* dx, int area,
    int channelVectors, int vectorBits, FastDivisor slices)
{
    channelsBackward(dy, dx, area, channelVectors, vectorBits, slices);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_planes_forward_f16(const Fp16* x, Fp16* y, int planes, int area,
    int laneBits)
{
    planesForward(x, y, planes, area, laneBits);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_planes_backward_f16(const Fp16* dy, Fp16* dx, int count,
    FastDivisor area)
{
    planesBackward(dy, dx, count, area);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_channels_forward_f16(const Fp16* x, Fp16* y, int area,
    int channelVectors, int vectorBits, FastDivisor slices)
{
    channelsForward(x, y, area, channelVectors, vectorBits, slices);
}

extern "C" __global__ __launch_bounds__(256) void global_average_pool_channels_backward_f16(const Fp16* dy, Fp16* dx, int area,
    int channelVectors, int vectorBits, FastDivisor slices)
{
    channelsBackward(dy, dx, area, channelVectors, vectorBits, slices);
}
