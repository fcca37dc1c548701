#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What may change when a run is gone on with, which checkpoints are kept, early stopping, beginning from weights, losses that are not
# finite.
# Usage: trm_toy.options.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"

train=(train --data 1 --preset rows --steps 40 --log-every 5 --threads 1)
cadence=(--checkpoint-every 10 --eval-every 15)
succeeds "reference" "${train[@]}" "${cadence[@]}" --run reference
# The run as it was at step 20.
again() {
  rm -rf run
  cp -r reference run
  rm -r run/checkpoints/step_30 run/checkpoints/step_40
}
# kept RUN STEP...: the checkpoints that there are
kept() {
  local run=$1 found
  shift
  found=$(find "$run/checkpoints" -mindepth 1 -maxdepth 1 | sed 's/.*step_//' | sort -n | tr '\n' ' ')
  [ "$found" = "$* " ] || fail "$run: kept the checkpoints $found, not $*"
}

# --- going on
again
succeeds "--resume alone" train --run run --resume --threads 2
contains err.txt '^going on with run after step 20$'
contains err.txt '^done after 40 steps'
same_run reference run "--resume alone"
again
succeeds "no --resume" "${train[@]}" "${cadence[@]}" --run run
same_run reference run "the same options again"
cp -r run before
succeeds "a run that is done" train --run run --resume
contains err.txt '40 steps'
same_run before run "a run that is done"
cmp -s before/metrics.jsonl run/metrics.jsonl || fail "a run that is done: its metrics were written again"
again
mv run elsewhere
succeeds "in another place" train --run elsewhere --resume --quiet
same_run reference elsewhere "in another place"
cp elsewhere/config.toml here.toml
refuses 1 'nowhere: holds no run to go on with' "${train[@]}" --run nowhere --resume
[ -e nowhere ] && fail "--resume: made nowhere"
mkdir empty
refuses 1 'empty: holds no run to go on with' "${train[@]}" --run empty --resume

# --- what may not change: both values are named
# changed NAME BEFORE NOW
changed() {
  local values="run/.*$1 '?$2'?, not '?$3'?"
  again
  case $1 in
    preset | steps) ;;
    *) refuses 1 "$values" "${train[@]}" "${cadence[@]}" --run run "--$1" "$3" ;;
  esac
  refuses 1 "$values" train --run run --resume "--$1" "$3"
  kept run 10 20
  cmp -s reference/metrics.jsonl run/metrics.jsonl || fail "--$1: metrics changed"
  cmp -s reference/config.toml run/config.toml || fail "--$1: the configuration changed"
}
changed lr 0.01 0.5
changed batch 8 16
changed micro-batch 0 4
changed ema 0 0.5
changed seed 0 7
changed optimizer adam_atan2 adamw
changed max-steps 5 4
changed exploration 0.3 0.25
changed warmup 10 11
changed weight-decay 0.1 0.2
changed puzzle-lr 0.01 0.02
changed steps 40 80
changed preset rows bf16
changed preset rows plain
again
TRM_SEED=9 refuses 1 'run/.*seed 0, not 9' train --run run --resume
refuses 1 'data 2.*fingerprint' train --run run --resume --data 2

# --- what may change
again
succeeds "other cadences" train --run run --resume --threads 2 --checkpoint-every 7 --eval-every 9 --log-every 3 --keep 2 --quiet
same_state reference/checkpoints/step_40 run/checkpoints/step_40 "other cadences" 2>same.txt
kept run 35 40
# Without a schedule that depends on the end, a run may become longer.
constant=(train --data 1 --preset rows --min-ratio 1 --checkpoint-every 10 --log-every 5 --quiet)
succeeds "long" "${constant[@]}" --steps 40 --run long
succeeds "short" "${constant[@]}" --steps 20 --run longer
succeeds "longer" "${constant[@]}" --steps 40 --run longer
same_run long longer "a run made longer"
refuses 1 'done 40 steps' "${constant[@]}" --steps 30 --run longer

# One process at a time.
"$program" "${constant[@]}" --steps 100000 --run busy --keep 1 2>busy.txt &
process=$!
waits_for 60 has_checkpoint busy || fail "no checkpoint to be busy with: $(cat busy.txt)"
refuses 1 'busy: another process' "${constant[@]}" --steps 100000 --run busy --keep 1
kill -TERM $process
ends $process
[ $status -eq 0 ] || fail "a run that another process wanted: exit status $status"

# --- retention
retained() {
  local run=$1
  shift
  succeeds "$run" "${train[@]}" --run "$run" --quiet "$@"
}
retained two --checkpoint-every 4 --keep 2 && kept two 36 40
retained every --checkpoint-every 4 --keep 1 --keep-every 12 && kept every 12 24 36 40
retained all --checkpoint-every 8 && kept all 8 16 24 32 40
retained end && kept end 40
# best_of RUN ORDER: the first step with the best lm_loss of the test split
best_of() { grep '"split"' "$1/metrics.jsonl" | sed -E 's/.*"lm_loss":([^,}]*).*"step":([0-9]+).*/\1 \2/' | sort -g -s -k 1,1 | head -n 1 | cut -d ' ' -f 2; }
retained best --eval-every 4 --checkpoint-every 40 --keep 1 --keep-best test/all/lm_loss --lr 0.3
best=$(best_of best)
if [ "$best" = 40 ]; then fail "keep-best: the last evaluation is the best, which shows nothing"; else kept best "$best" 40; fi
contains "best/checkpoints/step_$best/checkpoint.json" '"test/all/lm_loss": [0-9.]+'
refuses 1 'no metric "test/all/nothing"|test/all/nothing' "${train[@]}" --run x --eval-every 4 --keep-best test/all/nothing --quiet
rm -rf x
refuses 2 'keep-best.*eval-every' "${train[@]}" --run x --keep-best test/all/lm_loss
refuses 2 'stop-after.*keep-best' "${train[@]}" --run x --stop-after 2
[ -e x ] && fail "a refused run left x"

# --- early stopping: weights that do not change get no better
still=(train --data 1 --preset rows --lr 0 --puzzle-lr 0 --steps 40 --eval-every 5 --keep-best test/all/lm_loss --stop-after 2)
succeeds "early stopping" "${still[@]}" --run still
contains err.txt '^stopped early after 15 steps'
kept still 5 15
succeeds "stopped early, again" train --run still --resume
kept still 5 15
[ "$(grep -c '"split"' still/metrics.jsonl)" -eq 3 ] || fail "stopped early, again: evaluated again"
succeeds "stopped early, gone on with" train --run still --resume --stop-after 0
contains err.txt '^done after 40 steps'

# --- beginning from weights
from=(train --data 1 --preset rows --steps 40 --log-every 5 --eval-every 10 --checkpoint-every 10)
succeeds "init-from" "${from[@]}" --run from --init-from reference/checkpoints/step_20 --start-step 20 --quiet
kept from 30 40
[ "$(head -n 1 from/metrics.jsonl | grep -o '"step":[0-9]*')" = '"step":25' ] || fail "init-from: $(head -n 1 from/metrics.jsonl)"
cp -r from once
rm -r once/checkpoints/step_*
succeeds "init-from, killed before its first checkpoint" train --run once --resume --quiet
same_run from once "init-from, killed before its first checkpoint"
succeeds "init-from, nothing learned" "${from[@]}" --run same --init-from reference/checkpoints/step_20 --lr 0 --puzzle-lr 0 --quiet
kept same 10 20 30 40
for file in weights puzzle_table; do
  tail -c 3000 reference/checkpoints/step_20/$file.safetensors >before.bin
  tail -c 3000 same/checkpoints/step_10/$file.safetensors >after.bin
  same before.bin after.bin "init-from: other $file"
done
refuses 1 'nothing.*(no such|No such|cannot open)' "${from[@]}" --run x --init-from nothing
refuses 1 'reference/checkpoints/step_20' train --data 1 --preset plain --run x --init-from reference/checkpoints/step_20
cp -r reference/checkpoints/step_20 altered
printf '\001\002\003' | dd of=altered/weights.safetensors bs=1 seek=9000 conv=notrunc 2>dd.txt
refuses 1 'altered' "${from[@]}" --run x --init-from altered
refuses 2 'start-step.*init-from' "${from[@]}" --run x --start-step 3
refuses 1 'start-step.* 50 .*40' "${from[@]}" --run x --init-from reference/checkpoints/step_20 --start-step 50
[ -e x ] && fail "a refused run left x: $(find x)"

# --- losses that are not finite
# diverges PRESET ARGUMENT...: one line that names step and layer; the state before the step is kept
diverges() {
  local run=nan-$1 preset=$1 step
  shift
  refuses 1 "$run: step [0-9]+: the (loss|gradient) is not finite.*layers\.0\..* is -?(nan|inf)" \
    train --data 1 --preset "$preset" --run "$run" --steps 60 --checkpoint-every 3 --log-every 1 --quiet "$@"
  step=$(newest_step "$run")
  contains err.txt "checkpoints/step_$step[; ]"
  contains err.txt "step $((step + 1)):"
  is_json "$run/metrics.jsonl"
  lacks "$run/metrics.jsonl" '(nan|inf|null)'
  nothing_half_made "$run" "$*"
  cp -r "$run" "$run-before"
  refuses 1 "$run: step $((step + 1)): .*layers\.0\." train --run "$run" --resume --threads 2
  same_run "$run-before" "$run" "$*, again"
}
diverges plain --lr 1e30 --warmup 3
diverges continue --lr 1e17 --ema 0.5
diverges rows --puzzle-lr 1e38 --min-ratio 1
diverges bf16 --lr 1e37 --optimizer adamw

passed_or_not
