// Top-1 hits: hits[0] += the number of rows of scores (N, C) whose largest element is at the label; the first of equals counts, and
// a NaN is larger than any number. hits starts at 0; the sum is of integers, so that its order does not matter.
// A warp per row, 8 rows per block of 256. Limited by bytes.
#include "common/dtype.h"
#include "common/reduce.h"

// The better of two candidates: NaN first, then the larger, then the one further left. A place of -1 is none.
struct Candidate
{
    float value;
    int place;

    __device__ __forceinline__ bool beats(const Candidate& other) const
    {
        if (other.place < 0 || place < 0) return other.place < 0;
        const bool nan = cnn::isNan(value), otherNan = cnn::isNan(other.value);
        if (nan != otherNan) return nan;
        return value > other.value || ((nan || value == other.value) && place < other.place);
    }
};

template <typename T>
__device__ __forceinline__ void countHits(const T* scores, const long long* labels, int rows, int classes, unsigned long long* hits)
{
    const int row = blockIdx.x * 8 + threadIdx.x / warpSize32, lane = threadIdx.x % warpSize32;
    int hit = 0;
    if (row < rows) {
        Candidate best = {0.0f, -1};
        for (int c = lane; c < classes; c += warpSize32) {
            const Candidate candidate = {load(scores + (long long)row * classes + c), c};
            if (candidate.beats(best)) best = candidate;
        }
        for (int offset = warpSize32 / 2; offset > 0; offset /= 2) {
            const Candidate other = {__shfl_xor_sync(allLanes, best.value, offset), __shfl_xor_sync(allLanes, best.place, offset)};
            if (other.beats(best)) best = other;
        }
        hit = lane == 0 && best.place == labels[row];
    }
    const int sum = blockSum<256>(hit);
    if (threadIdx.x == 0 && sum > 0) atomicAdd(hits, (unsigned long long)sum);
}

extern "C" __global__ __launch_bounds__(256) void count_hits_f32(const float* scores, const long long* labels, int rows,
    int classes, unsigned long long* hits)
{
    countHits(scores, labels, rows, classes, hits);
}

extern "C" __global__ __launch_bounds__(256) void count_hits_bf16(const Bf16* scores, const long long* labels, int rows,
    int classes, unsigned long long* hits)
{
    countHits(scores, labels, rows, classes, hits);
}

extern "C" __global__ __launch_bounds__(256) void count_hits_f16(const Fp16* scores, const long long* labels, int rows,
    int classes, unsigned long long* hits)
{
    countHits(scores, labels, rows, classes, hits);
}
