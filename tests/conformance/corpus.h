// The conformance corpus: one tiny kernel per form of an instruction, the inputs it runs on, and what must come out.
//
// A case is data: the PTX that computes %o from %a, %b, %c in every thread of one block of 128, the types and ranges of
// the operands, and host code that computes the same independently. A case of whole blocks (whole_block.h) reads and
// writes arrays instead, for instructions that more than one thread takes part in. Nothing here knows the emulator.
#pragma once

#include "wide.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cnn::conformance {

constexpr unsigned threads = 128;

enum class Type { u8, s8, e4m3, e5m2, u16, s16, u32, s32, u64, s64, f16, bf16, f16x2, bf16x2, f32, f64 };

int bitsOf(Type type);        // in memory
int registerBits(Type type);  // 16 for the 8-bit types
const Format* formatOf(Type type);  // null for integers; of one half for the packed types

// How inputs are drawn.
enum class Range {
  any,       // all bit patterns, with the edges of the type among them
  moderate,  // floating point: magnitudes from 2^-20 to 2^20, both signs
  positive,  // as above, positive
  angle,     // -3.14 to 3.14
  exponent,  // -20 to 20
  shift,     // 0 to 70
  lane,      // 0 to 31
  byte,      // 0 to 255
  nonzero,   // integers but 0
  small,     // whole numbers from -8 to 8, of floating-point types too
};

struct Operand {
  Type type;
  Range range = Range::any;
  std::size_t count = threads;  // elements; other numbers in cases of whole blocks only
};

// Values of one operand in all threads; of all operands.
using Column = std::vector<std::uint64_t>;
using Columns = std::vector<Column>;

// What cuTensorMapEncodeTiled or, with pixels, cuTensorMapEncodeIm2col makes of an operand. Dimension 0 is the innermost
// one and is contiguous; `pitches` are the bytes from one index of dimension 1, 2, ... to the next.
struct TensorMap {
  int operand = 0;  // -1: the outputs
  int element = 7;  // CUtensorMapDataType: of the bytes that a copy moves, and what a reduction adds
  std::vector<std::uint64_t> sizes, pitches;
  std::vector<std::uint32_t> box, steps;
  int interleave = 0, swizzle = 0, fill = 0;  // CUtensorMapInterleave, CUtensorMapSwizzle, CUtensorMapFloatOOBfill
  std::vector<int> lower, upper;              // im2col: the corners of the box of base pixels
  std::uint32_t channels = 0, pixels = 0;
};

struct Case {
  std::string name;          // family/instruction
  std::string body;          // may use %r8..%r63, %d8..%d31, %h8..%h31, %p1..%p7; %tid is in %r1
  Type result;
  std::vector<Operand> operands;
  std::function<Column(const Columns&)> expected;
  std::uint64_t ulps = 0;    // of the result's format; 0: bit for bit
  double absolute = 0;       // a difference up to this passes as well: for functions with a zero
  std::string declarations;  // module scope, or shared memory
  int sm = 80, ptx = 80;
  bool specific = false;     // needs exactly this device: sm_90a
  bool whole = false;        // a case of whole blocks
  unsigned blocks = 1;       // in the grid, which is one cluster
  std::size_t outputs = threads;
  std::vector<TensorMap> maps;
  std::string limits;        // performance directives of the kernel
};

// The expected value of one thread from the operands of that thread.
using Scalar = std::function<std::uint64_t(const std::uint64_t*)>;

class Corpus {
 public:
  std::vector<Case> cases;
  // `instruction` is the opcode with its modifiers; the operands follow as %o, %a, %b, ...
  Case& add(const std::string& family, const std::string& instruction, Type result, std::vector<Operand> operands, Scalar expected);
  Case& addBody(const std::string& name, const std::string& body, Type result, std::vector<Operand> operands,
                std::function<Column(const Columns&)> expected);
};

// One function per family.
void addInteger(Corpus&);
void addLogic(Corpus&);
void addWord(Corpus&);
void addCompare(Corpus&);
void addFloat(Corpus&);
void addHalf(Corpus&);
void addConversion(Corpus&);
void addApproximate(Corpus&);
void addMemory(Corpus&);
void addAtomic(Corpus&);
void addAtomicVector(Corpus&);
void addWarp(Corpus&);
void addMatrix(Corpus&);
void addFragment(Corpus&);
void addBlockSync(Corpus&);
void addControl(Corpus&);
void addCache(Corpus&);
void addAsyncCopy(Corpus&);
void addMbarrier(Corpus&);
void addBulk(Corpus&);
void addTensor(Corpus&);
void addCluster(Corpus&);
void addWarpgroup(Corpus&);
Corpus makeCorpus();

std::string ptxOf(const Case& test);
Columns inputsOf(const Case& test);  // the same for every run: seeded by the name
std::uint64_t hashOf(const std::string& text);

// Small helpers for expected values.
inline std::uint64_t mask(int bits) { return bits == 64 ? ~std::uint64_t(0) : (std::uint64_t(1) << bits) - 1; }
inline std::int64_t signExtend(std::uint64_t value, int bits) { return std::int64_t(value << (64 - bits)) >> (64 - bits); }

}  // namespace cnn::conformance
