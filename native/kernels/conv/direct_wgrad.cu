// Gradient of a convolution by its filters where they are few, directly: at most 8 per group.
//
//   dw[k, c, r, s] = sum over n, p, q of dy[n, k, p, q] x[n, c, p * strideH + originH + r * tapH, ...]
//
// A warp owns a few taps of a channel and all filters; its lanes share the pixels of a tile: per pixel a lane reads a number per tap, and the
// gradients of all filters in 16-byte pieces. Sums stay in registers from tile to tile, lanes are added at the end.
//
// Grid (splits, groups of warps' taps, groups): split i takes tiles i, i + splits, ... and writes partial[split][group][k][c, r, s] in f32, which
// sum_splits adds up in order. Shared memory: the gradients [filter / 4][pixel], where the window of each pixel begins, what the tile
// sees (conv/direct_seen.h). Limited by instructions: 1.6 PTX to a multiply-add in the loop over pixels where filters fill their 4 or 8, and what
// staging takes: 6 to 8 in all for groups of four channels and eight filters.
#include "common/dtype.h"
#include "conv/direct_seen.h"

// Taps of a window in the order of its lines, a few to each warp.
template <int Filters> struct FewTaps
{
    static constexpr int taps = directSums / Filters;
    float sum[directSums];  // [tap][filter]
    int place[taps];        // in what is seen, for a window at 0

    __device__ __forceinline__ void addPixel(const float* window, const float4* gradient, int pixels)
    {
        float dy[Filters];
#pragma unroll
        for (int k = 0; k < Filters; k += 4) {
            const float4 four = gradient[k / 4 * pixels];
            dy[k] = four.x, dy[k + 1] = four.y, dy[k + 2] = four.z, dy[k + 3] = four.w;
        }
#pragma unroll
        for (int t = 0; t < taps; ++t) {
            const float x = window[place[t]];
#pragma unroll
            for (int k = 0; k < Filters; ++k) sum[t * Filters + k] = fmaf(dy[k], x, sum[t * Filters + k]);
        }
    }
};

// Adds as many sums as a warp has lanes over the lanes: in each round a lane keeps one half of its sums and hands the other over. Lane i
// ends with the total of sum i in the first: 31 exchanges instead of 160.
template <int Count> __device__ __forceinline__ void addLanes(float (&sums)[directSums])
{
    if constexpr (Count > 1) {
        constexpr int half = Count / 2;
        const bool upper = threadIdx.x & half;
#pragma unroll
        for (int i = 0; i < half; ++i) {
            const float low = sums[i], high = sums[i + half];
            sums[i] = (upper ? high : low) + __shfl_xor_sync(allLanes, upper ? low : high, half);
        }
        addLanes<half>(sums);
    }
}

// The gradients of a tile's pixels; others are left as they are. A warp takes a row of all filters, its lanes columns; where filters lie side
// by side, lanes take neighbouring numbers instead.
__device__ __forceinline__ void stageGradient(float* to, const float* __restrict__ dy, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int pixels)
{
    const bool last = g.out.channel == 1;
    const int there = min(t.columns, g.outWidth - at.column), length = last ? there * g.filters : there;
    for (int line = threadIdx.x / warpSize32; line < t.images * t.rows; line += blockDim.x / warpSize32) {
        TilePixel pixel = {0, 0, 0};
        pixel.image = divide(line, t.byRows, pixel.row);
        if (!exists(g, t, at, pixel)) continue;
        const float* const from = dy + outOffset(g, at, pixel);
        float* const row = to + line * t.columns * 4;
        for (int i = threadIdx.x % warpSize32; i < length; i += warpSize32) {
            int first = 0;
            const int column = last ? divide(i, t.byFilters, first) : i;
            for (int k = first; k < (last ? first + 1 : g.filters); ++k) row[(k / 4 * pixels + column) * 4 + k % 4] = load(from + column * g.out.column + (long long)k * g.out.channel);
        }
    }
}

// Where the windows of a tile's pixels begin in what is seen; -1 for pixels that do not exist.
__device__ __forceinline__ void stageWindows(int* to, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int pixels)
{
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) {
        const TilePixel pixel = pixelOfTile(t, i);
        to[i] = exists(g, t, at, pixel) ? seenOffset(g, t, pixel) : -1;
    }
}

template <int Filters>
__device__ __forceinline__ void directWgrad(const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ partial, const ConvGeometry& g, const DirectTile& t)
{
    constexpr int own = FewTaps<Filters>::taps;
    extern __shared__ float4 memory[];
    const int pixels = t.images * t.rows * t.columns, lane = threadIdx.x % warpSize32, warps = blockDim.x / warpSize32;
    int* const windows = reinterpret_cast<int*>(memory + Filters / 4 * pixels);
    float* const seen = reinterpret_cast<float*>(windows + pixels);
    const int window = g.windowHeight * g.windowWidth, warpsOfChannel = (window + own - 1) / own;
    const int firstWarp = blockIdx.y * warps, warp = firstWarp + threadIdx.x / warpSize32, group = blockIdx.z;
    const int first = firstWarp / warpsOfChannel, channel = warp / warpsOfChannel, firstTap = warp % warpsOfChannel * own;
    const int count = min(t.channels, g.channels - first);
    x += (long long)group * g.channels * g.in.channel, dy += (long long)group * g.filters * g.out.channel;

    FewTaps<Filters> thread = {};
#pragma unroll
    for (int i = 0; i < own; ++i) {
        int s;
        const int r = divide(min(firstTap + i, window - 1), g.byWindowWidth, s);
        thread.place[i] = (channel - first) * seenOfChannel(t) + r * g.tapH * t.pitch + s * g.tapW;
    }
    for (int i = threadIdx.x; i < Filters * pixels; i += blockDim.x) (&memory[0].x)[i] = 0.f;
    // Windows of whole tiles all begin at the same places.
    bool isStaged = false;
    for (int tile = blockIdx.x; tile < t.tiles; tile += gridDim.x) {
        const TilePixel at = tileAt(t, tile);
        const bool whole = isWhole(g, t, at);
        __syncthreads();
        stageGradient(&memory[0].x, dy, g, t, at, pixels);
        if (!whole || !isStaged) stageWindows(windows, g, t, at, pixels);
        isStaged = whole;
        stageSeen(seen, x, g, t, at, first, count);
        __syncthreads();
        if (channel >= g.channels) continue;
        for (int i = lane; i < pixels; i += warpSize32)
            if (windows[i] >= 0) thread.addPixel(seen + windows[i], memory + i, pixels);
    }
    if (channel >= g.channels) return;
    addLanes<directSums>(thread.sum);
    const int tap = firstTap + lane / Filters, k = lane % Filters;
    if (tap >= window || k >= g.filters) return;
    float* const out = partial + ((long long)blockIdx.x * gridDim.z + group) * g.filters * patchLength(g);
    out[(long long)k * patchLength(g) + channel * window + tap] = thread.sum[0];
}

extern "C" __global__ __launch_bounds__(384) void conv_direct_wgrad_4_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry, DirectTile tile)
{
    directWgrad<4>(x, dy, partial, geometry, tile);
}

extern "C" __global__ __launch_bounds__(384) void conv_direct_wgrad_8_f32(const float* x, const float* dy, float* partial, ConvGeometry geometry, DirectTile tile)
{
    directWgrad<8>(x, dy, partial, geometry, tile);
}
