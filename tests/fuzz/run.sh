#!/usr/bin/env bash
# Runs one fuzzer of build/fuzz: run.sh NAME SECONDS. What it learns stays in build/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1 seconds=$2
work=build/fuzz/corpus/$name log=build/fuzz/$name.log
mkdir -p "$work" build/fuzz/found
UBSAN_OPTIONS=print_stacktrace=1 "build/fuzz/tests/fuzz/fuzz_$name" \
  -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=4096 -use_value_profile=1 \
  -print_final_stats=1 -dict="tests/fuzz/$name.dict" -artifact_prefix="build/fuzz/found/$name-" \
  "$work" "build/fuzz/seeds/$name" >"$log" 2>&1 || {
  tail -n 60 "$log"
  echo "fuzz_$name failed; the input is under build/fuzz/found, the whole log is $log"
  exit 1
}
echo "fuzz_$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
