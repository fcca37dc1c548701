#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Several processes count the votes of one: the same checkpoints, scores and submission.
# Usage: trm_arc.processes.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"
. "$support/toy_arc.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export ASAN_OPTIONS=detect_leaks=0  # Open MPI's

WORLD_SIZE=2 RANK=1 "$program" train --data none --run never >out.txt 2>err.txt
if grep -q 'built without MPI' err.txt || ! command -v mpirun >/dev/null; then
  echo "MESSAGE: SKIPPED, several processes: mpirun is not here, or the program was built without MPI"
  passed_or_not
  exit 0
fi
together() {
  timeout 300 mpirun -n 2 "$program" "$@" >out.txt 2>err.txt </dev/null || fail "2 processes, $*: $(tail -n 3 err.txt)"
}

toy_dataset data
train=(train --data data --preset small --batch 4 --max-steps 2 --lr 1e-3 --warmup 2 --steps 4 --eval-every 2 --log-every 1
  --checkpoint-every 2 --quiet --threads 1)
succeeds "train alone" "${train[@]}" --gradient-parts 2 --run alone
together "${train[@]}" --run several
same_run alone several "trained by 2 processes"
contains several/checkpoints/step_4/checkpoint.json '"votes.safetensors"'

evaluate=(evaluate --data data --checkpoint alone/checkpoints/step_4 --batch 8 --max-steps 2 --quiet --threads 1)
succeeds "evaluate alone" "${evaluate[@]}" --output one
together "${evaluate[@]}" --output two
same one/submission.json two/submission.json "the submission of 2 processes"
timeless one/metrics.json >timeless.1
timeless two/metrics.json >timeless.2
same timeless.1 timeless.2 "the scores of 2 processes"
passed_or_not
