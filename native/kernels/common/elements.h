// One element, or 4, 8 or 16 bytes of them in one access, under one name, so that a kernel is written once for all. Numbers are of
// vectors, not elements.
#pragma once

#include "common/dtype.h"

// A width as an argument of a generic function.
template <int elements> struct Width { static constexpr int value = elements; };

template <typename T, int width> struct Elements
{
    static constexpr int words = width * (int)sizeof(T) / 4;
    float at[width];

    __device__ __forceinline__ static Elements load(const T* from, long long number)
    {
        Elements result;
        const T* first = from + number * width;
        if constexpr (width == 1) {
            result.at[0] = ::load(first);
        } else if constexpr (words == 4) {
            result = of(loadVector(first));
        } else if constexpr (words == 2) {
            const uint2 two = *reinterpret_cast<const uint2*>(first);
            result.unpack(0, two.x);
            result.unpack(1, two.y);
        } else {
            result.unpack(0, *reinterpret_cast<const unsigned*>(first));
        }
        return result;
    }

    // From global memory, where a branch behind the load must not split it (wide.h).
    __device__ __forceinline__ static Elements loadWhole(const T* from, long long number)
    {
        if constexpr (words == 4) return of(::unpack<T>(::loadWhole(from + number * width)));
        else return load(from, number);
    }

    // To global memory.
    __device__ __forceinline__ void store(T* to, long long number) const
    {
        T* first = to + number * width;
        if constexpr (width == 1) {
            ::store(first, at[0]);
        } else if constexpr (words == 4) {
            storeVector(first, vector());
        } else if constexpr (words == 2) {
            *reinterpret_cast<uint2*>(first) = {packed(0), packed(1)};
        } else {
            *reinterpret_cast<unsigned*>(first) = packed(0);
        }
    }

    // To shared memory.
    __device__ __forceinline__ void keep(T* to, long long number) const
    {
        if constexpr (words == 4) *reinterpret_cast<uint4*>(to + number * width) = pack(vector());
        else store(to, number);
    }

private:
    __device__ __forceinline__ static Elements of(const Vector<T>& v)
    {
        Elements result;
#pragma unroll
        for (int k = 0; k < width; ++k) result.at[k] = v[k];
        return result;
    }

    __device__ __forceinline__ Vector<T> vector() const
    {
        Vector<T> v;
#pragma unroll
        for (int k = 0; k < width; ++k) v[k] = at[k];
        return v;
    }

    __device__ __forceinline__ void unpack(int word, unsigned bits)
    {
        if constexpr (sizeof(T) == 4) at[word] = __uint_as_float(bits);
        else unpackPair<T>(bits, at[2 * word], at[2 * word + 1]);
    }

    __device__ __forceinline__ unsigned packed(int word) const
    {
        if constexpr (sizeof(T) == 4) return __float_as_uint(at[word]);
        else return packPair<T>(at[2 * word], at[2 * word + 1]);
    }
};

template <typename T, int width> __device__ __forceinline__ void add(const Elements<T, width>& values, Elements<T, width>& sum)
{
#pragma unroll
    for (int k = 0; k < width; ++k) sum.at[k] += values.at[k];
}
