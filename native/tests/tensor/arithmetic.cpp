// The pure arithmetic below the instructions: swizzle, mbarrier words, matrix descriptors.
#include "tensor_test.h"

#include "machine/matrix_descriptor.h"
#include "machine/mbarrier_word.h"
#include "machine/swizzle.h"

#include <set>

using namespace cnn::emu;
using namespace cnn::test;

TEST(swizzle_permutes_within_its_span_and_repeats) {
  for (const Swizzle swizzle : {Swizzle::none, Swizzle::bytes32, Swizzle::bytes64, Swizzle::bytes128}) {
    const std::uint32_t span = swizzleSpan(swizzle), period = swizzlePeriod(swizzle);
    for (std::uint32_t line = 0; line < 4096; line += span) {
      std::set<std::uint32_t> seen;
      for (std::uint32_t unit = 0; unit < span; unit += 16) {
        const std::uint32_t to = swizzleAddress(line + unit, swizzle);
        CHECK_EQ(to / span, line / span);
        CHECK_EQ(to - line, swizzleAddress(line + unit + period, swizzle) - line - period);
        seen.insert(to);
      }
      CHECK_EQ(seen.size(), span / 16);
    }
  }
  // Row r of a 128-byte tile has its units XORed with r.
  for (std::uint32_t row = 0; row < 8; ++row)
    for (std::uint32_t unit = 0; unit < 8; ++unit)
      CHECK_EQ(swizzleAddress(row * 128 + unit * 16, Swizzle::bytes128), row * 128 + (unit ^ row) * 16);
  // With 64 bytes two rows share a line and its XOR, with 32 bytes four.
  for (std::uint32_t row = 0; row < 8; ++row) {
    CHECK_EQ(swizzleAddress(row * 64, Swizzle::bytes64), row * 64 + (row / 2 % 4) * 16);
    CHECK_EQ(swizzleAddress(row * 32, Swizzle::bytes32), row * 32 + (row / 4 % 2) * 16);
  }
}

TEST(mbarrier_words_survive_encoding) {
  Random random(1);
  for (int n = 0; n < 2000; ++n) {
    MbarrierWord word;
    word.parity = random.bits() & 1;
    word.pending = random.bits() & MbarrierWord::maxCount;
    word.expected = random.bits() & MbarrierWord::maxCount;
    word.transaction = random.integer(-MbarrierWord::maxTransaction, MbarrierWord::maxTransaction);
    REQUIRE(MbarrierWord::valid(word.encode()));
    const MbarrierWord back = MbarrierWord::decode(word.encode());
    CHECK_EQ(int(back.parity), int(word.parity));
    CHECK_EQ(back.pending, word.pending);
    CHECK_EQ(back.expected, word.expected);
    CHECK_EQ(back.transaction, word.transaction);
  }
  CHECK(!MbarrierWord::valid(0));
  CHECK(!MbarrierWord::valid(~std::uint64_t(0)));
}

TEST(mbarrier_phases) {
  using Error = MbarrierWord::Error;
  MbarrierWord w;
  CHECK_EQ(MbarrierWord::init(0, w), Error::countRange);
  CHECK_EQ(MbarrierWord::init(1u << 20, w), Error::countRange);
  CHECK_EQ(MbarrierWord::init(2, w), Error::none);
  CHECK(w.completed(true));
  CHECK(!w.completed(false));
  CHECK_EQ(w.arrive(1), Error::none);
  CHECK_EQ(w.expect(64), Error::none);
  CHECK_EQ(w.arrive(1), Error::none);
  CHECK(!w.completed(false));             // 64 bytes are missing
  CHECK_EQ(w.complete(48), Error::none);
  CHECK(!w.completed(false));
  CHECK_EQ(w.complete(16), Error::none);
  CHECK(w.completed(false));
  CHECK_EQ(w.pending, 2u);
  // Bytes may arrive before they are expected; the phase still waits for the arrivals.
  CHECK_EQ(w.complete(32), Error::none);
  CHECK_EQ(w.arrive(1), Error::none);
  CHECK_EQ(w.expect(32), Error::none);
  CHECK_EQ(w.drop(1), Error::none);
  CHECK(w.completed(true));
  CHECK_EQ(w.pending, 1u);                // one participant has left
  CHECK_EQ(w.arrive(2), Error::tooManyArrivals);
  CHECK_EQ(w.expect(MbarrierWord::maxTransaction), Error::none);
  CHECK_EQ(w.expect(1), Error::transactionRange);
}

TEST(descriptors) {
  const std::uint64_t bits = std::uint64_t(2) << 62 | std::uint64_t(64 >> 4) << 32 | std::uint64_t(128 >> 4) << 16 | (0x1400 >> 4);
  const MatrixDescriptor d = MatrixDescriptor::decode(bits);
  CHECK_EQ(d.start, 0x1400u);
  CHECK_EQ(d.leading, 128u);
  CHECK_EQ(d.stride, 64u);
  CHECK(d.swizzle == Swizzle::bytes64);
  CHECK(MatrixDescriptor::complaint(bits) == nullptr);
  CHECK(MatrixDescriptor::complaint(bits | std::uint64_t(1) << 49) != nullptr);     // base offset
  CHECK(MatrixDescriptor::complaint(bits | std::uint64_t(1) << 14) != nullptr);     // a bit without meaning
  CHECK(MatrixDescriptor::complaint(bits + (64 >> 4)) != nullptr);                  // second row of the pattern
  CHECK(MatrixDescriptor::complaint(bits + (32 >> 4)) == nullptr);                  // a step along K
}
