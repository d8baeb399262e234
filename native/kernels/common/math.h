// Elementary functions in float by argument reduction and polynomials of fused multiply-adds (Cody and Waite, "Software
// manual for the elementary functions", 1980).
//
// Not on ex2.approx and lg2.approx: those leave about 2 units in the last place and differ between chips, while a polynomial
// gives about 1, the same bits everywhere, and the same bits as the CPU engine, whose coefficients these are. It costs some
// 15 instructions per element, below what a kernel that waits for memory has to spare.
// Where a product must not be fused into the sum behind it, it is written __fmul_rn.
#pragma once

#include "common/cuda_compat.h"

namespace cnn {

constexpr float infinity = __builtin_huge_valf();

__device__ __forceinline__ float quietNan() { return __int_as_float(0x7fffffff); }
__device__ __forceinline__ bool isNan(float x) { return x != x; }

// size with the sign of x, for size >= 0.
__device__ __forceinline__ float copySign(float size, float x)
{
    return __uint_as_float(__float_as_uint(size) | (__float_as_uint(x) & 0x80000000u));
}

// max and min that let NaN through.
__device__ __forceinline__ float maxNan(float a, float b)
{
    float result;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
}
__device__ __forceinline__ float minNan(float a, float b)
{
    float result;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
}

// 2^n for n from -126 to 127.
__device__ __forceinline__ float powerOfTwo(int n) { return __int_as_float((n + 127) << 23); }

// exp(x); largest error about 1 unit in the last place. Every float is taken: overflow, denormals, infinities, NaN.
__device__ __forceinline__ float exp(float x)
{
    // Beyond these bounds the result is 0 and infinity.
    x = minNan(89.0f, maxNan(-105.0f, x));
    // x = n ln 2 + r with |r| <= ln 2 / 2, ln 2 in two parts whose first makes n ln 2 exact; exp(x) = 2^n (1 + r + r^2 q(r)).
    const float n = rintf(x * 1.44269504f);
    float r = fmaf(n, -0.693359375f, x);
    r = fmaf(n, 2.12194440e-4f, r);
    float q = 0.0013814467f;
    q = fmaf(q, r, 0.008368781f);
    q = fmaf(q, r, 0.041668393f);
    q = fmaf(q, r, 0.1666652f);
    q = fmaf(q, r, 0.49999994f);
    q = fmaf(q, r, 1.0f);
    q = fmaf(q, r, 1.0f);
    // 2^n in two factors: n reaches from -151 to 128, an exponent only from -126 to 127.
    const int exponent = (int)n, half = exponent >> 1;
    return __fmul_rn(__fmul_rn(q, powerOfTwo(half)), powerOfTwo(exponent - half));
}

// ln(x); largest error about 1 unit in the last place. -infinity at 0, NaN below.
__device__ __forceinline__ float log(float x)
{
    constexpr int halfRoot = 0x3f3504f3;
    const bool denormal = x < 1.17549435e-38f;
    // 2^n (1 + f) with 1 + f between sqrt(1/2) and sqrt(2): the bits of sqrt(1/2) are subtracted first.
    const int shifted = __float_as_int(denormal ? x * 8388608.0f : x) - halfRoot;
    const float n = (float)(shifted >> 23) - (denormal ? 23.0f : 0.0f);
    const float f = __int_as_float((shifted & 0x007fffff) + halfRoot) - 1.0f;
    float q = 0.069136217f;
    q = fmaf(q, f, -0.11789276f);
    q = fmaf(q, f, 0.11873415f);
    q = fmaf(q, f, -0.12384456f);
    q = fmaf(q, f, 0.14218618f);
    q = fmaf(q, f, -0.16669244f);
    q = fmaf(q, f, 0.20002228f);
    q = fmaf(q, f, -0.24999987f);
    q = fmaf(q, f, 0.3333331f);
    // n ln2High + (f + (-f^2 / 2 + (f^3 q + n ln2Low))), the small terms first.
    float tail = fmaf(f * f * f, q, __fmul_rn(n, -2.12194440e-4f));
    tail = fmaf(f * f, -0.5f, tail);
    const float result = fmaf(n, 0.693359375f, f + tail);
    if (x == 0.0f) return -infinity;
    if (x < 0.0f) return quietNan();
    return x < infinity ? result : x;
}

// 1 / (1 + exp(-x)).
__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

// tanh(x); largest error about 2 units in the last place.
__device__ __forceinline__ float tanh(float x)
{
    // Near 0 the odd series, else 1 - 2 / (exp(2 |x|) + 1) with the sign of x.
    const float square = x * x, size = fabsf(x);
    float q = -0.0055286344f;
    q = fmaf(q, square, 0.020483317f);
    q = fmaf(q, square, -0.053692967f);
    q = fmaf(q, square, 0.13330899f);
    q = fmaf(q, square, -0.33333263f);
    const float near = fmaf(q * square, x, x);
    const float far = 1.0f - 2.0f / (exp(size + size) + 1.0f);
    return size < 0.625f ? near : copySign(far, x);
}

// cos and sin of 2 pi t, for t from 0 to 1 in steps of 2^-24 or coarser; error about 1e-7.
__device__ __forceinline__ float2 cosSinOfTurns(float t)
{
    // t = quarter / 4 + r with |r| <= 1/8, exactly.
    const float quarter = rintf(t * 4.0f), r = fmaf(quarter, -0.25f, t), square = r * r;
    float sin = fmaf(41.472038f, square, -76.697845f);
    sin = fmaf(sin, square, 81.6052f);
    sin = fmaf(sin, square, -41.3417015f);
    sin = __fmul_rn(fmaf(sin, square, 6.2831855f), r);
    float cos = fmaf(60.238438f, square, -85.45677f);
    cos = fmaf(cos, square, 64.93939f);
    cos = fmaf(cos, square, -19.739208f);
    cos = fmaf(cos, square, 1.0f);
    // Quarters 1 and 3 exchange the two; sine is negative in quarters 2 and 3, cosine in 1 and 2.
    const int k = (int)quarter;
    const float c = k & 1 ? sin : cos, s = k & 1 ? cos : sin;
    return make_float2((k + 1) & 2 ? -c : c, k & 2 ? -s : s);
}

}  // namespace cnn
