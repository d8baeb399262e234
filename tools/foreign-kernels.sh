#!/usr/bin/env bash
# Runs kernels that others wrote and nvcc 13.1 compiled: those of ggml, the tensor library of llama.cpp (MIT), as the npm package
# @node-llama-cpp/linux-x64-cuda brings them. Fetches the package once (143 MB; npm checks its hash).
# Usage: foreign-kernels.sh [BUILD]                                        on the emulator
#        CNN_FOREIGN_DRIVER=libcuda.so.1 foreign-kernels.sh [BUILD]        on a GPU
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=${1:-build}
package=@node-llama-cpp/linux-x64-cuda@3.22.1
folder=$build/foreign
library=$folder/package/bins/linux-x64-cuda/libggml-cuda.so

[ -x "$build/tests/emulator/foreign_kernels" ] || { echo "error: build first: cmake --build $build --target foreign_kernels" >&2; exit 2; }
if [ ! -f "$library" ]; then
  command -v npm >/dev/null || { echo "error: npm is needed to fetch $package" >&2; exit 2; }
  mkdir -p "$folder"
  archive=$(cd "$folder" && npm pack --silent "$package")
  mkdir -p "$folder/new"
  tar -C "$folder/new" -xzf "$folder/$archive" package/bins/linux-x64-cuda/libggml-cuda.so package/package.json
  mv "$folder/new/package" "$folder/package"
  rm -r "$folder/new" "$folder/$archive"
fi
CNN_FOREIGN_LIBRARY=$library exec "$build/tests/emulator/foreign_kernels"
