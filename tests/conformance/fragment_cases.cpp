// ldmatrix and stmatrix: 8 x 8 tiles of 16-bit elements between shared memory, where each row stands at an address of its
// own, and the registers of a warp.
#include "whole_block.h"

namespace cnn::conformance {
namespace {

constexpr unsigned tileBytes = 2048, warpBytes = 512;

// Row r of tile m of a warp: lane 8 m + r gives its address. The 32 rows of 16 bytes are taken in another order.
unsigned rowOf(unsigned lane) { return lane * 5 % 32; }
const std::string rowAddress = "mov.u32 %r8, tile; mov.u32 %r9, %laneid; mul.lo.u32 %r10, %r9, 5; and.b32 %r10, %r10, 31; shr.u32 %r11, %r1, 5; mad.lo.u32 %r8, %r11, 512, %r8; "
                               "mad.lo.u32 %r8, %r10, 16, %r8;\n  ";

// Byte of element (row, column) of a tile in the memory of a warp.
unsigned byteOf(unsigned matrix, unsigned row, unsigned column) { return 16 * rowOf(8 * matrix + row) + 2 * column; }

// A lane holds row lane / 4, columns 2 (lane % 4) and the next; transposed, rows and columns change places.
unsigned heldByte(unsigned matrix, unsigned lane, unsigned half, bool transposed) {
  const unsigned row = lane / 4, column = lane % 4 * 2 + half;
  return transposed ? byteOf(matrix, column, row) : byteOf(matrix, row, column);
}

void addLoad(Corpus& corpus, unsigned count, bool transposed, const std::string& space) {
  const std::string opcode = "ldmatrix.sync.aligned.m8n8.x" + std::to_string(count) + (transposed ? ".trans" : "") + space + ".b16";
  std::string body = fillShared("tile", "%in0", tileBytes) + rowAddress + opcode + " " + vectorOf("%r", 20, count) + ", [%r8];\n  ";
  for (unsigned i = 0; i < count; ++i) body += keep("%r" + std::to_string(20 + i), i);
  addWhole(corpus, "fragment/" + opcode, body, Type::u32, count * threads, {{Type::u32, Range::any, tileBytes / 4}}, [=](const Columns& in) {
    const auto bytes = bytesOf(in[0], Type::u32);
    Column out(count * threads);
    for (unsigned i = 0; i < count * threads; ++i)
      for (unsigned b = 0; b < 4; ++b) {
        const unsigned t = i % threads, at = t / 32 * warpBytes + heldByte(i / threads, t % 32, b / 2, transposed) + b % 2;
        out[i] |= std::uint64_t(bytes[at]) << (8 * b);
      }
    return out;
  }).declarations = ".shared .align 16 .b8 tile[2048];";
}

void addStore(Corpus& corpus, unsigned count, bool transposed, const std::string& space) {
  const std::string opcode = "stmatrix.sync.aligned.m8n8.x" + std::to_string(count) + (transposed ? ".trans" : "") + space + ".b16";
  std::string body = fillShared("tile", "%in1", tileBytes) + rowAddress + "mad.wide.u32 %d8, %r1, 4, %in0;\n  ";
  for (unsigned i = 0; i < count; ++i) body += "ld.global.b32 %r" + std::to_string(20 + i) + ", [%d8+" + std::to_string(512 * i) + "]; ";
  body += opcode + " [%r8], " + vectorOf("%r", 20, count) + ";\n  " + dumpShared("tile", tileBytes);
  Case& test = addWhole(corpus, "fragment/" + opcode, body, Type::u32, tileBytes / 4, {{Type::u32, Range::any, count * threads}, {Type::u32, Range::any, tileBytes / 4}},
                        [=](const Columns& in) {
    auto bytes = bytesOf(in[1], Type::u32);
    for (unsigned i = 0; i < count * threads; ++i)
      for (unsigned b = 0; b < 4; ++b) {
        const unsigned t = i % threads, at = t / 32 * warpBytes + heldByte(i / threads, t % 32, b / 2, transposed) + b % 2;
        bytes[at] = std::uint8_t(in[0][i] >> (8 * b));
      }
    return wordsOf(bytes);
  });
  test.declarations = ".shared .align 16 .b8 tile[2048];";
  test.sm = 90;
}

}  // namespace

void addFragment(Corpus& corpus) {
  for (const unsigned count : {1u, 2u, 4u})
    for (const bool transposed : {false, true})
      for (const std::string space : {".shared", ".shared::cta"}) {
        addLoad(corpus, count, transposed, space);
        addStore(corpus, count, transposed, space);
      }
}

}  // namespace cnn::conformance
