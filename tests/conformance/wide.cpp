#include "wide.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace cnn::conformance {
namespace {

__extension__ using Bits128 = unsigned __int128;

// 2^exponent, for exponents of normal 128-bit floats.
Wide powerOfTwo(int exponent) {
  const Bits128 bits = Bits128(exponent + 16383) << 112;
  Wide result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

bool signOf(Wide x) {
  Bits128 bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits >> 127;
}

int exponentOf(Wide x) {
  Bits128 bits;
  std::memcpy(&bits, &x, sizeof bits);
  return int((bits >> 112) & 0x7fff) - 16383;
}

bool isNaN(Wide x) { return x != x; }
bool isInfinite(Wide x) { return x == x && x - x != x - x; }

std::uint64_t signBit(const Format& f) { return std::uint64_t(1) << (f.storageBits - 1); }
std::uint64_t infinity(const Format& f) { return ((std::uint64_t(1) << f.exponentBits) - 1) << (f.precision - 1); }
std::uint64_t quietNaN(const Format& f) { return signBit(f) - 1; }

std::uint64_t overflow(const Format& f, bool negative, Rounding rounding) {
  const bool toInfinity = rounding == Rounding::nearest || (rounding == Rounding::up && !negative) || (rounding == Rounding::down && negative);
  return (negative ? signBit(f) : 0) | (toInfinity ? infinity(f) : infinity(f) - 1);
}

// Whether the magnitude (truncated to `odd`'s integer, `fraction` and the lost `error` left over) is rounded away from 0.
bool roundsAway(Rounding rounding, bool negative, bool odd, Wide fraction, Wide error) {
  const bool inexact = fraction != 0 || error != 0;
  switch (rounding) {
    case Rounding::zero: return false;
    case Rounding::up: return inexact && !negative;
    case Rounding::down: return inexact && negative;
    default: break;
  }
  const Wide half = Wide(1) / 2;
  if (fraction != half) return fraction > half;
  return error > 0 || (error == 0 && odd);
}

}  // namespace

bool isNaN(const Format& f, std::uint64_t bits) { return (bits & ~signBit(f)) > infinity(f); }

bool isSubnormal(const Format& f, std::uint64_t bits) {
  const std::uint64_t m = bits & ~signBit(f);
  return m != 0 && m < std::uint64_t(1) << (f.precision - 1);
}

std::uint64_t flushed(const Format& f, std::uint64_t bits) { return isSubnormal(f, bits) ? bits & signBit(f) : bits; }

Wide decode(const Format& f, std::uint64_t bits) {
  const bool negative = bits & signBit(f);
  const std::uint64_t m = bits & ~signBit(f) & (signBit(f) | (signBit(f) - 1));
  if (m > infinity(f)) return std::numeric_limits<double>::quiet_NaN();
  if (m == infinity(f)) return negative ? -Wide(std::numeric_limits<double>::infinity()) : Wide(std::numeric_limits<double>::infinity());
  const int exponent = int(m >> (f.precision - 1));
  const std::uint64_t hidden = std::uint64_t(1) << (f.precision - 1);
  const std::uint64_t significand = (m & (hidden - 1)) | (exponent ? hidden : 0);
  const Wide value = Wide(significand) * powerOfTwo((exponent ? exponent : 1) - f.bias() - (f.precision - 1));
  return negative ? -value : value;
}

std::uint64_t encode(const Format& f, Sum exact, Rounding rounding, bool flush, bool saturate) {
  Wide x = exact.value, error = exact.error;
  if (saturate) {
    if (isNaN(x) || x < 0) x = error = 0, exact.negativeZero = false;
    if (x > 1 || (x == 1 && error > 0)) x = 1, error = 0;
    if (x == 0) return 0;
  }
  if (isNaN(x)) return quietNaN(f);
  const bool negative = signOf(x) || (x == 0 && exact.negativeZero);
  const std::uint64_t sign = negative ? signBit(f) : 0;
  if (x == 0) return sign;
  if (isInfinite(x)) return sign | infinity(f);
  if (negative) x = -x, error = -error;
  const int least = 1 - f.bias();
  // The unit in the last place of the result, and the value in those units.
  int exponent = exponentOf(x);
  if (x == powerOfTwo(exponent) && error < 0) --exponent;  // just below a power of two
  const int unit = (exponent < least ? least : exponent) - (f.precision - 1);
  if (unit > f.bias()) return overflow(f, negative, rounding);
  Wide scaled = x * powerOfTwo(-unit);
  std::uint64_t integer = std::uint64_t(scaled);
  Wide fraction = scaled - Wide(integer);
  if (fraction == 0 && error < 0) --integer, fraction = 1;  // an exact integer less something tiny
  if (fraction == 1) integer += roundsAway(rounding, negative, false, Wide(3) / 4, 0) ? 1 : 0;
  else integer += roundsAway(rounding, negative, integer & 1, fraction, error) ? 1 : 0;
  const std::uint64_t hidden = std::uint64_t(1) << (f.precision - 1);
  std::uint64_t result = integer < hidden ? integer : integer + (std::uint64_t(unit + (f.precision - 1) + f.bias() - 1) << (f.precision - 1));
  if (result >= infinity(f)) return overflow(f, negative, rounding);
  if (flush && isSubnormal(f, result)) result = 0;
  return sign | result;
}

Sum add(Wide a, Wide b, Rounding rounding) {
  const Wide s = a + b;
  if (isNaN(s) || isInfinite(s)) return {s};
  if (s == 0) {
    const bool bothNegative = signOf(a) && signOf(b);
    const bool differ = signOf(a) != signOf(b) || (a != 0 && b != 0);
    return {0, 0, bothNegative && a == 0 ? true : differ && rounding == Rounding::down};
  }
  // Knuth's exact error of a sum.
  const Wide part = s - a;
  return {s, (a - (s - part)) + (b - part)};
}

Sum multiply(Wide a, Wide b) {
  const Wide p = a * b;
  return {p, 0, p == 0 && signOf(a) != signOf(b)};
}

Sum fusedMultiplyAdd(Wide a, Wide b, Wide c, Rounding rounding) {
  Wide product = a * b;
  return add(product, c, rounding);
}

Sum divide(Wide a, Wide b) {
  const Wide q = a / b;
  return {q, 0, q == 0 && signOf(a) != signOf(b)};
}

// Newton's iteration from the double result; two steps pass 113 bits.
Sum squareRoot(Wide a) {
  if (isNaN(a) || a < 0) return {Wide(std::numeric_limits<double>::quiet_NaN())};
  if (a == 0 || isInfinite(a)) return {a, 0, signOf(a)};
  // Scale into the range of double by an even power of two.
  const int even = exponentOf(a) / 2 * 2;
  const Wide scaled = a * powerOfTwo(-even);
  Wide root = std::sqrt(double(scaled));
  for (int i = 0; i < 3; ++i) root = (root + scaled / root) / 2;
  const Wide residue = scaled - root * root;
  return {root * powerOfTwo(even / 2), residue * powerOfTwo(even / 2) / (2 * root)};
}

std::uint64_t ulpDistance(const Format& f, std::uint64_t a, std::uint64_t b) {
  const bool nanA = isNaN(f, a), nanB = isNaN(f, b);
  if (nanA || nanB) return nanA == nanB ? 0 : ~std::uint64_t(0);
  const auto ordered = [&](std::uint64_t bits) {
    const auto m = std::int64_t(bits & (signBit(f) - 1));
    return bits & signBit(f) ? -m : m;
  };
  const std::int64_t x = ordered(a), y = ordered(b);
  return x > y ? std::uint64_t(x) - std::uint64_t(y) : std::uint64_t(y) - std::uint64_t(x);
}

}  // namespace cnn::conformance
