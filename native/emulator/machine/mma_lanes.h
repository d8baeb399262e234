// Sixteen 32-bit lanes in the widest vectors of the instruction set this file is compiled for, and what matrix
// multiplication needs of them. Included by *.isa.cpp files only.
#pragma once

#include "machine/intrinsics.h"

#include <cstdint>
#include <cstring>
#include <type_traits>

namespace cnn::emu::CNN_ISA {

#if defined(CNN_ISA_avx512)
inline constexpr int vectorLanes = 16;
#elif defined(CNN_ISA_avx2)
inline constexpr int vectorLanes = 8;
#else
inline constexpr int vectorLanes = 4;
#endif

template <class T> struct Lanes16 {
  static constexpr int parts = 16 / vectorLanes;
  typedef T Vector __attribute__((vector_size(vectorLanes * 4)));
  Vector part[parts];
};

// The products of two bf16, f16 or tf32 values are exact in f32, so that a fused and a separate multiply and add agree
// bit for bit (products that underflow aside) and every instruction set gives the same result.
template <class T> [[gnu::always_inline]] inline void multiplyAdd(Lanes16<T>& sum, const Lanes16<T>& a, const Lanes16<T>& b) {
  for (int p = 0; p < Lanes16<T>::parts; ++p) {
    using Vector = typename Lanes16<T>::Vector;
#if defined(CNN_ISA_avx512)
    if constexpr (std::is_same_v<T, float>)
      sum.part[p] = (Vector)_mm512_fmadd_ps((__m512)a.part[p], (__m512)b.part[p], (__m512)sum.part[p]);
    else
#elif defined(CNN_ISA_avx2)
    if constexpr (std::is_same_v<T, float>)
      sum.part[p] = (Vector)_mm256_fmadd_ps((__m256)a.part[p], (__m256)b.part[p], (__m256)sum.part[p]);
    else
#endif
      sum.part[p] = Vector(sum.part[p] + a.part[p] * b.part[p]);
  }
}

template <class T> [[gnu::always_inline]] inline Lanes16<T> load(const T* from) {
  Lanes16<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <class T> [[gnu::always_inline]] inline void store(T* to, const Lanes16<T>& v) { std::memcpy(to, &v, sizeof v); }

// {e0 e1 e2 e3} four times. By intrinsics: g++ 12 sends a widening shuffle through the stack.
template <class T> [[gnu::always_inline]] inline Lanes16<T> tile(const T* four) {
  Lanes16<T> v;
  using Vector = typename Lanes16<T>::Vector;
#if defined(CNN_ISA_avx512)
  v.part[0] = (Vector)_mm512_broadcast_f32x4(_mm_loadu_ps(reinterpret_cast<const float*>(four)));
#elif defined(CNN_ISA_avx2)
  for (Vector& part : v.part) part = (Vector)_mm256_broadcast_ps(reinterpret_cast<const __m128*>(four));
#else
  for (Vector& part : v.part) std::memcpy(&part, four, sizeof part);
#endif
  return v;
}

// Four times e0, four times e1, and so on.
template <class T> inline void spread(const T* four, T* sixteen) {
  for (int lane = 0; lane < 16; ++lane) sixteen[lane] = four[lane / 4];
}

// Lane N of each group of four, in all four of them.
template <int N, class T> [[gnu::always_inline]] inline Lanes16<T> spreadLane(const Lanes16<T>& v) {
  Lanes16<T> result;
  using Vector = typename Lanes16<T>::Vector;
  for (int p = 0; p < Lanes16<T>::parts; ++p) {
#if defined(CNN_ISA_avx512)
    result.part[p] = (Vector)_mm512_permute_ps((__m512)v.part[p], N * 0x55);
#elif defined(CNN_ISA_avx2)
    result.part[p] = (Vector)_mm256_permute_ps((__m256)v.part[p], N * 0x55);
#else
    result.part[p] = (Vector)_mm_shuffle_ps((__m128)v.part[p], (__m128)v.part[p], N * 0x55);
#endif
  }
  return result;
}

}  // namespace cnn::emu::CNN_ISA
