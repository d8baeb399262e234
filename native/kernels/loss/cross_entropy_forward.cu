// Cross-entropy with softmax of logits (N, C, inner) against labels (N, inner), forward: p = softmax(x) and, for each line with
// label t, smoothing s and class weights w,
//   loss = (1 - s) w[t] (-ln p[t]) + (s / C) sum_c w[c] (-ln p[c]),    -ln p[c] = (max - x[c]) + ln(sum of exponentials).
// An ignored label adds nothing. A label that is no class gives NaN: there is nobody to throw an exception to.
// The result is the sum, or the mean over the weights of the labels that count, which are kept for the backward pass: sums per block
// first, then in one block, so that the order is fixed. Lines and their mapping: softmax_lines.h; partials has one element per block. Limited by bytes.
#include "activation/softmax_lines.h"
#include "loss/cross_entropy.h"

// Loss of one line, x with elements `inner` apart, in every thread of its team; p overwritten.
template <typename T, typename Line>
__device__ __forceinline__ LossPartial lineLoss(
    Line line, const T* x, long long label, const float* weights, const CrossEntropyProblem& problem, T* p, long long inner)
{
    const SoftmaxScale scale = softmaxScale<true>(line);
    storeProbabilities(line, scale, p);
    if (label == problem.ignoreIndex) return {0.0f, 0.0f};
    if (!isClass(label, problem)) return {cnn::quietNan(), 0.0f};

    const float logSum = cnn::log(scale.sum), weight = classWeight(weights, label);
    auto cost = [&](long long c, float logit) { return classWeight(weights, c) * ((scale.maximum - logit) + logSum); };
    float loss = problem.hit * cost(label, load(x + label * inner));
    if (problem.spread != 0.0f) {
        float rest = 0.0f;
        line.each([&](int c, float&, float logit) { rest += cost(c, logit); }, x);
        loss = fmaf(problem.spread, line.reduce(rest, Sum()), loss);
    }
    return {loss, weight};
}

// Adds what the leaders of the teams bring.
__device__ __forceinline__ void storePartial(LossPartial mine, LossPartial* partials)
{
    const float loss = blockSum<lineThreads>(mine.loss), weight = blockSum<lineThreads>(mine.weight);
    if (threadIdx.x == 0) partials[blockIdx.x] = {loss, weight};
}

template <typename T>
__device__ __forceinline__ void crossEntropyRows(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const long long line = rowOfWarp(), at = line * problem.classes;
    LossPartial mine = {0.0f, 0.0f};
    if (line < problem.lines) {
        withWarpRow(x + at, problem.classes, rowsAreUnits(problem.classes, x, p), [&](auto row) {
            const LossPartial loss = lineLoss(row, x + at, labels[line], weights, problem, p + at, 1);
            if (row.leads()) mine = loss;
        });
    }
    storePartial(mine, partials);
}

template <typename T>
__device__ __forceinline__ void crossEntropyLongRows(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const long long line = blockIdx.x, at = line * problem.classes;
    withBlockRow(x + at, problem.classes, rowsAreUnits(problem.classes, x, p), [&](auto row) {
        const LossPartial loss = lineLoss(row, x + at, labels[line], weights, problem, p + at, 1);
        if (row.leads()) partials[line] = loss;
    });
}

template <typename T>
__device__ __forceinline__ void crossEntropyColumns(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const long long line = columnOfThread(), at = startOfColumn(line, problem.classes, problem.inner);
    LossPartial mine = {0.0f, 0.0f};
    if (line < problem.lines) {
        const ColumnLine<T> column(x + at, problem.classes, problem.inner);
        mine = lineLoss(column, x + at, labels[line], weights, problem, p + at, problem.inner);
    }
    storePartial(mine, partials);
}

// One block of 256: the sum of all partials, in double, over the divisor: that of the weights for the mean, else 1.
template <typename T> __device__ __forceinline__ void crossEntropyFinish(const LossPartial* partials, int count, int mean, T* loss, float* divisor)
{
    double sum = 0.0, weight = 0.0;
    for (int i = threadIdx.x; i < count; i += lineThreads) {
        sum += partials[i].loss;
        weight += partials[i].weight;
    }
    sum = blockSum<lineThreads>(sum);
    weight = blockSum<lineThreads>(weight);
    if (threadIdx.x != 0) return;
    store(loss, (float)(mean ? sum / weight : sum));
    divisor[0] = mean ? (float)weight : 1.0f;
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_forward_f32(const float* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_long_rows_forward_f32(const float* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyLongRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_forward_f32(const float* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyColumns(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_finish_f32(const LossPartial* partials, int count, int mean,
    float* loss, float* divisor)
{
    crossEntropyFinish(partials, count, mean, loss, divisor);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_forward_bf16(const Bf16* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_long_rows_forward_bf16(const Bf16* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyLongRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_forward_bf16(const Bf16* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyColumns(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_finish_bf16(const LossPartial* partials, int count, int mean,
    Bf16* loss, float* divisor)
{
    crossEntropyFinish(partials, count, mean, loss, divisor);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_forward_f16(const Fp16* logits, const long long* labels,
    const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_long_rows_forward_f16(const Fp16* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyLongRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_forward_f16(const Fp16* logits,
    const long long* labels, const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyColumns(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_finish_f16(const LossPartial* partials, int count, int mean,
    Fp16* loss, float* divisor)
{
    crossEntropyFinish(partials, count, mean, loss, divisor);
}
