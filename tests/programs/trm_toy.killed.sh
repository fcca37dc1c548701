#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Training that is killed at random moments and gone on with until it is done ends with the bits of training that was never stopped:
# checkpoints, and metrics but for clocks.
# Usage: trm_toy.killed.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"

least_kills=11 # of each variant
all_kills=0 restarts=0

# variant NAME ARGUMENT...
variant() {
  local name=$1 begin duration kills=0 chain=0
  shift
  local train=(train --data 1 --steps 150 --checkpoint-every 8 --eval-every 12 --log-every 5 --keep 3 --keep-every 40
    --keep-best test/all/lm_loss "$@")
  begin=$(milliseconds)
  succeeds "$name" "${train[@]}" --run "$name" --threads 1 --quiet || return
  duration=$(($(milliseconds) - begin))
  [ -s err.txt ] && fail "$name --quiet: $(cat err.txt)"
  while [ $kills -lt $least_kills ] || [ $chain -lt 2 ]; do
    chain=$((chain + 1))
    # In parts as long as the whole, a half, a third of it; longer ones where the machine has become too slow for these.
    local longest=$((duration / (1 + chain % 3) + 1)) attempts=0
    while :; do
      attempts=$((attempts + 1))
      [ $((attempts % 20)) -ne 0 ] || longest=$((2 * longest))
      if [ $attempts -gt 200 ]; then
        fail "$name: killed 200 times, it has come to step $(newest_step killed)"
        break
      fi
      below $longest
      signalled KILL "$drawn" "${train[@]}" --run killed --threads $((1 + RANDOM % 2))
      restarts=$((restarts + 1))
      [ $status -eq 137 ] && kills=$((kills + 1)) && continue
      [ $status -eq 0 ] || fail "$name, killed after $drawn ms: exit status $status: $(tail -n 3 err.txt)"
      break
    done
    same_run "$name" killed "$name, killed and gone on with"
    rm -rf killed
    [ "$failures" -gt 0 ] && return
  done
  all_kills=$((all_kills + kills))
  echo "$name: $duration ms, killed $kills times in $chain runs"
}

# A learning rate that depends on the end, samples at different steps, rows: what a step depends on.
variant plain --preset plain
variant ema --preset plain --ema 0.95 --exploration 0.5 --micro-batch 4 --clip-norm 1
variant continue --preset continue --optimizer adamw
variant rows --preset rows --puzzle-lr 1e-2
variant bf16 --preset bf16 --puzzle-lr 1e-2 --ema 0.9 --weight-decay 1

[ "$failures" -gt 0 ] || [ $all_kills -ge 50 ] || fail "killed $all_kills times only"
echo "killed $all_kills times"

# --- asked to stop: SIGTERM and SIGINT end the step, save and say how to go on
# stopped SIGNAL NAME ARGUMENT...
stopped() {
  local signal=$1 name=$2 begin duration asked=0 attempts=0 step
  shift 2
  local train=(train --data 1 --steps 150 --checkpoint-every 30 --eval-every 25 --log-every 5 "$@")
  begin=$(milliseconds)
  succeeds "$name" "${train[@]}" --run "$name" --threads 1 || return
  duration=$(($(milliseconds) - begin))
  while [ $asked -lt 4 ]; do
    attempts=$((attempts + 1))
    if [ $attempts -gt 200 ]; then
      fail "$name: stopped $asked times by 200 times $signal"
      return
    fi
    below $((duration / 2 * (1 + attempts / 40)))
    signalled "$signal" "$drawn" "${train[@]}" --run stopped --threads $((1 + RANDOM % 2))
    # Before it says its first word a program may simply end.
    [ $status -gt 128 ] && [ ! -s err.txt ] && continue
    [ $status -eq 0 ] || fail "$name, $signal after $drawn ms: exit status $status: $(tail -n 3 err.txt)"
    [ "$failures" -gt 0 ] && return
    if ! grep -q '^stopped after' err.txt; then
      same_files "$name/checkpoints/step_150" stopped/checkpoints/step_150 "$name, $signal"
      same_metrics "$name" stopped "$name, $signal"
      nothing_half_made stopped "$name, $signal"
      rm -rf stopped
      continue
    fi
    asked=$((asked + 1))
    step=$(sed -n 's/^stopped after \([0-9]*\) steps.*/\1/p' err.txt)
    [ -f "stopped/checkpoints/step_$step/checkpoint.json" ] || fail "$name, $signal: no checkpoint of step $step, where it stopped"
    [ "$(newest_step stopped)" -eq "$step" ] || fail "$name, $signal: stopped at $step, but there is $(newest_step stopped)"
    contains err.txt 'trm-toy train --run stopped --resume'
  done
  succeeds "$name, resumed" "${train[@]}" --run stopped --resume
  same_files "$name/checkpoints/step_150" stopped/checkpoints/step_150 "$name, $signal"
  same_metrics "$name" stopped "$name, $signal"
  nothing_half_made stopped "$name, $signal"
  rm -rf stopped
  echo "$signal: stopped $asked times"
}
stopped TERM stopped-rows --preset bf16 --ema 0.9
stopped INT stopped-continue --preset continue

# Nearly all the time goes to evaluations, and the first is the best, as nothing is learned: one that was stopped is made when the run
# goes on, and counts.
best=(train --data 1 --preset rows --batch 1 --lr 0 --puzzle-lr 0 --steps 15 --eval-every 5 --checkpoint-every 4 --keep 1
  --keep-best test/all/lm_loss)
begin=$(milliseconds)
succeeds "best" "${best[@]}" --run best --threads 1 --quiet
duration=$(($(milliseconds) - begin)) asked=0
for _ in 1 2 3 4 5; do
  rm -rf stopped
  for attempts in $(seq 100); do
    below $((duration * 2 / 3 * (1 + attempts / 20)))
    signalled TERM "$drawn" "${best[@]}" --run stopped --threads 1
    [ $status -gt 128 ] && [ ! -s err.txt ] && continue
    grep -q '^stopped after' err.txt || break
    asked=$((asked + 1))
  done
  [ $status -eq 0 ] || fail "evaluations, stopped: exit status $status: $(tail -n 3 err.txt)"
  (cd best/checkpoints && ls) >kept.1
  (cd stopped/checkpoints && ls) >kept.2
  cmp -s kept.1 kept.2 || fail "evaluations, stopped: kept $(tr '\n' ' ' <kept.2) and not $(tr '\n' ' ' <kept.1)"
  same_metrics best stopped "evaluations, stopped"
done
[ $asked -gt 3 ] || fail "evaluations: stopped $asked times only"
echo "evaluations: stopped $asked times"

passed_or_not
