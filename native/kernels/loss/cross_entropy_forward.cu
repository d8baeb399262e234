// Cross-entropy with softmax of logits (N, C, inner) against labels (N, inner), forward: p = softmax(x) and, for each line with
// label t, smoothing s and class weights w,
//   loss = (1 - s) w[t] (-ln p[t]) + (s / C) sum_c w[c] (-ln p[c]),    -ln p[c] = (max - x[c]) + ln(sum of exponentials).
// An ignored label adds nothing. A label that is no class gives NaN: there is nobody to throw an exception to.
// The result is the sum, or the mean over the weights of the labels that count, which are kept for the backward pass: sums per block
// first, then in one block, so that the order is fixed. Lines and their teams are those of softmax.cu; partials has one element per
// block. Limited by bytes.
#include "activation/softmax_scale.h"
#include "loss/cross_entropy.h"

// sum_c w[c] (maximum - x[c]) and sum_c w[c] of a line: with smoothing every class costs.
template <typename Line>
__device__ __forceinline__ float2 costsOfAllClasses(Line& line, float maximum, const float* weights)
{
    float cost = 0.0f, sum = 0.0f;
    eachElement(line, [&](int c, float logit) {
        const float weight = classWeight(weights, c);
        cost = fmaf(weight, maximum - logit, cost);
        sum += weight;
    });
    return {line.reduce(cost, Sum()), line.reduce(sum, Sum())};
}

// Loss of one line, which starts at x and has elements `inner` apart, in every thread of its team; p overwritten. Teams may share barriers:
// what depends on the label comes behind all reductions.
template <typename T, typename Line>
__device__ __forceinline__ LossPartial lineLoss(
    Line line, const T* x, long long label, const float* weights, const CrossEntropyProblem& problem, T* p, long long inner)
{
    float2 all = {0.0f, 0.0f};
    const SoftmaxScale scale = softmaxScale<true>(line, [&](float maximum) {
        if (problem.spread != 0.0f) all = costsOfAllClasses(line, maximum, weights);
    });
    storeProbabilities(line, scale, p);
    if (label == problem.ignoreIndex) return {0.0f, 0.0f};
    if (!isClass(label, problem)) return {cnn::quietNan(), 0.0f};

    const float logSum = cnn::log(scale.sum), weight = classWeight(weights, label);
    float loss = problem.hit * weight * ((scale.maximum - load(x + label * inner)) + logSum);
    if (problem.spread != 0.0f) loss = fmaf(problem.spread, fmaf(logSum, all.y, all.x), loss);
    return {loss, weight};
}

// Adds what the leaders of the teams bring.
__device__ __forceinline__ void storePartial(LossPartial mine, LossPartial* partials)
{
    const float loss = blockSum<lineThreads>(mine.loss), weight = blockSum<lineThreads>(mine.weight);
    if (threadIdx.x == 0) partials[blockIdx.x] = {loss, weight};
}

template <typename T>
__device__ __forceinline__ void crossEntropyShortRows(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    LossPartial mine = {0.0f, 0.0f};
    withShortRow(lines(x), p, problem.lines, problem.classes, [&](auto row, long long line) {
        mine = lineLoss(row, x + line * problem.classes, labels[line], weights, problem, p, 1);
    });
    storePartial(mine, partials);
}

template <typename T>
__device__ __forceinline__ void crossEntropyRows(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const long long line = rowOfWarp(), at = line * problem.classes;
    LossPartial mine = {0.0f, 0.0f};
    if (line < problem.lines) {
        withWarpRow(lines(x + at), problem.classes, rowsAreUnits(problem.classes, x, p), [&](auto row) {
            const LossPartial loss = lineLoss(row, x + at, labels[line], weights, problem, p + at, 1);
            if (row.leads()) mine = loss;
        });
    }
    storePartial(mine, partials);
}

// A row of this block.
template <typename T, typename Row>
__device__ __forceinline__ void crossEntropyOfBlock(Row row, const T* x, const long long* labels, const float* weights,
    const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const LossPartial loss = lineLoss(row, x, labels[blockIdx.x], weights, problem, p, 1);
    if (row.leads()) partials[blockIdx.x] = loss;
}

template <typename T>
__device__ __forceinline__ void crossEntropyBlockRows(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const long long at = (long long)blockIdx.x * problem.classes;
    withBlockRow(lines(x + at), problem.classes, rowsAreUnits(problem.classes, x, p),
        [&](auto row) { crossEntropyOfBlock(row, x + at, labels, weights, problem, p + at, partials); });
}

template <typename T>
__device__ __forceinline__ void crossEntropyLongRows(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, int keeps, T* p, LossPartial* partials)
{
    const long long at = (long long)blockIdx.x * problem.classes;
    withLongRow<float>(lines(x + at), problem.classes, keeps, unitsCoincide(x, p),
        [&](auto row) { crossEntropyOfBlock(row, x + at, labels, weights, problem, p + at, partials); });
}

template <typename T>
__device__ __forceinline__ void crossEntropyColumns(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, T* p, LossPartial* partials)
{
    const long long line = lineOfColumn();
    LossPartial mine = {0.0f, 0.0f};
    withColumn(lines(x), problem.lines, problem.classes, problem.inner, [&](auto column, long long at) {
        mine = lineLoss(column, x + at, labels[line], weights, problem, p + at, problem.inner);
    });
    storePartial(mine, partials);
}

template <typename T>
__device__ __forceinline__ void crossEntropyLongColumns(
    const T* x, const long long* labels, const float* weights, const CrossEntropyProblem& problem, int keeps, T* p, LossPartial* partials)
{
    const long long label = labels[lineOfLongColumn(problem.lines)];
    withLongColumn(lines(x), problem.lines, problem.classes, problem.inner, keeps, [&](auto column, long long at) {
        LossPartial mine = lineLoss(column, x + at, label, weights, problem, p + at, problem.inner);
        if (!column.leads()) mine = {0.0f, 0.0f};
        storePartial(mine, partials);
    });
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

extern "C" __global__ __launch_bounds__(256) void cross_entropy_short_rows_forward_f32(const float* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyShortRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_forward_f32(const float* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_block_rows_forward_f32(const float* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyBlockRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(512) void cross_entropy_long_rows_forward_f32(const float* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, int keeps, float* probabilities, LossPartial* partials)
{
    crossEntropyLongRows(logits, labels, weights, problem, keeps, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_forward_f32(const float* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, float* probabilities, LossPartial* partials)
{
    crossEntropyColumns(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_long_columns_forward_f32(const float* logits, const long
    long* labels, const float* weights, CrossEntropyProblem problem, int keeps, float* probabilities, LossPartial* partials)
{
    crossEntropyLongColumns(logits, labels, weights, problem, keeps, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_finish_f32(const LossPartial* partials, int count, int mean,
    float* loss, float* divisor)
{
    crossEntropyFinish(partials, count, mean, loss, divisor);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_short_rows_forward_bf16(const Bf16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyShortRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_forward_bf16(const Bf16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_block_rows_forward_bf16(const Bf16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyBlockRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(512) void cross_entropy_long_rows_forward_bf16(const Bf16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, int keeps, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyLongRows(logits, labels, weights, problem, keeps, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_forward_bf16(const Bf16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyColumns(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_long_columns_forward_bf16(const Bf16* logits, const long
    long* labels, const float* weights, CrossEntropyProblem problem, int keeps, Bf16* probabilities, LossPartial* partials)
{
    crossEntropyLongColumns(logits, labels, weights, problem, keeps, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_finish_bf16(const LossPartial* partials, int count, int mean,
    Bf16* loss, float* divisor)
{
    crossEntropyFinish(partials, count, mean, loss, divisor);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_short_rows_forward_f16(const Fp16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyShortRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_rows_forward_f16(const Fp16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_block_rows_forward_f16(const Fp16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyBlockRows(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(512) void cross_entropy_long_rows_forward_f16(const Fp16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, int keeps, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyLongRows(logits, labels, weights, problem, keeps, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_columns_forward_f16(const Fp16* logits, const long long*
    labels, const float* weights, CrossEntropyProblem problem, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyColumns(logits, labels, weights, problem, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_long_columns_forward_f16(const Fp16* logits, const long
    long* labels, const float* weights, CrossEntropyProblem problem, int keeps, Fp16* probabilities, LossPartial* partials)
{
    crossEntropyLongColumns(logits, labels, weights, problem, keeps, probabilities, partials);
}

extern "C" __global__ __launch_bounds__(256) void cross_entropy_finish_f16(const LossPartial* partials, int count, int mean,
    Fp16* loss, float* divisor)
{
    crossEntropyFinish(partials, count, mean, loss, divisor);
}
