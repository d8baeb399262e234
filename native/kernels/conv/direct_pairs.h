// What the direct convolutions on matrix units share: two 16-bit elements that a product adds up side by side are a word of shared memory, so
// that an operand is read as it lies. Forward a pair is two neighbouring channels, for the gradient by the filters two neighbouring images.
//
// Geometries count pairs: in.channel, or in.image and out.image, lead from pair to pair, and the second of a pair stands half of that behind
// the first. Of an odd number the last pair has no second, which is zero; `whole` pairs have one.
#pragma once

#include "common/tensor_core.h"
#include "conv/direct_tile.h"

// Rows of a product: filters, of which there may be fewer. Words of its depth in one step; columns of one product.
constexpr int mostDirectFilters = 16, wordsOfStep = 8, columnsOfProduct = 8;

template <class T> __device__ __forceinline__ unsigned pairOf(T first, T second)
{
    unsigned pair;
    asm("mov.b32 %0, {%1, %2};" : "=r"(pair) : "h"(first.bits), "h"(second.bits));
    return pair;
}

// The low halves of two words as one, and the high ones.
__device__ __forceinline__ unsigned lowHalves(unsigned first, unsigned second)
{
    unsigned pair;
    asm("prmt.b32 %0, %1, %2, 0x5410;" : "=r"(pair) : "r"(first), "r"(second));
    return pair;
}

__device__ __forceinline__ unsigned highHalves(unsigned first, unsigned second)
{
    unsigned pair;
    asm("prmt.b32 %0, %1, %2, 0x7632;" : "=r"(pair) : "r"(first), "r"(second));
    return pair;
}

// One word, or four at once.
template <int Words> struct WordsTogether { unsigned at[Words]; };

template <int Words, class T> __device__ __forceinline__ WordsTogether<Words> loadWords(const T* from)
{
    if constexpr (Words == 1) {
        return {{*reinterpret_cast<const unsigned*>(from)}};
    } else {
        const uint4 four = loadWhole(from);
        return {{four.x, four.y, four.z, four.w}};
    }
}

// What stands at one place in some planes, of which each is a pair: `whole` of them have a second, `second` behind the first. `plane` leads from
// one to the next in global memory, `step` in shared memory.
template <class T> struct PlacePlanes
{
    const T* from;
    long long plane, second;
    int whole, count;
    unsigned* to;
    int step;

    __device__ __forceinline__ void clear()
    {
        for (; count > 0; --count, to += step) *to = 0;
    }

    // By elements, wherever they lie.
    __device__ __forceinline__ void collect()
    {
        count -= whole;
        for (; whole > 0; --whole, to += step, from += plane) *to = pairOf(from[0], from[second]);
        for (; count > 0; --count, to += step, from += plane) *to = pairOf(from[0], T{});
    }

    // Pairs of neighbours are words as they lie.
    template <int Words> __device__ __forceinline__ void copyNeighbours()
    {
        for (; count > 0; count -= Words, from += 2 * Words) {
            const WordsTogether<Words> words = loadWords<Words>(from);
#pragma unroll
            for (int i = 0; i < Words; ++i, to += step) *to = words.at[i];
        }
    }

    // Neighbours here and at the second, all of which exist or none.
    template <int Words> __device__ __forceinline__ void pairNeighbours()
    {
        for (; count > 0; count -= 2 * Words, from += 2 * Words) {
            const WordsTogether<Words> first = loadWords<Words>(from);
            WordsTogether<Words> others = {};
            if (whole > 0) others = loadWords<Words>(from + second);
#pragma unroll
            for (int i = 0; i < Words; ++i, to += 2 * step) to[0] = lowHalves(first.at[i], others.at[i]), to[step] = highHalves(first.at[i], others.at[i]);
        }
    }

    // `wide`: how many words of neighbours can be read at once, 4, 1 or none.
    template <bool PairsOfChannels> __device__ __forceinline__ void stage(int wide)
    {
        if (wide == 0) return collect();
        if constexpr (PairsOfChannels) return wide == 4 ? copyNeighbours<4>() : copyNeighbours<1>();
        else return wide == 4 ? pairNeighbours<4>() : pairNeighbours<1>();
    }
};

// Fills `seen` with `count` channels, or pairs of them, from `first` on. Threads take places, of which each brings all channels.
template <bool PairsOfChannels, class T>
__device__ __forceinline__ void stageSeen(unsigned* seen, const T* __restrict__ x, const ConvGeometry& g, const DirectTile& t, const TilePixel& at, int first, int count, int whole)
{
    const int top = at.row * g.strideH + g.originH, left = at.column * g.strideW + g.originW, step = seenOfChannel(t);
    for (int i = threadIdx.x; i < t.images * t.seenRows * t.seenColumns; i += blockDim.x) {
        int row, column;
        const int line = divide(i, t.bySeenColumns, column), n = at.image + divide(line, t.bySeenRows, row);
        // Behind the last pixel that a window sees, a mirrored place may lie outside.
        const int h = sourcePixel(top + row, g.height, g.padding), w = sourcePixel(left + column, g.width, g.padding);
        const bool there = n < g.images && (unsigned)h < (unsigned)g.height && (unsigned)w < (unsigned)g.width;
        const T* const from = x + n * g.in.image + (long long)first * g.in.channel + h * g.in.row + w * g.in.column;
        const int pairs = PairsOfChannels ? min(count, whole - first) : n < whole ? count : 0;
        PlacePlanes<T> planes = {from, g.in.channel, PairsOfChannels ? g.in.channel / 2 : g.in.image / 2, pairs, count, seen + line * t.pitch + column, step};
        if (there) planes.template stage<PairsOfChannels>(g.wideIn);
        else planes.clear();
    }
}
