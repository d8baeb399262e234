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

// out[c * stride + r] = rows[r][c] for an 8 x 8 tile.
template <class T> inline void transpose8(const T* const rows[8], T* out, int stride) {
  typedef T Eight __attribute__((vector_size(32)));
  Eight r[8], s[8];
  for (int i = 0; i < 8; ++i) std::memcpy(&r[i], rows[i], 32);
  for (int i = 0; i < 8; i += 2) {
    s[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    s[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; ++j) {
      r[i + j] = __builtin_shufflevector(s[i + j], s[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      r[i + j + 2] = __builtin_shufflevector(s[i + j], s[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int j = 0; j < 4; ++j) {
    s[j] = __builtin_shufflevector(r[j], r[j + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    s[j + 4] = __builtin_shufflevector(r[j], r[j + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
  for (int c = 0; c < 8; ++c) std::memcpy(out + c * stride, &s[c], 32);
}

}  // namespace cnn::emu::CNN_ISA
