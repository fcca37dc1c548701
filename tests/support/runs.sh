# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For tests of runs of trm-toy (tests/programs/trm_toy.*.sh), after program.sh: training that is killed, damaged and gone on with, and
# what two runs have in common. Random moments are drawn from TRM_TEST_SEED, or a seed that is printed.

RANDOM=${TRM_TEST_SEED:-$((${EPOCHREALTIME//[^0-9]/} % 32768))}
test_seed=$RANDOM
RANDOM=$test_seed
echo "TRM_TEST_SEED=$test_seed repeats the random moments"

# milliseconds: since some time
milliseconds() {
  local now=${EPOCHREALTIME//[^0-9]/}
  echo $((now / 1000))
}
# below N: $drawn is uniform in 0 ... N - 1, for N up to 2^30
below() { drawn=$(((RANDOM * 32768 + RANDOM) % $1)); }

# signalled SIGNAL MILLISECONDS ARGUMENT...: runs the program and sends it the signal after that time; $status is its exit status
signalled() {
  local signal=$1 after=$2 process
  shift 2
  "$program" "$@" >out.txt 2>err.txt </dev/null &
  process=$!
  sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
  # Bash itself tells of killed children on its standard error.
  {
    kill "-$signal" $process
    if [ "$signal" = KILL ]; then
      wait $process
      status=$?
    else
      ends $process
    fi
  } 2>wait.txt
}

# Lines of metrics.jsonl or a manifest without what depends on clock and machine: of a manifest also its own digest.
timeless() {
  sed -E '/^  "sha256": /d; s/"(time|seconds|steps_per_second|samples_per_second|memory\/[a-z_]+)": ?[-+.0-9eE]+,?//g' "$1"
}
# same_state A B WHAT: two checkpoints of one step, made by different processes
same_state() {
  local file
  for file in "$1"/*; do
    file=$(basename "$file")
    if [ "$file" = checkpoint.json ]; then
      timeless "$1/$file" >timeless.1
      timeless "$2/$file" >timeless.2
      cmp -s timeless.1 timeless.2 || fail "$3: manifests differ: $(diff timeless.1 timeless.2 | head -n 6)"
    else
      cmp -s "$1/$file" "$2/$file" || fail "$3: $1/$file and $2/$file differ"
    fi
  done
}
# same_files A B WHAT: the same without the manifests, as one lacks the numbers of an evaluation that was stopped
same_files() {
  local file
  for file in "$1"/*.safetensors; do
    cmp -s "$file" "$2/$(basename "$file")" || fail "$3: $file and $2/$(basename "$file") differ"
  done
}
# same_metrics A B WHAT: two runs measured the same
same_metrics() {
  timeless "$1/metrics.jsonl" >timeless.1
  timeless "$2/metrics.jsonl" >timeless.2
  cmp -s timeless.1 timeless.2 || fail "$3: metrics differ: $(diff timeless.1 timeless.2 | head -n 6)"
}
# same_run A B WHAT: two runs kept the same checkpoints, with the same bits, and measured the same; the second left nothing half made
same_run() {
  (cd "$1/checkpoints" && ls) >kept.1
  (cd "$2/checkpoints" && ls | grep -v damaged) >kept.2
  if ! cmp -s kept.1 kept.2; then
    fail "$3: checkpoints $(tr '\n' ' ' <kept.1) and $(tr '\n' ' ' <kept.2)"
    return
  fi
  local step
  while read -r step; do same_state "$1/checkpoints/$step" "$2/checkpoints/$step" "$3"; done <kept.1
  same_metrics "$1" "$2" "$3"
  nothing_half_made "$2" "$3"
}
nothing_half_made() {
  local left
  left=$(find "$1" -name '*.partial*')
  [ -z "$left" ] || fail "$2: left $left"
}
# one_error STATUS PATTERN WHAT: what the last program said at its end
one_error() {
  [ "$status" -eq "$1" ] || fail "$3: exit status $status instead of $1: $(tail -n 3 err.txt)"
  tail -n 1 err.txt | grep -Eq -- "$2" || fail "$3: \"$(tail -n 1 err.txt)\" does not match \"$2\""
  [ "$(grep -c '^trm-toy: ' err.txt)" -eq 1 ] || fail "$3: not one error: $(cat err.txt)"
}
newest_step() {
  find "$1/checkpoints" -maxdepth 1 -name 'step_*' | sed -n 's/.*step_\([0-9]*\)$/\1/p' | sort -n | tail -n 1
}
# has_checkpoint RUN: of any step; retention may already have taken the first ones away
has_checkpoint() { [ -n "$(newest_step "$1" 2>/dev/null)" ]; }
passed_or_not() {
  if [ "$failures" -gt 0 ]; then
    echo "$failures failed"
    exit 1
  fi
  echo "all passed"
}
