// Dropout without a stored mask: y = x / (1 - p) where the unit of the element survives, else 0, even where x is NaN. Unit
// u = element / unitSize (element in NCHW order) survives when word u of the stream, as a number below 1, is at least p. The same
// call on a gradient is the backward pass. y may be x. p = 1 drops all.
// Mapping: 256 threads.
//   dropout_*         16 bytes per thread; it draws a Philox block when it comes to another four units, so once or twice, but once per
//                     element in NHWC with units of one element
//   dropout_quads_*   that case where C is a multiple of 16 bytes and H * W of 4: a thread takes 16 bytes of channels of four neighbouring
//                     pixels, which are the four words of one Philox block per channel
// Limited by bytes.
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

// order.pixels = H * W; channelVectors = C / elements in 16 bytes; quads = threads = elements / (4 * elements in 16 bytes).
template <typename T>
__device__ __forceinline__ void dropoutQuads(
    const T* x, T* y, int quads, float probability, float factor, RandomSource source, ElementOrder order, FastDivisor channelVectors)
{
    constexpr int width = vectorWidth<T>;
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= quads) return;
    int channelVector, pixel;
    const int firstPixel = 4 * divide(index, channelVectors, channelVector);
    const int image = divide(firstPixel, order.pixels, pixel);
    const PhiloxStream stream(source);
    unsigned survivors = 0;  // bit 4k + j: channel k of pixel j
#pragma unroll
    for (int k = 0; k < width; ++k) {
        const long long plane = (long long)image * order.channels.divisor + channelVector * width + k;
        const uint4 words = stream.words((plane * order.pixels.divisor + pixel) / 4);
        const auto survives = [=](unsigned word) { return (unsigned)(unitFloat(word) >= probability); };
        survivors |= (survives(words.x) | survives(words.y) << 1 | survives(words.z) << 2 | survives(words.w) << 3) << 4 * k;
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        const long long at = ((long long)(firstPixel + j) * channelVectors.divisor + channelVector) * width;
        Vector<T> values = unpack<T>(loadWhole(x + at));
#pragma unroll
        for (int k = 0; k < width; ++k) values[k] = survivors >> (4 * k + j) & 1 ? values[k] * factor : 0.0f;
        storeVector(y + at, values);
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

extern "C" __global__ __launch_bounds__(256) void dropout_quads_f32(const float* x, float* y, int quads, float probability,
    float factor, RandomSource source, ElementOrder order, FastDivisor channelVectors)
{
    dropoutQuads(x, y, quads, probability, factor, source, order, channelVectors);
}

extern "C" __global__ __launch_bounds__(256) void dropout_quads_bf16(const Bf16* x, Bf16* y, int quads, float probability,
    float factor, RandomSource source, ElementOrder order, FastDivisor channelVectors)
{
    dropoutQuads(x, y, quads, probability, factor, source, order, channelVectors);
}

extern "C" __global__ __launch_bounds__(256) void dropout_quads_f16(const Fp16* x, Fp16* y, int quads, float probability,
    float factor, RandomSource source, ElementOrder order, FastDivisor channelVectors)
{
    dropoutQuads(x, y, quads, probability, factor, source, order, channelVectors);
}
