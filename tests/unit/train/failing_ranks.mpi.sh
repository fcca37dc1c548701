# SPDX-License-Identifier: MIT
# usage: failing_ranks.mpi.sh PROGRAM MPIRUN. One of three processes fails: all end within seconds, and it is named.
set -u
program=$1 mpirun=$2 failed=0

# ends FAILURE SECONDS PATTERN: mpirun ends by itself, not with 0, and what is said has the pattern in it.
ends() {
  said=$(TRM_TEST_FAILURE=$1 timeout "$2" "$mpirun" -n 3 "$program" 2>&1)
  code=$?
  if [ $code = 0 ] || [ $code = 124 ] || ! printf '%s' "$said" | grep -Eq "$3"; then
    printf '%s: exit code %s, wanted: %s\n%s\n' "$1" "$code" "$3" "$said"
    failed=1
  fi
}
ends thrown 60 'rank 2 of 3: data/train/inputs.npy: cannot be read'
ends unwound 60 'rank 2 of 3: left by an exception'
ends killed 60 'process rank 2 .*signal 9'
ends stopped 60 'rank [01] of 3: MPI: no message of rank 2 in 2 s'
exit $failed
