#!/usr/bin/env bash
# run.sh FUZZER CONFORMANCE REGRESSIONS: loads the inputs that once crashed, then fuzzes for a few seconds, beginning with the
# kernels of the conformance corpus and with the words that they are made of.
set -euo pipefail
fuzzer=$1 conformance=$2 regressions=$3
if [ ! -x "$fuzzer" ]; then
  echo "SKIP fuzz.loader: no clang++ with libFuzzer"
  echo "0 passed, 0 failed, 1 skipped"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/corpus"
cd "$work"  # where a crash leaves its input
"$conformance" --ptx "$work/corpus" >/dev/null
cat corpus/*.ptx | grep -oE '\.[a-z][A-Za-z0-9_:]*|%[a-z_]+|\b[a-z]+\b' | sort -u | sed 's/.*/"&"/' >words
if "$fuzzer" -verbosity=0 "$regressions"/*.ptx &&
   "$fuzzer" -seed=1 -max_total_time=12 -max_len=4096 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 -dict=words corpus; then
  echo "1 passed, 0 failed, 0 skipped"
else
  for crash in crash-* timeout-* oom-*; do
    [ ! -e "$crash" ] || { echo "input of $crash, in base64:"; base64 "$crash"; }
  done
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
