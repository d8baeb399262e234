// What atomics of one value and of vectors share: host atomics on the memory itself. Included by *.isa.cpp files only.
#pragma once

#include "machine/address.h"
#include "machine/strong_access.h"

#include <atomic>
#include <bit>

namespace cnn::emu::CNN_ISA {

// Replaces *at by Op(*at, ...) and gives the old value.
template <class T, class Op> [[gnu::always_inline]] inline T exchange(std::byte* at, Op op) {
  using Word = Bits<sizeof(T)>;
  std::atomic_ref<Word> word(*reinterpret_cast<Word*>(at));
  Word old = word.load(std::memory_order_relaxed);
  while (!word.compare_exchange_weak(old, std::bit_cast<Word>(op(std::bit_cast<T>(old))))) {}
  return std::bit_cast<T>(old);
}

}  // namespace cnn::emu::CNN_ISA
