// Gradient of a convolution by its filters where they are few, on matrix units, bf16 and f16, directly: at most 16 per group.
//
//   dw[k, c, r, s] = sum over n, p, q of dy[n, k, p, q] x[n, c, p * strideH + originH + r * tapH, ...]
//
// rows = filters, columns = taps (c, r, s), depth = words (pixel of a pair of images), eight to a step. A warp has 32 taps; warps of a block have
// other taps, or other steps of the same: those are added at the end. Sums stay in registers from tile to tile.
//
// Grid (splits, groups of taps, groups), 32 to 256 threads: split i takes tiles i, i + splits, ... and writes partial[split][group][k][c, r, s] in f32,
// which sum_splits adds up in order. Shared memory: the gradients [filter][pixel], where the window of each pixel begins, what the tile sees of the
// block's channels (conv/direct_pairs.h); in the end the sums of all warps. Limited by instructions, as the forward kernel.
#include "conv/direct_pairs.h"

// Pixels filled up to whole steps, and the distance of their rows: those of eight filters begin in banks four apart.
__device__ __forceinline__ int inWholeSteps(int pixels) { return (pixels + wordsOfStep - 1) / wordsOfStep * wordsOfStep; }
__device__ __forceinline__ int gradientPitch(int pixels) { return inWholeSteps(pixels) + 4; }

// Products of a warp side by side, which share their gradients, and the taps that makes.
constexpr int tapProducts = 4, tapsOfWarp = tapProducts * columnsOfProduct;

// Filters of 32 taps in shared memory: a lane's two neighbours go to their own banks.
constexpr int sumPitch = tapsOfWarp + 8, sumsOfWarp = mostDirectFilters * sumPitch;

// The sums of a warp's 32 taps and 16 filters: lane i has filters i / 4 and 8 more, taps 2 (i % 4) and the next of each product.
template <class T> struct TapProducts
{
    float sum[tapProducts][4];
    unsigned place[tapProducts];  // of a lane's tap in what is seen, for a window at 0: i / 4 of each product

    // Adds a step whose gradients a lane finds from `gradient` on, and the windows of its two pixels. Pixels that do not exist are zero.
    template <bool Whole> __device__ __forceinline__ void addStep(const unsigned* gradient, int pitch, int firstWindow, int secondWindow)
    {
        const unsigned rows[4] = {gradient[0], gradient[8 * pitch], gradient[4], gradient[8 * pitch + 4]};
#pragma unroll
        for (int j = 0; j < tapProducts; ++j) {
            unsigned first = loadShared(place[j] + (Whole ? firstWindow : max(firstWindow, 0))), second = loadShared(place[j] + (Whole ? secondWindow : max(secondWindow, 0)));
            if (!Whole && firstWindow < 0) first = 0;
            if (!Whole && secondWindow < 0) second = 0;
            multiplyAdd(sum[j], rows, first, second, T{});
        }
    }
};

// The gradients of a tile's pixels, zeros for those that do not exist. Threads take pixels, of which each brings all filters.
template <class T>
__device__ __forceinline__ void stageGradient(unsigned* to, const T* __restrict__ dy, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int pixels, int whole)
{
    for (int i = threadIdx.x; i < inWholeSteps(pixels); i += blockDim.x) {
        const TilePixel pixel = pixelOfTile(t, i);
        const int pairs = at.image + pixel.image < whole ? g.filters : 0;
        PlacePlanes<T> planes = {dy + outOffset(g, at, pixel), g.out.channel, g.out.image / 2, pairs, g.filters, to + i, gradientPitch(pixels)};
        if (exists(g, t, at, pixel)) planes.template stage<false>(g.wideOut);
        else planes.clear();
    }
}

// Where the windows of a tile's pixels begin, in bytes; -1 for pixels that do not exist.
__device__ __forceinline__ void stageWindows(int* to, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int pixels)
{
    for (int i = threadIdx.x; i < inWholeSteps(pixels); i += blockDim.x) {
        const TilePixel pixel = pixelOfTile(t, i);
        to[i] = exists(g, t, at, pixel) ? 4 * seenOffset(g, t, pixel) : -1;
    }
}

// Adds the staged pixels, every `parts`th step of them.
template <class T>
__device__ __forceinline__ void addPixels(TapProducts<T>& thread, const unsigned* gradient, const int* windows, int pixels, bool allExist, int part, int parts)
{
    const int lane = threadIdx.x % warpSize32, pitch = gradientPitch(pixels), steps = inWholeSteps(pixels) / wordsOfStep, whole = allExist ? pixels / wordsOfStep : 0;
    gradient += lane / 4 * pitch + lane % 4, windows += lane % 4;
    int step = part;
#pragma unroll 1
    for (; step < whole; step += parts) thread.template addStep<true>(gradient + step * wordsOfStep, pitch, windows[step * wordsOfStep], windows[step * wordsOfStep + 4]);
#pragma unroll 1
    for (; step < steps; step += parts) thread.template addStep<false>(gradient + step * wordsOfStep, pitch, windows[step * wordsOfStep], windows[step * wordsOfStep + 4]);
}

// The sums of all warps to shared memory, [warp][filter][tap].
template <class T> __device__ __forceinline__ void keepSums(const TapProducts<T>& thread, float* sums)
{
    const int lane = threadIdx.x % warpSize32;
    float* const to = sums + threadIdx.x / warpSize32 * sumsOfWarp + lane / 4 * sumPitch + lane % 4 * 2;
#pragma unroll
    for (int j = 0; j < tapProducts; ++j) {
#pragma unroll
        for (int row = 0; row < 2; ++row)
            *reinterpret_cast<float2*>(to + row * 8 * sumPitch + j * columnsOfProduct) = make_float2(thread.sum[j][2 * row], thread.sum[j][2 * row + 1]);
    }
}

// The total of the parts, and from the first tap of the block on to memory.
__device__ __forceinline__ void storeSums(float* out, const float* sums, const ConvGeometry& g, int firstTap, int warpsOfTaps, int parts)
{
    const int depth = patchLength(g);
    for (int i = threadIdx.x; i < warpsOfTaps * mostDirectFilters * tapsOfWarp; i += blockDim.x) {
        const int column = i % tapsOfWarp, k = i / tapsOfWarp % mostDirectFilters, warp = i / (tapsOfWarp * mostDirectFilters), tap = firstTap + warp * tapsOfWarp + column;
        if (tap >= depth || k >= g.filters) continue;
        float sum = 0.f;
        for (int part = 0; part < parts; ++part) sum += sums[(part * warpsOfTaps + warp) * sumsOfWarp + k * sumPitch + column];
        out[(long long)k * depth + tap] = sum;
    }
}

template <class T>
__device__ __forceinline__ void mmaDirectWgrad(const T* __restrict__ x, const T* __restrict__ dy, float* __restrict__ partial, const ConvGeometry& g, const DirectTile& t,
                                               int whole, int warpsOfTaps)
{
    extern __shared__ uint4 memory[];
    const int pixels = t.images * t.rows * t.columns, lane = threadIdx.x % warpSize32, warp = threadIdx.x / warpSize32, group = blockIdx.z;
    unsigned* const gradient = reinterpret_cast<unsigned*>(memory);
    int* const windows = reinterpret_cast<int*>(gradient + mostDirectFilters * gradientPitch(pixels));
    unsigned* const seen = reinterpret_cast<unsigned*>(windows + inWholeSteps(pixels));
    const int firstTap = blockIdx.y * warpsOfTaps * tapsOfWarp, first = divide(firstTap, g.byWindow), count = min(t.channels, g.channels - first);
    const int part = warp / warpsOfTaps, parts = blockDim.x / warpSize32 / warpsOfTaps;
    x += (long long)group * g.channels * g.in.channel, dy += (long long)group * g.filters * g.out.channel;

    TapProducts<T> thread = {};
#pragma unroll
    for (int j = 0; j < tapProducts; ++j) {
        // Taps behind the last repeat it: their sums are not stored.
        int tap = min(firstTap + warp % warpsOfTaps * tapsOfWarp + j * columnsOfProduct + lane / 4, patchLength(g) - 1), s;
        const int c = divide(tap, g.byWindow, tap), r = divide(tap, g.byWindowWidth, s);
        thread.place[j] = sharedAddress(seen + (c - first) * seenOfChannel(t) + r * g.tapH * t.pitch + s * g.tapW);
    }
    for (int i = g.filters * gradientPitch(pixels) + threadIdx.x; i < mostDirectFilters * gradientPitch(pixels); i += blockDim.x) gradient[i] = 0;
    // Windows of whole tiles all begin at the same places.
    bool isStaged = false;
    for (int tile = blockIdx.x; tile < t.tiles; tile += gridDim.x) {
        const TilePixel at = tileAt(t, tile);
        const bool allExist = isWhole(g, t, at);
        __syncthreads();
        stageGradient(gradient, dy, g, t, at, pixels, whole);
        if (!allExist || !isStaged) stageWindows(windows, g, t, at, pixels);
        isStaged = allExist;
        stageSeen<false>(seen, x, g, t, at, first, count, whole);
        __syncthreads();
        addPixels(thread, gradient, windows, pixels, allExist, part, parts);
    }
    __syncthreads();
    keepSums(thread, reinterpret_cast<float*>(memory));
    __syncthreads();
    storeSums(partial + ((long long)blockIdx.x * gridDim.z + group) * g.filters * patchLength(g), reinterpret_cast<float*>(memory), g, firstTap, warpsOfTaps, parts);
}

// At least one block: without that bound ptxas spills to fit more of them.
extern "C" __global__ __launch_bounds__(256, 1) void mma_conv_direct_wgrad_bf16(const Bf16* x, const Bf16* dy, float* partial, ConvGeometry geometry, DirectTile tile, int whole,
    int warpsOfTaps)
{
    mmaDirectWgrad(x, dy, partial, geometry, tile, whole, warpsOfTaps);
}

extern "C" __global__ __launch_bounds__(256, 1) void mma_conv_direct_wgrad_f16(const Fp16* x, const Fp16* dy, float* partial, ConvGeometry geometry, DirectTile tile, int whole,
    int warpsOfTaps)
{
    mmaDirectWgrad(x, dy, partial, geometry, tile, whole, warpsOfTaps);
}
