// Cases of whole blocks: the threads of one block, or of a cluster of blocks, work together on arrays.
//
// The body finds the number of its thread in %r1, of its block in %r2, the global addresses of its operands in %in0,
// %in1, ..., of its tensor maps in %map0, %map1, ..., and of its own part of the outputs in %out: a cluster of n blocks
// leaves n parts, one after the other. It may use %r8..%r255, %d8..%d63, %h8..%h31, %f0..%f255, %e0..%e31, %p1..%p7.
#pragma once

#include "corpus.h"

namespace cnn::conformance {

std::string ptxHeader(const Case& test);
std::string wholeBlockPtx(const Case& test);

// Outputs of `outputs` values in each block.
Case& addWhole(Corpus& corpus, const std::string& name, const std::string& body, Type result, std::size_t outputs, std::vector<Operand> operands,
               std::function<Column(const Columns&)> expected);

// ---- pieces of bodies; the arrays hold whole words, their sizes are multiples of 512 bytes ---------------------------

// The whole block copies words between an array in shared memory and an operand or its outputs, and meets at a barrier.
std::string fillShared(const std::string& array, const std::string& from, unsigned bytes);
std::string dumpShared(const std::string& array, unsigned bytes, unsigned outputAt = 0);
// out[index][thread] = a register of 32 or 64 bits
std::string keep(const std::string& value, unsigned index, unsigned bits = 32);
// {first0, first1, ...}
std::string vectorOf(const std::string& prefix, unsigned first, unsigned count);
// Waits, without end, for the phase of this parity of the mbarrier whose shared address is in `address`. test_wait is for
// devices before Hopper.
std::string awaitPhase(const std::string& address, unsigned parity, const std::string& wait = "try_wait");

// The words of `bytes` of an operand, as the kernel sees them in memory.
std::vector<std::uint8_t> bytesOf(const Column& values, Type type);
Column wordsOf(const std::vector<std::uint8_t>& bytes);

}  // namespace cnn::conformance
