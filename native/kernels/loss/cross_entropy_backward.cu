// Gradient of the cross-entropy (cross_entropy_forward.cu) by the logits, from the probabilities p of the forward pass:
//   dx[c] = scale ((sum of targets) p[c] - target[c]),   target[c] = (1 - s) w[t] [c = t] + (s / C) w[c],
// with scale = dloss, over the sum of the weights of the labels that count for the mean. Lines with the ignored label get 0, with
// a label that is no class NaN.
//   cross_entropy_weights  partials[b] = the weights of part of the labels; a grid of at most 256 blocks
//   *_rows_backward        inner = 1: a warp per line and 256 classes; grid (ceil(lines / 8), ceil(C / 256))
//   *_columns_backward     inner > 1: a thread per line
// Blocks add up the weights themselves: the partials, or, where `partials` is null, all labels (few). Limited by bytes.
#include "activation/softmax_lines.h"
#include "loss/cross_entropy.h"

__device__ __forceinline__ float weightThatCounts(const long long* labels, long long line, const float* weights, const CrossEntropyProblem& problem)
{
    const long long label = labels[line];
    return label != problem.ignoreIndex && isClass(label, problem) ? classWeight(weights, label) : 0.0f;
}

// What every line of a launch has in common.
struct GradientScale
{
    float scale, spreadSum;  // spreadSum = the sum over c of (s / C) w[c]
};

// Called by whole blocks.
__device__ __forceinline__ GradientScale gradientScale(
    const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* partials, int partialCount, float dloss)
{
    float divisor = 1.0f, spreadSum = 0.0f;
    if (problem.mean) {
        float sum = 0.0f;
        if (partials) {
            for (int i = threadIdx.x; i < partialCount; i += lineThreads) sum += partials[i];
        } else {
            for (long long i = threadIdx.x; i < problem.lines; i += lineThreads) sum += weightThatCounts(labels, i, weights, problem);
        }
        divisor = blockSum<lineThreads>(sum);
    }
    if (problem.spread != 0.0f) {
        for (int c = threadIdx.x; c < problem.classes; c += lineThreads) spreadSum += classWeight(weights, c);
        spreadSum = problem.spread * blockSum<lineThreads>(spreadSum);
    }
    return {dloss / divisor, spreadSum};
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
__device__ __forceinline__ void crossEntropyRowsBackward(
    const T* p, const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* partials,
    int partialCount, const T* dloss, T* dx)
{
    const GradientScale common = gradientScale(labels, weights, problem, partials, partialCount, load(dloss));
    const long long line = rowOfWarp();
    if (line >= problem.lines) return;
    const LineGradient gradient(labels[line], weights, problem, common);
    const long long at = line * problem.classes;
    const int first = blockIdx.y * warpRowLimit, end = min(first + warpRowLimit, problem.classes);
    for (int c = first + (int)threadIdx.x % warpSize32; c < end; c += warpSize32) store(dx + at + c, gradient(c, load(p + at + c)));
}

template <typename T>
__device__ __forceinline__ void crossEntropyColumnsBackward(
    const T* p, const long long* labels, const float* weights, const CrossEntropyProblem& problem, const float* partials,
    int partialCount, const T* dloss, T* dx)
{
    const GradientScale common = gradientScale(labels, weights, problem, partials, partialCount, load(dloss));
    const long long line = columnOfThread(), at = startOfColumn(line, problem.classes, problem.inner);
    if (line >= problem.lines) return;
    const LineGradient gradient(labels[line], weights, problem, common);
    for (int c = 0; c < problem.classes; ++c) store(dx + at + c * problem.inner, gradient(c, load(p + at + c * problem.inner)));
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_weights(
    const long long* labels, const float* weights, CrossEntropyProblem problem, float* partials)
{
    float sum = 0.0f;
    const long long step = (long long)gridDim.x * lineThreads;
    for (long long i = (long long)blockIdx.x * lineThreads + threadIdx.x; i < problem.lines; i += step)
        sum += weightThatCounts(labels, i, weights, problem);
    sum = blockSum<lineThreads>(sum);
    if (threadIdx.x == 0) partials[blockIdx.x] = sum;
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_backward_f32(const float* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* partials, int partialCount,
    const float* dloss, float* dlogits)
{
    crossEntropyRowsBackward(probabilities, labels, weights, problem, partials, partialCount, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_backward_f32(const float* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* partials, int partialCount,
    const float* dloss, float* dlogits)
{
    crossEntropyColumnsBackward(probabilities, labels, weights, problem, partials, partialCount, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_backward_bf16(const Bf16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* partials, int partialCount,
    const Bf16* dloss, Bf16* dlogits)
{
    crossEntropyRowsBackward(probabilities, labels, weights, problem, partials, partialCount, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_backward_bf16(const Bf16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* partials, int partialCount,
    const Bf16* dloss, Bf16* dlogits)
{
    crossEntropyColumnsBackward(probabilities, labels, weights, problem, partials, partialCount, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_backward_f16(const Fp16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* partials, int partialCount,
    const Fp16* dloss, Fp16* dlogits)
{
    crossEntropyRowsBackward(probabilities, labels, weights, problem, partials, partialCount, dloss, dlogits);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_backward_f16(const Fp16* probabilities,
    const long long* labels, const float* weights, CrossEntropyProblem problem, const float* partials, int partialCount,
    const Fp16* dloss, Fp16* dlogits)
{
    crossEntropyColumnsBackward(probabilities, labels, weights, problem, partials, partialCount, dloss, dlogits);
}
