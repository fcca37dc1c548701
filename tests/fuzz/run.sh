#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# usage: tests/fuzz/run.sh PROGRAM CORPUS
# Replays the corpus of a harness built with libFuzzer, then fuzzes from it for TRM_FUZZ_SECONDS (3). An input that fails is
# written to the current folder. With TRM_FUZZ_KEEP, a folder, new inputs that reach new code are kept in
# TRM_FUZZ_KEEP/<reader>, and the next run begins with them.
set -euo pipefail
program=$1 corpus=$2
if [ -n "${TRM_FUZZ_KEEP:-}" ]; then
  new=$TRM_FUZZ_KEEP/$(basename "$corpus")
  mkdir -p "$new"
else
  new=$(mktemp -d)
  trap 'rm -rf "$new"' EXIT
fi
"$program" -seed="${TRM_FUZZ_SEED:-1}" -max_total_time="${TRM_FUZZ_SECONDS:-3}" -max_len=8192 -timeout=30 \
  -rss_limit_mb=1024 -malloc_limit_mb=256 -artifact_prefix="$(basename "$corpus")-" \
  -dict="$(dirname "$0")/words.dict" -print_final_stats=1 -verbosity=0 "$new" "$corpus"
