#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Training on an emulated device: a step asked for before the report of the last is read leaves what steps leave that are waited for,
# also when it is stopped, killed, not finite, ended early, and in two processes.
# Usage: trm_toy.device.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"
export EMULATED_GPUS=1

train=(train --data 1 --preset emulated --eval-batches 1 --threads 1)
run=("${train[@]}" --steps 14 --eval-every 6 --checkpoint-every 5 --log-every 4 --ema 0.9 --clip-norm 0.5)

# --- which device
EMULATED_GPUS=0 refuses 1 '^trm-toy: --device cuda: there is no GPU here' "${run[@]}" --device cuda --run never
EMULATED_GPUS=0 refuses 1 'there is no preset "emulated" for --device cpu: bf16, ' "${run[@]}" --run never
refuses 1 'there is no preset "emulated" for --device cpu: bf16, ' "${run[@]}" --device cpu --run never
refuses 1 'there is no preset "plain" for --device cuda: emulated' train --data 1 --preset plain --run never
EMULATED_GPUS=0 succeeds "options for elsewhere" train --data 1 --preset plain --run never --device cuda --print-config
contains out.txt '^device = "cuda"'

# --- the same bits
# waited ARGUMENT...: every step is waited for
waited() { EMULATED_GPUS_WAIT=1 succeeds waited "$@"; }
waited "${run[@]}" --run waited --quiet
begin=$(milliseconds)
succeeds "ahead" "${run[@]}" --device cuda --run ahead --quiet
duration=$(($(milliseconds) - begin))
same_run waited ahead "ahead"
[ "$(grep -c '"train/lr"' ahead/metrics.jsonl)" -eq 4 ] || fail "ahead: $(grep -c '"train/lr"' ahead/metrics.jsonl) lines of steps, not 4"

# --- killed and stopped, gone on with
for signal in KILL TERM; do
  for part in 2 3; do
    [ -e $signal ] || signalled $signal $((duration / part)) "${run[@]}" --run $signal
    [ -e $signal ] && break
  done
  if [ $signal = TERM ] && grep -q '^stopped after' err.txt; then
    step=$(sed -n 's/^stopped after \([0-9]*\) steps.*/\1/p' err.txt)
    [ "$(newest_step TERM)" -eq "$step" ] || fail "TERM: stopped at $step, but there is $(newest_step TERM)"
  fi
  succeeds "$signal, gone on with" "${run[@]}" --run $signal --quiet
  same_metrics waited $signal "$signal"
  same_files waited/checkpoints/step_14 $signal/checkpoints/step_14 "$signal"
  nothing_half_made $signal "$signal"
done

# --- the report that comes late is of a step that is not finite, or of the last before an early stop
bad=("${train[@]}" --steps 20 --lr 1e30 --warmup 3 --log-every 1 --checkpoint-every 100 --quiet)
for way in waited ahead; do
  if [ $way = waited ]; then export EMULATED_GPUS_WAIT=1; else unset EMULATED_GPUS_WAIT; fi
  refuses 1 'bad: step [0-9]+: the (loss|gradient) is not finite' "${bad[@]}" --run bad
  mv bad "$way-bad"
  mv err.txt "$way-bad.txt"
done
same waited-bad.txt ahead-bad.txt "not finite"
same_run waited-bad ahead-bad "not finite"
stop=("${train[@]}" --steps 20 --lr 0 --puzzle-lr 0 --eval-every 3 --keep-best test/all/lm_loss --stop-after 2 --quiet)
waited "${stop[@]}" --run waited-stop
succeeds "early stop" "${stop[@]}" --run ahead-stop
same_run waited-stop ahead-stop "early stop"
[ "$(newest_step ahead-stop)" -eq 9 ] || fail "early stop: at step $(newest_step ahead-stop), not 9"

# --- two processes: what each device has goes through the host
waited "${run[@]}" --gradient-parts 2 --run alone --quiet
export MASTER_ADDR=localhost MASTER_PORT=$((20000 + RANDOM % 10000)) WORLD_SIZE=2 LOCAL_WORLD_SIZE=2
RANK=1 LOCAL_RANK=1 timeout 120 "$program" "${run[@]}" --run two --quiet 2>err.1.txt &
RANK=0 LOCAL_RANK=0 succeeds "two processes" "${run[@]}" --run two --quiet
wait $! || fail "two processes, the second: $(tail -n 1 err.1.txt)"
same_run alone two "two processes"
passed_or_not
