// Count, mean and sum of squared distances from the mean, merged as in Chan, Golub and LeVeque, "Updating formulae and a pairwise
// algorithm for computing sample variances", 1979: however large the mean is, nothing cancels.
//
// Among infinite elements the mean is what their sum is: an infinity of one sign, NaN of both, and the squares are NaN.
#pragma once

#include "common/math.h"

// What a step towards x starts from: an infinite mean is left by adding x, not by adding x - mean, which is NaN.
__device__ __forceinline__ float finiteOrZero(float mean) { return fabsf(mean) < cnn::infinity ? mean : 0.0f; }

struct Moments
{
    static constexpr int size = 3;
    float v[size];

    __device__ __forceinline__ float& count() { return v[0]; }
    __device__ __forceinline__ float& mean() { return v[1]; }
    __device__ __forceinline__ float& squares() { return v[2]; }

    __device__ __forceinline__ void merge(Moments other)
    {
        if (other.count() == 0.0f) return;
        if (count() == 0.0f) {
            *this = other;
            return;
        }
        const float total = count() + other.count();
        const float share = other.count() / total, distance = other.mean() - finiteOrZero(mean());
        mean() = fmaf(distance, share, mean());
        squares() += fmaf(distance * distance, count() * share, other.squares());
        count() = total;
    }
};

// What one thread gathers of `width` series side by side, an element of each at a time: means and sums of squares that move with every
// element (Welford, "Note on a method for calculating corrected sums of squares and products", 1962), so that an outlier costs no digits.
// The elements are distances from a value that all threads of the channel share: beside a large mean they stay small numbers, and so
// do the means, until the last addition.
template <int width> struct MovingMoments
{
    int count = 0;
    float mean[width] = {}, squares[width] = {};

    __device__ __forceinline__ void add(const float (&distances)[width])
    {
        const float share = 1.0f / (float)++count;
#pragma unroll
        for (int k = 0; k < width; ++k) {
            const float step = distances[k] - finiteOrZero(mean[k]);
            mean[k] = fmaf(step, share, mean[k]);
            squares[k] = fmaf(step, distances[k] - mean[k], squares[k]);
        }
    }

    __device__ __forceinline__ Moments of(int series) const { return {{(float)count, mean[series], squares[series]}}; }
};

// Moments of a part of a channel, and the value that they are counted from.
struct alignas(16) PartMoments
{
    Moments moments;
    float shift;
};
