#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Votes that are pooled over the evaluations of a run survive its interruption: the metrics are those of a run that was never stopped.
# Usage: trm_arc.votes.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"
. "$support/toy_arc.sh"

toy_dataset data
train=(train --data data --preset small --batch 4 --max-steps 2 --lr 1e-3 --warmup 2 --steps 7 --eval-every 2 --log-every 1
  --checkpoint-every 3 --quiet)
succeeds "train" "${train[@]}" --run whole
contains whole/checkpoints/step_3/checkpoint.json '"votes.safetensors"'
contains whole/metrics.jsonl '"rounds":4.*"voting":"pooled"'
# as_if_killed STEP: a run that has come to a checkpoint, and not to the next
as_if_killed() {
  rm -rf resumed && cp -r whole resumed
  local later
  for later in resumed/checkpoints/step_*; do
    [ "${later##*_}" -gt "$1" ] && rm -r "$later"
  done
}
for step in 3 6; do
  as_if_killed $step
  succeeds "go on after step $step" "${train[@]}" --run resumed --resume
  same_run whole resumed "gone on after step $step"
done

# votes that were altered make a checkpoint a damaged one: the one before it is used
as_if_killed 6
printf '\x55' | dd of=resumed/checkpoints/step_6/votes.safetensors bs=1 seek=1500 conv=notrunc status=none
succeeds "go on, votes altered" "${train[@]}" --run resumed --resume
contains err.txt 'step_6/votes.safetensors: damaged checkpoint'
same_metrics whole resumed "votes altered"

# what is shown of them is another question
succeeds "train, votes of each round" "${train[@]}" --voting per-round --run rounds
same whole/checkpoints/step_6/votes.safetensors rounds/checkpoints/step_6/votes.safetensors "votes depend on what is shown of them"

# stopped in the middle of an evaluation, whose votes then do not count
many=(train --data many --preset small --batch 4 --max-steps 4 --lr 1e-3 --warmup 2 --steps 2 --eval-every 1 --log-every 1)
toy_dataset many 10
succeeds "train with long evaluations" "${many[@]}" --run long --quiet
"$program" "${many[@]}" --run stopped >out.txt 2>err.txt </dev/null &
trainer=$!
# The line of the second step is written right before the evaluation of that step.
waits_for 120 grep -qs '"step":2' stopped/metrics.jsonl || fail "no second step: $(cat err.txt)"
{ kill -INT $trainer; ends $trainer; } 2>wait.txt
[ $status -eq 0 ] || fail "stopped in an evaluation: exit status $status: $(cat err.txt)"
grep -q '"evaluation_due": true' stopped/checkpoints/step_*/checkpoint.json || echo "note: the run ended before it was stopped"
succeeds "go on after it" "${many[@]}" --run stopped --resume --quiet
same_metrics long stopped "stopped in an evaluation"

passed_or_not
