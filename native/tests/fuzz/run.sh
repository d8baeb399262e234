#!/usr/bin/env bash
# run.sh FUZZER PTX...: fuzzes for a few seconds, beginning with the heads of these files.
set -euo pipefail
fuzzer=$1
shift
if [ ! -x "$fuzzer" ]; then
  echo "SKIP fuzz.parser: no clang++ with libFuzzer"
  echo "0 passed, 0 failed, 1 skipped"
  exit 77
fi
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
for file in "$@"; do head -c 4000 "$file" >"$corpus/$(basename "$file")"; done
cd "$corpus"  # where a crash leaves its input
if "$fuzzer" -seed=1 -max_total_time=15 -max_len=4096 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 "$corpus"; then
  echo "1 passed, 0 failed, 0 skipped"
else
  for crash in crash-* timeout-* oom-*; do
    [ ! -e "$crash" ] || { echo "input of $crash, in base64:"; base64 "$crash"; }
  done
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
