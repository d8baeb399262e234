// A depthwise convolution along one axis: a thread slides along lines of `Size` numbers across the axis, each of which it
// fetches once, and keeps in registers the results that a line takes part in.
//
//   forward   result[t]          += sum over i, c of taps[i][c] * line[t * Stride + i][c]
//   backward  result[t * Stride + i] += sum over c of taps[i][c] * line[t][c]
//   weight    taps[i][c]         += sum over t of gradient[t] * line[t * Stride + i][c]
//
// Taps stand in registers, [along][across]. A lane is one number, or two of neighbouring channels.
#pragma once

#include "common/dtype.h"

template <int Count> struct Lane { float v[Count]; };

template <int L> __device__ __forceinline__ void multiplyAdd(Lane<L>& sum, const Lane<L>& a, const Lane<L>& b)
{
#pragma unroll
    for (int k = 0; k < L; ++k) sum.v[k] = fmaf(a.v[k], b.v[k], sum.v[k]);
}

// Results 0 to count - 1, each from `start` on: fetch(i, line) brings line i, emit(t, sum) takes result t.
template <int Size, int Stride, int L, class Fetch, class Emit>
__device__ __forceinline__ void slideForward(const Lane<L> (&taps)[Size][Size], const Lane<L>& start, int count, Fetch fetch, Emit emit)
{
    constexpr int open = (Size + Stride - 1) / Stride;  // results that a line takes part in
    Lane<L> sum[open];
#pragma unroll
    for (int j = 0; j < open; ++j) sum[j] = start;
#pragma unroll 1
    for (int t = 0; t < count + open - 1; ++t) {
#pragma unroll
        for (int i = 0; i < Stride; ++i) {
            Lane<L> line[Size];
            fetch(t * Stride + i, line);
#pragma unroll
            for (int j = 0; j < open; ++j)
#pragma unroll
                for (int c = 0; c < Size; ++c)
                    if (Stride * j + i < Size) multiplyAdd(sum[j], taps[Stride * j + i][c], line[c]);
        }
        if (t >= open - 1) emit(t - (open - 1), sum[open - 1]);
#pragma unroll
        for (int j = open - 1; j > 0; --j) sum[j] = sum[j - 1];
        sum[0] = start;
    }
}

// Results 0 to lines * Stride - 1, from `lines` lines of which each reaches `Size` results.
template <int Size, int Stride, int Across, int L, class Fetch, class Emit>
__device__ __forceinline__ void slideBackward(const Lane<L> (&taps)[Size][Across], int lines, Fetch fetch, Emit emit)
{
    Lane<L> sum[Size] = {};
#pragma unroll 1
    for (int t = 0; t < lines; ++t) {
        Lane<L> line[Across];
        fetch(t, line);
#pragma unroll
        for (int i = 0; i < Size; ++i)
#pragma unroll
            for (int c = 0; c < Across; ++c) multiplyAdd(sum[i], taps[i][c], line[c]);
#pragma unroll
        for (int i = 0; i < Stride; ++i) emit(t * Stride + i, sum[i]);
#pragma unroll
        for (int i = 0; i < Size; ++i) sum[i] = i + Stride < Size ? sum[i + Stride] : Lane<L>{};
    }
}

// Adds to the taps from gradients 0 to count - 1; gradient(t) is one.
template <int Size, int Stride, int L, class Fetch, class Gradient>
__device__ __forceinline__ void slideWeight(Lane<L> (&taps)[Size][Size], int count, Fetch fetch, Gradient gradient)
{
    constexpr int open = (Size + Stride - 1) / Stride;
    Lane<L> recent[open] = {};
#pragma unroll 1
    for (int t = 0; t < count + open - 1; ++t) {
#pragma unroll
        for (int j = open - 1; j > 0; --j) recent[j] = recent[j - 1];
        recent[0] = t < count ? gradient(t) : Lane<L>{};
#pragma unroll
        for (int i = 0; i < Stride; ++i) {
            Lane<L> line[Size];
            fetch(t * Stride + i, line);
#pragma unroll
            for (int j = 0; j < open; ++j)
#pragma unroll
                for (int c = 0; c < Size; ++c)
                    if (Stride * j + i < Size) multiplyAdd(taps[Stride * j + i][c], recent[j], line[c]);
        }
    }
}
