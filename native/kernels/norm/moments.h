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

// What one thread gathers of the distances from a value that all threads of the channel share and that lies among the others: the
// difference at the end loses few digits, and means stay small numbers until the last addition.
struct DistanceSums
{
    int count = 0;
    float sum = 0.0f, squares = 0.0f;

    __device__ __forceinline__ void add(float distance)
    {
        sum += distance;
        squares = fmaf(distance, distance, squares);
        ++count;
    }

    // Mean and squares of the distances.
    __device__ __forceinline__ Moments moments() const
    {
        if (count == 0) return {};
        const float mean = sum / (float)count;
        return {{(float)count, mean, cnn::maxNan(fmaf(-sum, mean, squares), 0.0f)}};
    }
};

// Moments of a part of a channel, and the value that they are counted from.
struct alignas(16) PartMoments
{
    Moments moments;
    float shift;
};
