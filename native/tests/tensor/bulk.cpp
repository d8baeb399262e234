// Bulk copies by the tensor memory accelerator: bytes, tiles with every swizzle, im2col, fills, stores, multicast.
#include "bulk_test.h"

#include "../machine/variable.h"

using namespace cnn::test;

TEST(plain_bytes_in) {
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const auto got = c.tile(expect(1024) + " @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%x1+32], [%d1+16], 1024, [%x2];\n" + wait);
  for (std::size_t n = 0; n < 512; ++n) CHECK_EQ(got[16 + n], c.source[8 + n]);
}

TEST(plain_bytes_out) {
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const std::string fill = " shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n st.shared.b32 [%x4], %x0;\n fence.proxy.async.shared::cta;\n bar.sync 0;\n";
  const std::string copy = " @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d2], [%x1], 256;\n @%p0 cp.async.bulk.commit_group;\n";
  REQUIRE(!c.tryRun(fill + copy + " @%p0 cp.async.bulk.wait_group 0;\n", false));
  const auto got = c.device.download<std::uint32_t>(c.out, 64);
  for (std::uint32_t t = 0; t < 64; ++t) CHECK_EQ(got[t], t);
  // Shared memory is read as late as it may be: overwriting it before wait_group.read shows.
  REQUIRE(!c.tryRun(fill + copy + " bar.sync 0;\n st.shared.b32 [%x4], 5;\n bar.sync 0;\n @%p0 cp.async.bulk.wait_group.read 0;\n", false));
  for (const auto value : c.device.download<std::uint32_t>(c.out, 64)) CHECK_EQ(value, 5u);
}

TEST(tiles_with_every_swizzle) {
  for (int swizzle = 0; swizzle <= 3; ++swizzle) {
    BulkCase c;
    const std::uint32_t span = 16u << swizzle, width = swizzle == 0 ? 32 : span / 2, rows = 24;
    c.tiled({100 * 8, 20}, {width, rows}, swizzle);
    // One column and some rows lie outside on each side.
    for (const auto& [x, y] : {std::pair{8, 3}, std::pair{-8, -2}, std::pair{800 - 8, 10}, std::pair{2000, 0}}) {
      const auto got = c.tile(expect(rows * width * 2) + at2d(x, y) + tensor2d + wait);
      for (int row = 0; row < int(rows); ++row)
        for (int column = 0; column < int(width); ++column) {
          const bool inside = x + column >= 0 && x + column < 800 && y + row >= 0 && y + row < 20;
          // By the definition: 16-byte unit u of the line at byte b is stored in unit u ^ (b / 128 % units).
          const std::uint32_t byte = std::uint32_t(row) * width * 2 + std::uint32_t(column) * 2;
          const std::uint32_t moved = swizzle == 0 ? byte : byte / span * span + (byte % span / 16 ^ byte / 128 % (span / 16)) * 16 + byte % 16;
          CHECK_EQ(got[moved / 2], inside ? c.source[std::size_t((y + row) * 800 + x + column)] : 0);
        }
    }
  }
}

// The box is narrower than the pattern: a row still takes the whole span, the mbarrier counts the bytes that came.
TEST(tiles_that_fill_a_part_of_their_swizzle) {
  for (const int swizzle : {1, 2, 3}) {
    BulkCase c;
    const std::size_t span = std::size_t(16) << swizzle, width = 8, rows = 24;
    c.tiled({64, 32}, {std::uint32_t(width), std::uint32_t(rows)}, swizzle);
    const auto got = c.tile(expect(rows * width * 2) + at2d(16, 2) + tensor2d + wait);
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t column = 0; column < width; ++column) {
        const std::size_t unit = row * span / 128 % (span / 16);
        CHECK_EQ(got[(row * span + unit * 16) / 2 + column], c.source[(2 + row) * 64 + 16 + column]);
      }
    // And back: to other rows of the tensor.
    const std::string out = " cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%d3, {%x4, %x5}], [%x1];\n";
    REQUIRE(!c.tryRun(expect(rows * width * 2) + at2d(16, 2) + tensor2d + wait + at2d(40, 4) + " @%p0" + out
                      + " @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group 0;\n", false));
    const auto moved = c.device.download<std::uint16_t>(c.in, 2048);
    for (std::size_t row = 0; row < rows; ++row)
      for (std::size_t column = 0; column < width; ++column) CHECK_EQ(moved[(4 + row) * 64 + 40 + column], c.source[(2 + row) * 64 + 16 + column]);
  }
}

// NC/8HWC8: two slices of 8 channels, whose pixels lie together.
TEST(interleaved_tile) {
  BulkCase c;
  const std::uint64_t dims[4] = {32, 8, 4, 4}, strides[3] = {16, 128, 2048};
  const std::uint32_t box[4] = {16, 8, 2, 1}, steps[4] = {1, 1, 1, 1};
  c.map = std::get<TensorMap>(encodeTiled({6, 4, c.in, dims, strides, steps, 1, 0, 0, 0}, box));
  const auto got = c.tile(expect(512) + " mov.b32 %x4, 8;\n mov.b32 %x5, 0;\n mov.b32 %x6, 1;\n mov.b32 %x7, 2;\n"
                          " @%p0 cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d3, {%x4, %x5, %x6, %x7}], [%x2];\n" + wait);
  for (std::size_t slice = 0; slice < 2; ++slice)
    for (std::size_t h = 0; h < 2; ++h)
      for (std::size_t w = 0; w < 8; ++w)
        for (std::size_t k = 0; k < 8; ++k)
          CHECK_EQ(got[((slice * 2 + h) * 8 + w) * 8 + k], c.source[1024 * 2 + (1 + slice) * 256 + (1 + h) * 64 + w * 8 + k]);
}

TEST(out_of_bounds_is_nan_on_request) {
  BulkCase c;
  c.tiled({64, 8}, {64, 8}, 0, 1);
  const auto got = c.tile(expect(1024) + at2d(32, -4) + tensor2d + wait);
  for (std::size_t row = 0; row < 8; ++row)
    for (std::size_t column = 0; column < 64; ++column) {
      const bool inside = column < 32 && row >= 4;
      CHECK_EQ(got[row * 64 + column], inside ? c.source[(row - 4) * 64 + 32 + column] : 0x7fff);
    }
}

TEST(one_and_three_dimensions) {
  BulkCase c;
  c.tiled({16384}, {256});
  const auto one = c.tile(expect(512) + " mov.b32 %x4, 1000;\n @%p0 cp.async.bulk.tensor.1d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%x1], [%d3, {%x4}], [%x2];\n" + wait);
  for (std::size_t n = 0; n < 256; ++n) CHECK_EQ(one[n], c.source[1000 + n]);
  c.tiled({32, 8, 16}, {16, 4, 3});
  const auto three = c.tile(expect(384) + " mov.b32 %x4, 8;\n mov.b32 %x5, 2;\n mov.b32 %x6, 14;\n"
                            " @%p0 cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d3, {%x4, %x5, %x6}], [%x2];\n" + wait);
  for (std::size_t z = 0; z < 3; ++z)
    for (std::size_t y = 0; y < 4; ++y)
      for (std::size_t x = 0; x < 16; ++x) CHECK_EQ(three[(z * 4 + y) * 16 + x], z < 2 ? c.source[((14 + z) * 8 + 2 + y) * 32 + 8 + x] : 0);
}

TEST(im2col_tile) {
  BulkCase c;
  const std::uint64_t dims[4] = {64, 8, 7, 3}, strides[3] = {128, 1024, 7168};
  const std::uint32_t steps[4] = {1, 1, 1, 1};
  const int lower[2] = {-1, -1}, upper[2] = {-1, -1};
  const auto result = encodeIm2col({6, 4, c.in, dims, strides, steps, 0, 3, 0, 0}, lower, upper, 64, 32);
  c.map = std::get<TensorMap>(result);
  // 32 pixels from output pixel (n 0, p 5, q 4), tap (r 2, s 0).
  const auto got = c.tile(expect(4096) + " mov.b32 %x4, 0;\n mov.b32 %x5, 3;\n mov.b32 %x6, 4;\n mov.b32 %x7, 0;\n mov.b16 %h0, 0;\n mov.b16 %h1, 2;\n"
                          " @%p0 cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%x1], [%d3, {%x4, %x5, %x6, %x7}], [%x2], {%h0, %h1};\n" + wait);
  for (int m = 0; m < 32; ++m) {
    const int pixel = 5 * 8 + 4 + m, q = pixel % 8, p = pixel / 8 % 7, n = pixel / 56;
    const int w = q - 1, h = p - 1 + 2;
    for (int channel = 0; channel < 64; ++channel) {
      const bool inside = w >= 0 && w < 8 && h < 7;
      const std::size_t byte = std::size_t(128 * m) + std::size_t((channel / 8) ^ (m % 8)) * 16 + std::size_t(channel % 8) * 2;
      CHECK_EQ(got[byte / 2], inside ? c.source[std::size_t(((n * 7 + h) * 8 + w) * 64 + channel)] : 0);
    }
  }
}

TEST(tile_out_drops_what_is_outside) {
  BulkCase c;
  const std::vector<std::uint16_t> blank(4096, 0x1111);
  REQUIRE(!c.device.memory.copyIn(c.in, blank.data(), blank.size() * 2));
  c.tiled({64, 8}, {64, 16}, 3);
  const std::string fill = " mov.u32 %x8, %x0;\nF:\n shl.b32 %x9, %x8, 2;\n add.s32 %x10, %x9, %x1;\n st.shared.b32 [%x10], %x8;\n add.s32 %x8, %x8, 64;\n"
                           " setp.lt.u32 %p5, %x8, 512;\n @%p5 bra F;\n fence.proxy.async;\n bar.sync 0;\n";
  REQUIRE(!c.tryRun(fill + at2d(0, 3) + " @%p0 cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%d3, {%x4, %x5}], [%x1];\n"
                    " @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group.read 0;\n", false));
  const auto got = c.device.download<std::uint32_t>(c.in, 1024);
  for (std::uint32_t row = 0; row < 32; ++row)
    for (std::uint32_t word = 0; word < 32; ++word) {
      const std::uint32_t from = row - 3;
      const bool written = row >= 3 && row < 8;
      CHECK_EQ(got[row * 32 + word], written ? from * 32 + ((word / 4) ^ (from % 8)) * 4 + word % 4 : 0x11111111u);
    }
}

TEST(tf32_rounds_and_ftz_flushes) {
  BulkCase c;
  std::vector<float> values(64, 0.0f);
  for (std::size_t n = 0; n < 64; ++n) values[n] = n < 32 ? 1.0f + float(n) * 0x1p-13f : 0x1p-140f;
  REQUIRE(!c.device.memory.copyIn(c.in, values.data(), 256));
  for (const int type : {7, 10, 11, 12}) {
    c.tiled({64}, {64}, 0, 0, type);
    (void)c.tile(expect(256) + " mov.b32 %x4, 0;\n @%p0 cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d3, {%x4}], [%x2];\n" + wait);
    const auto got = c.device.download<float>(c.out + 32768, 64);
    for (std::size_t n = 0; n < 64; ++n) {
      float expected = values[n];
      if (n < 32 && type >= 11) expected = std::ldexp(std::nearbyint(std::ldexp(expected, 10)), -10);
      if (n >= 32 && (type == 10 || type == 12)) expected = 0;
      if (n >= 32 && type == 11) expected = 0;  // far below the least tf32 step of this exponent range
      CHECK_EQ(got[n], expected);
    }
  }
}

TEST(multicast_reaches_every_block_of_the_mask) {
  BulkCase c;
  c.cluster = {2, 1, 1};
  c.tiled({64, 32}, {64, 8}, 3);
  // Block 0 loads rows 0-7 into both; each expects them; each writes its tile to its own place.
  const std::string body = expect(1024) +
      " barrier.cluster.arrive.release.aligned;\n barrier.cluster.wait.acquire.aligned;\n mov.u32 %x11, %cluster_ctarank;\n setp.eq.u32 %p2, %x11, 0;\n and.pred %p2, %p2, %p0;\n"
      " mov.b16 %h2, 3;\n" + at2d(0, 5) +
      " @%p2 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%x1], [%d3, {%x4, %x5}], [%x2], %h2;\n" + wait +
      " mul.wide.u32 %d7, %x11, 16384;\n add.s64 %d2, %d2, %d7;\n barrier.cluster.arrive;\n barrier.cluster.wait;\n";
  const std::string text = kernel(body);
  cnn::test::Program program(c.device, moduleText(text));
  program.cluster = c.cluster;
  program.run("k", {2}, {threads}, 0, c.map, c.in, c.out);
  for (std::uint64_t block = 0; block < 2; ++block) {
    const auto got = c.device.download<std::uint16_t>(c.out + 32768 + 16384 * block, 512);
    for (std::size_t row = 0; row < 8; ++row)
      for (std::size_t column = 0; column < 64; ++column) CHECK_EQ(got[row * 64 + ((column / 8) ^ row) * 8 + column % 8], c.source[(5 + row) * 64 + column]);
  }
  const auto fault = c.faultOf(expect(1024) + at2d(0, 0) + " mov.b16 %h2, 4;\n @%p0 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%x1], [%d3, {%x4, %x5}], [%x2], %h2;\n");
  CHECK(contains(fault.report, "multicast mask"));
}

TEST(shared_memory_to_shared_memory) {
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  // The second half of the tile is filled with words, and 128 bytes of it are copied into the first; the rest of that stays.
  const std::string fill = " shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n st.shared.b32 [%x4], %x0;\n st.shared.b32 [%x4+8192], %x0;\n"
                           " fence.proxy.async.shared::cta;\n bar.sync 0;\n";
  const std::string copy = " @%p0 cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%x1+32], [%x1+8192], 128, [%x2];\n";
  c.tile(fill + expect(128) + copy + wait);
  const auto got = c.device.download<std::uint32_t>(c.out + 32768, 64);
  for (std::uint32_t t = 0; t < 64; ++t) CHECK_EQ(got[t], t >= 8 && t < 40 ? t - 8 : t);
}

TEST(shared_memory_of_a_neighbour) {
  BulkCase c;
  c.cluster = {2, 1, 1};
  c.tiled({64, 8}, {64, 8});
  // Each block sends 256 bytes to the other: thread + 100 * rank. The other's mbarrier counts them.
  const std::string body = " mov.u32 %x11, %cluster_ctarank;\n mad.lo.s32 %x5, %x11, 100, %x0;\n shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n st.shared.b32 [%x4+8192], %x5;\n"
      " fence.proxy.async.shared::cta;\n" + expect(256) + " barrier.cluster.arrive.release.aligned;\n barrier.cluster.wait.acquire.aligned;\n"
      " xor.b32 %x6, %x11, 1;\n mapa.shared::cluster.u32 %x7, %x1, %x6;\n mapa.shared::cluster.u32 %x8, %x2, %x6;\n"
      " @%p0 cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%x7], [%x1+8192], 256, [%x8];\n" + wait +
      " mul.wide.u32 %d7, %x11, 16384;\n add.s64 %d2, %d2, %d7;\n barrier.cluster.arrive;\n barrier.cluster.wait;\n";
  cnn::test::Program program(c.device, moduleText(kernel(body)));
  program.cluster = c.cluster;
  program.run("k", {2}, {threads}, 0, c.map, c.in, c.out);
  for (std::uint32_t block = 0; block < 2; ++block) {
    const auto got = c.device.download<std::uint32_t>(c.out + 32768 + 16384 * block, threads);
    for (std::uint32_t t = 0; t < threads; ++t) CHECK_EQ(got[t], t + 100 * (1 - block));
  }
}

TEST(nothing_is_there_before_the_wait) {
  const Variable late("CNN_EMULATOR_SEED", "0");  // copies complete as late as they may
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const auto got = c.tile(expect(1024) + at2d(0, 0) + tensor2d);
  for (std::size_t n = 0; n < 512; ++n) CHECK_EQ(got[n], 0xffff);
}

TEST(prefetches_check_and_move_nothing) {
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  REQUIRE(!c.tryRun(at2d(0, 0) + " prefetch.tensormap [%d3];\n cp.async.bulk.prefetch.tensor.2d.L2.global [%d3, {%x4, %x5}];\n cp.async.bulk.prefetch.L2.global [%d1], 64;\n", false));
  CHECK_EQ(c.faultOf(" cp.async.bulk.prefetch.L2.global [%d1+8], 64;\n").code, 716);
}

TEST(faults) {
  BulkCase c;
  c.tiled({64, 8}, {64, 8});
  const std::string tensor = at2d(0, 0);
  CHECK_EQ(c.faultOf(expect(64) + " @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d1], 40, [%x2];\n").code, 716);
  CHECK_EQ(c.faultOf(expect(64) + " @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%x1+8], [%d1], 64, [%x2];\n").code, 716);
  CHECK_EQ(c.faultOf(expect(64) + " @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d1+32704], 128, [%x2];\n").code, 700);
  CHECK_EQ(c.faultOf(tensor + " @%p0 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1+64], [%d3, {%x4, %x5}], [%x2];\n").code, 716);
  CHECK_EQ(c.faultOf(tensor + " @%p0 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1+16384], [%d3, {%x4, %x5}], [%x2];\n").code, 700);
  CHECK(contains(c.faultOf(" @%p0 cp.async.bulk.tensor.1d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d3, {%x0}], [%x2];\n").report, "dimensions"));
  CHECK(contains(c.faultOf(tensor + " @%p0 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d1, {%x4, %x5}], [%x2];\n").report, "cuTensorMapEncode"));
  // The bytes expected and the bytes copied differ: the phase never ends.
  CHECK_EQ(c.faultOf(expect(2048) + tensor + tensor2d + wait).code, 702);
  // A tensor larger than its allocation.
  c.tiled({64, 4096}, {64, 8});
  CHECK_EQ(c.faultOf(expect(1024) + at2d(0, 300) + tensor2d).code, 700);
}

TEST(global_memory_is_written_as_late_as_may_be) {
  // After wait_group.read the thread still finds what was there before, after wait_group what it has stored.
  const auto found = [](const std::string& wait) {
    BulkCase c;
    REQUIRE(!c.tryRun(fillTile + proxyFence + allMeet + bytesOut(wait) + " @%p0 ld.global.b32 %r0, [%d2+4];\n @%p0 st.global.b32 [%d2+512], %r0;\n", false));
    CHECK_EQ(c.device.download<std::uint32_t>(c.out, 2)[1], 1u);
    return c.device.download<std::uint32_t>(c.out + 512, 1)[0];
  };
  CHECK_EQ(found(".read"), 0u);
  CHECK_EQ(found(""), 1u);
}
