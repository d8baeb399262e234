// How a family of instructions joins the emulator.
//
// A family is a file NAME.isa.cpp. It is compiled once per instruction set of the host; all of its code stands in
// namespace cnn::emu::CNN_ISA, and it defines
//
//     std::span<const Entry> NAME() { static const Entry entries[] = { {...}, ... }; return entries; }
//
// and has a line CNN_FAMILY(NAME) in families.inc. An entry is one form of the instruction: its signature
// (ptx/signature.h), its class for the counters, its floating-point operations per thread, and the function that fills
// the decoded instruction.
#pragma once

#include "machine/block.h"
#include "machine/counters.h"
#include "machine/instruction.h"
#include "machine/warp.h"
#include "ptx/signature.h"
#include "ptx/tree.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cnn::emu {

class Decoder;
using Decode = void (*)(Decoder& decoder, Instruction& out);

struct Entry {
  std::string_view opcode, operands;
  int ptx, sm;
  Class counted;
  int flops;
  Decode decode;
};

// An address operand [base + offset].
struct AddressOperand {
  std::uint32_t slot;       // of the base: 8-byte lanes, or 4-byte lanes if not wide; a slot of zeros for [constant]
  bool wide;
  std::int64_t offset;
  ptx::Space space;         // of a variable that is the base, else generic
};

// What a decode function may ask about its statement. Operand numbers count from 0 in the order written.
class Decoder {
 public:
  virtual ~Decoder() = default;

  const ptx::Statement& statement() const { return *statement_; }
  const ptx::Match& match() const { return *match_; }
  bool has(std::string_view modifier) const { return statement_->has(modifier); }
  // The nth word of the opcode pattern after the base, empty if it was left out.
  std::string_view word(std::size_t n) const { return match_->words[n]; }
  ptx::Type first() const { return match_->first; }  // type among the modifiers
  ptx::Type last() const { return match_->last; }
  std::size_t count() const { return statement_->operands.size(); }
  const ptx::Operand& operand(std::size_t n) const { return statement_->operands[n]; }
  // Whether a bra goes to its own or an earlier statement.
  bool isBackward() const { return backward_; }
  int sm() const { return sm_; }
  int ptxVersion() const { return ptxVersion_; }

  // Frame offset of an operand that is read as `type`: register, immediate, special register, variable address. An
  // immediate is converted to the type. A register keeps its own width: see width().
  virtual std::uint32_t source(const ptx::Operand& operand, ptx::Type type) = 0;
  // Frame offset of an operand that is written; `_` gives a slot nobody reads.
  virtual std::uint32_t destination(const ptx::Operand& operand, ptx::Type type) = 0;
  // A predicate operand, source or destination; a source may be negated (flip = ~0) or absent (null: a slot of ones).
  virtual std::uint32_t predicate(const ptx::Operand* operand, std::uint32_t* flip = nullptr) = 0;
  virtual AddressOperand address(const ptx::Operand& operand) = 0;
  // Bits of a lane of the register: 32 or 64 (32 for 16-bit types).
  virtual unsigned width(const ptx::Operand& operand) const = 0;
  // Declared type of a register; none for anything else.
  virtual ptx::Type declared(const ptx::Operand& operand) const = 0;
  // An integer constant; reports an error if the operand is none.
  virtual std::int64_t constant(const ptx::Operand& operand) = 0;
  // Memory that lives as long as the program, zeroed, aligned to 64.
  virtual void* allocate(std::size_t bytes) = 0;
  template <class T> T* table(std::size_t count) { return static_cast<T*>(allocate(count * sizeof(T))); }
  // Sets the floating-point operations per thread of this instruction, if the entry cannot know.
  virtual void flops(int count) = 0;
  virtual void counted(Class kind) = 0;
  // A load error with the line of the statement.
  virtual void error(std::string message) = 0;

 protected:
  const ptx::Statement* statement_ = nullptr;
  const ptx::Match* match_ = nullptr;
  int sm_ = 0, ptxVersion_ = 0;
  bool backward_ = false;
};

}  // namespace cnn::emu
