// Tables of instructions: one kernel that applies one instruction to many operands, and what independent host code
// expects of it.
#pragma once

#include "kernel.h"

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace cnn::test {

// How an operand of the type is loaded, kept and stored: f16 and bf16 are bits, .u8 and .s8 live in 16-bit registers.
inline std::string memoryType(const std::string& type) {
  if (type == "f16" || type == "bf16" || type == "e4m3x2" || type == "e5m2x2") return "b16";
  if (type == "f16x2" || type == "bf16x2" || type == "tf32" || type == "u16x2" || type == "s16x2") return "b32";
  return type;
}
inline unsigned bytesOf(const std::string& type) {
  const std::string t = memoryType(type);
  return t.back() == '8' ? 1 : t.find("16") != std::string::npos ? 2 : t.find("64") != std::string::npos ? 8 : 4;
}
inline std::string registerType(const std::string& type) {
  const std::string t = memoryType(type);
  return t == "u8" ? "u16" : t == "s8" ? "s16" : t;
}

// `opcode d, a, b, ...;` for every row of operands, 64-bit words that hold the operands' bits. Results are zero extended.
inline std::vector<std::uint64_t> apply(const std::string& opcode, const std::string& result, const std::vector<std::string>& types,
                                        const std::vector<std::vector<std::uint64_t>>& operands) {
  const std::size_t rows = operands.at(0).size();
  std::string text = ".visible .entry k(.param .u64 in, .param .u64 out, .param .u32 n)\n{\n.reg .pred %q;\n.reg .b32 %t<6>;\n.reg .b64 %x<8>;\n";
  std::string call = opcode + " %d";
  text += ".reg ." + registerType(result) + " %d;\n";
  for (std::size_t o = 0; o < types.size(); ++o) text += ".reg ." + registerType(types[o]) + " %a" + std::to_string(o) + ";\n";
  text += "ld.param.u64 %x0, [in];\nld.param.u64 %x1, [out];\nld.param.u32 %t0, [n];\n"
          "mov.u32 %t1, %ctaid.x;\nmov.u32 %t2, %ntid.x;\nmov.u32 %t3, %tid.x;\nmad.lo.u32 %t4, %t1, %t2, %t3;\n"
          "setp.ge.u32 %q, %t4, %t0;\n@%q bra END;\nmul.wide.u32 %x2, %t4, " + std::to_string(8 * types.size()) + ";\nadd.u64 %x3, %x0, %x2;\n";
  for (std::size_t o = 0; o < types.size(); ++o) {
    text += "ld.global." + memoryType(types[o]) + " %a" + std::to_string(o) + ", [%x3+" + std::to_string(8 * o) + "];\n";
    call += ", %a" + std::to_string(o);
  }
  text += call + ";\nmul.wide.u32 %x4, %t4, 8;\nadd.u64 %x5, %x1, %x4;\nst.global." + memoryType(result) + " [%x5], %d;\nEND:\nret;\n}\n";

  std::vector<std::uint64_t> packed(rows * types.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t o = 0; o < types.size(); ++o) packed[r * types.size() + o] = operands[o][r];
  Device device;
  Program program(device, moduleText(text));
  const auto in = device.upload(packed), out = device.zeros<std::uint64_t>(rows);
  program.run("k", {unsigned((rows + 95) / 96)}, {96}, 0, in, out, unsigned(rows));
  return device.download<std::uint64_t>(out, rows);
}

// Random bits and the values at which instructions go wrong: borders, signs, subnormal numbers, infinities, no numbers.
inline std::vector<std::uint64_t> samples(const std::string& type, std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  const unsigned bytes = bytesOf(type);
  const std::uint64_t mask = bytes == 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
  std::vector<std::uint64_t> special = {0, 1, 2, 3, mask, mask - 1, mask >> 1, (mask >> 1) + 1, 31, 32, 33, 63, 64, 255};
  if (type == "f32" || type == "tf32")
    for (const std::uint64_t v : {0x3f800000ull, 0xbf800000ull, 0x7f800000ull, 0xff800000ull, 0x7fc00000ull, 0x7f800001ull, 0x80000000ull, 0x00000001ull,
                                  0x80000001ull, 0x00800000ull, 0x007fffffull, 0x7f7fffffull, 0x3f000000ull, 0x40200000ull, 0x4f000000ull, 0xcf000000ull,
                                  0x4f800000ull, 0x477fe000ull, 0x477ff000ull, 0x33000000ull, 0x33000001ull, 0x38800000ull, 0x3fc00000ull})
      special.push_back(v);
  if (type == "f64")
    for (const std::uint64_t v : {0x3ff0000000000000ull, 0xbff0000000000000ull, 0x7ff0000000000000ull, 0xfff0000000000000ull, 0x7ff8000000000000ull,
                                  0x8000000000000000ull, 0x0000000000000001ull, 0x0010000000000000ull, 0x7fefffffffffffffull, 0x3fe0000000000000ull,
                                  0x36a0000000000000ull, 0x47efffffe0000000ull, 0x47f0000000000000ull, 0x41e0000000000000ull})
      special.push_back(v);
  if (type == "f16" || type == "f16x2")
    for (const std::uint64_t v : {0x3c00ull, 0xbc00ull, 0x7c00ull, 0xfc00ull, 0x7e00ull, 0x7c01ull, 0x8000ull, 0x0001ull, 0x0400ull, 0x03ffull, 0x7bffull, 0x3800ull})
      special.push_back(type == "f16" ? v : v << 16 | (v ^ 0x8000));
  if (type == "bf16" || type == "bf16x2")
    for (const std::uint64_t v : {0x3f80ull, 0xbf80ull, 0x7f80ull, 0xff80ull, 0x7fc0ull, 0x7f81ull, 0x8000ull, 0x0001ull, 0x0080ull, 0x007full, 0x7f7full, 0x3f00ull})
      special.push_back(type == "bf16" ? v : v << 16 | (v ^ 0x8000));
  std::vector<std::uint64_t> values;
  for (std::size_t n = 0; n < count; ++n) {
    std::uint64_t v = random();
    if (n % 3 == 0) v = special[random() % special.size()];
    // Numbers of ordinary size, so that sums neither vanish nor overflow.
    else if (n % 3 == 1 && (type == "f32" || type == "tf32")) v = (v & 0x807fffffu) | (0x3c000000u + (v >> 32 & 7) * 0x00800000u);
    else if (n % 3 == 1 && type == "f64") v = (v & 0x800fffffffffffffull) | (0x3fd0000000000000ull + (v >> 60 & 3) * 0x0010000000000000ull);
    values.push_back(v & mask);
  }
  return values;
}

struct Row {
  std::string opcode, result;
  std::vector<std::string> types;
  std::function<std::uint64_t(const std::uint64_t*)> expected;  // of the operands' bits
};

inline void checkTable(const std::vector<Row>& rows, std::size_t count = 611) {
  for (const Row& row : rows) {
    std::vector<std::vector<std::uint64_t>> operands;
    for (std::size_t o = 0; o < row.types.size(); ++o) operands.push_back(samples(row.types[o], count, unsigned(17 * o + 3)));
    const auto results = apply(row.opcode, row.result, row.types, operands);
    const unsigned bytes = bytesOf(row.result);
    const std::uint64_t mask = bytes == 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
    int shown = 0;
    for (std::size_t n = 0; n < count; ++n) {
      std::uint64_t operand[4] = {};
      std::string text;
      char part[32];
      for (std::size_t o = 0; o < operands.size(); ++o) {
        operand[o] = operands[o][n];
        std::snprintf(part, sizeof part, " %llx", static_cast<unsigned long long>(operand[o]));
        text += part;
      }
      const std::uint64_t expected = row.expected(operand) & mask;
      const bool same = results[n] == expected;
      if (!same && ++shown > 3) continue;
      std::snprintf(part, sizeof part, " %llx", static_cast<unsigned long long>(results[n]));
      std::string message = row.opcode + " of" + text + " gave" + part;
      std::snprintf(part, sizeof part, " %llx", static_cast<unsigned long long>(expected));
      check::report(same, __FILE__, __LINE__, same ? "" : message + ", expected" + part);
    }
  }
}

}  // namespace cnn::test
