// Reference arithmetic in 113 bits, and its rounding to every floating-point format of PTX in every rounding mode. The
// operations here share nothing with the emulator's: they compute wide, keep the error, and round once.
#pragma once

#include <cstdint>

namespace cnn::conformance {

__extension__ using Wide = __float128;

// Bits of significand (the hidden one included) and of exponent. sm_80's tf32 is the upper 19 bits of a float. The largest
// numbers and the NaN of e4m3 are not as written here; cases stay below them.
struct Format {
  int precision, exponentBits, storageBits;
  int bias() const { return (1 << (exponentBits - 1)) - 1; }
};
constexpr Format e4m3{4, 4, 8}, e5m2{3, 5, 8}, f16{11, 5, 16}, bf16{8, 8, 16}, f32{24, 8, 32}, f64{53, 11, 64};

enum class Rounding { nearest, zero, down, up };

// A sum of two numbers, the second one far smaller: the rounding error that the first one lost.
struct Sum {
  Wide value, error = 0;
  bool negativeZero = false;
};

Wide decode(const Format& format, std::uint64_t bits);
// NaN becomes a quiet one. With `saturate` the result is clamped to [0, 1] and NaN becomes 0.
std::uint64_t encode(const Format& format, Sum exact, Rounding rounding = Rounding::nearest, bool flush = false, bool saturate = false);
// Denormal numbers become zeros of their sign.
std::uint64_t flushed(const Format& format, std::uint64_t bits);
bool isNaN(const Format& format, std::uint64_t bits);
bool isSubnormal(const Format& format, std::uint64_t bits);

Sum add(Wide a, Wide b, Rounding rounding);
Sum multiply(Wide a, Wide b);                       // exact for significands up to 53 bits
Sum fusedMultiplyAdd(Wide a, Wide b, Wide c, Rounding rounding);
Sum divide(Wide a, Wide b);
Sum squareRoot(Wide a);

// Distance in units in the last place, in the order of the real numbers; NaN equals NaN only.
std::uint64_t ulpDistance(const Format& format, std::uint64_t a, std::uint64_t b);

}  // namespace cnn::conformance
