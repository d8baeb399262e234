#!/usr/bin/env bash
# Assembles PTX with NVIDIA's ptxas and prints, per kernel, registers, stack, spills and static shared memory: what no emulator knows.
# Usage: ptxas.sh [FOLDER ...]     default: the kernels in build/native/kernels/ptx; conformance --ptx DIR writes the corpus.
# What ptxas warns of, and where it gives up speed (wgmma one by one, setmaxnreg ignored), goes to standard error.
# ptxas comes with the CUDA toolkit; it needs no GPU. CNN_PTXAS names it where it is not on the path. Fails where a file is refused.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ptxas=${CNN_PTXAS:-$(command -v ptxas || echo /usr/local/cuda/bin/ptxas)}
[ -x "$ptxas" ] || { echo "error: there is no ptxas (CUDA toolkit); CNN_PTXAS may name it" >&2; exit 1; }
[ $# -gt 0 ] || set -- build/native/kernels/ptx

# assemble FILE: a line per kernel; the refusal, if there is one, on standard error.
assemble() {
  local target said
  target=$(awk '$1 == ".target" { sub(",", "", $2); print $2; exit }' "$1")
  if ! said=$("$ptxas" -v -arch="$target" "$1" -o /dev/null 2>&1); then
    echo "refused: $1: $(grep -m1 -o 'error.*' <<<"$said")" >&2
    return 1
  fi
  awk -v target="$target" '
    /Compiling entry function/ { split($0, quoted, "\x27"); kernel = quoted[2] }
    /bytes stack frame/ { stack = $1; stores = $5; loads = $9 }
    / Used / {
      match($0, /Used [0-9]+/); registers = substr($0, RSTART + 5, RLENGTH - 5)
      shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
      printf "%-48s %-7s %9d %6d %7d %7d %7d\n", kernel, target, registers, stack, stores, loads, shared
    }
    /warning|Performance Loss/ { print > "/dev/stderr" }' <<<"$said"
}
export -f assemble
export ptxas

"$ptxas" --version | awk '/release/'
printf "%-48s %-7s %9s %6s %7s %7s %7s\n" kernel target registers stack stores loads shared
# The largest first, so that none is left alone at the end.
find "$@" -name '*.ptx' -printf '%s %p\n' | sort -rn | cut -d' ' -f2- | xargs -P "$(nproc)" -I{} bash -c 'assemble "$1"' _ {} | sort
exit $((PIPESTATUS[3] != 0))
