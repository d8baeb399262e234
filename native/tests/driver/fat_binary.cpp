// Programs that nvcc made: fat binaries, whole and torn.
#include "emulated.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace cnn::test;

namespace {

std::string path(const char* name) { return std::string(CNN_SOURCE_DIR "/native/tests/driver/images/") + name; }

std::string read(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// One entry in a container, as fat_binary.cpp describes them.
std::string container(unsigned short kind, unsigned sm, const std::string& payload, unsigned compressedBytes = 0, unsigned long long originalBytes = 0) {
  std::string image;
  const auto put = [&image](unsigned long long value, int bytes) {
    for (int n = 0; n < bytes; ++n) image.push_back(char(value >> 8 * n));
  };
  put(0xba55ed50, 4), put(1, 2), put(16, 2), put(64 + payload.size(), 8);
  put(kind, 2), put(0x101, 2), put(64, 4), put(payload.size(), 8), put(compressedBytes, 4), put(0, 4), put(0, 2), put(8, 2);
  put(sm, 4), put(0, 8), put(0x11, 8), put(0, 8), put(originalBytes, 8);
  return image + payload;
}

void checkTwice(CUmodule module, float factor, const char* name) {
  CUfunction function;
  REQUIRE_CUDA(cuda().cuModuleGetFunction(&function, module, name));
  constexpr unsigned count = 100;
  Buffer data(count, 0x40400000);  // 3.0f
  unsigned n = count;
  void* arguments[] = {&data.address, &n};
  CHECK_CUDA(cuda().cuLaunchKernel(function, 4, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
  float expected = 3 * factor;
  unsigned bits;
  std::memcpy(&bits, &expected, 4);
  CHECK(data.all(bits));
}

CUresult loadFile(const std::string& bytes) {
  std::string name = std::filesystem::temp_directory_path() / "cnn-fat-binary-XXXXXX";
  const int file = mkstemp(name.data());
  REQUIRE(file >= 0);
  std::FILE* stream = fdopen(file, "wb");
  std::fwrite(bytes.data(), 1, bytes.size(), stream);
  std::fclose(stream);
  CUmodule module = nullptr;
  const CUresult status = cuda().cuModuleLoad(&module, name.c_str());
  if (status == CUDA_SUCCESS) CHECK_CUDA(cuda().cuModuleUnload(module));
  std::remove(name.c_str());
  return status;
}

}  // namespace

TEST(what_nvcc_wrote_runs) {
  ContextScope context;
  const std::string image = read(path("twice.fatbin"));
  struct {
    unsigned magic, version;
    const void* container;
    const void* unused;
  } const wrapper = {0x466243b1, 1, image.data(), nullptr};
  CUmodule module;
  for (const void* from : {static_cast<const void*>(image.data()), static_cast<const void*>(&wrapper)}) {
    REQUIRE_CUDA(cuda().cuModuleLoadFatBinary(&module, from));
    checkTwice(module, 2, "twice");
    checkTwice(module, 3, "thrice");
    CHECK_CUDA(cuda().cuModuleUnload(module));
  }
  REQUIRE_CUDA(cuda().cuModuleLoad(&module, path("twice.fatbin").c_str()));
  checkTwice(module, 2, "twice");
  CHECK_CUDA(cuda().cuModuleUnload(module));
}

TEST(plain_text_in_a_fat_binary_runs) {
  ContextScope context;
  CUmodule module;
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, container(1, 80, kernels + std::string(5, '\0')).data()));
  CHECK_CUDA(cuda().cuModuleUnload(module));
  // Its text is verified as any other.
  CHECK_EQ(cuda().cuModuleLoadData(&module, container(1, 80, "this is not PTX").data()), CUDA_ERROR_INVALID_PTX);
}

TEST(machine_code_alone_is_refused_by_its_name) {
  ContextScope context;
  CUmodule module;
  CHECK_EQ(cuda().cuModuleLoad(&module, path("sm_80.fatbin").c_str()), CUDA_ERROR_NO_BINARY_FOR_GPU);
  CHECK(lastMessage().find("machine code for sm_80") != std::string::npos);
  CHECK_EQ(cuda().cuModuleLoadData(&module, container(1, 120, kernels).data()), CUDA_ERROR_NO_BINARY_FOR_GPU);
  CHECK(lastMessage().find("PTX for sm_120") != std::string::npos);
}

TEST(compressed_text_is_checked) {
  ContextScope context;
  CUmodule module;
  const auto refused = [&](std::string compressed, unsigned long long size) {
    const std::string image = container(1, 80, compressed, unsigned(compressed.size()), size);
    CHECK_EQ(cuda().cuModuleLoadData(&module, image.data()), CUDA_ERROR_INVALID_IMAGE);
  };
  refused(std::string("\x10" "a\x00\x00", 4), 5);                // a match at distance nought
  refused(std::string("\x10" "a\x02\x00", 4), 5);                // one that begins before the text
  refused("\x20" "a", 2);                                        // fewer literals than it says
  refused("\x20" "ab", 3);                                       // a shorter text than it says
  refused("\x20" "ab", 1);                                       // a longer one
  refused("\xf0\xff\xff", 1000);                                 // a length without an end
  refused("\x20" "ab", 1ull << 40);                              // more than any memory
}

// A frame of one block that is not compressed (RFC 8878, 3.1.1): as little as a decoder must take.
std::string zstdFrame(const std::string& text) {
  std::string frame = "\x28\xb5\x2f\xfd\xa0";  // the size in four bytes, one segment
  for (int n = 0; n < 4; ++n) frame.push_back(char(text.size() >> 8 * n));
  for (int n = 0; n < 3; ++n) frame.push_back(char((text.size() << 3 | 1) >> 8 * n));
  return frame + text;
}

TEST(text_compressed_with_zstd_runs) {
  ContextScope context;
  CUmodule module;
  const std::string frame = zstdFrame(kernels);
  REQUIRE_CUDA(cuda().cuModuleLoadData(&module, container(1, 80, frame, unsigned(frame.size()), std::strlen(kernels)).data()));
  CHECK_CUDA(cuda().cuModuleUnload(module));
  for (const std::size_t length : {std::size_t(4), std::size_t(9), frame.size() - 1}) {
    const std::string torn = frame.substr(0, length);
    CHECK_EQ(cuda().cuModuleLoadData(&module, container(1, 80, torn, unsigned(torn.size()), std::strlen(kernels)).data()), CUDA_ERROR_INVALID_IMAGE);
  }
  CHECK_EQ(cuda().cuModuleLoadData(&module, container(1, 80, frame, unsigned(frame.size()), std::strlen(kernels) - 1).data()), CUDA_ERROR_INVALID_IMAGE);
}

TEST(torn_files_are_refused) {
  ContextScope context;
  const std::string whole = read(path("twice.fatbin"));
  REQUIRE_EQ(loadFile(whole), CUDA_SUCCESS);
  for (std::size_t length = 4; length < whole.size(); length += length < 200 ? 1 : 97)
    CHECK_EQ(loadFile(whole.substr(0, length)), CUDA_ERROR_INVALID_IMAGE);
  // Any byte of the headers may lie: it loads or it is refused, and reads nothing that is not there.
  for (std::size_t at = 4; at < 100; ++at)
    for (const char bits : {'\x01', '\x80', '\xff'}) {
      std::string bent = whole;
      bent[at] = char(bent[at] ^ bits);
      const CUresult status = loadFile(bent);
      CHECK(status == CUDA_SUCCESS || status == CUDA_ERROR_INVALID_IMAGE || status == CUDA_ERROR_NO_BINARY_FOR_GPU || status == CUDA_ERROR_INVALID_PTX);
    }
}
