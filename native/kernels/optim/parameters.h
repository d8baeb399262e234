// How one launch updates many parameters: they come as an argument by value, so that nothing has to be copied to the device before,
// and a captured graph holds them. A block updates one piece of one parameter and finds out which from the first block of each.
#pragma once

#include "common/dtype.h"

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

// What was only read is not written back.
__device__ __forceinline__ void writeBack(float* to, const Vector<float>& v) { storeVector(to, v); }
__device__ __forceinline__ void writeBack(const float*, const Vector<float>&) {}

// Updates the elements of a piece: update(arrays[0][i], arrays[1][i], ...), by reference where it changes them; in 16-byte accesses
// where all addresses allow.
template <typename Update, typename... Arrays>
__device__ __forceinline__ void updatePiece(const ParameterPiece& piece, Update update, Arrays*... arrays)
{
    constexpr int width = vectorWidth<float>;
    const bool wide = aligned16(arrays...);
    for (long long i = piece.first + (long long)threadIdx.x * width; i < piece.end; i += optimizerThreads * width) {
        if (wide && i + width <= piece.end) {
            auto apply = [&](auto... vectors) {
#pragma unroll
                for (int k = 0; k < width; ++k) update(vectors[k]...);
                (writeBack(arrays + i, vectors), ...);
            };
            apply(loadVector(arrays + i)...);
        } else {
#pragma unroll 1
            for (long long j = i; j < i + width && j < piece.end; ++j) update(arrays[j]...);
        }
    }
}
