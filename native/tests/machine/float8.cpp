// The eight-bit formats against the list of all their values.
#include "table.h"

#include <bit>
#include <cmath>

using namespace cnn::test;

namespace {

struct Format {
  const char* name;
  int exponentBits, fractionBits, bias;
  std::uint64_t greatest, nan;  // e4m3 has no infinity, and only all ones is not a number
};
const Format formats[] = {{"e4m3x2", 4, 3, 7, 0x7e, 0x7f}, {"e5m2x2", 5, 2, 15, 0x7b, 0x7f}};

double widen(const Format& format, std::uint64_t byte) {
  const std::uint64_t magnitude = byte & 0x7f;
  const double sign = byte & 0x80 ? -1 : 1;
  if (magnitude > format.greatest) return format.fractionBits == 2 && magnitude == 0x7c ? sign * INFINITY : NAN;
  const int exponent = int(magnitude >> format.fractionBits), fraction = int(magnitude & ((1u << format.fractionBits) - 1));
  const int whole = exponent == 0 ? fraction : fraction + (1 << format.fractionBits);
  return sign * std::ldexp(whole, std::max(exponent, 1) - format.bias - format.fractionBits);
}

// The nearest value, even at ties; what lies beyond the greatest is the greatest.
std::uint64_t narrow(const Format& format, double x, bool relu) {
  if (std::isnan(x)) return format.nan;
  if (relu && std::signbit(x)) return 0;
  const std::uint64_t sign = std::signbit(x) ? 0x80 : 0;
  if (std::fabs(x) >= widen(format, format.greatest)) return sign | format.greatest;
  std::uint64_t best = 0;
  for (std::uint64_t byte = 1; byte <= format.greatest; ++byte) {
    const double error = std::fabs(std::fabs(x) - widen(format, byte)), least = std::fabs(std::fabs(x) - widen(format, best));
    if (error < least || (error == least && byte % 2 == 0)) best = byte;
  }
  return sign | best;
}

double halfValue(std::uint64_t bits) {
  const int exponent = int(bits >> 10 & 31), fraction = int(bits & 1023);
  const double sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25));
}

double floatValue(std::uint64_t bits) { return double(std::bit_cast<float>(std::uint32_t(bits))); }

// Every value of eight bits is one of f16; found in the list of those.
std::uint64_t halfOf(double x, bool relu) {
  if (std::isnan(x)) return 0x7fff;
  if (relu && std::signbit(x)) return 0;
  for (std::uint64_t bits = 0; bits <= 0x7c00; ++bits)
    if (halfValue(bits) == std::fabs(x)) return bits | (std::signbit(x) ? 0x8000 : 0);
  return ~0ull;
}

}  // namespace

TEST(narrowing_and_widening) {
  std::vector<Row> rows;
  for (const Format& format : formats)
    for (const bool relu : {false, true}) {
      const std::string name = format.name, suffix = relu ? ".relu." : ".";
      rows.push_back({"cvt.rn.satfinite" + suffix + name + ".f32", name, {"f32", "f32"}, [=](const std::uint64_t* v) {
                        return narrow(format, floatValue(v[0]), relu) << 8 | narrow(format, floatValue(v[1]), relu);
                      }});
      rows.push_back({"cvt.rn.satfinite" + suffix + name + ".f16x2", name, {"f16x2"}, [=](const std::uint64_t* v) {
                        return narrow(format, halfValue(v[0] >> 16), relu) << 8 | narrow(format, halfValue(v[0] & 0xffff), relu);
                      }});
      rows.push_back({std::string("cvt.rn") + suffix + "f16x2." + name, "f16x2", {name}, [=](const std::uint64_t* v) {
                        return halfOf(widen(format, v[0] >> 8), relu) << 16 | halfOf(widen(format, v[0] & 0xff), relu);
                      }});
    }
  checkTable(rows);
}
