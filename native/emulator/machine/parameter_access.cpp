#include "machine/parameter_access.h"

namespace cnn::emu {
namespace {

using ptx::Operand;

bool isParameterAccess(const ptx::Statement& s) {
  return (s.opcode == "ld" || s.opcode == "st") && (s.has("param") || s.has("param::entry") || s.has("param::func"));
}

std::string problemOf(std::uint64_t offset, std::size_t bytes, const Symbol& variable) {
  const std::string access = std::to_string(bytes) + " bytes at " + std::to_string(std::int64_t(offset));
  if (offset > variable.size || bytes > variable.size - offset)
    return access + " of a parameter of " + std::to_string(variable.size) + " bytes";
  if ((variable.address + offset) % bytes != 0) return access + " of a parameter are not aligned";
  return {};
}

}  // namespace

std::string checkParameterAccess(const ptx::Statement& statement, const ptx::Match& match, const SymbolTable& symbols) {
  if (!isParameterAccess(statement)) return {};
  const bool isStore = statement.opcode == "st";
  const Operand& address = statement.operands[isStore ? 0 : 1];
  const Operand& value = statement.operands[isStore ? 1 : 0];
  if (address.parts[0].kind != Operand::Kind::symbol) return {};  // an address in a register is checked when it is used
  const auto variable = symbols.find(address.parts[0].name);
  if (variable == symbols.end()) return {};                       // decoding reports it
  if (isStore && variable->second.space == ptx::Space::param) return "writes to a parameter of the kernel";
  const std::size_t elements = value.kind == Operand::Kind::vector ? value.parts.size() : 1;
  return problemOf(std::uint64_t(address.value), elements * ptx::bytes(match.last), variable->second);
}

}  // namespace cnn::emu
