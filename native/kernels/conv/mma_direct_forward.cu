// Convolution of few filters on matrix units, bf16 and f16, directly: at most 16 per group, one product high.
//
//   y[n, k, p, q] = clamp(sum over c, r, s of w[k, c, r, s] x[n, c, p * strideH + originH + r * tapH, ...] + bias[k])
//
// rows = filters, columns = pixels, depth = words (pair of channels, r, s), eight to a step. A warp has 64 pixels: per step it reads the filters in
// one access, and per 8 pixels two words of what they see, each where the tap's place and the window's lead. w has lines (c, r, s) per filter.
// The data gradient is the same kernel on dy (conv/geometry.h); flipped taps make its steps positive.
//
// Grid (tiles, groups), up to 128 threads. Shared memory: the filters as operands [step][lane], the places of the words [step][lane % 4], then what
// the tile sees, as many channels at once as the host says (conv/direct_pairs.h). Limited by instructions: six to a product in the loop over
// steps, and what staging takes.
#include "conv/direct_pairs.h"
#include "gemm/output.h"

// Products of a warp side by side, which share their filters, and the pixels that makes.
constexpr int pixelProducts = 8, pixelsOfThread = pixelProducts * columnsOfProduct / warpSize32;

// The sums of a warp's 64 pixels and 16 filters: lane i has filters 2 (i / 4) and the next, pixels 2 (i % 4) and the next of each product.
template <class T> struct PixelProducts
{
    float sum[pixelProducts][4];
    unsigned window[pixelProducts];  // where that of a lane's pixel begins: i / 4 of each product

    // Adds a step; words that do not exist are zero, for no number makes a sum of a NaN.
    template <bool Whole> __device__ __forceinline__ void addStep(uint4 filters, int2 place, bool firstExists, bool secondExists)
    {
        const unsigned rows[4] = {filters.x, filters.y, filters.z, filters.w};
#pragma unroll
        for (int j = 0; j < pixelProducts; ++j) {
            unsigned first = loadShared(window[j] + place.x), second = loadShared(window[j] + place.y);
            if (!Whole && !firstExists) first = 0;
            if (!Whole && !secondExists) second = 0;
            multiplyAdd(sum[j], rows, first, second, T{});
        }
    }
};

// Where a word stands among what a window at 0 sees, in bytes, and where its pair begins in a filter's line.
struct WordPlace { int seen, filter; };

__device__ __forceinline__ WordPlace placeOf(const ConvGeometry& g, const DirectTile& t, int first, int word)
{
    int tap, s;
    const int pair = divide(word, g.byWindow, tap), r = divide(tap, g.byWindowWidth, s);
    const int from = (t.flipH ? g.windowHeight - 1 - r : r) * g.windowWidth + (t.flipW ? g.windowWidth - 1 - s : s);
    return {4 * (pair * seenOfChannel(t) + r * g.tapH * t.pitch + s * g.tapW), 2 * (first + pair) * g.windowHeight * g.windowWidth + from};
}

// The filters' words of `count` pairs of channels from `first` on. A lane's operands are filters
// 2 (i / 4) and the next, which are rows i / 4 and 8 more of a product, at words i % 4, then at 4 more.
template <class T>
__device__ __forceinline__ void stageFilters(uint4* operands, int2* places, const T* __restrict__ w, const ConvGeometry& g, const DirectTile& t, int first, int count, int whole)
{
    const int lane = threadIdx.x % warpSize32, taps = g.windowHeight * g.windowWidth, words = count * taps, depth = (g.channels + whole) * taps;
    for (int step = threadIdx.x / warpSize32; step * wordsOfStep < words; step += blockDim.x / warpSize32) {
        unsigned operand[4] = {};
        int seen[2] = {};
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const int word = step * wordsOfStep + half * 4 + lane % 4;
            if (word >= words) continue;
            const WordPlace place = placeOf(g, t, first, word);
            const bool hasSecond = place.filter + taps < depth;
            seen[half] = place.seen;
#pragma unroll
            for (int row = 0; row < 2; ++row) {
                const int k = lane / 4 * 2 + row;
                if (k >= g.filters) continue;
                const T* const from = w + (long long)k * depth + place.filter;
                operand[half * 2 + row] = pairOf(from[0], hasSecond ? from[taps] : T{});
            }
        }
        operands[step * warpSize32 + lane] = make_uint4(operand[0], operand[1], operand[2], operand[3]);
        if (lane < 4) places[step * 4 + lane] = make_int2(seen[0], seen[1]);
    }
}

// Adds the staged words.
template <class T> __device__ __forceinline__ void addWords(PixelProducts<T>& thread, const uint4* operands, const int2* places, int words)
{
    operands += threadIdx.x % warpSize32, places += threadIdx.x % 4;
#pragma unroll 1
    for (int step = 0; step < words / wordsOfStep; ++step, operands += warpSize32, places += 4) thread.template addStep<true>(*operands, *places, true, true);
    const int left = words % wordsOfStep, word = threadIdx.x % 4;
    if (left > 0) thread.template addStep<false>(*operands, *places, word < left, word + 4 < left);
}

template <class T>
__device__ __forceinline__ void finishProducts(PixelProducts<T>& thread, const T* bias, const ConvGeometry& g, const Epilogue& epilogue)
{
    if (!bias && epilogue.low == -cnn::infinity && epilogue.high == cnn::infinity) return;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const int k = threadIdx.x % warpSize32 / 4 * 2 + i / 2;
        const float add = bias && k < g.filters ? load(bias + k) : 0.f;
#pragma unroll
        for (int j = 0; j < pixelProducts; ++j) thread.sum[j][i] = cnn::minNan(cnn::maxNan(thread.sum[j][i] + add, epilogue.low), epilogue.high);
    }
}

// Stores two pixels of two filters, sum[2 filter + pixel], at their places; -1 for pixels that do not exist. What lies side by side is stored at
// once: two pixels of a row, which both exist or neither (wideColumns), or two filters (wideRows).
template <class T> __device__ __forceinline__ void storeFourSums(const float (&sum)[4], T* y, int channel, int filters, int wide, int first, int second)
{
    if (wide == wideRows) {
        if (first >= 0 && filters > 0) *reinterpret_cast<unsigned*>(y + first) = packPair<T>(sum[0], sum[2]);
        if (second >= 0 && filters > 0) *reinterpret_cast<unsigned*>(y + second) = packPair<T>(sum[1], sum[3]);
        return;
    }
#pragma unroll
    for (int k = 0; k < 2; ++k, y += channel) {
        if (k >= filters) continue;
        if (wide == wideColumns) {
            if (first >= 0) *reinterpret_cast<unsigned*>(y + first) = packPair<T>(sum[2 * k], sum[2 * k + 1]);
        } else {
            if (first >= 0) store(y + first, sum[2 * k]);
            if (second >= 0) store(y + second, sum[2 * k + 1]);
        }
    }
}

// `place` has those of the pixels with the numbers of this thread, which other lanes store.
template <class T>
__device__ __forceinline__ void storePixels(const PixelProducts<T>& thread, T* y, const ConvGeometry& g, const int (&place)[pixelsOfThread])
{
    const int lane = threadIdx.x % warpSize32, k = lane / 4 * 2;
    y += (long long)k * g.out.channel;
#pragma unroll
    for (int j = 0; j < pixelProducts; ++j) {
        const int pixel = j % 4 * columnsOfProduct + lane % 4 * 2, first = __shfl_sync(allLanes, place[j / 4], pixel), second = __shfl_sync(allLanes, place[j / 4], pixel + 1);
        storeFourSums(thread.sum[j], y, g.out.channel, g.filters - k, g.wideOut, first, second);
    }
}

template <class T>
__device__ __forceinline__ void mmaDirectForward(const T* __restrict__ x, const T* __restrict__ w, const T* __restrict__ bias, T* __restrict__ y, const ConvGeometry& g,
                                                 const DirectTile& t, int whole, const Epilogue& epilogue)
{
    extern __shared__ uint4 memory[];
    const int taps = g.windowHeight * g.windowWidth, steps = (t.channels * taps + wordsOfStep - 1) / wordsOfStep, group = blockIdx.y, channels = g.channels + whole;
    int2* const places = reinterpret_cast<int2*>(memory + steps * warpSize32);
    unsigned* const seen = reinterpret_cast<unsigned*>(places + steps * 4);
    const TilePixel at = tileAt(t, blockIdx.x);
    PixelProducts<T> thread = {};
    int place[pixelsOfThread];
#pragma unroll
    for (int i = 0; i < pixelsOfThread; ++i) {
        // Each thread divides up the pixels of its number, whose place from the tile's first fits into 32 bits.
        const int lane = threadIdx.x % warpSize32;
        const TilePixel pixel = pixelOfTile(t, (threadIdx.x - lane) * pixelsOfThread + i * warpSize32 + lane);
        const int window = sharedAddress(seen + (pixel.image < t.images ? seenOffset(g, t, pixel) : 0));
        place[i] = exists(g, t, at, pixel) ? (int)(outOffset(g, at, pixel) - outOffset(g, at, {0, 0, 0})) : -1;
#pragma unroll
        for (int j = 0; j < 4; ++j) thread.window[i * 4 + j] = __shfl_sync(allLanes, window, j * columnsOfProduct + lane / 4);
    }
    x += (long long)group * channels * (g.in.channel / 2), w += (long long)group * g.filters * channels * taps;
    for (int first = 0; first < g.channels; first += t.channels) {
        const int count = min(t.channels, g.channels - first);
        if (first > 0) __syncthreads();
        stageFilters(memory, places, w, g, t, first, count, whole);
        stageSeen<true>(seen, x, g, t, at, first, count, whole);
        __syncthreads();
        addWords(thread, memory, places, count * taps);
    }
    finishProducts(thread, bias ? bias + group * g.filters : nullptr, g, epilogue);
    storePixels(thread, y + (long long)group * g.filters * g.out.channel + outOffset(g, at, {0, 0, 0}), g, place);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_direct_bf16(const Bf16* x, const Bf16* w, const Bf16* bias, Bf16* y, ConvGeometry geometry, DirectTile tile,
    int whole, Epilogue epilogue)
{
    mmaDirectForward(x, w, bias, y, geometry, tile, whole, epilogue);
}

extern "C" __global__ __launch_bounds__(128) void mma_conv_direct_f16(const Fp16* x, const Fp16* w, const Fp16* bias, Fp16* y, ConvGeometry geometry, DirectTile tile,
    int whole, Epilogue epilogue)
{
    mmaDirectForward(x, w, bias, y, geometry, tile, whole, epilogue);
}
