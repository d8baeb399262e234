// wgmma: every type, every N, operands in registers and in shared memory under every swizzle and both majors, against
// sums in double. The reference places each element by the canonical layouts, one element at a time.
#include "tensor_test.h"

#include "machine/checks.h"

using namespace cnn::test;

namespace {

struct Operand {
  bool outerMajor = false;       // transposed: the outer dimension (M or N) is contiguous
  int swizzle = 3;               // 0 none, 1 32 B, 2 64 B, 3 128 B
  std::uint32_t start = 0;       // in shared memory
  int k0 = 0;                    // first k of the instruction inside the tile, for K-major swizzled tiles
};

struct Form {
  const char* types;             // f32.bf16.bf16
  int n = 64, k = 16;
  bool halfSum = false, registersA = false;
  Operand a, b;
  int scaleD = 1, scaleA = 1, scaleB = 1;
};

bool isTf32(const Form& f) { return f.k == 8; }
int elementSize(const Form& f) { return isTf32(f) ? 4 : 2; }

std::uint32_t pack(const Form& f, float value, double& exact) {
  if (isTf32(f)) return exact = toTf32(value), std::bit_cast<std::uint32_t>(value);
  if (std::string(f.types).find("bf16") != std::string::npos) return exact = fromBf16(toBf16(value)), toBf16(value);
  return exact = fromF16(toF16(value)), toF16(value);
}

std::uint32_t swizzled(std::uint32_t byte, int mode) {
  const std::uint32_t units = 1u << mode;
  return byte ^ (byte / 128 % units * 16);
}

// How a tile of `outer` by one instruction's K lies: returns the byte of an element and the two descriptor strides.
struct Tile {
  std::uint32_t leading = 0, stride = 0;

  explicit Tile(const Operand& o) {
    const int span = 16 << o.swizzle;
    if (!o.outerMajor) {
      // No swizzle: core matrices of 8 rows x 16 bytes, the two along K first. Else rows of `span` bytes, 8 to a group.
      leading = o.swizzle == 0 ? 128 : 16;
      stride = o.swizzle == 0 ? 256 : std::uint32_t(8 * span);
    } else if (o.swizzle == 0) {
      stride = 256;    // from 8 outer elements to the next 8
      leading = 128;   // from 8 k to the next 8
    } else {
      stride = std::uint32_t(8 * span);                               // from 8 k to the next 8
      leading = 2 * stride;                                          // from span / 2 outer elements to the next
    }
  }

  std::uint32_t at(const Form& f, const Operand& o, int outer, int k) const {
    const int size = elementSize(f), span = 16 << o.swizzle, unit = 16 / size;
    std::uint32_t byte;
    if (!o.outerMajor && o.swizzle == 0)
      byte = std::uint32_t(outer % 8 * 16 + k % unit * size) + std::uint32_t(outer / 8) * stride + std::uint32_t(k / unit) * leading;
    else if (!o.outerMajor)
      byte = std::uint32_t(outer % 8 * span + (o.k0 + k) * size) + std::uint32_t(outer / 8) * stride;
    else if (o.swizzle == 0)
      byte = std::uint32_t(outer % 8 * 2 + k % 8 * 16) + std::uint32_t(outer / 8) * stride + std::uint32_t(k / 8) * leading;
    else
      byte = std::uint32_t(outer % (span / 2) * 2 + k % 8 * span) + std::uint32_t(outer / (span / 2)) * leading + std::uint32_t(k / 8) * stride;
    return swizzled(o.start + byte, o.swizzle);
  }

  std::uint64_t descriptor(const Form& f, const Operand& o) const {
    constexpr std::uint64_t modes[4] = {0, 3, 2, 1};
    const std::uint32_t start = o.start + (!o.outerMajor ? std::uint32_t(o.k0 * elementSize(f)) : 0);
    return modes[o.swizzle] << 62 | std::uint64_t(stride / 16) << 32 | std::uint64_t(leading / 16) << 16 | start / 16;
  }
};

constexpr int sharedBytes = 65536;

std::string opcode(const Form& f) {
  return "wgmma.mma_async.sync.aligned.m64n" + std::to_string(f.n) + "k" + std::to_string(f.k) + "." + f.types;
}

int sums(const Form& f) { return f.halfSum ? f.n / 4 : f.n / 2; }

std::string instruction(const Form& f) {
  std::string text = " " + opcode(f) + " " + registerList("%f", 0, sums(f)) + ", " + (f.registersA ? registerList("%a", 0, 4) : "%d4") + ", %d5, %p1, "
                     + std::to_string(f.scaleA) + ", " + std::to_string(f.scaleB);
  if (!isTf32(f)) {
    if (!f.registersA) text += f.a.outerMajor ? ", 1" : ", 0";
    text += f.b.outerMajor ? ", 1" : ", 0";
  }
  return text + ";\n";
}

// 128 threads: fill shared memory from `image`, load D (and A) fragments [register][thread], multiply, store D.
std::string kernel(const Form& f, const std::string& middle) {
  std::string text = ".extern .shared .align 1024 .b8 tile[];\n"
         ".visible .entry k(.param .u64 image, .param .u64 fragments, .param .u64 result, .param .u64 descA, .param .u64 descB, .param .u32 scale)\n{\n"
         " .reg .pred %p<4>;\n .reg .b32 %x<12>;\n .reg .b32 %a<4>;\n .reg .b64 %d<12>;\n .reg " + std::string(f.halfSum ? ".b32" : ".f32") + " %f<130>;\n"
         " ld.param.u64 %d1, [image];\n ld.param.u64 %d2, [fragments];\n ld.param.u64 %d3, [result];\n ld.param.u64 %d4, [descA];\n ld.param.u64 %d5, [descB];\n"
         " ld.param.u32 %x5, [scale];\n setp.ne.u32 %p1, %x5, 0;\n mov.u32 %x0, %tid.x;\n mov.u32 %x1, tile;\n mov.u32 %x2, %x0;\n"
         "FILL:\n shl.b32 %x3, %x2, 2;\n mul.wide.u32 %d6, %x2, 4;\n add.s64 %d6, %d6, %d1;\n ld.global.b32 %x4, [%d6];\n add.s32 %x3, %x3, %x1;\n"
         " st.shared.b32 [%x3], %x4;\n add.s32 %x2, %x2, 128;\n setp.lt.u32 %p2, %x2, 16384;\n @%p2 bra FILL;\n fence.proxy.async.shared::cta;\n bar.sync 0;\n"
         " mul.wide.u32 %d7, %x0, 4;\n add.s64 %d2, %d2, %d7;\n add.s64 %d3, %d3, %d7;\n";
  for (int r = 0; r < 4; ++r) text += " ld.global.b32 %a" + std::to_string(r) + ", [%d2+" + std::to_string(512 * r) + "];\n";
  for (int r = 0; r < sums(f); ++r) text += " ld.global.b32 %f" + std::to_string(r) + ", [%d2+" + std::to_string(512 * (4 + r)) + "];\n";
  text += middle;
  for (int r = 0; r < sums(f); ++r) text += " st.global.b32 [%d3+" + std::to_string(512 * r) + "], %f" + std::to_string(r) + ";\n";
  return text + " ret;\n}\n";
}

std::string complete(const Form& f) {
  return " wgmma.fence.sync.aligned;\n" + instruction(f) + " wgmma.commit_group.sync.aligned;\n wgmma.wait_group.sync.aligned 0;\n";
}

struct Case {
  explicit Case(const Form& form) : f(form), A(64, std::vector<double>(std::size_t(f.k))), B(std::size_t(f.k), std::vector<double>(std::size_t(f.n))),
                                    D(64, std::vector<double>(std::size_t(f.n))), tileA(f.a), tileB(f.b) {
    Random random(unsigned(f.n + f.k + f.a.swizzle));
    for (int m = 0; m < 64; ++m)
      for (int k = 0; k < f.k; ++k) {
        const std::uint32_t bits = pack(f, random.unit(), A[std::size_t(m)][std::size_t(k)]);
        if (f.registersA) placeA(m, k, bits);
        else put(tileA.at(f, f.a, m, k), bits);
      }
    for (int n = 0; n < f.n; ++n)
      for (int k = 0; k < f.k; ++k) put(tileB.at(f, f.b, n, k), pack(f, random.unit(), B[std::size_t(k)][std::size_t(n)]));
    for (int m = 0; m < 64; ++m)
      for (int n = 0; n < f.n; ++n) {
        const float value = random.unit();
        double& exact = D[std::size_t(m)][std::size_t(n)];
        exact = f.halfSum ? fromF16(toF16(value)) : value;
        std::uint32_t& word = fragments[std::size_t(128 * (4 + sumRegister(m, n)) + sumThread(m, n))];
        if (f.halfSum) word |= std::uint32_t(toF16(value)) << (n % 2 * 16);
        else word = std::bit_cast<std::uint32_t>(value);
      }
  }

  void put(std::uint32_t byte, std::uint32_t bits) {
    REQUIRE(byte + 4 <= sharedBytes);
    std::memcpy(image.data() + byte, &bits, std::size_t(elementSize(f)));
  }
  // Warp m / 16, and inside its 16 rows the fragment of mma.sync.
  int sumThread(int m, int n) const { return m / 16 * 32 + m % 8 * 4 + n % 8 / 2; }
  int sumRegister(int m, int n) const { return f.halfSum ? n / 8 * 2 + m / 8 % 2 : n / 8 * 4 + m / 8 % 2 * 2 + n % 2; }
  void placeA(int m, int k, std::uint32_t bits) {
    const int half = m / 8 % 2, base = m / 16 * 32 + m % 8 * 4;
    if (isTf32(f)) fragments[std::size_t(128 * (half + k / 4 * 2) + base + k % 4)] = bits;
    else fragments[std::size_t(128 * (half + k / 8 * 2) + base + k % 8 / 2)] |= bits << (k % 2 * 16);
  }

  std::optional<cnn::emu::Fault> tryRun(const std::string& middle, std::uint64_t flipA = 0, std::uint64_t flipB = 0, unsigned threads = 128) {
    Program program(device, moduleText(kernel(f, middle)));
    const_cast<cnn::emu::Function*>(program.module().find("k"))->maxDynamicShared = sharedBytes;
    const auto in = device.upload(image), from = device.upload(fragments);
    out = device.zeros<std::uint32_t>(128 * 128);
    return program.tryRun("k", {1}, {threads}, sharedBytes, in, from, out, tileA.descriptor(f, f.a) ^ flipA, tileB.descriptor(f, f.b) ^ flipB, std::uint32_t(f.scaleD));
  }

  void check() {
    if (const auto fault = tryRun(complete(f))) return FAIL(opcode(f) + ": " + fault->report);
    const auto got = device.download<std::uint32_t>(out, 128 * 128);
    int wrong = 0;
    double worst = 0;
    for (int m = 0; m < 64; ++m)
      for (int n = 0; n < f.n; ++n) {
        double expected = f.scaleD ? D[std::size_t(m)][std::size_t(n)] : 0;
        for (int k = 0; k < f.k; ++k) expected += f.scaleA * f.scaleB * A[std::size_t(m)][std::size_t(k)] * B[std::size_t(k)][std::size_t(n)];
        const std::uint32_t word = got[std::size_t(128 * sumRegister(m, n) + sumThread(m, n))];
        const double actual = f.halfSum ? fromF16(std::uint16_t(word >> (n % 2 * 16))) : std::bit_cast<float>(word);
        const double error = std::fabs(actual - expected), allowed = f.halfSum ? 0x1p-10 * std::fabs(expected) + 1e-5 : 1e-5;
        if (!(error <= allowed)) ++wrong, worst = std::max(worst, error);
      }
    if (wrong) FAIL(opcode(f) + " a.swizzle " + std::to_string(f.a.swizzle) + " a.outer " + std::to_string(f.a.outerMajor) + " b.swizzle "
                    + std::to_string(f.b.swizzle) + " b.outer " + std::to_string(f.b.outerMajor) + ": " + std::to_string(wrong) + " wrong, worst " + std::to_string(worst));
    else CHECK(true);
  }

  Form f;
  Device device;
  std::vector<std::vector<double>> A, B, D;
  Tile tileA, tileB;
  std::vector<std::byte> image = std::vector<std::byte>(sharedBytes);
  std::vector<std::uint32_t> fragments = std::vector<std::uint32_t>(128 * 132);
  std::uint64_t out = 0;
};

Form bf16(int n = 64) {
  Form f;
  f.types = "f32.bf16.bf16";
  f.n = n;
  f.b.start = 16384;
  return f;
}

class Checks {
 public:
  explicit Checks(unsigned checks) : before_(cnn::emu::requestedChecks()) { cnn::emu::setChecks(checks); }
  ~Checks() { cnn::emu::setChecks(before_); }

 private:
  unsigned before_;
};

}  // namespace

TEST(every_n) {
  for (int n = 8; n <= 256; n += 8) Case(bf16(n)).check();
}

TEST(every_type) {
  for (const char* types : {"f32.bf16.bf16", "f32.f16.f16", "f16.f16.f16", "f32.tf32.tf32"})
    for (const bool registers : {false, true})
      for (const int n : {8, 24, 128}) {
        Form f = bf16(n);
        f.types = types;
        f.halfSum = types[1] == '1';
        f.k = types[4] == 't' ? 8 : 16;
        f.registersA = registers;
        Case(f).check();
      }
}

TEST(every_layout) {
  for (int swizzle = 0; swizzle <= 3; ++swizzle)
    for (const bool outerA : {false, true})
      for (const bool outerB : {false, true}) {
        Form f = bf16(96);
        f.a = {outerA, swizzle, 0, 0};
        f.b = {outerB, 3 - swizzle, 16384, 0};
        Case(f).check();
      }
  for (int swizzle = 0; swizzle <= 3; ++swizzle) {
    Form f = bf16(40);
    f.types = "f32.tf32.tf32";
    f.k = 8;
    f.a.swizzle = f.b.swizzle = swizzle;
    Case(f).check();
  }
}

TEST(steps_along_k_inside_a_swizzled_tile) {
  for (int swizzle = 2; swizzle <= 3; ++swizzle)
    for (int k0 = 0; k0 < (swizzle == 3 ? 64 : 32); k0 += 16) {
      Form f = bf16(64);
      f.a = {false, swizzle, 1024, k0};
      f.b = {false, swizzle, 20480, k0};
      Case(f).check();
    }
}

TEST(scales) {
  for (const int d : {0, 1})
    for (const int a : {-1, 1})
      for (const int b : {-1, 1}) {
        Form f = bf16(16);
        f.scaleD = d, f.scaleA = a, f.scaleB = b;
        Case(f).check();
      }
}

TEST(faults) {
  Case c(bf16(64));
  const auto report = [&](std::uint64_t flip) {
    const auto fault = c.tryRun(complete(c.f), 0, flip);
    REQUIRE(fault.has_value());
    return fault->report;
  };
  CHECK(contains(report(std::uint64_t(1) << 49), "base offset"));
  CHECK(contains(report(std::uint64_t(1) << 52), "zero"));
  CHECK(contains(report(128 / 16), "swizzle pattern"));
  CHECK(contains(report(0x3000), "outside"));
  const auto scaled = c.tryRun(" setp.lt.u32 %p1, %x0, 7;\n" + complete(c.f));
  CHECK(contains(scaled.value().report, "scale-d"));
  const auto lanes = c.tryRun(" and.b32 %x6, %x0, 1;\n mul.wide.u32 %d8, %x6, 2;\n add.s64 %d5, %d5, %d8;\n" + complete(c.f));
  CHECK(contains(lanes.value().report, "different matrix descriptors"));
}

TEST(async_check_sees_an_operand_overwritten) {
  const Checks on(cnn::emu::checkAsync);
  Case c(bf16(64));
  const std::string issue = " wgmma.fence.sync.aligned;\n" + instruction(c.f) + " wgmma.commit_group.sync.aligned;\n";
  const std::string overwrite = " st.shared.b32 [%x1+16384], %x0;\n", wait = " wgmma.wait_group.sync.aligned 0;\n";
  CHECK(contains(c.tryRun(issue + overwrite + wait).value().report, "wgmma"));
  CHECK(!c.tryRun(issue + wait + " bar.sync 0;\n" + overwrite).has_value());
}

TEST(async_check_wants_a_fence_before_the_proxy_reads) {
  const Checks on(cnn::emu::checkAsync);
  Case c(bf16(64));
  const std::string write = " st.shared.b32 [%x1+16384], 0;\n", meet = " bar.sync 0;\n", fence = " fence.proxy.async;\n";
  CHECK(contains(c.tryRun(write + meet + complete(c.f)).value().report, "without a fence.proxy.async"));
  CHECK(!c.tryRun(write + fence + meet + complete(c.f)).has_value());
}

TEST(the_warpgroup_goes_together) {
  Case c(bf16(64));
  const std::string fence = " wgmma.fence.sync.aligned;\n", commit = " wgmma.commit_group.sync.aligned;\n", wait = " wgmma.wait_group.sync.aligned 0;\n";
  const std::string multiply = instruction(c.f), isLast = " setp.ge.u32 %p3, %x0, 96;\n";
  const auto reportOf = [&](const std::string& middle) {
    const auto fault = c.tryRun(isLast + middle);
    return fault ? fault->report : std::string("fine");
  };
  const auto allBut = [](const std::string& text) { return " @%p3 bra SKIP;\n" + text + "SKIP:\n"; };
  // The last warp leaves something out, at the end or where others go on.
  CHECK(contains(reportOf(fence + allBut(multiply) + commit + wait), "another warp of the warpgroup executes"));
  CHECK(contains(reportOf(fence + multiply + commit + allBut(commit) + wait), "another warp of the warpgroup executes"));
  CHECK(contains(reportOf(fence + allBut(fence) + multiply + commit + wait), "another warp of the warpgroup executes"));
  CHECK(contains(reportOf(fence + multiply + commit + wait + allBut(wait)), "without the"));
  CHECK(contains(reportOf(allBut(complete(c.f))), "without the"));
  // The same instruction, but another tile of A.
  CHECK(contains(reportOf(" @%p3 add.s64 %d4, %d4, 64;\n" + complete(c.f)), "with matrix descriptors other than"));
  // A second instruction of the same text is another one.
  CHECK(contains(reportOf(fence + " @%p3 bra OTHER;\n" + multiply + " bra JOIN;\nOTHER:\n" + multiply + "JOIN:\n" + commit + wait), "another warp of the warpgroup executes"));
  // Together, and apart in time: the last warp comes late, all branch the same way, loops turn.
  CHECK_EQ(reportOf(" @!%p3 bra EARLY;\n bar.sync 1, 32;\nEARLY:\n" + complete(c.f) + complete(c.f)), "fine");
  CHECK_EQ(reportOf(" mov.u32 %x6, 0;\nTURN:\n" + complete(c.f) + " add.s32 %x6, %x6, 1;\n setp.lt.u32 %p2, %x6, 5;\n @%p2 bra TURN;\n"), "fine");
}

TEST(async_check_knows_the_order_of_registers) {
  const Checks on(cnn::emu::checkAsync);
  Case c(bf16(16));
  const std::string fence = " wgmma.fence.sync.aligned;\n", commit = " wgmma.commit_group.sync.aligned;\n", multiply = instruction(c.f);
  const auto wait = [](int n) { return " wgmma.wait_group.sync.aligned " + std::to_string(n) + ";\n"; };
  const auto reportOf = [&](const std::string& middle) {
    const auto fault = c.tryRun(middle);
    return fault ? fault->report : std::string("fine");
  };
  const std::string touch = " add.f32 %f100, %f3, %f3;\n";
  CHECK(contains(reportOf(multiply + commit + wait(0)), "since the last wgmma.fence"));
  CHECK(contains(reportOf(fence + touch + multiply + commit + wait(0)), "since the last wgmma.fence"));
  CHECK(contains(reportOf(fence + multiply + touch + commit + wait(0)), "before wgmma.wait_group"));
  CHECK(contains(reportOf(fence + multiply + commit + touch + wait(0)), "before wgmma.wait_group"));
  CHECK(contains(reportOf(fence + multiply + commit + wait(1) + touch + wait(0)), "before wgmma.wait_group"));
  CHECK(contains(reportOf(fence + multiply + wait(0) + touch + commit + wait(0)), "before wgmma.wait_group"));
  // A loop whose next turn reads what the last one left in flight.
  const std::string loop = fence + " mov.u32 %x6, 0;\nTURN:\n" + multiply + commit;
  const std::string again = " add.s32 %x6, %x6, 1;\n setp.lt.u32 %p3, %x6, 3;\n @%p3 bra TURN;\n";
  CHECK(contains(reportOf(loop + wait(1) + again + touch + wait(0)), "before wgmma.wait_group"));
  // Chains on the same accumulators, copies between registers, and uses after the wait are in order.
  CHECK_EQ(reportOf(fence + multiply + multiply + commit + wait(0) + touch), "fine");
  CHECK_EQ(reportOf(loop + wait(1) + again + wait(0) + touch), "fine");
  CHECK_EQ(reportOf(fence + multiply + commit + " mov.f32 %f100, %f3;\n" + wait(0) + " add.f32 %f100, %f100, %f100;\n"), "fine");
}

TEST(forms_that_do_not_load) {
  const auto refuse = [](const Form& f, const std::string& middle, const char* target = "sm_90a") { return loadError(moduleText(kernel(f, middle), "8.3", target)); };
  const Form f = bf16(64);
  CHECK(contains(refuse(f, complete(f), "sm_90"), "sm_90a"));
  Form odd = bf16(12);
  CHECK(contains(refuse(odd, complete(odd)), "m64n12k16"));
  std::string fewer = complete(f);
  fewer.replace(fewer.find("%f0, "), 5, "");
  CHECK(contains(refuse(f, fewer), "32 registers"));
  Form scale = bf16(8);
  scale.scaleA = 2;
  CHECK(contains(refuse(scale, complete(scale)), "imm-scale-a"));
  Form tf32 = bf16(8);
  tf32.types = "f32.tf32.tf32";
  CHECK(contains(refuse(tf32, complete(tf32)), "m64n8k16"));
}

TEST(async_check_wants_a_wait_before_the_end) {
  const Checks on(cnn::emu::checkAsync);
  Case c(bf16(64));
  const std::string issue = " wgmma.fence.sync.aligned;\n" + instruction(c.f), commit = " wgmma.commit_group.sync.aligned;\n", exit = " ret;\n";
  CHECK(contains(c.tryRun(issue + exit).value().report, "without a wgmma.wait_group"));
  CHECK(contains(c.tryRun(issue + commit + exit).value().report, "without a wgmma.wait_group"));
  CHECK(!c.tryRun(issue + commit + " wgmma.wait_group.sync.aligned 0;\n" + exit));
}

TEST(needs_a_whole_warpgroup) {
  Case c(bf16(64));
  for (const unsigned threads : {64u, 96u}) {
    const auto fault = c.tryRun(complete(c.f), 0, 0, threads);
    CHECK_EQ(fault.value().code, 715);
    CHECK(contains(fault->report, "needs the four warps of a warpgroup, but the block has " + std::to_string(threads / 32)));
  }
}

TEST(race_check_sees_operands_without_a_barrier) {
  const Checks on(cnn::emu::checkRace);
  Case c(bf16(64));
  const std::string first = " setp.eq.u32 %p2, %x0, 0;\n @%p2 st.shared.b32 [%x1+16384], 0;\n", fence = " fence.proxy.async;\n";
  CHECK(contains(c.tryRun(first + fence + complete(c.f)).value().report, "race: the read of shared memory by wgmma"));
  CHECK(!c.tryRun(first + fence + " bar.sync 0;\n" + complete(c.f)));
}
