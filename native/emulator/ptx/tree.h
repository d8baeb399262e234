// The syntax tree of a PTX module. Names are views into the text, which the owner of the tree keeps.
#pragma once

#include "ptx/types.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnn::emu::ptx {

inline constexpr std::uint32_t noRegister = ~0u;

struct Operand {
  enum class Kind : std::uint8_t {
    reg,      // %r1
    integer,  // 7, 0x7, 7U
    real,     // 0f3F800000, 0d..., 1.5
    symbol,   // a variable (+ offset), a parameter, a label, a function
    special,  // %tid.x
    address,  // [base + offset]; a tensor address [map, {c0, c1}] has its vector as parts[1]
    vector,   // {a, b, c, d}; also the parenthesised lists of call
    pair,     // d|p
    sink,     // _
  };
  Kind kind = Kind::sink;
  bool negated = false;                // !p
  Type realType = Type::none;          // of a real: f32 (0f), f64 (0d and decimal)
  std::uint32_t reg = noRegister;      // reg: index into Function::registers; symbol that is a label: its statement,
                                       // of a branch target list: its index
  std::int64_t value = 0;              // integer: its value; real: its bits; address, symbol: the byte offset
  std::string_view name;               // as written
  std::vector<Operand> parts;          // address: base, then what follows a comma; vector and pair: the elements
};

struct Statement {
  std::string_view text;                      // the whole dotted opcode
  std::string_view opcode;                    // "ld"
  std::vector<std::string_view> modifiers;    // "global", "v4", "f32"
  std::uint32_t guard = noRegister;
  bool guardNegated = false;
  std::vector<Operand> operands;
  std::uint32_t line = 0;                     // of the PTX
  std::uint32_t file = 0, sourceLine = 0;     // from .loc; 0: unknown
  bool has(std::string_view modifier) const;
};

struct Register {
  Type type;
  std::string_view name;
};

enum class Space : std::uint8_t { generic, global, shared, local, constant, param, reg, sharedCluster };
std::string_view name(Space space);

// Part of an initialiser that is the address of another variable.
struct AddressInitialiser {
  std::size_t offset;          // in the variable
  std::string_view symbol;
  std::int64_t addend;
  bool generic;                // generic(symbol)
  unsigned bytes;
};

struct Variable {
  std::string_view name;
  Space space = Space::global;
  Type type = Type::b8;
  std::size_t align = 1, size = 0;   // bytes; 0 for an extern array of unknown length
  bool isExtern = false, isVisible = false;
  std::vector<std::byte> initial;    // empty: zeros
  std::vector<AddressInitialiser> addresses;
  std::uint32_t line = 0;
};

// A .branchtargets list: statement indices.
struct TargetList {
  std::string_view name;
  std::vector<std::uint32_t> positions;
};

struct Function {
  std::string_view name;
  bool isEntry = false, isExtern = false, isVisible = false, noReturn = false;
  std::vector<Variable> parameters, results;
  unsigned maxThreads[3] = {0, 0, 0}, requiredThreads[3] = {0, 0, 0}, requiredCluster[3] = {0, 0, 0};
  int minBlocks = 0, maxRegisters = 0;
  std::vector<Register> registers;
  std::vector<Variable> variables;           // .local, .shared and call .param declared in the body
  std::vector<Statement> statements;
  std::vector<TargetList> targetLists;
  std::uint32_t line = 0;
};

struct Tree {
  int version = 0;                           // 83 for 8.3
  int target = 0;                            // 90 for sm_90a
  bool architectureSpecific = false;         // the a of sm_90a
  int addressSize = 64;
  std::uint32_t targetLine = 0;
  std::vector<Variable> variables;
  std::vector<Function> functions;
  std::vector<std::string_view> files;       // index = number in .file; empty: not given
};

}  // namespace cnn::emu::ptx
