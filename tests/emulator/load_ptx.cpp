// load_ptx [--driver PATH] PATH...
//
// Loads every .ptx file under the paths into a driver (the emulator by default, `--driver libcuda.so.1` for the GPU of this
// machine), looks up each of its kernels, and prints a line per file: how many kernels, or the status and the JIT log.
// Without a path it takes the folder in CNN_FOREIGN_PTX. Ends with 0 when all files load, 77 when there is nothing to load.
#include "cuda_library.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using cnn::test::CudaLibrary;
namespace fs = std::filesystem;

struct Options {
  std::string driver = CNN_EMULATED_CUDA;
  std::vector<fs::path> paths;
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--driver") && i + 1 < argc) options.driver = argv[++i];
    else options.paths.emplace_back(argv[i]);
  }
  if (const char* folder = std::getenv("CNN_FOREIGN_PTX"); folder && options.paths.empty()) options.paths.emplace_back(folder);
  return options;
}

std::vector<fs::path> ptxFiles(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path))
      if (entry.is_regular_file() && entry.path().extension() == ".ptx") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string readFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

class PtxLoader {
 public:
  explicit PtxLoader(const std::string& driver) : cuda_(driver) {
    require(cuda_.cuInit(0), "cuInit");
    require(cuda_.cuDevicePrimaryCtxRetain(&context_, 0), "cuDevicePrimaryCtxRetain");
    require(cuda_.cuCtxSetCurrent(context_), "cuCtxSetCurrent");
  }
  ~PtxLoader() { cuda_.cuDevicePrimaryCtxRelease_v2(0); }
  PtxLoader(const PtxLoader&) = delete;
  PtxLoader& operator=(const PtxLoader&) = delete;

  // Prints the file's line; true when it loads.
  bool load(const fs::path& path) {
    char log[8192] = "";
    CUjit_option names[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
    CUmodule module;
    if (const CUresult status = cuda_.cuModuleLoadDataEx(&module, readFile(path).c_str(), 2, names, values)) {
      std::printf("REFUSED %s: status %d\n%s\n", path.c_str(), int(status), log);
      return false;
    }
    std::printf("loaded %s: %u kernels\n", path.c_str(), countKernels(module));
    require(cuda_.cuModuleUnload(module), "cuModuleUnload");
    return true;
  }

 private:
  static void require(CUresult status, const char* call) {
    if (status) throw std::runtime_error(std::string(call) + " failed with " + std::to_string(status));
  }

  unsigned countKernels(CUmodule module) const {
    unsigned count = 0;
    require(cuda_.get<CUresult(unsigned*, CUmodule)>("cuModuleGetFunctionCount")(&count, module), "cuModuleGetFunctionCount");
    return count;
  }

  CudaLibrary cuda_;
  CUcontext context_ = {};
};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    const std::vector<fs::path> files = ptxFiles(options.paths);
    if (files.empty()) {
      std::printf("SKIP load_ptx: no .ptx files are named, and CNN_FOREIGN_PTX names no folder with any\n0 passed, 0 failed, 1 skipped\n");
      return 77;
    }
    PtxLoader loader(options.driver);
    const auto loaded = std::ranges::count_if(files, [&](const fs::path& file) { return loader.load(file); });
    std::printf("%zd passed, %zd failed, 0 skipped\n", std::ptrdiff_t(loaded), std::ptrdiff_t(files.size()) - std::ptrdiff_t(loaded));
    return std::size_t(loaded) == files.size() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "load_ptx: %s\n", error.what());
    return 2;
  }
}
