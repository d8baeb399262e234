// ldmatrix, stmatrix and movmatrix: 8 x 8 tiles of 16-bit elements between shared memory and fragments.
//
// Lane 8 m + r gives the address of row r (16 bytes) of matrix m. Register m of lane 4 g + t holds elements 2 t and
// 2 t + 1 of row g; with .trans rows 2 t and 2 t + 1 of column g. So without .trans a register, read as memory, is the
// tile itself.
#include "machine/collective.h"
#include "machine/family.h"
#include "machine/operand_address.h"

#include <cstring>

namespace cnn::emu::CNN_ISA {

namespace {

struct Operands {
  LaneAddress address;
  uint32_t registers[4];
};

using Tile = uint16_t[8][8];

void transpose(const Tile from, Tile to) {
  for (int r = 0; r < 8; ++r)
    for (int c = 0; c < 8; ++c) to[c][r] = from[r][c];
}

template <int matrices, bool transposed, bool isStore> const Instruction* move(Warp& w, const Instruction* i) {
  constexpr const char* name = isStore ? "stmatrix" : "ldmatrix";
  if (const WholeWarp entry(w, i, name); !entry.ready) return entry.otherwise;
  const Operands& o = *static_cast<const Operands*>(i->extra);
  constexpr uint32_t lanes = matrices == 4 ? allLanes : (1u << 8 * matrices % 32) - 1;
  uint32_t addresses[warpLanes];
  std::byte* rows[warpLanes];
  if (!sharedLanes(w, i, name, o.address, lanes, 16, 16, addresses, rows)) return nullptr;
  if (!observeShared(w, i, isStore ? AccessKind::store : AccessKind::load, 16, lanes, addresses)) return nullptr;
  Tile tiles[matrices];
  for (int m = 0; m < matrices; ++m) {
    Tile tile;
    if constexpr (isStore) {
      std::memcpy(tile, w.lanes<uint32_t>(o.registers[m]), sizeof tile);
      transposed ? transpose(tile, tiles[m]) : (void)std::memcpy(tiles[m], tile, sizeof tile);
      for (int r = 0; r < 8; ++r) std::memcpy(rows[8 * m + r], tiles[m][r], 16);
    } else {
      for (int r = 0; r < 8; ++r) std::memcpy(tile[r], rows[8 * m + r], 16);
      transposed ? transpose(tile, tiles[m]) : (void)std::memcpy(tiles[m], tile, sizeof tile);
    }
  }
  // The address register may be one of the destinations: write only after all rows have been read.
  if constexpr (!isStore)
    for (int m = 0; m < matrices; ++m) std::memcpy(w.lanes<uint32_t>(o.registers[m]), tiles[m], sizeof(Tile));
  return i + 1;
}

template <int matrices, bool transposed, bool isStore> void decode(Decoder& decoder, Instruction& out) {
  Operands& o = *decoder.table<Operands>(1);
  const ptx::Operand& fragment = decoder.operand(isStore ? 1 : 0);
  o.address = laneAddress(decoder, decoder.operand(isStore ? 0 : 1), decoder.has("shared") || decoder.has("shared::cta"));
  for (int m = 0; m < matrices; ++m) {
    const ptx::Operand& part = fragment.kind == ptx::Operand::Kind::vector ? fragment.parts[m] : fragment;
    o.registers[m] = isStore ? decoder.source(part, ptx::Type::b32) : decoder.destination(part, ptx::Type::b32);
  }
  out.extra = &o;
  out.function = move<matrices, transposed, isStore>;
}

// movmatrix: the transposition alone, from registers to registers.
const Instruction* transposeRegisters(Warp& w, const Instruction* i) {
  if (const WholeWarp entry(w, i, "movmatrix"); !entry.ready) return entry.otherwise;
  Tile from, to;
  std::memcpy(from, w.lanes<uint32_t>(i->slot[1]), sizeof from);
  transpose(from, to);
  std::memcpy(w.lanes<uint32_t>(i->slot[0]), to, sizeof to);
  return i + 1;
}

void decodeMovmatrix(Decoder& decoder, Instruction& out) {
  out.slot[0] = decoder.destination(decoder.operand(0), ptx::Type::b32);
  out.slot[1] = decoder.source(decoder.operand(1), ptx::Type::b32);
  out.function = transposeRegisters;
}

}  // namespace

std::span<const Entry> ldmatrix() {
  static const Entry entries[] = {
#define CNN_LDMATRIX(n)                                                                                                       \
  {"ldmatrix.sync.aligned.m8n8.x" #n "[.shared|shared::cta].b16", "=b32*" #n " []", 65, 75, Class::sharedLoad, 0,             \
   decode<n, false, false>},                                                                                                  \
  {"ldmatrix.sync.aligned.m8n8.x" #n ".trans[.shared|shared::cta].b16", "=b32*" #n " []", 65, 75, Class::sharedLoad, 0,       \
   decode<n, true, false>},                                                                                                   \
  {"stmatrix.sync.aligned.m8n8.x" #n "[.shared|shared::cta].b16", "[] b32*" #n, 78, 90, Class::sharedStore, 0,                \
   decode<n, false, true>},                                                                                                   \
  {"stmatrix.sync.aligned.m8n8.x" #n ".trans[.shared|shared::cta].b16", "[] b32*" #n, 78, 90, Class::sharedStore, 0,          \
   decode<n, true, true>},
      CNN_LDMATRIX(1) CNN_LDMATRIX(2) CNN_LDMATRIX(4)
#undef CNN_LDMATRIX
      {"movmatrix.sync.aligned.m8n8.trans.b16", "=b32 b32", 78, 75, Class::warp, 0, decodeMovmatrix},
  };
  return entries;
}

}  // namespace cnn::emu::CNN_ISA
