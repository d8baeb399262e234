// Integer and bit instructions against 128-bit arithmetic and bit by bit definitions.
#include "table.h"

#include <algorithm>

using namespace cnn::test;

namespace {

__extension__ using Wide = __int128;
__extension__ using WideU = unsigned __int128;

struct Kind {
  const char* name;
  unsigned bits;
  bool isSigned;
  Wide read(std::uint64_t v) const {
    v &= bits == 64 ? ~0ull : (1ull << bits) - 1;
    if (isSigned && (v >> (bits - 1) & 1)) return Wide(v) - (Wide(1) << bits);
    return Wide(v);
  }
  Wide least() const { return isSigned ? -(Wide(1) << (bits - 1)) : 0; }
  Wide greatest() const { return (Wide(1) << (isSigned ? bits - 1 : bits)) - 1; }
};
constexpr Kind kinds[] = {{"u16", 16, false}, {"s16", 16, true}, {"u32", 32, false}, {"s32", 32, true}, {"u64", 64, false}, {"s64", 64, true}};

using Operation = std::function<Wide(const Kind&, Wide, Wide, Wide)>;

void arithmetic(const std::string& opcode, unsigned operands, const Operation& f, unsigned leastBits = 16) {
  std::vector<Row> rows;
  for (const Kind& kind : kinds) {
    if (kind.bits < leastBits) continue;
    rows.push_back({opcode + "." + kind.name, kind.name, std::vector<std::string>(operands, kind.name), [kind, f](const std::uint64_t* v) {
                      return std::uint64_t(f(kind, kind.read(v[0]), kind.read(v[1]), kind.read(v[2])));
                    }});
  }
  checkTable(rows);
}

std::uint64_t bit(std::uint64_t v, int n) { return n >= 0 && n < 64 ? v >> n & 1 : 0; }

}  // namespace

TEST(add_sub) {
  arithmetic("add", 2, [](const Kind&, Wide a, Wide b, Wide) { return a + b; });
  arithmetic("sub", 2, [](const Kind&, Wide a, Wide b, Wide) { return a - b; });
}

TEST(saturating) {
  const auto clamp = [](Wide v) { return std::uint64_t(std::min<Wide>(std::max<Wide>(v, INT32_MIN), INT32_MAX)); };
  checkTable({{"add.sat.s32", "s32", {"s32", "s32"}, [=](const std::uint64_t* v) { return clamp(Wide(std::int32_t(v[0])) + std::int32_t(v[1])); }},
              {"sub.sat.s32", "s32", {"s32", "s32"}, [=](const std::uint64_t* v) { return clamp(Wide(std::int32_t(v[0])) - std::int32_t(v[1])); }},
              {"mad.hi.sat.s32", "s32", {"s32", "s32", "s32"}, [=](const std::uint64_t* v) {
                 return clamp((Wide(std::int32_t(v[0])) * std::int32_t(v[1]) >> 32) + std::int32_t(v[2]));
               }}});
}

TEST(products) {
  arithmetic("mul.lo", 2, [](const Kind&, Wide a, Wide b, Wide) { return Wide((WideU)a * (WideU)b); });
  arithmetic("mul.hi", 2, [](const Kind& k, Wide a, Wide b, Wide) {
    return k.isSigned ? (a * b) >> k.bits : Wide(((WideU)a * (WideU)b) >> k.bits);
  });
  arithmetic("mad.lo", 3, [](const Kind&, Wide a, Wide b, Wide c) { return Wide((WideU)a * (WideU)b + (WideU)c); });
  arithmetic("mad.hi", 3, [](const Kind& k, Wide a, Wide b, Wide c) {
    return (k.isSigned ? (a * b) >> k.bits : Wide(((WideU)a * (WideU)b) >> k.bits)) + c;
  });
  std::vector<Row> rows;
  for (const Kind& kind : kinds) {
    if (kind.bits == 64) continue;
    const std::string wide = std::string(kind.isSigned ? "s" : "u") + (kind.bits == 16 ? "32" : "64");
    rows.push_back({std::string("mul.wide.") + kind.name, wide, {kind.name, kind.name}, [kind](const std::uint64_t* v) { return std::uint64_t(kind.read(v[0]) * kind.read(v[1])); }});
    rows.push_back({std::string("mad.wide.") + kind.name, wide, {kind.name, kind.name, wide}, [kind](const std::uint64_t* v) { return std::uint64_t(kind.read(v[0]) * kind.read(v[1]) + Wide(v[2])); }});
  }
  checkTable(rows);
}

TEST(quotients) {
  arithmetic("div", 2, [](const Kind& k, Wide a, Wide b, Wide) { return b == 0 ? (Wide(1) << k.bits) - 1 : a / b; });
  arithmetic("rem", 2, [](const Kind&, Wide a, Wide b, Wide) { return b == 0 ? a : a % b; });
}

TEST(extremes_and_differences) {
  arithmetic("min", 2, [](const Kind&, Wide a, Wide b, Wide) { return std::min(a, b); });
  arithmetic("max", 2, [](const Kind&, Wide a, Wide b, Wide) { return std::max(a, b); });
  arithmetic("sad", 3, [](const Kind&, Wide a, Wide b, Wide c) { return c + (a < b ? b - a : a - b); });
  std::vector<Row> rows;
  for (const Kind& kind : kinds) {
    if (!kind.isSigned) continue;
    rows.push_back({std::string("abs.") + kind.name, kind.name, {kind.name}, [kind](const std::uint64_t* v) { const Wide a = kind.read(v[0]); return std::uint64_t(a < 0 ? -a : a); }});
    rows.push_back({std::string("neg.") + kind.name, kind.name, {kind.name}, [kind](const std::uint64_t* v) { return std::uint64_t(-kind.read(v[0])); }});
  }
  checkTable(rows);
}

TEST(logic) {
  std::vector<Row> rows;
  for (const char* type : {"b16", "b32", "b64"}) {
    const std::string t = std::string(".") + type;
    rows.push_back({"and" + t, type, {type, type}, [](const std::uint64_t* v) { return v[0] & v[1]; }});
    rows.push_back({"or" + t, type, {type, type}, [](const std::uint64_t* v) { return v[0] | v[1]; }});
    rows.push_back({"xor" + t, type, {type, type}, [](const std::uint64_t* v) { return v[0] ^ v[1]; }});
    rows.push_back({"not" + t, type, {type}, [](const std::uint64_t* v) { return ~v[0]; }});
    rows.push_back({"cnot" + t, type, {type}, [](const std::uint64_t* v) { return std::uint64_t(v[0] == 0); }});
  }
  checkTable(rows);
}

TEST(shifts) {
  std::vector<Row> rows;
  for (const Kind& kind : kinds) {
    const std::string bits = "b" + std::to_string(kind.bits);
    if (!kind.isSigned)
      rows.push_back({"shl." + bits, bits, {bits, "u32"}, [kind](const std::uint64_t* v) { return v[1] >= kind.bits ? 0 : v[0] << v[1]; }});
    rows.push_back({std::string("shr.") + kind.name, kind.name, {kind.name, "u32"}, [kind](const std::uint64_t* v) {
                      return std::uint64_t(kind.read(v[0]) >> std::min<std::uint64_t>(v[1], kind.bits));
                    }});
  }
  for (const bool left : {true, false})
    for (const bool clamp : {true, false})
      rows.push_back({std::string("shf.") + (left ? "l" : "r") + (clamp ? ".clamp" : ".wrap") + ".b32", "b32", {"b32", "b32", "u32"}, [=](const std::uint64_t* v) {
                        const unsigned n = clamp ? unsigned(std::min<std::uint64_t>(v[2], 32)) : unsigned(v[2] & 31);
                        std::uint64_t out = 0;
                        for (int k = 0; k < 32; ++k) out |= bit(v[1] << 32 | v[0], left ? 32 + k - int(n) : k + int(n)) << k;
                        return out;
                      }});
  checkTable(rows);
}

TEST(fields) {
  std::vector<Row> rows;
  for (const Kind& kind : kinds) {
    if (kind.bits == 16) continue;
    rows.push_back({std::string("bfe.") + kind.name, kind.name, {kind.name, "u32", "u32"}, [kind](const std::uint64_t* v) {
                      const int position = int(v[1] & 255), length = int(v[2] & 255), top = int(kind.bits) - 1;
                      const std::uint64_t sign = !kind.isSigned || length == 0 ? 0 : bit(v[0], std::min(position + length - 1, top));
                      std::uint64_t out = 0;
                      for (int k = 0; k <= top; ++k) out |= (k < length && position + k <= top ? bit(v[0], position + k) : sign) << k;
                      return out;
                    }});
    if (kind.isSigned) continue;
    const std::string bits = "b" + std::to_string(kind.bits);
    rows.push_back({"bfi." + bits, bits, {bits, bits, "u32", "u32"}, [kind](const std::uint64_t* v) {
                      const int position = int(v[2] & 255), length = int(v[3] & 255);
                      std::uint64_t out = v[1];
                      for (int k = 0; k < length && position + k < int(kind.bits); ++k)
                        out = (out & ~(1ull << (position + k))) | bit(v[0], k) << (position + k);
                      return out;
                    }});
  }
  checkTable(rows);
}

TEST(masks_and_extensions_of_a_width) {
  std::vector<Row> rows;
  for (const bool wraps : {false, true}) {
    const std::string mode = wraps ? "wrap" : "clamp";
    const auto within = [wraps](std::uint64_t v) { return wraps ? int(v % 32) : int(std::min<std::uint64_t>(v, 32)); };
    rows.push_back({"bmsk." + mode + ".b32", "b32", {"u32", "u32"}, [within](const std::uint64_t* v) {
                      const int start = within(v[0]), end = start + within(v[1]);
                      std::uint64_t out = 0;
                      for (int k = start; k < end && k < 32; ++k) out |= 1ull << k;
                      return out;
                    }});
    for (const bool isSigned : {false, true}) {
      const std::string type = isSigned ? "s32" : "u32";
      rows.push_back({"szext." + mode + "." + type, type, {type, "u32"}, [=](const std::uint64_t* v) {
                        const int width = within(v[1]);
                        const std::uint64_t fill = isSigned && width > 0 ? bit(v[0], width - 1) : 0;
                        std::uint64_t out = 0;
                        for (int k = 0; k < 32; ++k) out |= (k < width ? bit(v[0], k) : fill) << k;
                        return out;
                      }});
    }
  }
  checkTable(rows);
}

TEST(counts) {
  std::vector<Row> rows;
  for (const unsigned bits : {32u, 64u}) {
    const std::string type = "b" + std::to_string(bits);
    rows.push_back({"popc." + type, "u32", {type}, [=](const std::uint64_t* v) { std::uint64_t n = 0; for (unsigned k = 0; k < bits; ++k) n += bit(v[0], int(k)); return n; }});
    rows.push_back({"clz." + type, "u32", {type}, [=](const std::uint64_t* v) { std::uint64_t n = 0; while (n < bits && !bit(v[0], int(bits - 1 - n))) ++n; return n; }});
    rows.push_back({"brev." + type, type, {type}, [=](const std::uint64_t* v) { std::uint64_t out = 0; for (unsigned k = 0; k < bits; ++k) out |= bit(v[0], int(k)) << (bits - 1 - k); return out; }});
    for (const bool isSigned : {false, true}) {
      const std::string t = (isSigned ? "s" : "u") + std::to_string(bits);
      rows.push_back({"bfind." + t, "u32", {t}, [=](const std::uint64_t* v) {
                        const std::uint64_t sign = isSigned ? bit(v[0], int(bits) - 1) : 0;
                        for (int k = int(bits) - 1; k >= 0; --k) if (bit(v[0], k) != sign) return std::uint64_t(k);
                        return std::uint64_t(0xffffffff);
                      }});
    }
  }
  checkTable(rows);
}

TEST(permutations) {
  const auto select = [](std::uint64_t a, std::uint64_t b, unsigned nibble) {
    const std::uint64_t byte = (b << 32 | a) >> (8 * (nibble & 7)) & 0xff;
    return nibble & 8 ? (byte & 0x80 ? 0xffull : 0ull) : byte;
  };
  std::vector<Row> rows = {{"prmt.b32", "b32", {"b32", "b32", "b32"}, [=](const std::uint64_t* v) {
                              std::uint64_t out = 0;
                              for (unsigned n = 0; n < 4; ++n) out |= select(v[0], v[1], unsigned(v[2] >> (4 * n) & 15)) << (8 * n);
                              return out;
                            }}};
  // Rows of the reference's table: bytes 3, 2, 1, 0 for each value of the two selector bits.
  const std::vector<std::pair<std::string, std::vector<std::string>>> modes = {
      {"f4e", {"3210", "4321", "5432", "6543"}}, {"b4e", {"5670", "6701", "7012", "0123"}}, {"rc8", {"0000", "1111", "2222", "3333"}},
      {"ecl", {"3210", "3211", "3222", "3333"}}, {"ecr", {"0000", "1110", "2210", "3210"}}, {"rc16", {"1010", "3232", "1010", "3232"}}};
  for (const auto& [mode, table] : modes)
    rows.push_back({"prmt.b32." + mode, "b32", {"b32", "b32", "b32"}, [=, table = table](const std::uint64_t* v) {
                      const std::string& bytes = table[v[2] & 3];
                      std::uint64_t out = 0;
                      for (unsigned n = 0; n < 4; ++n) out |= select(v[0], v[1], unsigned(bytes[3 - n] - '0')) << (8 * n);
                      return out;
                    }});
  checkTable(rows);
}

TEST(dot_products) {
  std::vector<Row> rows;
  for (const bool sa : {false, true})
    for (const bool sb : {false, true}) {
      const std::string ta = sa ? "s32" : "u32", tb = sb ? "s32" : "u32";
      const auto byte = [](std::uint64_t v, unsigned n, bool isSigned) { return isSigned ? std::int64_t(std::int8_t(v >> (8 * n))) : std::int64_t(v >> (8 * n) & 0xff); };
      rows.push_back({"dp4a." + ta + "." + tb, "b32", {ta, tb, "b32"}, [=](const std::uint64_t* v) {
                        std::int64_t sum = std::int64_t(v[2]);
                        for (unsigned n = 0; n < 4; ++n) sum += byte(v[0], n, sa) * byte(v[1], n, sb);
                        return std::uint64_t(sum);
                      }});
      for (const bool high : {false, true})
        rows.push_back({std::string("dp2a.") + (high ? "hi." : "lo.") + ta + "." + tb, "b32", {ta, tb, "b32"}, [=](const std::uint64_t* v) {
                          std::int64_t sum = std::int64_t(v[2]);
                          for (unsigned n = 0; n < 2; ++n)
                            sum += (sa ? std::int64_t(std::int16_t(v[0] >> (16 * n))) : std::int64_t(v[0] >> (16 * n) & 0xffff)) * byte(v[1], n + (high ? 2 : 0), sb);
                          return std::uint64_t(sum);
                        }});
    }
  checkTable(rows);
}

TEST(lop3_all_tables) {
  for (unsigned table = 0; table < 256; table += 17) {
    const auto a = samples("b32", 97, 1), b = samples("b32", 97, 2), c = samples("b32", 97, 3);
    Device device;
    Program program(device, moduleText(".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<5>;\n.reg .b64 %x<4>;\nld.param.u64 %x0, [p];\nmov.u32 %r0, %tid.x;\n"
                                       "mul.wide.u32 %x1, %r0, 16;\nadd.u64 %x2, %x0, %x1;\nld.global.v4.b32 {%r1, %r2, %r3, _}, [%x2];\nlop3.b32 %r4, %r1, %r2, %r3, " +
                                       std::to_string(table) + ";\nst.global.b32 [%x2+12], %r4;\nret;\n}"));
    std::vector<std::uint32_t> data(97 * 4);
    for (unsigned n = 0; n < 97; ++n) data[4 * n] = std::uint32_t(a[n]), data[4 * n + 1] = std::uint32_t(b[n]), data[4 * n + 2] = std::uint32_t(c[n]);
    const auto address = device.upload(data);
    program.run("k", {1}, {97}, 0, address);
    const auto out = device.download<std::uint32_t>(address, data.size());
    for (unsigned n = 0; n < 97; ++n) {
      std::uint32_t expected = 0;
      for (int k = 0; k < 32; ++k) expected |= std::uint32_t(table >> (bit(a[n], k) * 4 + bit(b[n], k) * 2 + bit(c[n], k)) & 1) << k;
      CHECK_EQ(out[4 * n + 3], expected);
    }
  }
}
