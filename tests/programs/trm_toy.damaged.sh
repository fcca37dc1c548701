#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Checkpoints that are torn, cut off, altered or incomplete are named, and the one before is gone on from, to the same bits; a full disk
# or a folder that is gone is one error, and the last good checkpoint stays good.
# Usage: trm_toy.damaged.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"

common=(train --data 1 --preset rows --ema 0.9 --checkpoint-every 10 --eval-every 15 --log-every 5 --threads 1)
train=("${common[@]}" --steps 40)
succeeds "reference" "${train[@]}" --run reference
files="checkpoint.json puzzle_table.safetensors training.safetensors weights.safetensors"
found=$(ls reference/checkpoints/step_30 | tr '\n' ' ')
[ "$found" = "$files " ] || fail "a checkpoint has the files $found"

# The run as it was at step 30.
again() {
  rm -rf run
  cp -r reference run
  rm -r run/checkpoints/step_40
}
# goes_on FROM WHAT: it does, from that step, to the same bits
goes_on() {
  succeeds "$2" "${train[@]}" --run run --resume || return
  contains err.txt "(going on with run after step $1|run is done: $1 steps)\$"
  for step in "$1" 40; do same_state reference/checkpoints/step_$step run/checkpoints/step_$step "$2"; done
  same_metrics reference run "$2"
  nothing_half_made run "$2"
}
# damaged FILE WHAT: step 30, of which FILE was damaged, is named and not used
damaged() {
  goes_on 20 "$2"
  grep -Eq "run/checkpoints/step_30.*${1//./\\.}" err.txt || fail "$2: not named: $(head -n 3 err.txt)"
  same_state reference/checkpoints/step_30 run/checkpoints/step_30 "$2, made anew"
}

again
goes_on 30 "nothing damaged"

for file in $files; do
  size=$(wc -c <reference/checkpoints/step_30/$file)
  # The last byte of a manifest is a line's end, which says nothing.
  for length in 0 7 $((size / 2)) $((size - 2)); do
    again
    truncate -s $length run/checkpoints/step_30/$file
    damaged $file "$file cut off at $length of $size bytes"
  done
  again
  printf '\0' >>run/checkpoints/step_30/$file
  damaged $file "$file with a byte more"
  again
  rm run/checkpoints/step_30/$file
  damaged $file "$file missing"
done
# flipped FILE OFFSET: another bit is set or cleared
flipped() {
  local file=run/checkpoints/step_30/$1 byte
  byte=$(od -An -tu1 -j "$2" -N 1 "$file")
  # shellcheck disable=SC2059
  printf "\\$(printf %o $((byte ^ (1 << RANDOM % 8))))" | dd of="$file" bs=1 seek="$2" conv=notrunc 2>dd.txt
}
for file in ${files#* }; do
  size=$(wc -c <reference/checkpoints/step_30/$file)
  for _ in 1 2 3; do
    again
    below "$size"
    flipped $file "$drawn"
    damaged $file "$file with a bit flipped at $drawn of $size"
  done
done
# In a manifest every number counts.
for name in step iteration position lm_loss bytes moments_since; do
  again
  offset=$(grep -Ebo -m 1 "\"$name\": [0-9]" run/checkpoints/step_30/checkpoint.json | head -n 1)
  if [ -z "$offset" ]; then
    fail "no $name in the manifest"
    continue
  fi
  # 0 to 1, 2 to 3
  at=$((${offset%%:*} + ${#name} + 4)) digit=${offset: -1}
  printf %d $((digit ^ 1)) | dd of=run/checkpoints/step_30/checkpoint.json bs=1 seek=$at conv=notrunc 2>dd.txt
  damaged "" "a manifest with another $name"
done
for text in '' '{}' 'null' '[1]' '{"format": "trm.checkpoint.1"}' '{"format": "trm.checkpoint.1", "step": 30, "files": {}}' \
  '{"format": "trm.checkpoint.9", "step": 30}' "$(printf '%2000s' '' | tr ' ' '[')"; do
  again
  printf %s "$text" >run/checkpoints/step_30/checkpoint.json
  damaged checkpoint.json "the manifest ${text:0:60}"
done
again
head -c 2000 /dev/urandom >run/checkpoints/step_30/checkpoint.json
damaged checkpoint.json "a manifest of noise"
again
mv run/checkpoints/step_30 run/checkpoints/step_35
succeeds "a checkpoint under another step's name" "${train[@]}" --run run --resume
contains err.txt 'run/checkpoints/step_35'
same_state reference/checkpoints/step_40 run/checkpoints/step_40 "a checkpoint under another step's name"

# What a process that was killed left lies about.
again
cp -r run/checkpoints/step_30 run/checkpoints/step_40.partial-1-0
rm run/checkpoints/step_40.partial-1-0/checkpoint.json
cp run/metrics.jsonl run/metrics.jsonl.partial-1-0
goes_on 30 "half a checkpoint beside"
for aside in file folder; do
  again
  if [ $aside = file ]; then echo x >run/checkpoints/step_40; else mkdir run/checkpoints/step_40; fi
  goes_on 30 "a $aside in the place of a checkpoint"
done
# The last line of the metrics was torn.
again
head -c -9 run/metrics.jsonl >torn
cp torn run/metrics.jsonl
goes_on 30 "torn metrics"

again
for step in run/checkpoints/step_*; do truncate -s 100 "$step/weights.safetensors"; done
"$program" "${train[@]}" --run run --resume >out.txt 2>err.txt
status=$?
one_error 1 'run/checkpoints: no checkpoint of the run is whole' "all damaged"
[ "$(find run/checkpoints -name weights.safetensors | wc -l)" -eq 3 ] || fail "all damaged: something was removed"
again
rm -r run/checkpoints/step_*
succeeds "no checkpoint yet" "${train[@]}" --run run --resume
same_run reference run "no checkpoint yet"

# --- no space: limits on the size of files as of a disk
# limited KIB: the run at step 30 goes on with so much space a file
limited() {
  again
  (ulimit -f "$1" && exec "$program" "${train[@]}" --run run --resume) >out.txt 2>err.txt </dev/null
  status=$?
}
size=$(du -k --apparent-size reference/checkpoints/step_40/training.safetensors | cut -f 1)
for kib in 1 $((size / 4)) $((size - 1)); do
  limited "$kib"
  one_error 1 'cannot write: File too large' "files of $kib KiB at most"
  nothing_half_made run/checkpoints "files of $kib KiB at most"
  goes_on "$(newest_step run)" "space again after $kib KiB"
done
# A disk that is full, where one may be made.
mkdir disk
on_disk='mount -t tmpfs -o size=$1k none disk && cp -r run disk/run && shift && { "$@"; status=$?; cp -r disk/run after; exit $status; }'
if unshare -rm bash -c 'mount -t tmpfs -o size=1k none "$1"' - disk 2>mount.txt; then
  used=$(du -sk run | cut -f 1) per_step=$(du -sk reference/checkpoints/step_30 | cut -f 1)
  again
  for free in 4 $((per_step / 2)) $((per_step - 8)); do
    again
    rm -rf after
    unshare -rm bash -c "$on_disk" - $(($(du -sk run | cut -f 1) + free)) "$program" "${train[@]}" --run disk/run --resume >out.txt 2>err.txt
    status=$?
    one_error 1 'cannot .*No space left on device' "a disk with $free KiB"
    nothing_half_made after/checkpoints "a disk with $free KiB"
    rm -rf run
    mv after run
    goes_on "$(newest_step run)" "space again after a disk with $free KiB"
  done
else
  echo "a full disk: skipped, no file system can be made here ($(tail -n 1 mount.txt))"
fi

# --- the folder goes away while the run writes to it
# during COMMANDS: runs them once a checkpoint is there
during() {
  rm -rf gone away
  "$program" "${common[@]}" --run gone --steps 100000 --min-ratio 1 --keep 2 --quiet >out.txt 2>err.txt &
  local process=$!
  waits_for 120 has_checkpoint gone || fail "no checkpoint to lose: $(cat err.txt)"
  eval "$1"
  ends $process
}
# A folder is renamed and then removed: while files are written to it, it cannot be removed at once.
during 'mv gone removed; rm -rf removed'
one_error 1 'gone.*: ' "the folder removed"
during 'mv gone/checkpoints removed; rm -rf removed'
one_error 1 'gone/checkpoints.*: ' "the checkpoints removed"
during 'mv gone away; touch gone'
one_error 1 'gone.*: ' "a file in the place of the folder"
step=$(newest_step away)
rm -f gone
succeeds "the folder back" "${common[@]}" --run away --steps $((step + 10)) --min-ratio 1 --keep 2 --resume
[ "$(newest_step away)" -eq $((step + 10)) ] || fail "the folder back: it has come to step $(newest_step away)"

passed_or_not
