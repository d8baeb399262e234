#!/usr/bin/env bash
# Runs everything on a GPU machine from the archive that tools/bundle.sh made, and leaves JSON and logs in OUT.
# Usage: gpu-suite.sh OUT [PART]     parts: load (driver, modules, conformance), test, bench (float32), bench16 (bfloat16), benchf16 (float16),
# tf32, nhwc (float32 in the other layout), nchw16 and nchwf16 (bfloat16, float16); default: all, one after the other.
# Each part fits in nine minutes on one data-centre GPU; a part that fails is reported and the next one still runs.
set -uo pipefail
out=$(mkdir -p "${1:?usage: gpu-suite.sh OUT [PART]}" && cd "$1" && pwd)
parts=${2:-load test bench bench16 benchf16 tf32 nhwc nchw16 nchwf16}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cnn=$here/bin/cnn/cnn
export CNN_PTX=${CNN_PTX:-$here/ptx}
failures=()

# step NAME COMMAND...: runs a step with its output in OUT/NAME.log, notes a failure, prints one line.
step() {
  local name=$1 begin=$SECONDS
  shift
  if "$@" >"$out/$name.log" 2>&1; then echo "ok      $name ($((SECONDS - begin)) s)"; else failures+=("$name"); echo "FAILED  $name: $(tail -n 1 "$out/$name.log")"; fi
}

# The program of a test project.
tests() { echo "$here/bin/$1/$1"; }

json() { "$cnn" "${@:2}" --json >"$out/$1.json"; }

# The same sources by nvcc, where it is; clang's PTX is in the archive.
compile_with_nvcc() {
  cmake -S "$here" -B "$out/build" -DCNN_PTX_COMPILER=nvcc && cmake --build "$out/build" -j "$(nproc)" --target native_ptx &&
    rm -rf "$out/ptx-nvcc" && cp -r "$out/build/native/kernels/ptx" "$out/ptx-nvcc"
}

conformance() {
  cmake -S "$here" -B "$out/build" && cmake --build "$out/build" -j "$(nproc)" --target conformance &&
    "$(find "$out/build" -name conformance -type f -perm -u+x | head -1)" --driver libcuda.so.1 --write "$out/conformance.txt"
}

# Times every workload of a data type, PyTorch's in turns with ours where it is; temperature and power are noted meanwhile.
bench() {
  nvidia-smi --query-gpu=timestamp,clocks.sm,clocks.mem,temperature.gpu,power.draw --format=csv -lms 500 >"$out/clocks-$1.csv" 2>&1 &
  local watcher=$! peer=()
  python3 -c "import torch" 2>/dev/null && peer=(--peer python3 "$here/bench/peers/pytorch_gpu.py")
  "$cnn" bench --dtype "$1" --out "$out/bench-$1.json" "${peer[@]}"
  local code=$?
  kill "$watcher" 2>/dev/null
  return $code
}

for part in $parts; do
  case $part in
    load)
      step doctor json doctor doctor --kernels
      command -v nvcc >/dev/null && step nvcc compile_with_nvcc
      CNN_REQUIRE_GPU=1 step modules "$(tests CnnNative.Tests)" --filter "FullyQualifiedName~KernelTests"
      step conformance conformance ;;
    test)
      CNN_REQUIRE_GPU=1 step tests-interop "$(tests CnnNative.Interop.Tests)"
      CNN_REQUIRE_GPU=1 step tests "$(tests CnnNative.Tests)"
      CNN_REQUIRE_GPU=1 step tests-training "$(tests CnnNative.Training.Tests)" --filter "FullyQualifiedName~NativeTraining"
      if [ -d "$out/ptx-nvcc" ]; then
        CNN_REQUIRE_GPU=1 CNN_PTX=$out/ptx-nvcc step tests-nvcc "$(tests CnnNative.Tests)"
      fi ;;
    bench) step bench bench float32 ;;
    bench16) step bench16 bench bfloat16 ;;
    benchf16) step benchf16 bench float16 ;;
    tf32) step tf32 bench tf32 ;;
    nhwc) step nhwc bench float32-nhwc ;;
    nchw16) step nchw16 bench bfloat16-nchw ;;
    nchwf16) step nchwf16 bench float16-nchw ;;
    *) echo "unknown part $part" >&2; exit 2 ;;
  esac
done
rm -rf "$out/build"
[ ${#failures[@]} -eq 0 ] || { echo "failed: ${failures[*]}"; exit 1; }
