#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs all benchmarks one after another and leaves their results as JSON; docs/benchmarks.md says what they mean.
set -eu

usage() {
  cat <<'TEXT'
usage: benchmarks/run.sh [--quick] [--build DIR] [--results DIR] [--only NAME,...] [--python PYTHON] [--no-report]
  --quick       a tenth of the time, for a look
  --build       default build/bench; what is missing there is configured and built first
  --results     default build/benchmarks/results
  --only        of: ops, layers, cpu-kernels, arc-data, arc-evaluator, maze, sudoku, programs, step; cycles, which takes long, only here
  --python      one that has PyTorch, to compare training steps with it; default: $TRM_TORCH_PYTHON, or no comparison
  --no-report   leaves docs/benchmarks.md as it is
TRM_DATA_DIR names the folder with data for arc-data. Four to five minutes on two quiet processors, apart from building.
TEXT
}
stop() {
  echo "benchmarks/run.sh: $1" >&2
  exit 2
}

cd "$(dirname "$0")/.."
quick='' build=build/bench results=build/benchmarks/results only='' python=${TRM_TORCH_PYTHON:-} report=yes
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=yes; shift; continue ;;
    --no-report) report=''; shift; continue ;;
    --help | -h) usage; exit 0 ;;
    --build | --results | --only | --python) [ $# -ge 2 ] || stop "$1 needs a value" ;;
    *) usage >&2; stop "unknown argument: $1" ;;
  esac
  case $1 in
    --build) build=$2 ;;
    --results) results=$2 ;;
    --only) only=$2 ;;
    --python) python=$2 ;;
  esac
  shift 2
done
mkdir -p "$results"
wanted() {
  case ",$only," in
    ',,') [ "$1" != cycles ] ;;
    *",$1,"*) return 0 ;;
    *) return 1 ;;
  esac
}

# --- build what is missing
if [ ! -e "$build/CMakeCache.txt" ]; then
  cmake --preset bench -B "$build" -DTRM_PRESETS=small_4 -DTRM_BENCHMARK_MODELS= >"$results/configure.log" 2>&1 ||
    { cat "$results/configure.log"; stop "the configuration failed"; }
fi
targets=''
for program in ops layers cpu-kernels cpu-kernels.onednn cpu-kernels.cblas arc-data arc-evaluator maze sudoku step cycles; do
  wanted "${program%%.*}" || continue
  cmake --build "$build" --target help 2>/dev/null | grep -q "^$program: " && targets="$targets $program"
done
wanted programs && targets="$targets trm-sudoku"
# shellcheck disable=SC2086
cmake --build "$build" --target $targets >"$results/build.log" 2>&1 || { tail -n 30 "$results/build.log"; stop "the build failed"; }

# --- run; what fails is named and the others go on
failed=''
say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }
# PROGRAM RESULT SECONDS: one program of Google Benchmark.
google() {
  wanted "${1%%.*}" || return 0
  [ -x "$build/benchmarks/$1" ] || { say "$1: not built, left out"; return 0; }
  say "$1"
  seconds=$3
  [ -z "$quick" ] || seconds=0.01
  if "$build/benchmarks/$1" --benchmark_min_time="$seconds" --benchmark_out="$results/$2.partial" --benchmark_out_format=json \
    >"$results/$2.log" 2>&1; then
    mv "$results/$2.partial" "$results/$2.json"
  else
    tail -n 5 "$results/$2.log"
    failed="$failed $1"
  fi
}
# NAME COMMAND...
other() {
  name=$1
  shift
  wanted "$name" || return 0
  say "$name"
  "$@" >"$results/$name.log" 2>&1 || { tail -n 5 "$results/$name.log"; failed="$failed $name"; }
}

google ops ops 0.1
google layers layers 0.2
google cpu-kernels cpu-kernels 0.03
google cpu-kernels.onednn cpu-kernels-onednn 0.03
google cpu-kernels.cblas cpu-kernels-cblas 0.03
google arc-data arc-data 0.3
google arc-evaluator arc-evaluator 0.3
google maze maze 0.3
google sudoku sudoku 0.7

if [ -n "$quick" ]; then set -- --quick; else set --; fi
[ ! -x "$build/benchmarks/cycles" ] || other cycles "$build/benchmarks/cycles" --output "$results/cycles" "$@"

rounds=3
[ -z "$quick" ] || rounds=1
if command -v python3 >/dev/null; then
  other programs python3 benchmarks/programs.py --sudoku "$build/examples/trm-sudoku" --out "$results/programs.json" --rounds $rounds
  if [ -x "$build/benchmarks/step" ]; then
    if [ -n "$python" ]; then set -- --python "$python"; else set -- --variants ''; fi
    other step python3 benchmarks/compare.py --step "$build/benchmarks/step" --out "$results/compare.json" --again --quick \
      --rounds 10 --least $rounds --seconds 5 "$@"
  fi
  if [ -n "$report" ]; then
    python3 benchmarks/report.py --results "$results" || failed="$failed report.py"
  fi
else
  say "python3 is not here: no programs, no step, no report"
fi
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
