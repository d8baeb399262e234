#!/usr/bin/env bash
# Makes one archive that runs on a GPU machine without the .NET SDK: the program and the tests as self-contained executables, PTX,
# the sources that CMake and nvcc need there, and the peers' scripts. There: tools/gpu-suite.sh.
# Usage: tools/bundle.sh [FILE.tar.xz]    (default: build/cnn-bundle.tar.xz)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/need.sh
need_dotnet
need_packages cmake:cmake g++:g++ make:make clang++-19:clang-19 xz:xz-utils

archive=${1:-build/cnn-bundle.tar.xz}
most_megabytes=45
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/cnn-bundle

echo "Building the kernels ..."
cmake -S . -B build >/dev/null
cmake --build build -j "$(nproc)" --target native_kernels >/dev/null

echo "Publishing the program and the tests ..."
# The PTX lies beside the programs, where xz finds what sm_80 and sm_90a have in common: it is not in the library as well.
publish() { dotnet publish "$1" -c Release -r linux-x64 --self-contained -v q --nologo --artifacts-path "$stage/artifacts" -o "$2" -p:CnnKernels=none "${@:3}" | grep -E "error" || true; }
publish managed/CnnNative.Cli "$root/bin/cnn" -p:DebugType=none
[ -x "$root/bin/cnn/cnn" ] || { echo "error: publishing the program failed" >&2; exit 1; }
for tests in CnnNative.Tests CnnNative.Interop.Tests CnnNative.Training.Tests; do
  publish "tests/$tests" "$root/bin/$tests" -p:DebugType=none -p:CnnBundle=true
  [ -x "$root/bin/$tests/$tests" ] || { echo "error: publishing $tests failed" >&2; exit 1; }
done
# What Visual Studio measures coverage with comes along and is of no use there.
rm -rf "$root"/bin/CnnNative.*/Microsoft.CodeCoverage
# The runtime, the libraries and the golden files are the same for all: one copy is enough.
for program in "$root"/bin/CnnNative.*; do
  (cd "$program" && find . -type f -printf '%P\n') | while read -r file; do
    for first in cnn CnnNative.Tests; do
      twin=$root/bin/$first/$file
      if [ "$program" != "$root/bin/$first" ] && [ -f "$twin" ] && [ ! -L "$twin" ] && cmp -s "$program/$file" "$twin"; then
        ln -sfr "$twin" "$program/$file"
        break
      fi
    done
  done
done

mkdir -p "$root/ptx"
cp build/native/kernels/ptx/*.ptx "$root/ptx/"
cp build/native/kernels/manifest.json "$root/ptx/"
git ls-files CMakeLists.txt cmake native tests/conformance tests/emulator bench/shapes.json bench/peers tools | xargs cp --parents -t "$root"
git rev-parse HEAD >"$root/COMMIT"

mkdir -p "$(dirname "$archive")"
tar -C "$stage" -cf - cnn-bundle | xz -T0 -6 >"$archive.new"
mv "$archive.new" "$archive"
megabytes=$(($(stat -c %s "$archive") / 1000000))
echo "$archive: $megabytes MB"
[ "$megabytes" -le "$most_megabytes" ] || { echo "error: the archive is larger than $most_megabytes MB" >&2; exit 1; }
