// Element types in memory and how they reach the arithmetic, which is always in float.
//
// Bf16 and Fp16 are bit patterns: all conversions are single PTX instructions (sm_80), so that neither nvcc's headers nor a
// compiler's own half types are needed. Kernels are templates over the type in memory: float, Bf16 or Fp16.
//
//   float v = load(x + i);                 one element
//   Vector<T> v = loadVector(x + i);       16 bytes: 4 floats or 8 halves; the address must be a multiple of 16
#pragma once

#include "common/cuda_compat.h"
#include "common/wide.h"

struct Bf16 { unsigned short bits; };
struct Fp16 { unsigned short bits; };

__device__ __forceinline__ float toFloat(float value) { return value; }
__device__ __forceinline__ float toFloat(Bf16 value) { return __uint_as_float((unsigned)value.bits << 16); }
__device__ __forceinline__ float toFloat(Fp16 value)
{
    float wide;
    asm("cvt.f32.f16 %0, %1;" : "=f"(wide) : "h"(value.bits));
    return wide;
}

// Rounds to nearest, ties to even; NaN stays NaN.
template <typename T> __device__ __forceinline__ T fromFloat(float value);
template <> __device__ __forceinline__ float fromFloat<float>(float value) { return value; }
template <> __device__ __forceinline__ Bf16 fromFloat<Bf16>(float value)
{
    Bf16 narrow;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(narrow.bits) : "f"(value));
    return narrow;
}
template <> __device__ __forceinline__ Fp16 fromFloat<Fp16>(float value)
{
    Fp16 narrow;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(narrow.bits) : "f"(value));
    return narrow;
}

template <typename T> __device__ __forceinline__ float load(const T* from) { return toFloat(*from); }
template <typename T> __device__ __forceinline__ void store(T* to, float value) { *to = fromFloat<T>(value); }

// Elements in 16 bytes.
template <typename T> constexpr int vectorWidth = 16 / sizeof(T);

// Sixteen bytes of elements, widened.
template <typename T> struct Vector
{
    static constexpr int width = vectorWidth<T>;
    float at[width];

    __device__ __forceinline__ float& operator[](int i) { return at[i]; }
    __device__ __forceinline__ float operator[](int i) const { return at[i]; }
};

// Two elements in one register, the first in its low half.
template <typename T> __device__ __forceinline__ unsigned packPair(float first, float second);
template <> __device__ __forceinline__ unsigned packPair<Bf16>(float first, float second)
{
    unsigned pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}
template <> __device__ __forceinline__ unsigned packPair<Fp16>(float first, float second)
{
    unsigned pair;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
    return pair;
}

template <typename T> __device__ __forceinline__ void unpackPair(unsigned pair, float& first, float& second)
{
    first = toFloat(T{(unsigned short)pair});
    second = toFloat(T{(unsigned short)(pair >> 16)});
}

template <typename T> __device__ __forceinline__ Vector<T> unpack(uint4 words)
{
    Vector<T> v;
    unpackPair<T>(words.x, v[0], v[1]);
    unpackPair<T>(words.y, v[2], v[3]);
    unpackPair<T>(words.z, v[4], v[5]);
    unpackPair<T>(words.w, v[6], v[7]);
    return v;
}
template <> __device__ __forceinline__ Vector<float> unpack<float>(uint4 words)
{
    return {{__uint_as_float(words.x), __uint_as_float(words.y), __uint_as_float(words.z), __uint_as_float(words.w)}};
}

template <typename T> __device__ __forceinline__ uint4 pack(const Vector<T>& v)
{
    return make_uint4(packPair<T>(v[0], v[1]), packPair<T>(v[2], v[3]), packPair<T>(v[4], v[5]), packPair<T>(v[6], v[7]));
}
template <> __device__ __forceinline__ uint4 pack<float>(const Vector<float>& v)
{
    return make_uint4(__float_as_uint(v[0]), __float_as_uint(v[1]), __float_as_uint(v[2]), __float_as_uint(v[3]));
}

template <typename T> __device__ __forceinline__ Vector<T> loadVector(const T* from)
{
    return unpack<T>(*reinterpret_cast<const uint4*>(from));
}

// To global memory.
template <typename T> __device__ __forceinline__ void storeVector(T* to, const Vector<T>& v)
{
    storeWide(to, pack(v));
}

// Two elements in one store; the address must be a multiple of their size.
template <typename T> __device__ __forceinline__ void storePair(T* to, float first, float second)
{
    *reinterpret_cast<unsigned*>(to) = packPair<T>(first, second);
}
template <> __device__ __forceinline__ void storePair<float>(float* to, float first, float second)
{
    *reinterpret_cast<float2*>(to) = make_float2(first, second);
}

// Four elements in one store; the address must be a multiple of their size.
template <typename T> __device__ __forceinline__ void storeFour(T* to, float4 v)
{
    *reinterpret_cast<uint2*>(to) = {packPair<T>(v.x, v.y), packPair<T>(v.z, v.w)};
}
template <> __device__ __forceinline__ void storeFour<float>(float* to, float4 v) { *reinterpret_cast<float4*>(to) = v; }

// Whether addresses allow 16-byte accesses.
template <typename... Pointers> __device__ __forceinline__ bool aligned16(const Pointers*... pointers)
{
    return ((reinterpret_cast<uintptr_t>(pointers) | ...) & 15) == 0;
}
