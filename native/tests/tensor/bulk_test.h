// One kernel around the bulk copies under test: a tile in shared memory, an mbarrier, and a tensor of halves behind it.
#pragma once

#include "tensor_test.h"

#include "machine/tensor_map.h"

namespace cnn::test {

using namespace cnn::emu;

inline constexpr unsigned threads = 64;

// %d1 source (global), %d2 target (global), %d3 the tensor map; %x0 thread, %x1 tile (16 KB, aligned to 1024), %x2 mbarrier
// (initialised for one arrival), %p0 thread 0. Afterwards the tile is copied to target + 32768.
inline std::string kernel(const std::string& body, bool dump = true) {
  return ".visible .entry k(.param .align 64 .b8 map[128], .param .u64 source, .param .u64 target)\n{\n"
         " .shared .align 1024 .b8 tile[16384];\n .shared .align 8 .b64 bar[1];\n"
         " .reg .pred %p<6>;\n .reg .b32 %x<12>;\n .reg .b16 %h<4>;\n .reg .b64 %d<10>;\n .reg .b32 %r<4>;\n"
         " ld.param.u64 %d1, [source];\n ld.param.u64 %d2, [target];\n mov.b64 %d3, map;\n cvta.param.u64 %d3, %d3;\n"
         " mov.u32 %x0, %tid.x;\n mov.u32 %x1, tile;\n mov.u32 %x2, bar;\n setp.eq.u32 %p0, %x0, 0;\n"
         " @%p0 mbarrier.init.shared.b64 [%x2], 1;\n @%p0 fence.mbarrier_init.release.cluster;\n bar.sync 0;\n"
         + body
         + (dump ? " bar.sync 0;\n mov.u32 %x8, %x0;\nDUMP:\n shl.b32 %x9, %x8, 4;\n add.s32 %x10, %x9, %x1;\n mul.wide.u32 %d8, %x9, 1;\n add.s64 %d8, %d8, %d2;\n"
                   " ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%x10];\n st.global.v4.b32 [%d8+32768], {%r0, %r1, %r2, %r3};\n"
                   " add.s32 %x8, %x8, 64;\n setp.lt.u32 %p5, %x8, 1024;\n @%p5 bra DUMP;\n"
                 : "")
         + " ret;\n}\n";
}

inline std::string expect(std::size_t bytes) { return " @%p0 mbarrier.arrive.expect_tx.shared.b64 %d6, [%x2], " + std::to_string(bytes) + ";\n"; }
inline const std::string wait = "W:\n mbarrier.try_wait.parity.shared.b64 %p1, [%x2], 0;\n @!%p1 bra W;\n";

class BulkCase {
 public:
  BulkCase() {
    Random random(9);
    for (auto& value : source) value = toF16(random.unit());
    in = device.upload(source);
    out = device.zeros<std::uint8_t>(65536);
  }
  std::optional<Fault> tryRun(const std::string& body, bool dump = true) {
    cnn::test::Program program(device, moduleText(kernel(body, dump)));
    program.cluster = cluster;
    return program.tryRun("k", {cluster.x}, {threads}, 0, map, in, out);
  }
  std::vector<std::uint16_t> tile(const std::string& body) {
    if (const auto fault = tryRun(body)) FAIL(fault->report);
    return device.download<std::uint16_t>(out + 32768, 8192);
  }
  Fault faultOf(const std::string& body) {
    const auto fault = tryRun(body, false);
    if (!fault) FAIL("no fault:" + body);
    REQUIRE(fault.has_value());
    return *fault;
  }
  // A tensor of f16 with these sizes, dense.
  void tiled(std::vector<std::uint64_t> dims, std::vector<std::uint32_t> box, int swizzle = 0, int fill = 0, int type = 6) {
    std::vector<std::uint64_t> strides(1, dims[0] * elementBytes(TensorType(type)));
    for (std::size_t d = 1; d < dims.size(); ++d) strides.push_back(strides.back() * dims[d]);
    const std::vector<std::uint32_t> steps(dims.size(), 1);
    const auto result = encodeTiled({type, unsigned(dims.size()), in, dims.data(), strides.data(), steps.data(), 0, swizzle, 0, fill}, box.data());
    if (const auto* text = std::get_if<std::string>(&result)) FAIL(*text);
    map = std::get<TensorMap>(result);
  }
  Device device;
  std::vector<std::uint16_t> source = std::vector<std::uint16_t>(16384);
  std::uint64_t in = 0, out = 0;
  TensorMap map{};
  Dim3 cluster{1, 1, 1};
};

inline const char* const tensor2d = " @%p0 cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d3, {%x4, %x5}], [%x2];\n";

inline std::string at2d(int x, int y) { return " mov.b32 %x4, " + std::to_string(x) + ";\n mov.b32 %x5, " + std::to_string(y) + ";\n"; }

inline const std::string fillTile = " shl.b32 %x4, %x0, 2;\n add.s32 %x4, %x4, %x1;\n st.shared.b32 [%x4], %x0;\n", allMeet = " bar.sync 0;\n", proxyFence = " fence.proxy.async;\n";

inline std::string bytesIn() { return expect(256) + " @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%x1], [%d1], 256, [%x2];\n"; }
inline std::string bytesOut(const std::string& wait) {
  return " @%p0 cp.async.bulk.global.shared::cta.bulk_group [%d2], [%x1], 256;\n @%p0 cp.async.bulk.commit_group;\n @%p0 cp.async.bulk.wait_group" + wait + " 0;\n";
}

}  // namespace cnn::test
