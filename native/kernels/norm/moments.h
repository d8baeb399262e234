// Count, mean and sum of squared distances from the mean, merged as in Chan, Golub and LeVeque, "Updating formulae and a pairwise
// algorithm for computing sample variances", 1979: however large the mean is, nothing cancels.
#pragma once

#include "common/math.h"

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
        const float share = other.count() / total, distance = other.mean() - mean();
        mean() = fmaf(distance, share, mean());
        squares() += fmaf(distance * distance, count() * share, other.squares());
        count() = total;
    }
};

// What one thread gathers: sums of distances from the first value that it meets, which lies among the others, so that the
// difference at the end loses few digits.
struct ShiftedSums
{
    float count = 0.0f, shift = 0.0f, sum = 0.0f, squares = 0.0f;

    __device__ __forceinline__ void add(float value)
    {
        if (count == 0.0f) shift = value;
        const float distance = value - shift;
        sum += distance;
        squares = fmaf(distance, distance, squares);
        count += 1.0f;
    }

    __device__ __forceinline__ Moments moments() const
    {
        if (count == 0.0f) return {};
        const float distance = sum / count;
        return {{count, shift + distance, cnn::maxNan(fmaf(-sum, distance, squares), 0.0f)}};
    }
};
