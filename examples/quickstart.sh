#!/bin/sh
# SPDX-License-Identifier: MIT
# From nothing to a model that solves Sudoku it has never seen: installs what is missing (Debian, Ubuntu), builds, makes
# puzzles, trains on the CPU, and solves. Everything it makes is in build/quickstart.
set -eu

usage() {
  cat <<'END'
usage: examples/quickstart.sh [--threads N] [--steps N] [--seed N]
  --threads   of the training; default: the number of processors. The result does not depend on it
  --steps     of the training; default: those of the preset, a few minutes on two processors
  --seed      of puzzles and training; default 0
END
}
stop() {
  echo "quickstart: $1" >&2
  exit "${2:-1}"
}

threads=0 steps='' seed=0
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --threads | --steps | --seed) [ $# -ge 2 ] || stop "$1 needs a value" 2 ;;
    *) usage >&2; stop "unknown argument: $1" 2 ;;
  esac
  case $1 in
    --threads) threads=$2 ;;
    --steps) steps="--steps $2" ;;
    --seed) seed=$2 ;;
  esac
  shift 2
done

cd "$(dirname "$0")/.."
work=build/quickstart log=build/quickstart/log.txt
mkdir -p "$work"
: >"$log"
since() { echo "$(($(date +%s) - $1)) s"; }
quietly() { "$@" >>"$log" 2>&1 </dev/null || { tail -n 20 "$log"; stop "failed: $1 (all of it: $log)"; }; }

# --- what is needed
. cmake/packages.sh
if has_apt; then
  # shellcheck disable=SC2086
  packages=$(missing_packages c++:g++ $program_packages)
  if [ -n "$packages" ]; then
    echo "installing:$packages"
    apt update || echo "apt-get update failed, see $log"
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $packages || { tail -n 5 "$log"; stop "could not install:$packages"; }
  fi
fi
cmake_version=$(cmake --version | sed -n '1s/^[^0-9]*//p')
printf '%s\n' 3.25 "$cmake_version" | sort -VC || stop "CMake 3.25 or newer is needed, this is $cmake_version"

# --- build the program with the one model that is needed
begun=$(date +%s)
echo "building trm-sudoku with its model of 6 x 6 boards: a minute or two on two idle processors (progress: $log)"
quietly cmake -S . -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTRM_BUILD_TESTS=OFF -DTRM_BUILD_BENCHMARKS=OFF \
  -DTRM_PRESETS=small_6
quietly cmake --build "$work/build" --target trm-sudoku
sudoku=$work/build/examples/trm-sudoku
echo "built in $(since "$begun")"

# --- puzzles: no symmetry of Sudoku makes a test solution from a training solution
echo 'making 52,000 puzzles'
rm -rf "$work/data" "$work/run"
"$sudoku" generate --size 6 --count 50000 --test 2000 --naked-singles 0.25 --seed "$seed" --output "$work/data" --quiet

# --- train
echo 'training: a few minutes on two idle processors'
begun=$(date +%s)
# shellcheck disable=SC2086
"$sudoku" train --data "$work/data" --run "$work/run" --preset small --seed "$seed" --threads "$threads" $steps
echo "trained in $(since "$begun")"

# --- puzzles it has never seen. An example is done when the model is sure: further steps might leave an answer that was right
set -- "$work"/run/checkpoints/step_*
checkpoint=$1
echo 'evaluating on the 2000 test puzzles'
"$sudoku" evaluate --data "$work/data" --checkpoint "$checkpoint" --confidence 0.99 --output "$work/run/evaluation" --quiet >>"$log"
percent() { # KEY: a rate of the evaluation
  sed -n "s/^ *\"$1\": \([0-9.e-]*\),*$/\1/p" "$work/run/evaluation/metrics.json" | awk '{ printf "%.1f %%", 100 * $1 }'
}
puzzle=$(sed -n '2s/^[^,]*,\([^,]*\),.*/\1/p' "$work/data/test.csv")
echo
echo "One of them, step by step ($sudoku solve \"$puzzle\"):"
"$sudoku" solve --checkpoint "$checkpoint" "$puzzle" || true
echo "unseen puzzles solved: $(percent sudoku.solved)"
echo "  naked singles alone solve:  $(percent 'sudoku.solvable by naked singles')"
echo "  solved beyond those:        $(percent 'sudoku.solved beyond naked singles')"
echo "The training, drawn: $work/run/report.html"
