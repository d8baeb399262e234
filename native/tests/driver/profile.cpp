// The counters of a kernel, as tests read them.
#include "emulated.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

using namespace cnn::test;

namespace {

cnnEmulatorCounters countersOf(const char* kernel) {
  cnnEmulatorCounters counters{};
  CHECK_EQ((cuda().get<int(const char*, cnnEmulatorCounters*)>("cnnEmulatorProfileRead")(kernel, &counters)), 0);
  return counters;
}

void reset() { cuda().get<void()>("cnnEmulatorProfileReset")(); }
void detail(int level) { cuda().get<void(int)>("cnnEmulatorProfileDetail")(level); }

}  // namespace

TEST(counts_are_exact) {
  ContextScope context;
  Kernels kernels;
  Buffer data(1024, 1);
  reset();
  detail(1);
  CHECK_CUDA(kernels.launchAdd(data.address, 1024, 1));
  CHECK_CUDA(kernels.launchAdd(data.address, 1000, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  detail(0);
  const cnnEmulatorCounters c = countersOf("add");
  CHECK_EQ(c.launches, 2);
  CHECK_EQ(c.blocks, 16);
  CHECK_EQ(c.threads, 2048);
  CHECK_EQ(c.globalLoad, 2024);
  CHECK_EQ(c.globalStore, 2024);
  CHECK_EQ(c.globalLoadBytes, 2024 * 4);
  CHECK_EQ(c.globalStoreRequests, 64);      // warps; the last one of the second launch has 8 threads left
  CHECK_EQ(c.globalStoreSectors, 2024 / 8); // 32 bytes each
  CHECK_EQ(c.widestGlobalAccess, 4);
  CHECK_EQ(c.divergentBranches, 1);
  CHECK_EQ(c.flops, 0);
  CHECK_EQ(c.barriers, 0);
}

namespace {

// Each lane of one warp reads and writes a word at lane * stride bytes of global memory, and of shared memory; `wide`
// moves 16 bytes instead.
const char* const strided = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .entry narrow(.param .u64 p, .param .u32 stride) {
  .shared .align 16 .b8 tile[8192];
  .reg .b32 %r<4>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [p]; ld.param.u32 %r1, [stride]; mov.u32 %r2, %tid.x; mul.lo.u32 %r2, %r2, %r1;
  cvt.u64.u32 %d2, %r2; add.u64 %d1, %d1, %d2; mov.u64 %d3, tile; add.u64 %d3, %d3, %d2;
  ld.global.u32 %r3, [%d1]; st.shared.u32 [%d3], %r3; bar.warp.sync -1;
  ld.shared.u32 %r3, [%d3]; st.global.u32 [%d1], %r3;
  ret;
}
.visible .entry wide(.param .u64 p, .param .u32 stride) {
  .shared .align 16 .b8 tile[8192];
  .reg .b32 %r<8>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [p]; ld.param.u32 %r1, [stride]; mov.u32 %r2, %tid.x; mul.lo.u32 %r2, %r2, %r1;
  cvt.u64.u32 %d2, %r2; add.u64 %d1, %d1, %d2; mov.u64 %d3, tile; add.u64 %d3, %d3, %d2;
  ld.global.v4.u32 {%r4, %r5, %r6, %r7}, [%d1]; st.shared.v4.u32 [%d3], {%r4, %r5, %r6, %r7}; bar.warp.sync -1;
  ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%d3]; st.global.v4.u32 [%d1], {%r4, %r5, %r6, %r7};
  ret;
}
.visible .entry atomics(.param .u64 p, .param .u32 stride) {
  .reg .b32 %r<4>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [p]; ld.param.u32 %r1, [stride]; mov.u32 %r2, %tid.x; mul.lo.u32 %r2, %r2, %r1;
  cvt.u64.u32 %d2, %r2; add.u64 %d1, %d1, %d2; red.global.add.u32 [%d1], 1;
  ret;
}
)";

// The counters of one warp at this stride, from `offset` bytes after an address that is a multiple of 256.
cnnEmulatorCounters strideCounters(const char* kernel, unsigned stride, unsigned offset = 0) {
  ContextScope context;
  Buffer data(4096, 1);
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, strided));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&function, module, kernel));
  CUdeviceptr address = data.address + offset;
  void* arguments[] = {&address, &stride};
  reset();
  detail(1);
  CHECK_CUDA(cuda().cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  detail(0);
  CHECK_CUDA(cuda().cuModuleUnload(module));
  return countersOf(kernel);
}

}  // namespace

TEST(sectors_of_a_request) {
  const struct { const char* kernel; unsigned stride, offset, sectors; } rows[] = {
      {"narrow", 0, 0, 1}, {"narrow", 4, 0, 4}, {"narrow", 4, 4, 5}, {"narrow", 8, 0, 8}, {"narrow", 32, 0, 32}, {"narrow", 128, 0, 32},
      {"wide", 16, 0, 16}, {"wide", 16, 16, 17}, {"wide", 32, 0, 32}, {"wide", 128, 0, 32}};
  for (const auto& row : rows) {
    const cnnEmulatorCounters c = strideCounters(row.kernel, row.stride, row.offset);
    const unsigned width = std::string(row.kernel) == "wide" ? 16 : 4;
    CHECK_EQ(c.globalLoadRequests, 1);
    CHECK_EQ(c.globalStoreRequests, 1);
    CHECK_EQ(c.globalLoadSectors, row.sectors);
    CHECK_EQ(c.globalStoreSectors, row.sectors);
    CHECK_EQ(c.globalLoadBytes, 32 * width);
    CHECK_EQ(c.widestGlobalAccess, width);
    CHECK_EQ(c.globalAtomicRequests, 0);
  }
  CHECK_EQ(strideCounters("atomics", 4).globalAtomicRequests, 1);
  CHECK_EQ(strideCounters("atomics", 4).globalAtomicSectors, 4);
  CHECK_EQ(strideCounters("atomics", 0).globalAtomicSectors, 1);
  CHECK_EQ(strideCounters("atomics", 64).globalAtomicSectors, 32);
}

TEST(wavefronts_of_a_request) {
  // 32 banks of 4 bytes: words of one bank take turns, the same word does not; 16 bytes per lane need four turns at least.
  const struct { const char* kernel; unsigned stride, wavefronts, ideal; } rows[] = {
      {"narrow", 0, 1, 1}, {"narrow", 4, 1, 1}, {"narrow", 8, 2, 1}, {"narrow", 12, 1, 1}, {"narrow", 16, 4, 1}, {"narrow", 128, 32, 1},
      {"narrow", 132, 1, 1}, {"wide", 16, 4, 4}, {"wide", 32, 8, 4}, {"wide", 128, 32, 4}, {"wide", 144, 4, 4}};
  for (const auto& row : rows) {
    const cnnEmulatorCounters c = strideCounters(row.kernel, row.stride);
    CHECK_EQ(c.sharedLoadRequests, 1);
    CHECK_EQ(c.sharedStoreRequests, 1);
    CHECK_EQ(c.sharedLoadWavefronts, row.wavefronts);
    CHECK_EQ(c.sharedStoreWavefronts, row.wavefronts);
    CHECK_EQ(c.sharedIdealWavefronts, 2 * row.ideal);
    CHECK_EQ(c.maxSharedConflict, row.wavefronts / row.ideal);
    CHECK_EQ(c.widestSharedAccess, std::string(row.kernel) == "wide" ? 16 : 4);
  }
}

namespace {

// to[i] = from[i - 1] + from[i] + from[i + 1], stored twice; one thread per element.
const char* const stencil = R"(
.version 8.0
.target sm_80
.address_size 64
.visible .entry stencil(.param .u64 to, .param .u64 from) {
  .reg .b32 %r<8>; .reg .b64 %d<4>;
  ld.param.u64 %d1, [to]; ld.param.u64 %d2, [from];
  mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x; mad.lo.u32 %r1, %r1, %r2, %r3;
  mul.wide.u32 %d3, %r1, 4; add.u64 %d1, %d1, %d3; add.u64 %d2, %d2, %d3;
  ld.global.u32 %r4, [%d2 + -4]; ld.global.u32 %r5, [%d2]; ld.global.u32 %r6, [%d2 + 4];
  add.u32 %r4, %r4, %r5; st.global.u32 [%d1], %r4; add.u32 %r4, %r4, %r6; st.global.u32 [%d1], %r4;
  ret;
}
)";

cnnEmulatorCounters stencilCounters(unsigned blocks, unsigned threads, int level) {
  ContextScope context;
  const Buffer from(blocks * threads + 16, 1), to(blocks * threads);
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, stencil));
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&function, module, "stencil"));
  CUdeviceptr input = from.address + 32, output = to.address;  // one sector of halo before
  void* arguments[] = {&output, &input};
  reset();
  detail(level);
  CHECK_CUDA(cuda().cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, 0, nullptr, arguments, nullptr));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  detail(0);
  CHECK(to.all(3));
  CHECK_CUDA(cuda().cuModuleUnload(module));
  return countersOf("stencil");
}

}  // namespace

TEST(sectors_of_a_block) {
  // 8 floats are a sector. Rows of a warp that begin beside a sector meet one more; a block meets its own and two of halo.
  for (const unsigned blocks : {1u, 2u, 5u})
    for (const unsigned threads : {32u, 128u, 1024u}) {
      const cnnEmulatorCounters c = stencilCounters(blocks, threads, 2);
      CHECK_EQ(c.globalLoadSectors, blocks * threads / 32 * (5 + 4 + 5));
      CHECK_EQ(c.globalLoadBlockSectors, blocks * (threads / 8 + 2));
      CHECK_EQ(c.globalStoreSectors, 2 * blocks * threads / 8);
      CHECK_EQ(c.globalStoreBlockSectors, blocks * threads / 8);
    }
}

TEST(sectors_of_a_block_are_counted_when_asked_for) {
  const cnnEmulatorCounters c = stencilCounters(2, 64, 1), none = stencilCounters(2, 64, 0);
  CHECK_EQ(c.globalLoadSectors, 56);
  CHECK_EQ(c.globalLoadBlockSectors, 0);
  CHECK_EQ(c.globalStoreBlockSectors, 0);
  CHECK_EQ(none.globalLoadSectors, 0);
}

TEST(unknown_kernels_and_reset) {
  ContextScope context;
  Kernels kernels;
  Buffer data(32, 1);
  CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  CHECK_EQ(countersOf("scale").threads % 128, 0);
  reset();
  cnnEmulatorCounters counters;
  auto* read = cuda().get<int(const char*, cnnEmulatorCounters*)>("cnnEmulatorProfileRead");
  CHECK_EQ(read("scale", &counters), int(CUDA_ERROR_NOT_FOUND));
  CHECK_EQ(read(nullptr, &counters), int(CUDA_ERROR_INVALID_VALUE));
  CHECK_EQ(read("scale", nullptr), int(CUDA_ERROR_INVALID_VALUE));
}

TEST(the_total_sums_over_kernels) {
  auto* total = cuda().get<int(cnnEmulatorCounters*)>("cnnEmulatorProfileTotal");
  const cnnEmulatorCounters narrow = strideCounters("narrow", 8);
  ContextScope context;
  Kernels kernels;
  Buffer data(32, 1);
  CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  const cnnEmulatorCounters scale = countersOf("scale");
  cnnEmulatorCounters sum{};
  CHECK_EQ(total(&sum), 0);
  CHECK_EQ(sum.launches, 2u);
  CHECK_EQ(sum.warpInstructions, scale.warpInstructions + narrow.warpInstructions);
  CHECK_EQ(sum.globalStoreBytes, scale.globalStoreBytes + narrow.globalStoreBytes);
  CHECK_EQ(sum.maxSharedConflict, 2u);  // of the one that counted it
  reset();
  CHECK_EQ(total(&sum), 0);
  CHECK_EQ(sum.launches, 0u);
  CHECK_EQ(total(nullptr), int(CUDA_ERROR_INVALID_VALUE));
}

namespace {

// A reader of the grammar of JSON without a value: moves past one, false where the text is none.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : rest_(text) {}
  bool isWhole() { return value() && (space(), rest_.empty()); }

 private:
  void space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t\r"), rest_.size())); }
  bool take(char c) {
    space();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool string() {
    if (!take('"')) return false;
    for (; !rest_.empty() && rest_[0] != '"'; rest_.remove_prefix(1)) {
      if (static_cast<unsigned char>(rest_[0]) < ' ') return false;
      if (rest_[0] == '\\') rest_.remove_prefix(std::min<std::size_t>(1, rest_.size()));
    }
    return take('"');
  }
  bool number() {
    space();
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(digits);
    return digits > 0;
  }
  // What stands between the brackets; `element` reads one of a list.
  template <class Element> bool list(char close, Element element) {
    if (take(close)) return true;
    do {
      if (!element()) return false;
    } while (take(','));
    return take(close);
  }
  bool value() {
    if (take('{')) return list('}', [this] { return string() && take(':') && value(); });
    if (take('[')) return list(']', [this] { return value(); });
    space();
    return !rest_.empty() && rest_[0] == '"' ? string() : number();
  }
  std::string_view rest_;
};

bool isJson(std::string_view text) { return JsonReader(text).isWhole(); }

std::string profileJson() {
  auto* give = cuda().get<size_t(char*, size_t)>("cnnEmulatorProfileJson");
  std::string text(give(nullptr, 0), 0);
  give(text.data(), text.size() + 1);
  return text;
}

}  // namespace

TEST(the_profile_has_every_counter_once) {
  for (const char* bad : {"", "{", "[1,]", "{\"a\" 1}", "{\"a\": 1} 2", "[\"a]", "{1: 2}"}) CHECK(!isJson(bad));
  const cnnEmulatorCounters c = strideCounters("narrow", 8);
  const std::string text = profileJson();
  CHECK(isJson(text));
  const std::pair<const char*, std::uint64_t> fields[] = {
      {"launches", 1}, {"blocks", 1}, {"warps", 1}, {"threads", 32}, {"warpInstructions", c.warpInstructions}, {"flops", 0}, {"barriers", 0},
      {"branches", c.branches}, {"divergentBranches", 0}, {"globalLoadRequests", 1}, {"globalLoadSectors", 8}, {"globalLoadBytes", 128},
      {"globalStoreRequests", 1}, {"globalStoreSectors", 8}, {"globalStoreBytes", 128}, {"globalAtomicRequests", 0}, {"globalAtomicSectors", 0},
      {"globalLoadBlockSectors", 0}, {"globalStoreBlockSectors", 0},
      {"sharedLoadRequests", 1}, {"sharedLoadWavefronts", 2}, {"sharedLoadBytes", 128}, {"sharedStoreRequests", 1}, {"sharedStoreWavefronts", 2},
      {"sharedStoreBytes", 128}, {"sharedIdealWavefronts", 2}, {"maxSharedConflict", 2}, {"widestGlobalAccess", 4}, {"widestSharedAccess", 4},
      {"integer", c.integer}, {"conversion", c.conversion}, {"globalLoad", 32}, {"globalStore", 32}, {"sharedLoad", 32}, {"sharedStore", 32},
      {"atomic", 0}, {"barrier", 0}, {"tensor", 0}, {"async", 0}};
  for (const auto& [name, value] : fields) {
    const std::string field = "\"" + std::string(name) + "\": " + std::to_string(value), key = "\"" + std::string(name) + "\":";
    const std::size_t at = text.find(field);
    if (at == std::string::npos) FAIL(field + " is missing in " + text);
    else CHECK(text[at + field.size()] == ',' || text[at + field.size()] == '}');
    CHECK_EQ(text.find(key, text.find(key) + 1), std::string::npos);
  }
}

TEST(the_profile_is_json) {
  ContextScope context;
  Kernels kernels;
  Buffer data(32, 1);
  reset();
  CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
  CHECK_CUDA(cuda().cuCtxSynchronize());
  auto* give = cuda().get<size_t(char*, size_t)>("cnnEmulatorProfileJson");
  std::string text(give(nullptr, 0), 0);
  CHECK_EQ(give(text.data(), text.size() + 1), text.size());
  CHECK(text.find("\"scale\"") != std::string::npos);
  char few[4];
  CHECK_EQ(give(few, sizeof few), text.size());
  CHECK_EQ(std::string(few), text.substr(0, 3));
}

TEST(the_profile_is_written_at_exit) {
  const std::string path = std::filesystem::temp_directory_path() / ("cnn_emulator_profile_" + std::to_string(getuid()) + ".json");
  if (isolated("profile.the_profile_is_written_at_exit", {{"CNN_EMULATOR_PROFILE", ("json:" + path).c_str()}})) {
    ContextScope context;
    Kernels kernels;
    Buffer data(32, 1);
    CHECK_CUDA(kernels.launchScale(data.address, 32, 1));
    return;
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str().find("\"scale\"") != std::string::npos);
  CHECK(isJson(text.str()));
  std::remove(path.c_str());
}
