// How one launch updates many parameters: they come as an argument by value, so that nothing has to be copied to the device before,
// and a captured graph holds them. A block updates one piece of one parameter and finds out which from the first block of each.
#pragma once

#include "common/elements.h"

constexpr int optimizerThreads = 256, optimizerPiece = 4096;  // elements per block

// What changes from step to step: read from device memory where a captured graph is replayed; twin of the C# struct of the same name.
struct OptimizerClock
{
    double rate;
    long long step;  // from 1
};

struct ParameterPiece
{
    int parameter;
    long long first, end;
};

// `parameters.at` is sorted by firstBlock, so this is a binary search; all threads of the block do the same one.
template <typename Parameters> __device__ __forceinline__ ParameterPiece pieceOfBlock(const Parameters& parameters)
{
    int low = 0, high = parameters.count - 1;
    while (low < high) {
        const int middle = (low + high + 1) / 2;
        if (parameters.at[middle].firstBlock <= (int)blockIdx.x) low = middle;
        else high = middle - 1;
    }
    const long long first = (long long)(blockIdx.x - parameters.at[low].firstBlock) * optimizerPiece;
    const long long last = first + optimizerPiece, count = parameters.at[low].count;
    return {low, first, last < count ? last : count};
}

template <typename T> struct NumbersOf { using Type = T; };
template <typename T> struct NumbersOf<const T> { using Type = T; };

// What was only read is not written back.
template <typename Line, typename T> __device__ __forceinline__ void writeBack(const Line& line, T* to) { line.store(to, 0); }
template <typename Line, typename T> __device__ __forceinline__ void writeBack(const Line&, const T*) {}

// Updates `width` neighbouring elements of each array, in float whatever they are in memory.
template <int width, typename Update, typename... Arrays> __device__ __forceinline__ void updateLine(Update update, Arrays*... arrays)
{
    auto apply = [&](auto... lines) {
#pragma unroll
        for (int k = 0; k < width; ++k) update(lines.at[k]...);
        (writeBack(lines, arrays), ...);
    };
    apply(Elements<typename NumbersOf<Arrays>::Type, width>::load(arrays, 0)...);
}

// Updates the elements of a piece: update(arrays[0][i], arrays[1][i], ...), by reference where it changes them. Four at once, which are
// 16 bytes of floats and 8 of halves, where all addresses allow.
template <typename Update, typename... Arrays>
__device__ __forceinline__ void updatePiece(const ParameterPiece& piece, Update update, Arrays*... arrays)
{
    constexpr int width = vectorWidth<float>;
    const bool wide = aligned16(arrays...);
    for (long long i = piece.first + (long long)threadIdx.x * width; i < piece.end; i += optimizerThreads * width) {
        if (wide && i + width <= piece.end) {
            updateLine<width>(update, (arrays + i)...);
        } else {
#pragma unroll 1
            for (long long j = i; j < i + width && j < piece.end; ++j) updateLine<1>(update, (arrays + j)...);
        }
    }
}
