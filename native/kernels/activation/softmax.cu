// Softmax and its logarithm along one axis, and their gradients from y:
//   y = exp(x - max) / sum(exp(x - max))     dx = y (dy - sum(dy y))
//   y = x - max - ln(sum(exp(x - max)))      dx = dy - exp(y) sum(dy)
// over lines of a tensor (outer, size, inner), see line.h.
//   softmax_short_rows_*    inner = 1, size <= 32: a thread per line, 256 lines per block; grid ceil(lines / 256)
//   softmax_rows_*          inner = 1, size <= 256: a warp per line, 8 lines per block of 256; grid ceil(lines / 8)
//   softmax_block_rows_*    inner = 1, size <= 2048: a block of 256 per line; grid lines
//   softmax_long_rows_*     inner = 1: a block of 512 per line, which it keeps in shared memory if it `keeps`; grid lines
//   softmax_columns_*       inner > 1, size <= 32: a thread per line, 256 lines per block; grid ceil(lines / 256)
//   softmax_long_columns_*  inner > 1: 8 threads per line, 32 lines per block of 256, kept if it `keeps`; grid ceil(lines / 32)
// Limited by bytes: each element is read once and written once, but for lines that shared memory has no room for: those are read once for
// the sums and once for the result.
#include "activation/softmax_scale.h"

template <typename T, typename Line> __device__ __forceinline__ void softmaxForward(Line line, T* y, bool logarithm)
{
    if (logarithm) {
        const SoftmaxScale scale = softmaxScale<false>(line);
        const float logSum = cnn::log(scale.sum);
        writeLine(line, y, [=](int, float value) { return value - scale.maximum - logSum; });
    } else {
        const SoftmaxScale scale = softmaxScale<true>(line);
        storeProbabilities(line, scale, y);
    }
}

// The line holds y and dy.
template <typename T, typename Line> __device__ __forceinline__ void softmaxBackward(Line line, T* dx, bool logarithm)
{
    float sum = 0.0f;
    eachElement(line, [&](int, float y, float gradient) { sum = logarithm ? sum + gradient : fmaf(gradient, y, sum); });
    sum = line.reduce(sum, Sum());
    writeLine(line, dx, [=](int, float y, float gradient) { return logarithm ? fmaf(-cnn::exp(y), sum, gradient) : y * (gradient - sum); });
}

template <typename T>
__device__ __forceinline__ void softmaxShortRowsForward(const T* x, T* y, long long count, int size, int logarithm)
{
    withShortRow(lines(x), y, count, size, [=](auto row, long long) { softmaxForward(row, y, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxShortRowsBackward(const T* y, const T* dy, T* dx, long long count, int size, int logarithm)
{
    withShortRow(lines(y, dy), dx, count, size, [=](auto row, long long) { softmaxBackward(row, dx, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxRowsForward(const T* x, T* y, long long count, int size, int logarithm)
{
    const long long line = rowOfWarp(), at = line * size;
    if (line >= count) return;
    withWarpRow(lines(x + at), size, rowsAreUnits(size, x, y), [=](auto row) { softmaxForward(row, y + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxRowsBackward(const T* y, const T* dy, T* dx, long long count, int size, int logarithm)
{
    const long long line = rowOfWarp(), at = line * size;
    if (line >= count) return;
    withWarpRow(lines(y + at, dy + at), size, rowsAreUnits(size, y, dy, dx), [=](auto row) { softmaxBackward(row, dx + at, logarithm); });
}

template <typename T> __device__ __forceinline__ void softmaxBlockRowsForward(const T* x, T* y, int size, int logarithm)
{
    const long long at = (long long)blockIdx.x * size;
    withBlockRow(lines(x + at), size, rowsAreUnits(size, x, y), [=](auto row) { softmaxForward(row, y + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxBlockRowsBackward(const T* y, const T* dy, T* dx, int size, int logarithm)
{
    const long long at = (long long)blockIdx.x * size;
    withBlockRow(lines(y + at, dy + at), size, rowsAreUnits(size, y, dy, dx), [=](auto row) { softmaxBackward(row, dx + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxLongRowsForward(const T* x, T* y, int size, int keeps, int logarithm)
{
    const long long at = (long long)blockIdx.x * size;
    withLongRow<float>(lines(x + at), size, keeps, unitsCoincide(x, y), [=](auto row) { softmaxForward(row, y + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxLongRowsBackward(const T* y, const T* dy, T* dx, int size, int keeps, int logarithm)
{
    const long long at = (long long)blockIdx.x * size;
    withLongRow<T>(lines(y + at, dy + at), size, keeps, unitsCoincide(y, dy, dx), [=](auto row) { softmaxBackward(row, dx + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxColumnsForward(const T* x, T* y, long long count, int size, long long inner, int logarithm)
{
    withColumn(lines(x), count, size, inner, [=](auto column, long long at) { softmaxForward(column, y + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxColumnsBackward(
    const T* y, const T* dy, T* dx, long long count, int size, long long inner, int logarithm)
{
    withColumn(lines(y, dy), count, size, inner, [=](auto column, long long at) { softmaxBackward(column, dx + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxLongColumnsForward(
    const T* x, T* y, long long count, int size, long long inner, int keeps, int logarithm)
{
    withLongColumn(lines(x), count, size, inner, keeps, [=](auto column, long long at) { softmaxForward(column, y + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxLongColumnsBackward(
    const T* y, const T* dy, T* dx, long long count, int size, long long inner, int keeps, int logarithm)
{
    withLongColumn(lines(y, dy), count, size, inner, keeps, [=](auto column, long long at) { softmaxBackward(column, dx + at, logarithm); });
}

extern "C" __global__ __launch_bounds__(256) void softmax_short_rows_forward_f32(const float* x, float* y, long long count,
    int size, int logarithm)
{
    softmaxShortRowsForward(x, y, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_short_rows_backward_f32(const float* y, const float* dy, float* dx,
    long long count, int size, int logarithm)
{
    softmaxShortRowsBackward(y, dy, dx, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_forward_f32(const float* x, float* y, long long count,
    int size, int logarithm)
{
    softmaxRowsForward(x, y, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_backward_f32(const float* y, const float* dy, float* dx,
    long long count, int size, int logarithm)
{
    softmaxRowsBackward(y, dy, dx, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_block_rows_forward_f32(const float* x, float* y, int size,
    int logarithm)
{
    softmaxBlockRowsForward(x, y, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_block_rows_backward_f32(const float* y, const float* dy,
    float* dx, int size, int logarithm)
{
    softmaxBlockRowsBackward(y, dy, dx, size, logarithm);
}

extern "C" __global__ __launch_bounds__(512) void softmax_long_rows_forward_f32(const float* x, float* y, int size,
    int keeps, int logarithm)
{
    softmaxLongRowsForward(x, y, size, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(512) void softmax_long_rows_backward_f32(const float* y, const float* dy, float* dx,
    int size, int keeps, int logarithm)
{
    softmaxLongRowsBackward(y, dy, dx, size, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_forward_f32(const float* x, float* y, long long count,
    int size, long long inner, int logarithm)
{
    softmaxColumnsForward(x, y, count, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_backward_f32(const float* y, const float* dy, float* dx,
    long long count, int size, long long inner, int logarithm)
{
    softmaxColumnsBackward(y, dy, dx, count, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_columns_forward_f32(const float* x, float* y,
    long long count, int size, long long inner, int keeps, int logarithm)
{
    softmaxLongColumnsForward(x, y, count, size, inner, keeps, logarithm);
}

// At least one block: without that bound ptxas spills to fit more of them.
extern "C" __global__ __launch_bounds__(256, 1) void softmax_long_columns_backward_f32(const float* y, const float* dy,
    float* dx, long long count, int size, long long inner, int keeps, int logarithm)
{
    softmaxLongColumnsBackward(y, dy, dx, count, size, inner, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_short_rows_forward_bf16(const Bf16* x, Bf16* y, long long count,
    int size, int logarithm)
{
    softmaxShortRowsForward(x, y, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_short_rows_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    long long count, int size, int logarithm)
{
    softmaxShortRowsBackward(y, dy, dx, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_forward_bf16(const Bf16* x, Bf16* y, long long count,
    int size, int logarithm)
{
    softmaxRowsForward(x, y, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    long long count, int size, int logarithm)
{
    softmaxRowsBackward(y, dy, dx, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_block_rows_forward_bf16(const Bf16* x, Bf16* y, int size,
    int logarithm)
{
    softmaxBlockRowsForward(x, y, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_block_rows_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    int size, int logarithm)
{
    softmaxBlockRowsBackward(y, dy, dx, size, logarithm);
}

extern "C" __global__ __launch_bounds__(512) void softmax_long_rows_forward_bf16(const Bf16* x, Bf16* y, int size,
    int keeps, int logarithm)
{
    softmaxLongRowsForward(x, y, size, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(512) void softmax_long_rows_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    int size, int keeps, int logarithm)
{
    softmaxLongRowsBackward(y, dy, dx, size, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_forward_bf16(const Bf16* x, Bf16* y, long long count,
    int size, long long inner, int logarithm)
{
    softmaxColumnsForward(x, y, count, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    long long count, int size, long long inner, int logarithm)
{
    softmaxColumnsBackward(y, dy, dx, count, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_columns_forward_bf16(const Bf16* x, Bf16* y, long long count,
    int size, long long inner, int keeps, int logarithm)
{
    softmaxLongColumnsForward(x, y, count, size, inner, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256, 1) void softmax_long_columns_backward_bf16(const Bf16* y, const Bf16* dy,
    Bf16* dx, long long count, int size, long long inner, int keeps, int logarithm)
{
    softmaxLongColumnsBackward(y, dy, dx, count, size, inner, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_short_rows_forward_f16(const Fp16* x, Fp16* y, long long count,
    int size, int logarithm)
{
    softmaxShortRowsForward(x, y, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_short_rows_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    long long count, int size, int logarithm)
{
    softmaxShortRowsBackward(y, dy, dx, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_forward_f16(const Fp16* x, Fp16* y, long long count,
    int size, int logarithm)
{
    softmaxRowsForward(x, y, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    long long count, int size, int logarithm)
{
    softmaxRowsBackward(y, dy, dx, count, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_block_rows_forward_f16(const Fp16* x, Fp16* y, int size,
    int logarithm)
{
    softmaxBlockRowsForward(x, y, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_block_rows_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    int size, int logarithm)
{
    softmaxBlockRowsBackward(y, dy, dx, size, logarithm);
}

extern "C" __global__ __launch_bounds__(512) void softmax_long_rows_forward_f16(const Fp16* x, Fp16* y, int size, int keeps,
    int logarithm)
{
    softmaxLongRowsForward(x, y, size, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(512) void softmax_long_rows_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    int size, int keeps, int logarithm)
{
    softmaxLongRowsBackward(y, dy, dx, size, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_forward_f16(const Fp16* x, Fp16* y, long long count,
    int size, long long inner, int logarithm)
{
    softmaxColumnsForward(x, y, count, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    long long count, int size, long long inner, int logarithm)
{
    softmaxColumnsBackward(y, dy, dx, count, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_columns_forward_f16(const Fp16* x, Fp16* y, long long count,
    int size, long long inner, int keeps, int logarithm)
{
    softmaxLongColumnsForward(x, y, count, size, inner, keeps, logarithm);
}

extern "C" __global__ __launch_bounds__(256, 1) void softmax_long_columns_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    long long count, int size, long long inner, int keeps, int logarithm)
{
    softmaxLongColumnsBackward(y, dy, dx, count, size, inner, keeps, logarithm);
}
