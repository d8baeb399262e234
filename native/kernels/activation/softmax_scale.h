// The maximum and the sum of exponentials of a line, whoever holds it: ln p[i] = x[i] - maximum - ln(sum).
//
// Where lines are kept, in a pass for the maximum and one for the exponentials, which take the place of x. Where each pass reads memory, in
// one: a running maximum, by which the sum is scaled down when it grows (Milakov and Gimelshein, "Online normalizer calculation for
// softmax", 2018).
#pragma once

#include "activation/column.h"
#include "activation/held_row.h"
#include "activation/long_row.h"
#include "activation/short_row.h"

struct SoftmaxScale
{
    float maximum, sum;
};

struct RunningScale
{
    float maximum = -cnn::infinity, sum = 0.0f;

    template <int width> __device__ __forceinline__ void add(const float (&x)[width])
    {
        float larger = maximum;
#pragma unroll
        for (int k = 0; k < width; ++k) larger = cnn::maxNan(larger, x[k]);
        // While all are -infinity their exponentials are 0, not exp(-infinity + infinity).
        const float base = larger == -cnn::infinity ? 0.0f : larger;
        if (larger != maximum) sum *= cnn::exp(maximum - base);
        maximum = larger;
#pragma unroll
        for (int k = 0; k < width; ++k) sum += cnn::exp(x[k] - base);
    }
};

template <typename Line> __device__ __forceinline__ float maximumOf(Line& line)
{
    float maximum = -cnn::infinity;
    eachElement(line, [&](int, float x) { maximum = cnn::maxNan(maximum, x); });
    return line.reduce(maximum, Maximum());
}

template <bool replace, typename Line> __device__ __forceinline__ float sumOfExponentials(Line& line, float maximum)
{
    float sum = 0.0f;
    if constexpr (replace) changeElements(line, [&](int, float& x) { sum += x = cnn::exp(x - maximum); });
    else eachElement(line, [&](int, float x) { sum += cnn::exp(x - maximum); });
    return line.reduce(sum, Sum());
}

// Finds maximum and sum; a line that is kept then holds exp(x - maximum) if it is to `replace` x. known(maximum) is called while the line
// still holds x. A maximum of NaN or of an infinity makes the sum NaN, and so the whole line.
template <bool replace, typename Line, typename Known> __device__ __forceinline__ SoftmaxScale softmaxScale(Line& line, Known known)
{
    if constexpr (Line::kept) {
        const float maximum = maximumOf(line);
        known(maximum);
        return {maximum, sumOfExponentials<replace>(line, maximum)};
    } else {
        RunningScale mine;
        line.eachUnit([&](int, auto& unit) { mine.add(unit.of[0].at); });
        const float maximum = line.reduce(mine.maximum, Maximum());
        known(maximum);
        return {maximum, line.reduce(mine.sum * cnn::exp(mine.maximum - maximum), Sum())};
    }
}

template <bool replace, typename Line> __device__ __forceinline__ SoftmaxScale softmaxScale(Line& line)
{
    return softmaxScale<replace>(line, [](float) {});
}

// y[i] = exp(x[i] - maximum) / sum, after softmaxScale<true>.
template <typename Line, typename T> __device__ __forceinline__ void storeProbabilities(Line& line, SoftmaxScale scale, T* y)
{
    const float factor = 1.0f / scale.sum;
    writeLine(line, y, [=](int, float value) { return factor * (Line::kept ? value : cnn::exp(value - scale.maximum)); });
}
