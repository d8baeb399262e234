// Constant expressions: (1 << 4) | 3, -(5), ~0, WARP_SZ / 2. Integers have 64 bits, signed unless a literal says U or is too large.
#pragma once

#include "ptx/token_stream.h"

namespace cnn::emu::ptx {

// Whether the next token can only begin a constant expression.
bool beginsExpression(const TokenStream& tokens);
// An integer or a real.
Operand parseExpression(TokenStream& tokens);
// A factor of a sum, as offsets of addresses have them after their sign: 4, 4 * 3, (8).
std::int64_t parseOffsetTerm(TokenStream& tokens);

}  // namespace cnn::emu::ptx
