// Sizes of a product, as the host gives them to the kernels.
#pragma once

// c (m x n) = op(a) op(b), `blockIdx.z / splits` numbers products of a batch. Element (i, j) of c is at i * rowStride +
// j * columnStride, one of which is 1.
struct GemmProblem
{
    int m, n, k;
    int pitchA, pitchB;                  // elements from one stored line to the next
    int wideA, wideB, wideC;             // whether lines are aligned for 16-byte loads; for c a Wide
    long long rowStride, columnStride;
    long long batchA, batchB, batchC;    // elements from one matrix of a batch to the next
};
