// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): element i of a stream is word i % 4 of the
// block with the counter (low and high word of i / 4, low and high word of the stream's number), keyed by the seed. The same
// bits as the C# engine's.
#pragma once

#include "common/cuda_compat.h"

// A stream of random numbers; twin of the C# struct of the same name. The number at `base`, where there is one, is added to the
// stream's number: a captured graph draws new numbers at each replay by changing what is there.
struct RandomSource
{
    unsigned long long seed, stream;
    const unsigned long long* base;
};

struct PhiloxStream
{
    unsigned long long seed, stream;

    __device__ __forceinline__ explicit PhiloxStream(const RandomSource& source)
        : seed(source.seed), stream(source.stream + (source.base ? *source.base : 0))
    {
    }

    // Elements 4 block to 4 block + 3.
    __device__ __forceinline__ uint4 words(unsigned long long block) const
    {
        uint4 c = make_uint4((unsigned)block, (unsigned)(block >> 32), (unsigned)stream, (unsigned)(stream >> 32));
        unsigned k0 = (unsigned)seed, k1 = (unsigned)(seed >> 32);
#pragma unroll
        for (int round = 0; round < 10; ++round) {
            const unsigned long long product0 = 0xD2511F53ull * c.x, product1 = 0xCD9E8D57ull * c.z;
            c = make_uint4((unsigned)(product1 >> 32) ^ c.y ^ k0, (unsigned)product1, (unsigned)(product0 >> 32) ^ c.w ^ k1, (unsigned)product0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        return c;
    }
};

// Elements of a stream one at a time; the block of the last one is kept, so that neighbours cost one block in four.
class PhiloxReader
{
public:
    __device__ __forceinline__ explicit PhiloxReader(const PhiloxStream& stream) : stream(stream) {}

    __device__ __forceinline__ unsigned word(long long element)
    {
        const long long wanted = element >> 2;
        if (wanted != block) words = stream.words(block = wanted);
        const unsigned low = element & 1 ? words.y : words.x, high = element & 1 ? words.w : words.z;
        return element & 2 ? high : low;
    }

private:
    PhiloxStream stream;
    long long block = -1;
    uint4 words = {};
};

// A word as a number from 0 to 1 - 2^-24: the top 24 bits over 2^24.
__device__ __forceinline__ float unitFloat(unsigned word) { return (float)(word >> 8) * (1.0f / 16777216.0f); }
