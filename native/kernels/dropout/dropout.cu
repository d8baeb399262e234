// Dropout without a stored mask: y = x / (1 - p) where the unit of the element survives, else 0, even where x is NaN. Unit
// u = element / unitSize (element in NCHW order) survives when word u of the stream, as a number below 1, is at least p. The same
// call on a gradient is the backward pass. y may be x. p = 1 drops all.
// Mapping: 256 threads, 16 bytes per thread; a thread draws a Philox block when it comes to another four units, so once or twice,
// but once per element in NHWC with units of one element. Limited by bytes, there by arithmetic.
#include "common/dtype.h"
#include "common/element_order.h"
#include "common/map.h"
#include "common/philox.h"

template <typename T>
__device__ __forceinline__ void dropout(
    const T* x, T* y, long long count, float probability, float factor, long long unitSize, RandomSource source, ElementOrder order)
{
    const long long first = firstElement<T>(), end = first + vectorWidth<T>;
    if (first >= count) return;
    PhiloxReader reader{PhiloxStream(source)};
    // 64-bit divisions are slow, and units of one element are the rule.
    auto apply = [&](long long element, float value) {
        const long long index = nchwIndex(element, order), unit = unitSize == 1 ? index : index / unitSize;
        return unitFloat(reader.word(unit)) >= probability ? value * factor : 0.0f;
    };
    if (end <= count && aligned16(x, y)) {
        Vector<T> values = loadVector(x + first);
#pragma unroll
        for (int k = 0; k < Vector<T>::width; ++k) values[k] = apply(first + k, values[k]);
        storeVector(y + first, values);
    } else {
#pragma unroll 1
        for (long long i = first; i < end && i < count; ++i) store(y + i, apply(i, load(x + i)));
    }
}

extern "C" __global__ __launch_bounds__(256) void dropout_f32(const float* x, float* y, long long count, float probability,
    float factor, long long unitSize, RandomSource source, ElementOrder order)
{
    dropout(x, y, count, probability, factor, unitSize, source, order);
}

extern "C" __global__ __launch_bounds__(256) void dropout_bf16(const Bf16* x, Bf16* y, long long count, float probability,
    float factor, long long unitSize, RandomSource source, ElementOrder order)
{
    dropout(x, y, count, probability, factor, unitSize, source, order);
}

extern "C" __global__ __launch_bounds__(256) void dropout_f16(const Fp16* x, Fp16* y, long long count, float probability,
    float factor, long long unitSize, RandomSource source, ElementOrder order)
{
    dropout(x, y, count, probability, factor, unitSize, source, order);
}
