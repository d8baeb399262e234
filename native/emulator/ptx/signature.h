// Signatures: which opcodes exist, with which modifiers and operand types. One line describes one form, close to how the
// instruction set reference writes it:
//
//   opcode    "add[.rn|rz|rm|rp][.ftz][.sat].f32"    [.x|y] optional, .{x|y} one of, .x as is; order matters
//   operands  "=T T T"                               separated by blanks
//
// An operand is  [=|+]TYPE[>][*COUNT][|pred][?]
//   =       written (a register, or _); + instead: read and written
//   TYPE    T: the last type among the modifiers, D: the first one, 2T: twice as wide as T (mul.wide), or a type name.
//           An operand of a sized type takes registers of that size and a compatible kind, or an immediate.
//           pred: a predicate; imm: an integer constant; label; [] an address, []+ an address with tensor coordinates;
//           reg: any register; symbol
//   >       the register may be wider than the type (ld, st, cvt)
//   *COUNT  a vector in braces: a number, or v: what .v2, .v4, .v8 says; n: any length. A single element needs no braces
//   |pred   d|p, the second destination optional
//   ?       may be absent (as may all that follow)
#pragma once

#include "ptx/diagnostics.h"
#include "ptx/tree.h"

#include <string>
#include <string_view>
#include <vector>

namespace cnn::emu::ptx {

// Code that only runs on exactly this architecture (sm_90a).
constexpr int exactly(int sm) { return 1000 + sm; }

struct Signature {
  std::string_view opcode, operands;
  int ptx = 10;  // least PTX version, 83 for 8.3
  int sm = 10;   // least target, or exactly(90)
};

struct Match {
  std::vector<std::string_view> words;  // per item of the opcode pattern after the base: what was written, or empty
  Type first = Type::none, last = Type::none;
};

// A compiled signature.
class Pattern {
 public:
  explicit Pattern(const Signature& signature);

  std::string_view base() const { return base_; }
  const Signature& signature() const { return signature_; }
  // Whether the modifiers fit; `matched` counts those that did, for the error message.
  bool matchModifiers(const Statement& statement, Match& match, std::size_t& matched) const;
  // The same, with the modifiers in another order. Types, state spaces and layouts must still keep theirs.
  bool matchInAnyOrder(const Statement& statement, Match& match) const;
  // How the registers directly in this operand are used; those inside an address are always read.
  bool writes(std::size_t operand) const { return shapes_[operand].written; }
  bool reads(std::size_t operand) const { return shapes_[operand].read; }
  // Empty when the operands fit, else what does not.
  std::string checkOperands(const Statement& statement, const Match& match, const std::vector<Register>& registers) const;

 private:
  struct Item {
    bool optional;
    std::vector<std::string_view> words;
  };
  struct Shape {
    enum class Kind : std::uint8_t { typed, pred, immediate, label, address, tensorAddress, reg, symbol } kind;
    enum class Of : std::uint8_t { fixed, first, last, doubled } of = Of::fixed;
    Type type = Type::none;
    bool written = false, read = true, wider = false, withPred = false, optional = false;
    bool mayBrace = false;  // one element may stand in braces
    int count = 1;  // 0: as .vN says, -1: any
  };
  static Shape parseShape(std::string_view text);
  void record(Match& match, std::size_t item, std::string_view word) const;
  std::string checkOperand(const Operand& operand, const Shape& shape, const Match& match, int vector,
                           const std::vector<Register>& registers) const;
  std::string checkScalar(const Operand& operand, const Shape& shape, Type type,
                          const std::vector<Register>& registers) const;

  Signature signature_;
  std::string_view base_;
  std::vector<Item> items_;
  std::vector<Shape> shapes_;
};

}  // namespace cnn::emu::ptx
