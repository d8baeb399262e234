// Convolution of few filters, directly: at most 16 per group, which would leave most of a product's tile empty.
//
//   y[n, k, p, q] = clamp(sum over c, r, s of w[k, c, r, s] x[n, c, p * strideH + originH + r * tapH, ...] + bias[k])
//
// A thread sums all filters of a few pixels of a tile: per tap it reads a number per pixel, and the filters' numbers in 16-byte pieces that
// all lanes share. w has lines (c, r, s) per filter. The data gradient is the same kernel on dy (conv/geometry.h); flipped taps make
// its steps positive. Channels are staged as many at once as the host says.
//
// Grid (tiles, groups), up to 128 threads. Shared memory: the filters' taps [c][r][s][filter], then what the tile sees (conv/direct_seen.h).
// Limited by instructions: 1.3 PTX to a multiply-add in the loop over taps where filters fill their 4, 8 or 16, and what staging takes: 3.4 to
// 4 in all for groups of four channels and eight filters.
#include "common/dtype.h"
#include "conv/direct_seen.h"
#include "gemm/output.h"

template <int Filters> struct FewFilters
{
    static constexpr int pixels = directSums / Filters;
    float sum[pixels][Filters];
    int place[pixels];  // of a pixel's window in what is seen

    // Adds one tap: `seen` is the tap's place for a window at 0.
    __device__ __forceinline__ void addTap(const float* seen, const float4* filters)
    {
        float w[Filters];
        readFragment<Filters, 1>(w, filters, 0);
#pragma unroll
        for (int j = 0; j < pixels; ++j) {
            const float x = seen[place[j]];
#pragma unroll
            for (int k = 0; k < Filters; ++k) sum[j][k] = fmaf(x, w[k], sum[j][k]);
        }
    }

    // Adds a row of a window; Width 0 is any.
    template <int Width> __device__ __forceinline__ void addRow(const float* seen, const float4* filters, int width, int step)
    {
        if constexpr (Width > 0) {
#pragma unroll
            for (int s = 0; s < Width; ++s) addTap(seen + s, filters + s * (Filters / 4));
        } else {
#pragma unroll 1
            for (int s = 0; s < width; ++s) addTap(seen + s * step, filters + s * (Filters / 4));
        }
    }
};

// Taps of `count` channels from `first` on as [c][r][s][filter]; filters behind the last are zero.
template <int Filters>
__device__ __forceinline__ void stageFilters(float* to, const float* __restrict__ w, const ConvGeometry& g, const DirectTile& t, int first, int count)
{
    const int taps = g.windowHeight * g.windowWidth, depth = patchLength(g);
    for (int i = threadIdx.x; i < count * taps * Filters; i += blockDim.x) {
        const int k = i % Filters;
        int tap, s;
        const int c = divide(i / Filters, g.byWindow, tap), r = divide(tap, g.byWindowWidth, s);
        const int from = (t.flipH ? g.windowHeight - 1 - r : r) * g.windowWidth + (t.flipW ? g.windowWidth - 1 - s : s);
        to[i] = k < g.filters ? load(w + (long long)k * depth + (first + c) * taps + from) : 0.f;
    }
}

template <int Width, int Filters>
__device__ __forceinline__ void addWindows(FewFilters<Filters>& thread, const float* seen, const float4* filters, const ConvGeometry& g, const DirectTile& t, int count)
{
    const int width = Width > 0 ? Width : g.windowWidth;
#pragma unroll 1
    for (int c = 0; c < count; ++c) {
        const float* line = seen + c * seenOfChannel(t);
#pragma unroll 1
        for (int r = 0; r < g.windowHeight; ++r, line += g.tapH * t.pitch, filters += width * (Filters / 4)) thread.template addRow<Width>(line, filters, width, g.tapW);
    }
}

// Windows of 3 and 5 columns have loops of their own.
template <int Filters>
__device__ __forceinline__ void addChannels(FewFilters<Filters>& thread, const float* seen, const float4* filters, const ConvGeometry& g, const DirectTile& t, int count)
{
    if (g.tapW == 1 && g.windowWidth == 3) addWindows<3>(thread, seen, filters, g, t, count);
    else if (g.tapW == 1 && g.windowWidth == 5) addWindows<5>(thread, seen, filters, g, t, count);
    else addWindows<0>(thread, seen, filters, g, t, count);
}

template <int Filters>
__device__ __forceinline__ void storePixels(FewFilters<Filters>& thread, float* y, const float* bias, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, const Epilogue& epilogue)
{
#pragma unroll
    for (int k = 0; k < Filters; ++k) {
        const float add = bias && k < g.filters ? load(bias + k) : 0.f;
#pragma unroll
        for (int j = 0; j < FewFilters<Filters>::pixels; ++j) thread.sum[j][k] = clamp(thread.sum[j][k] + add, epilogue);
    }
#pragma unroll
    for (int j = 0; j < FewFilters<Filters>::pixels; ++j) {
        const TilePixel pixel = pixelOfTile(t, threadIdx.x + j * blockDim.x);
        if (!exists(g, t, at, pixel)) continue;
        float* const to = y + outOffset(g, at, pixel);
        if (g.wideOut == wideRows) {  // filters lie side by side, and come in fours
#pragma unroll
            for (int k = 0; k < Filters; k += 4)
                if (k < g.filters) storeFour(to + k, make_float4(thread.sum[j][k], thread.sum[j][k + 1], thread.sum[j][k + 2], thread.sum[j][k + 3]));
            continue;
        }
#pragma unroll
        for (int k = 0; k < Filters; ++k)
            if (k < g.filters) store(to + (long long)k * g.out.channel, thread.sum[j][k]);
    }
}

template <int Filters>
__device__ __forceinline__ void directForward(const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias, float* __restrict__ y,
                                              const ConvGeometry& g, const DirectTile& t, const Epilogue& epilogue)
{
    extern __shared__ float4 memory[];
    float* const filters = &memory[0].x;
    float* const seen = filters + t.channels * g.windowHeight * g.windowWidth * Filters;
    const int group = blockIdx.y;
    const TilePixel at = tileAt(t, blockIdx.x);
    FewFilters<Filters> thread = {};
#pragma unroll
    for (int j = 0; j < FewFilters<Filters>::pixels; ++j) {
        const TilePixel pixel = pixelOfTile(t, threadIdx.x + j * blockDim.x);
        thread.place[j] = pixel.image < t.images ? seenOffset(g, t, pixel) : 0;
    }
    x += (long long)group * g.channels * g.in.channel, w += (long long)group * g.filters * patchLength(g);
    for (int first = 0; first < g.channels; first += t.channels) {
        const int count = min(t.channels, g.channels - first);
        if (first > 0) __syncthreads();
        stageFilters<Filters>(filters, w, g, t, first, count);
        stageSeen(seen, x, g, t, at, first, count);
        __syncthreads();
        addChannels(thread, seen, memory, g, t, count);
    }
    storePixels(thread, y + (long long)group * g.filters * g.out.channel, bias ? bias + group * g.filters : nullptr, g, t, at, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void conv_direct_4_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry, DirectTile tile,
    Epilogue epilogue)
{
    directForward<4>(x, w, bias, y, geometry, tile, epilogue);
}

// At least one block: without that bound ptxas spills to fit more of them.
extern "C" __global__ __launch_bounds__(256, 1) void conv_direct_8_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry, DirectTile tile,
    Epilogue epilogue)
{
    directForward<8>(x, w, bias, y, geometry, tile, epilogue);
}

extern "C" __global__ __launch_bounds__(256) void conv_direct_16_f32(const float* x, const float* w, const float* bias, float* y, ConvGeometry geometry, DirectTile tile,
    Epilogue epilogue)
{
    directForward<16>(x, w, bias, y, geometry, tile, epilogue);
}
