#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several processes make the run of one: the same bits in checkpoints, metrics and evaluations; stopped, killed, disagreeing.
# Usage: trm_toy.processes.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export ASAN_OPTIONS=detect_leaks=0  # Open MPI's

# --- over TCP, as torchrun starts them
# torchrun N ARGUMENT...: by N processes with the variables of torchrun; $status is that of the first, $statuses of all
torchrun() {
  local n=$1 rank pids=() port=$((20000 + RANDOM % 10000))
  shift
  for ((rank = n - 1; rank >= 0; --rank)); do
    MASTER_ADDR=localhost MASTER_PORT=$port WORLD_SIZE=$n RANK=$rank LOCAL_WORLD_SIZE=$n LOCAL_RANK=$rank \
      timeout 120 "$program" "$@" >"out.$rank.txt" 2>"err.$rank.txt" </dev/null &
    pids+=($!)
  done
  statuses=
  for rank in "${pids[@]}"; do
    wait "$rank"
    status=$?
    statuses+="$status "
  done
}
WORLD_SIZE=2 RANK=1 "$program" train --data 1 --run never 2>err.txt && fail "processes without a place to meet"
contains err.txt '^trm-toy: meeting of 2 processes: the launcher does not say where: set MASTER_ADDR'
RANK=x "$program" train --data 1 --run never 2>err.txt && fail "a rank that is no number"
contains err.txt '^trm-toy: environment variable WORLD_SIZE: is not set, but RANK is'
few=(train --data 1 --preset rows --steps 20 --eval-every 10 --log-every 5 --threads 1 --quiet)
succeeds "over TCP, alone" "${few[@]}" --gradient-parts 2 --run alone
torchrun 2 "${few[@]}" --run several
[ "$statuses" = "0 0 " ] || fail "over TCP: $statuses: $(tail -n 1 err.0.txt) $(tail -n 1 err.1.txt)"
same_run alone several "over TCP"
[ -s err.1.txt ] && fail "over TCP, what the second says: $(cat err.1.txt)"
torchrun 2 "${few[@]}" --run /proc/never
[ "$statuses" = "1 1 " ] || fail "over TCP, a folder that cannot be made: $statuses"
contains err.0.txt '^(rank 0 of 2: )?trm-toy: .*cannot make the folder'

PMI_SIZE=2 PMI_RANK=1 "$program" train --data 1 --run never >out.txt 2>err.txt
if grep -q 'built without MPI' err.txt; then
  contains err.txt 'by which the 2 processes of PMI meet: build it where MPI is'
  echo "MESSAGE: SKIPPED, processes that talk by MPI: the program was built without it"
  passed_or_not
  exit 0
fi
contains err.txt '^trm-toy: MPI: found 1 process, but PMI has started 2'
if ! command -v mpirun >/dev/null; then
  echo "MESSAGE: SKIPPED, several processes: mpirun is not here"
  passed_or_not
  exit 0
fi

# together N ARGUMENT...: by N processes; $status is mpirun's. Two minutes are a hang.
together() {
  local n=$1
  shift
  timeout 120 mpirun -n "$n" "$program" "$@" >out.txt 2>err.txt </dev/null
  status=$?
  [ $status -ne 124 ] || fail "$n processes, $*: hang"
}
# one_line PATTERN WHAT: the program, and not only mpirun, has said why, once
one_line() {
  [ "$status" -ne 0 ] || fail "$2: succeeded"
  [ "$(grep -c 'trm-toy: ' err.txt)" -eq 1 ] || fail "$2: not one error: $(cat err.txt)"
  grep 'trm-toy: ' err.txt | grep -Eq -- "$1" || fail "$2: \"$(grep 'trm-toy: ' err.txt)\" does not match \"$1\""
}

# --- the same bits
cadence=(--steps 40 --eval-every 15 --checkpoint-every 10 --log-every 5 --threads 1 --quiet)
for case in "2 rows --ema 0.9 --clip-norm 0.5" "4 rows" "2 continue" "2 bf16 --micro-batch 2"; do
  read -r n preset more <<<"$case"
  # shellcheck disable=SC2086
  run=(train --data 1 --preset "$preset" "${cadence[@]}" $more)
  rm -rf alone several
  succeeds "$case, alone" "${run[@]}" --gradient-parts "$n" --run alone
  together "$n" "${run[@]}" --run several
  [ $status -eq 0 ] || fail "$case: $(tail -n 3 err.txt)"
  same_run alone several "$case"
done

# --- stopped and killed, gone on with
run=(train --data 1 --preset rows --ema 0.9 --steps 1000 --checkpoint-every 500 --eval-every 400 --threads 1 --quiet)
rm -rf alone
succeeds "reference" "${run[@]}" --gradient-parts 2 --run alone
# to_second SIGNAL RUN: to the second process, once something has been measured
to_second() {
  # shellcheck disable=SC2016
  timeout 240 mpirun -n 2 bash -c 'echo $$ >"process.$OMPI_COMM_WORLD_RANK" && exec "$@"' - "$program" "${run[@]}" --run "$2" \
    >out.txt 2>err.txt </dev/null &
  local launcher=$!
  waits_for 120 test -s "$2/metrics.jsonl" || fail "$2: no step: $(cat err.txt)"
  kill "-$1" "$(cat process.1)"
  ends $launcher
}
to_second TERM stopped
[ $status -eq 0 ] || fail "SIGTERM: exit status $status: $(tail -n 3 err.txt)"
contains err.txt '^to go on: trm-toy train --run stopped --resume'
nothing_half_made stopped "SIGTERM"
together 2 train --run stopped --resume
[ $status -eq 0 ] || fail "SIGTERM, resumed: $(tail -n 3 err.txt)"
same_state alone/checkpoints/step_1000 stopped/checkpoints/step_1000 "SIGTERM, resumed"
same_metrics alone stopped "SIGTERM, resumed"

to_second KILL killed
[ $status -ne 0 ] || fail "SIGKILL: exit status 0"
contains err.txt 'process rank 1 .*signal 9'
# One process goes on with what two have begun.
succeeds "SIGKILL, gone on with alone" "${run[@]}" --gradient-parts 2 --run killed
same_state alone/checkpoints/step_1000 killed/checkpoints/step_1000 "SIGKILL, resumed"
same_metrics alone killed "SIGKILL, resumed"

# --- refused
together 4 train --run killed --resume
one_line 'gradient_parts: is 2, so start as many processes, or one; not 4' "another number of processes"
together 3 "${run[@]}" --run never
one_line 'the batch of 8 must be a multiple of the number of processes, 3' "a batch that cannot be divided"
together 2 train --data 1 --run never --preset none
one_line 'trm-toy: --preset: there is no preset' "what all find wrong"
together 2 init --output never --tokens 8
one_line 'works in one process, and was started as 2' "another command"
together 2 "${run[@]}" --run /proc/never
one_line 'cannot make the folder' "what the first process finds wrong"
# disagree PATTERN OPTION VALUE: the second of two processes is given it
disagree() {
  timeout 60 mpirun -n 1 "$program" "${run[@]}" --run never : -n 1 "$program" "${run[@]}" --run never "$2" "$3" >out.txt 2>err.txt
  status=$?
  [ $status -ne 124 ] || fail "$2: hang"
  one_line "$1" "$2"
}
run=(train --data 1 --preset rows --steps 40 --threads 1 --quiet)
disagree 'trm-toy: --seed: 0 on rank 0, 1 on rank 1: all processes must have the same' --seed 1
timeout 60 mpirun -n 1 "$program" "${run[@]}" --run never : -n 1 "$program" train --data 2 "${run[@]:3}" --run never >out.txt 2>err.txt
status=$?
one_line 'trm-toy: dataset: [0-9a-f]* on rank 0, [0-9a-f]* on rank 1: all processes must have the same' "another dataset"
timeout 60 mpirun -n 1 "$program" "${run[@]}" --run never : -n 1 "$program" train --data x "${run[@]:3}" --run never >out.txt 2>err.txt
status=$?
one_line 'trm-toy: rank 1: x: not a number' "what one process finds wrong"
[ -e never ] && fail "something that was refused left a folder"

# --- evaluated together
evaluate=(evaluate --data 1 --checkpoint alone/checkpoints/step_1000 --quiet --save preds,q_halt_logits)
succeeds "evaluate, alone" "${evaluate[@]}" --batch 12 --output one
for n in 2 3; do
  together $n "${evaluate[@]}" --batch 12 --output "of_$n"
  [ $status -eq 0 ] || fail "evaluate by $n processes: $(tail -n 3 err.txt)"
  timeless one/metrics.json >timeless.1
  timeless "of_$n/metrics.json" >timeless.2
  cmp -s timeless.1 timeless.2 || fail "evaluate by $n processes: $(diff timeless.1 timeless.2)"
  cmp -s one/outputs.safetensors "of_$n/outputs.safetensors" || fail "evaluate by $n processes: other outputs"
done
together 2 "${evaluate[@]}" --output never --batch 9
one_line '9 is no multiple of the number of processes, 2' "a batch that cannot be divided"
passed_or_not
