// Gradient of the cross-entropy (cross_entropy_forward.cu) by the logits, from the probabilities p of the forward pass:
//   dx[c] = scale ((sum of targets) p[c] - target[c]),   target[c] = (1 - s) w[t] [c = t] + (s / C) w[c],
// with scale = dloss / divisor (of the forward pass). Lines with the ignored label get 0, with a label that is no class NaN.
//   *_short_rows_backward  inner = 1, C <= 32: a thread per line; grid ceil(lines / 256)
//   *_rows_backward        inner = 1, C <= 2048: a warp per line and 256 classes; grid (ceil(lines / 8), ceil(C / 256))
//   *_long_rows_backward   inner = 1: a block of 512 per line; grid lines
//   *_columns_backward     inner > 1: a thread per line
// Limited by bytes.
#include "activation/column.h"
#include "activation/held_row.h"
#include "activation/long_row.h"
#include "activation/short_row.h"
#include "loss/cross_entropy.h"

// What every line of a launch has in common.
struct GradientScale
{
    float scale, spreadSum;  // spreadSum = the sum over c of (s / C) w[c]
};

// Called by whole blocks.
template <int threads = lineThreads>
__device__ __forceinline__ GradientScale gradientScale(const float* weights, const CrossEntropyProblem& problem, float divisor, float dloss)
{
    float weightSum = (float)problem.classes;
    if (weights && problem.spread != 0.0f) {
        float sum = 0.0f;
        for (int c = threadIdx.x; c < problem.classes; c += threads) sum += weights[c];
        weightSum = blockSum<threads>(sum);
    }
    return {dloss / divisor, problem.spread * weightSum};
}

// The gradient of one line as a function of class and probability.
struct LineGradient
{
    long long label;
    float factor, hit, spread;
    const float* weights;

    __device__ __forceinline__ LineGradient(
        long long label, const float* weights, const CrossEntropyProblem& problem, GradientScale common)
        : label(label), factor(0.0f), hit(0.0f), spread(0.0f), weights(weights)
    {
        if (label == problem.ignoreIndex) return;
        spread = common.scale * problem.spread;
        factor = cnn::quietNan();
        if (!isClass(label, problem)) return;
        hit = problem.hit * classWeight(weights, label);
        factor = common.scale * (hit + common.spreadSum);
        hit *= common.scale;
    }

    __device__ __forceinline__ float operator()(int c, float p) const
    {
        const float target = spread == 0.0f ? 0.0f : spread * classWeight(weights, c);
        return fmaf(factor, p, c == label ? -hit : 0.0f) - target;
    }
};

template <typename T>
__device__ __forceinline__ void crossEntropyShortRowsBackward(
    const T* p, const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* divisor,
    const T* dloss, T* dx)
{
    const GradientScale common = gradientScale(weights, problem, divisor[0], load(dloss));
    withShortRow(lines(p), dx, problem.lines, problem.classes, [&](auto row, long long line) {
        writeLine(row, dx, LineGradient(labels[line], weights, problem, common));
    });
}

template <typename T>
__device__ __forceinline__ void crossEntropyRowsBackward(
    const T* p, const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* divisor,
    const T* dloss, T* dx)
{
    const GradientScale common = gradientScale(weights, problem, divisor[0], load(dloss));
    const long long line = rowOfWarp();
    if (line >= problem.lines) return;
    const LineGradient gradient(labels[line], weights, problem, common);
    const long long at = line * problem.classes;
    const int first = blockIdx.y * warpRowLimit, size = min(warpRowLimit, problem.classes - first);
    withWarpRow(lines(p + at + first), size, rowsAreUnits(problem.classes, p, dx), [=](auto row) {
        writeLine(row, dx + at + first, [=](int c, float probability) { return gradient(first + c, probability); });
    });
}

template <typename T>
__device__ __forceinline__ void crossEntropyLongRowsBackward(
    const T* p, const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* divisor,
    const T* dloss, T* dx)
{
    const GradientScale common = gradientScale<longRowThreads>(weights, problem, divisor[0], load(dloss));
    const LineGradient gradient(labels[blockIdx.x], weights, problem, common);
    const long long at = (long long)blockIdx.x * problem.classes;
    // One pass has nothing to keep.
    withLongRow<T>(lines(p + at), problem.classes, 0, unitsCoincide(p, dx), [=](auto row) {
        writeLine(row, dx + at, [=](int c, float probability) { return gradient(c, probability); });
    });
}

template <typename T>
__device__ __forceinline__ void crossEntropyColumnsBackward(
    const T* p, const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* divisor,
    const T* dloss, T* dx)
{
    const GradientScale common = gradientScale(weights, problem, divisor[0], load(dloss));
    const long long line = lineOfColumn(), at = startOfColumn(line, problem.classes, problem.inner);
    if (line >= problem.lines) return;
    const LineGradient gradient(labels[line], weights, problem, common);
    for (int c = 0; c < problem.classes; ++c) store(dx + at + c * problem.inner, gradient(c, load(p + at + c * problem.inner)));
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_short_rows_backward_f32(const float* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const float* dloss, float* dlogits)
{
    crossEntropyShortRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_backward_f32(const float* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const float* dloss, float* dlogits)
{
    crossEntropyRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(512) void cross_entropy_long_rows_backward_f32(const float* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const float* dloss, float* dlogits)
{
    crossEntropyLongRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_backward_f32(const float* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const float* dloss, float* dlogits)
{
    crossEntropyColumnsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_short_rows_backward_bf16(const Bf16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Bf16* dloss, Bf16* dlogits)
{
    crossEntropyShortRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_backward_bf16(const Bf16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Bf16* dloss, Bf16* dlogits)
{
    crossEntropyRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(512) void cross_entropy_long_rows_backward_bf16(const Bf16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Bf16* dloss, Bf16* dlogits)
{
    crossEntropyLongRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_backward_bf16(const Bf16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Bf16* dloss, Bf16* dlogits)
{
    crossEntropyColumnsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_short_rows_backward_f16(const Fp16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Fp16* dloss, Fp16* dlogits)
{
    crossEntropyShortRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_backward_f16(const Fp16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Fp16* dloss, Fp16* dlogits)
{
    crossEntropyRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(512) void cross_entropy_long_rows_backward_f16(const Fp16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Fp16* dloss, Fp16* dlogits)
{
    crossEntropyLongRowsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_backward_f16(const Fp16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* divisor,
    const Fp16* dloss, Fp16* dlogits)
{
    crossEntropyColumnsBackward(probabilities, labels, weights, problem, divisor, dloss, dlogits);
}
