// Softmax and its logarithm along one axis, and their gradients from y:
//   y = exp(x - max) / sum(exp(x - max))     dx = y (dy - sum(dy y))
//   y = x - max - ln(sum(exp(x - max)))      dx = dy - exp(y) sum(dy)
// over lines of a tensor (outer, size, inner), see softmax_lines.h.
//   softmax_rows_*       inner = 1, size <= 256: a warp per line, 8 lines per block of 256; grid ceil(lines / 8)
//   softmax_long_rows_*  inner = 1: a block of 256 per line; grid lines
//   softmax_columns_*    inner > 1: a thread per line, 256 lines per block; grid ceil(outer * inner / 256)
// Limited by bytes: rows of up to 2048 move each element once (a gradient dy comes from L1 the second time), the others read it from the
// caches again.
#include "activation/softmax_lines.h"

template <typename T, typename Line> __device__ __forceinline__ void softmaxForward(Line line, T* y, bool logarithm)
{
    if (logarithm) {
        const SoftmaxScale scale = softmaxScale<false>(line);
        const float logSum = cnn::log(scale.sum);
        line.write(y, [=](int, float& value) { return value - scale.maximum - logSum; });
    } else {
        const SoftmaxScale scale = softmaxScale<true>(line);
        storeProbabilities(line, scale, y);
    }
}

// `line` holds y.
template <typename T, typename Line> __device__ __forceinline__ void softmaxBackward(Line line, const T* dy, T* dx, bool logarithm)
{
    float sum = 0.0f;
    line.each([&](int, float& y, float gradient) { sum = logarithm ? sum + gradient : fmaf(gradient, y, sum); }, dy);
    sum = line.reduce(sum, Sum());
    line.write(dx, [=](int, float& y, float gradient) { return logarithm ? fmaf(-cnn::exp(y), sum, gradient) : y * (gradient - sum); }, dy);
}

template <typename T>
__device__ __forceinline__ void softmaxRowsForward(const T* x, T* y, long long lines, int size, int logarithm)
{
    const long long line = rowOfWarp(), at = line * size;
    if (line >= lines) return;
    withWarpRow(x + at, size, rowsAreUnits(size, x, y), [=](auto row) { softmaxForward(row, y + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxRowsBackward(const T* y, const T* dy, T* dx, long long lines, int size, int logarithm)
{
    const long long line = rowOfWarp(), at = line * size;
    if (line >= lines) return;
    withWarpRow(y + at, size, rowsAreUnits(size, y, dy, dx), [=](auto row) { softmaxBackward(row, dy + at, dx + at, logarithm); });
}

template <typename T> __device__ __forceinline__ void softmaxLongRowsForward(const T* x, T* y, int size, int logarithm)
{
    const long long at = (long long)blockIdx.x * size;
    withBlockRow(x + at, size, rowsAreUnits(size, x, y), [=](auto row) { softmaxForward(row, y + at, logarithm); });
}

template <typename T> __device__ __forceinline__ void softmaxLongRowsBackward(const T* y, const T* dy, T* dx, int size, int logarithm)
{
    const long long at = (long long)blockIdx.x * size;
    withBlockRow(y + at, size, rowsAreUnits(size, y, dy, dx), [=](auto row) { softmaxBackward(row, dy + at, dx + at, logarithm); });
}

template <typename T>
__device__ __forceinline__ void softmaxColumnsForward(const T* x, T* y, long long lines, int size, long long inner, int logarithm)
{
    const long long line = columnOfThread(), at = startOfColumn(line, size, inner);
    if (line < lines) softmaxForward(ColumnLine<T>(x + at, size, inner), y + at, logarithm);
}

template <typename T>
__device__ __forceinline__ void softmaxColumnsBackward(
    const T* y, const T* dy, T* dx, long long lines, int size, long long inner, int logarithm)
{
    const long long line = columnOfThread(), at = startOfColumn(line, size, inner);
    if (line < lines) softmaxBackward(ColumnLine<T>(y + at, size, inner), dy + at, dx + at, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_forward_f32(const float* x, float* y, long long lines,
    int size, int logarithm)
{
    softmaxRowsForward(x, y, lines, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_backward_f32(const float* y, const float* dy, float* dx,
    long long lines, int size, int logarithm)
{
    softmaxRowsBackward(y, dy, dx, lines, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_rows_forward_f32(const float* x, float* y, int size,
    int logarithm)
{
    softmaxLongRowsForward(x, y, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_rows_backward_f32(const float* y, const float* dy, float* dx,
    int size, int logarithm)
{
    softmaxLongRowsBackward(y, dy, dx, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_forward_f32(const float* x, float* y, long long lines,
    int size, long long inner, int logarithm)
{
    softmaxColumnsForward(x, y, lines, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_backward_f32(const float* y, const float* dy, float* dx,
    long long lines, int size, long long inner, int logarithm)
{
    softmaxColumnsBackward(y, dy, dx, lines, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_forward_bf16(const Bf16* x, Bf16* y, long long lines,
    int size, int logarithm)
{
    softmaxRowsForward(x, y, lines, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    long long lines, int size, int logarithm)
{
    softmaxRowsBackward(y, dy, dx, lines, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_rows_forward_bf16(const Bf16* x, Bf16* y, int size,
    int logarithm)
{
    softmaxLongRowsForward(x, y, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_rows_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    int size, int logarithm)
{
    softmaxLongRowsBackward(y, dy, dx, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_forward_bf16(const Bf16* x, Bf16* y, long long lines,
    int size, long long inner, int logarithm)
{
    softmaxColumnsForward(x, y, lines, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_backward_bf16(const Bf16* y, const Bf16* dy, Bf16* dx,
    long long lines, int size, long long inner, int logarithm)
{
    softmaxColumnsBackward(y, dy, dx, lines, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_forward_f16(const Fp16* x, Fp16* y, long long lines, int size,
    int logarithm)
{
    softmaxRowsForward(x, y, lines, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_rows_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    long long lines, int size, int logarithm)
{
    softmaxRowsBackward(y, dy, dx, lines, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_rows_forward_f16(const Fp16* x, Fp16* y, int size,
    int logarithm)
{
    softmaxLongRowsForward(x, y, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_long_rows_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    int size, int logarithm)
{
    softmaxLongRowsBackward(y, dy, dx, size, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_forward_f16(const Fp16* x, Fp16* y, long long lines,
    int size, long long inner, int logarithm)
{
    softmaxColumnsForward(x, y, lines, size, inner, logarithm);
}

extern "C" __global__ __launch_bounds__(256) void softmax_columns_backward_f16(const Fp16* y, const Fp16* dy, Fp16* dx,
    long long lines, int size, long long inner, int logarithm)
{
    softmaxColumnsBackward(y, dy, dx, lines, size, inner, logarithm);
}
