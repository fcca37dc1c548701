#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole way of trm-maze on mazes of 10 x 10, and what it says of bad input, full disks and Ctrl-C.
# Usage: trm_maze.sh PROGRAM
. "$(dirname "$0")/../support/program.sh"

# --- help
for command in "" generate build-dataset train evaluate solve init; do
  # shellcheck disable=SC2086
  succeeds "help $command" $command --help
  contains out.txt 'Usage: trm-maze'
  [ "$(wc -L <out.txt)" -le 120 ] || fail "help $command: a line of $(wc -L <out.txt) columns"
done

# --- generate
make=(generate --side 10 --min-path 12)
succeeds "generate" "${make[@]}" --count 40 --test 8 --seed 5 --threads 1 --output data --quiet
[ -s err.txt ] && fail "generate --quiet: $(cat err.txt)"
succeeds "generate, three threads" "${make[@]}" --count 40 --test 8 --seed 5 --threads 3 --output again
same data/train.csv again/train.csv "generate: three threads make other mazes than one"
same data/test.csv again/test.csv "generate: three threads make other test mazes than one"
[ "$(wc -l <data/train.csv)" -eq 41 ] || fail "generate: $(wc -l <data/train.csv) lines for 40 mazes"
for split in train test; do tail -n +2 data/$split.csv | cut -d, -f2 | sort -u >$split.txt; done
[ -z "$(comm -12 train.txt test.txt)" ] || fail "generate: a maze is in both splits"
[ "$(tail -n +2 data/train.csv | cut -d, -f4 | sort -n | head -n 1)" -ge 12 ] || fail "generate: a path shorter than asked for"
succeeds "generate to standard output" "${make[@]}" --count 2
cp out.txt two.txt
[ "$(grep -Ec '^[# SG]{10}$' two.txt)" -eq 20 ] || fail "generate: two mazes of ten lines, not $(cat two.txt)"
succeeds "generate one" "${make[@]}"
cp out.txt one.txt
refuses 1 'data: holds a train.csv already' "${make[@]}" --output data
refuses 1 'path' generate --side 10 --min-path 99
refuses 2 'side: "4" is not a whole number from 5 to 64' generate --side 4

# --- train
train=(train --data data --steps 6 --batch 4 --max-steps 2 --warmup 2 --ema 0.5 --log-every 3)
# One table is what is trained on: an evaluation says so.
succeeds "train on one table" train --data data/train.csv --run alone --steps 2 --batch 4 --max-steps 2 --eval-every 2 --quiet &&
  contains alone/metrics.jsonl '"split":"train"'
succeeds "train" "${train[@]}" --run run --threads 1 --eval-every 6
contains err.txt '^6/6 steps .*/s .*loss'
contains err.txt '^step 6: test all: '
for file in config.toml model.json metrics.jsonl report.html checkpoints/step_6/weights.safetensors; do
  [ -s run/$file ] || fail "train: no $file"
done
is_json run/metrics.jsonl
[ "$(wc -l <run/metrics.jsonl)" -eq 3 ] || fail "train: $(wc -l <run/metrics.jsonl) lines of metrics instead of 2 and an evaluation"
contains run/metrics.jsonl '"maze/shortest path"'
succeeds "train --quiet" "${train[@]}" --run again/run --threads 2 --eval-every 6 --quiet
[ -s out.txt ] || [ -s err.txt ] && fail "train --quiet: $(cat out.txt err.txt)"
checkpoint=run/checkpoints/step_6
same $checkpoint/training.safetensors again/run/checkpoints/step_6/training.safetensors "train: two threads give other bits than one"
refuses 1 'run/config.toml: the run has beta1 0.9, not 0.5' "${train[@]}" --run run --beta1 0.5
succeeds "print-config" "${train[@]}" --run x --no-symmetries --print-config
cp out.txt x.toml
contains x.toml '^symmetries = false'
succeeds "the printed configuration" train --config x.toml --print-config
same out.txt x.toml "print-config: what it prints reads back as something else"
TRM_SYMMETRIES=true succeeds "environment before file" train --config x.toml --print-config
contains out.txt '^symmetries = true'
TRM_SYMMETRIES=true succeeds "command line before environment" train --config x.toml --no-symmetries --print-config
contains out.txt '^symmetries = false'
TRM_SYMMETRIES=no-idea refuses 2 'TRM_SYMMETRIES: "no-idea" is not true or false' "${train[@]}" --run x

# --- evaluate
succeeds "evaluate" evaluate --data data --checkpoint $checkpoint --max-steps 2 --batch 3
contains out.txt '^maze/shortest path +[0-9.]+ %$'
succeeds "evaluate --json" evaluate --data data --checkpoint $checkpoint --max-steps 2 --batch 8 --quiet --json --output evaluation
is_json out.txt
contains evaluation/metrics.json '"maze/path"'
# rates: the metrics of an evaluation that do not depend on how long it took
rates() { grep -Eo '"(accuracy|exact_accuracy|lm_loss|q_halt_loss|maze/path)":[0-9.e-]+'; }
rates <out.txt >of-table.txt
succeeds "build-dataset" build-dataset --source data --output dataset --symmetries
contains out.txt '^train: 40 mazes, 320 puzzles'
succeeds "evaluate a dataset" evaluate --data dataset --checkpoint $checkpoint --max-steps 2 --batch 8 --quiet --json
rates <out.txt >of-dataset.txt
[ "$(wc -l <of-table.txt)" -eq 5 ] || fail "evaluate --json: $(cat of-table.txt)"
same of-table.txt of-dataset.txt "evaluate: the dataset of a table gives other metrics than the table"
succeeds "train on a dataset" train --data dataset --run of-dataset --steps 2 --batch 2 --max-steps 1 --quiet

# --- solve
solve=(solve --checkpoint $checkpoint --max-steps 2)
"$program" "${solve[@]}" one.txt >out.txt 2>err.txt
[ $? -le 1 ] || fail "solve: $(cat err.txt)"
contains out.txt '^maze 10 x 10, shortest path [0-9]+ steps'
contains out.txt '^step 1: .*halting confidence [0-9.]+ %$'
contains out.txt 'solved after [12] supervision step'
grep -q $'\e' out.txt && fail "solve: colours where there is no terminal"
"$program" "${solve[@]}" one.txt --json >file.txt 2>err.txt
is_json file.txt
"$program" "${solve[@]}" - --json <one.txt >out.txt 2>err.txt
same file.txt out.txt "solve: standard input is answered unlike the same maze in a file"
"$program" "${solve[@]}" "$(tr -d '\n' <one.txt)" --json >out.txt 2>err.txt
same file.txt out.txt "solve: the maze as an argument is answered unlike the same maze in a file"
"$program" "${solve[@]}" two.txt --json >out.txt 2>err.txt
[ "$(wc -l <out.txt)" -eq 2 ] || fail "solve: two mazes of a file are not both answered"
"$program" "${solve[@]}" one.txt --json --confidence 1 --rollouts 2 --noise 0 >out.txt 2>err.txt
sed -E 's/"attempt":0,|,"attempt":0//g' out.txt >attempts.txt
"$program" "${solve[@]}" one.txt --json --confidence 1 >out.txt 2>err.txt
same out.txt attempts.txt "solve: without noise two attempts answer unlike one"
succeeds "init" init --data data --output initial.safetensors
"$program" solve --checkpoint initial.safetensors one.txt --max-steps 1 --quiet >out.txt 2>err.txt
[ $? -eq 1 ] || fail "solve: an untrained model's answer is no failure"
contains err.txt 'not solved'
succeeds "generate small ones" generate --side 6 --min-path 4
cp out.txt six.txt
refuses 1 'six.txt: has 36 cells, the model of .* is for 100' "${solve[@]}" six.txt
sed '3s/.$//' one.txt >ragged.txt
refuses 1 'ragged.txt: line 3.*9 cells' "${solve[@]}" ragged.txt
sed '2s/^./x/' one.txt >letter.txt
refuses 1 'letter.txt: line 2, column 1' "${solve[@]}" letter.txt
tr S ' ' <one.txt >startless.txt
refuses 1 'startless.txt.*start' "${solve[@]}" startless.txt
printf '#%.0s' {1..97} >closed.txt
printf 'S#G' >>closed.txt
refuses 1 'closed.txt: no path leads from start to goal' "${solve[@]}" closed.txt
: >empty.txt
refuses 1 'empty.txt' "${solve[@]}" empty.txt
head -c 3000 /dev/urandom >noise
refuses 1 'noise' "${solve[@]}" noise
refuses 1 'nowhere: cannot open' "${solve[@]}" nowhere
refuses 2 'maze is required' "${solve[@]}"

# --- checkpoints and tables that are not right
head -c 1000 $checkpoint/weights.safetensors >torn.safetensors
refuses 1 'torn.safetensors' evaluate --data data --checkpoint torn.safetensors
size=$(wc -c <$checkpoint/weights.safetensors)
cp $checkpoint/weights.safetensors nan.safetensors
printf '\377\377\377\377' | dd of=nan.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>err.txt
refuses 1 'nan.safetensors.*(nan|not finite)' evaluate --data data --checkpoint nan.safetensors
refuses 1 'compiled for .* not of 36' init --tokens 36 --output x
# table PATTERN TEXT
table() {
  printf '%b' "$2" >bad.csv
  refuses 1 "bad.csv: $1" evaluate --data bad.csv --checkpoint $checkpoint
}
table '' ''
table 'line 2' 'source,q,a,rating\nx\n'
table 'line 2' 'source,q,a,rating\ns,S G,oooo,0\n'
table '.*no' 'source,q,a,rating\n'

# --- nothing half made
"$program" train --data data --run stopped --steps 1000000 --batch 4 --log-every 5 --threads 1 >out.txt 2>err.txt &
process=$!
waits_for 120 test -s stopped/metrics.jsonl || fail "train: no step: $(cat err.txt)"
kill -INT $process
ends $process
[ $status -eq 0 ] || fail "train, interrupted: exit status $status: $(cat err.txt)"
contains err.txt '^stopped after [0-9]+ steps'
[ "$(find stopped/checkpoints -mindepth 1 -maxdepth 1 -name 'step_*' | wc -l)" -eq 1 ] || fail "train, interrupted: no checkpoint"
contains stopped/report.html '</html>'
(ulimit -f 2 && exec "$program" generate --count 1000 --output full --quiet) >out.txt 2>err.txt
[ $? -eq 1 ] || fail "generate, no space: exit status is not 1"
contains err.txt 'full/train.csv: cannot write: File too large'
[ -e full ] && fail "generate, no space: left $(find full)"
touch file
refuses 1 'file/x.*: cannot make the folder' "${make[@]}" --output file/x
refuses 1 'file/x.*: cannot make the folder' "${train[@]}" --run file/x
refuses 1 'file.*Not a directory' build-dataset --source data --output file/x
[ -e x ] && fail "a refused command left x"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
