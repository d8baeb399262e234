// What the entries of the cross-entropy loss share: the target of a line, and sums over lines.
#pragma once

#include "common/cuda_compat.h"

// Settings and sizes; twin of the C# struct of the same name. Logits are (N, classes, inner), labels (N, inner).
struct CrossEntropyProblem
{
    long long lines;        // labels: N * inner
    long long inner;
    long long ignoreIndex;  // the label that does not count
    int classes;
    int mean;               // 1: divide by the weights that count
    float hit;              // 1 - smoothing
    float spread;           // smoothing / classes
};

// Sums of a block, of all blocks in the end: of the losses, and of the weights of the labels that count.
struct LossPartial
{
    float loss, weight;
};

__device__ __forceinline__ bool isClass(long long label, const CrossEntropyProblem& problem)
{
    return label >= 0 && label < problem.classes;
}

__device__ __forceinline__ float classWeight(const float* weights, long long c) { return weights ? weights[c] : 1.0f; }
