#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole way of trm-sudoku on 4 x 4, options from every place, and what it says of bad input, full disks and Ctrl-C.
# Usage: trm_sudoku.sh PROGRAM
. "$(dirname "$0")/../support/program.sh"

# --- help
for command in "" generate build-dataset train evaluate solve init; do
  # shellcheck disable=SC2086
  succeeds "help $command" $command --help
  contains out.txt 'Usage: trm-sudoku'
  [ "$(wc -L <out.txt)" -le 120 ] || fail "help $command: a line of $(wc -L <out.txt) columns"
done
succeeds "help train" train --help
contains out.txt 'small +.*4 x 4'
succeeds "version" --version
contains out.txt '^trm-sudoku [0-9]'

# --- generate
succeeds "generate" generate --size 4 --count 150 --test 30 --seed 5 --threads 1 --output data --quiet
[ -s err.txt ] && fail "generate --quiet: $(cat err.txt)"
succeeds "generate, three threads" generate --size 4 --count 150 --test 30 --seed 5 --threads 3 --output again
same data/train.csv again/train.csv "generate: three threads make other puzzles than one"
same data/test.csv again/test.csv "generate: three threads make other test puzzles than one"
[ "$(head -n 1 data/train.csv)" = source,q,a,rating ] || fail "generate: $(head -n 1 data/train.csv)"
[ "$(wc -l <data/train.csv)" -eq 151 ] || fail "generate: $(wc -l <data/train.csv) lines for 150 puzzles"
for split in train test; do tail -n +2 data/$split.csv | cut -d, -f3 | sort -u >$split.txt; done
[ -z "$(comm -12 train.txt test.txt)" ] || fail "generate: a solution is in both splits"
succeeds "generate to standard output" generate --size 6 --count 3
[ "$(grep -Ec '^[.1-6]{36}$' out.txt)" -eq 3 ] || fail "generate: three puzzles of 36 cells, not $(cat out.txt)"
refuses 1 'data: holds a train.csv already' generate --size 4 --output data
refuses 1 'no such puzzle' generate --size 4 --min-rating 1000
refuses 1 'left out' generate --size 4 --naked-singles 0
refuses 2 '"5" is not one of 4, 6, 9' generate --size 5
refuses 2 'count: "0" is not a whole number from 1' generate --count 0

# --- train
train=(train --data data --steps 12 --batch 8 --max-steps 2 --warmup 2 --ema 0.5 --log-every 3)
succeeds "train" "${train[@]}" --run run --threads 1 --eval-every 12 --augmentations 3
contains err.txt '^12/12 steps .*/s .*loss'
contains err.txt '^step 12: test all: '
grep -q $'\r' err.txt && fail "train: a line is rewritten where there is no terminal"
for file in config.toml model.json metrics.jsonl report.html checkpoints/step_12/weights.safetensors; do
  [ -s run/$file ] || fail "train: no $file"
done
is_json run/metrics.jsonl
[ "$(wc -l <run/metrics.jsonl)" -eq 5 ] || fail "train: $(wc -l <run/metrics.jsonl) lines of metrics instead of 4 and an evaluation"
contains run/metrics.jsonl '"sudoku/solved"'
contains run/metrics.jsonl '"train/lm_loss"'
contains run/report.html '</html>'
succeeds "train --quiet" "${train[@]}" --run again/run --threads 2 --eval-every 12 --augmentations 3 --quiet
[ -s out.txt ] || [ -s err.txt ] && fail "train --quiet: $(cat out.txt err.txt)"
checkpoint=run/checkpoints/step_12
same $checkpoint/training.safetensors again/run/checkpoints/step_12/training.safetensors "train: two threads give other bits than one"
refuses 1 'run/config.toml: the run has beta1 0.9, not 0.5' "${train[@]}" --run run --beta1 0.5
succeeds "train by epochs" train --data data --run epochs --epochs 2 --batch 50 --max-steps 2 --quiet
[ -s epochs/checkpoints/step_6/weights.safetensors ] || fail "train: two passes over 150 puzzles in batches of 50 are not six steps"
refuses 2 'epochs.*steps.*one of them' train --data data --run x --epochs 1 --steps 2

# --- options: command line, environment, file, preset, default
succeeds "print-config" "${train[@]}" --run x --quiet --print-config
cp out.txt x.toml
contains x.toml '^quiet = true'
contains x.toml '^data = \["data"\]'
contains x.toml '^lr = [0-9]'
succeeds "the printed configuration" train --config x.toml --print-config
same out.txt x.toml "print-config: what it prints reads back as something else"
succeeds "the run's configuration" train --config run/config.toml --run repeated --quiet
same $checkpoint/training.safetensors repeated/checkpoints/step_12/training.safetensors "train: the written configuration gives another run"
cat >order.toml <<'END'
[train]
data = ["data"]
run = "of-file"
batch = 4
lr = 1e-3
seed = 4
quiet = true
END
succeeds "file" train --config order.toml --print-config
contains out.txt '^lr = 0.001'
TRM_CONFIG=order.toml TRM_BATCH=5 TRM_SEED=5 TRM_QUIET=false TRM_DATA=again succeeds "environment" train --seed 6 --print-config
contains out.txt '^batch = 5'
contains out.txt '^seed = 6'
contains out.txt '^quiet = false'
contains out.txt '^data = \["again"\]'
contains out.txt '^run = "of-file"'
contains out.txt '^beta2 = 0.95'
# wrong usage: exit code 2
refuses 2 'subcommand is required'
refuses 2 'no command "trian"' trian
refuses 2 'data is required' train --run x
refuses 2 'batch: "minus" is not a whole number from 1' train --data data --run x --batch minus
refuses 2 'lr: "nan"' train --data data --run x --lr nan
refuses 2 'lr: "0x1p3"' train --data data --run x --lr 0x1p3
refuses 2 'seed: "-1"' train --data data --run x --seed=-1
refuses 2 'batch: "99999999999" is too large' train --data data --run x --batch 99999999999
refuses 2 'nonsense' train --data data --run x --nonsense 1
refuses 2 'batch: expected a whole number' train --data data --run x --batch
refuses 2 'device' train --data data --run x --device gpu
if [ ! -e /dev/nvidiactl ]; then
  refuses 1 'device cuda: (this program was built without CUDA: .*TRM_BUILD_CUDA=ON|there is no GPU here)' \
    train --data data --run x --device cuda
fi
refuses 2 'save: needs --output' evaluate --data data --checkpoint $checkpoint --save logits
TRM_BATCH=many refuses 2 'environment variable TRM_BATCH: "many" is not a whole number' train --data data --run x
TRM_QUIET=perhaps refuses 2 'TRM_QUIET: "perhaps" is not true or false' train --data data --run x
TRM_CONFIG=nowhere.toml refuses 2 'nowhere.toml: cannot open: No such file' train --data data --run x
refuses 2 'nowhere.toml: cannot open: No such file' train --data data --run x --config nowhere.toml
refuses 2 'data: cannot read: Is a directory' train --data data --run x --config data
# toml PATTERN TEXT: the file is refused with its line
toml() {
  printf '%b' "$2" >bad.toml
  refuses 2 "bad.toml:$1" train --data data --run x --config bad.toml
}
toml '2:.*"learning" is not an option of train' '[train]\nlearning = 1\n'
toml '1:.*no command "trian"' '[trian]\nbatch = 1\n'
toml '1:.*not in a table' 'batch = 1\n'
toml '2:.*batch: expected a whole number from 1, found string' '[train]\nbatch = "8"\n'
toml '2:.*batch: expected a whole number from 1, found floating-point' '[train]\nbatch = 8.0\n'
toml '2:.*batch: "-8" is not' '[train]\nbatch = -8\n'
toml '2:.*lr: "nan"' '[train]\nlr = nan\n'
toml '2:.*quiet: expected true or false' '[train]\nquiet = 1\n'
toml '2:.*batch: a list' '[train]\nbatch = [1, 2]\n'
toml '2:.*found date' '[train]\nbatch = 1979-05-27\n'
toml '3:.*redefine' '[train]\nbatch = 1\nbatch = 2\n'
toml '2:.*evaluate' '[evaluate]\nbathc = 2\n'
toml '1:' '[train\n'
toml '1:.*beyond ASCII' '\0377\0376\n'
toml '2:.*depth' "[train]\nbatch = $(printf '%5000s' '' | tr ' ' '[')"

# --- evaluate
succeeds "evaluate" evaluate --data data --checkpoint $checkpoint --max-steps 2 --batch 7
contains out.txt '^all/exact_accuracy +[0-9.]+ %$'
contains out.txt '^sudoku/solved +[0-9.]+ %$'
succeeds "evaluate --json" evaluate --data data --checkpoint $checkpoint --max-steps 2 --batch 30 --quiet --json \
  --output evaluation --save preds,q_halt_logits
[ -s err.txt ] && fail "evaluate --quiet: $(cat err.txt)"
is_json out.txt
contains evaluation/metrics.json '"sudoku/solved": [0-9.]+,?$'
[ -s evaluation/outputs.safetensors ] || fail "evaluate: no outputs.safetensors"
# rates: the metrics of an evaluation that do not depend on how long it took
rates() { grep -Eo '"(accuracy|exact_accuracy|lm_loss|q_halt_loss|sudoku/solved)":[0-9.e-]+'; }
rates <out.txt >of-table.txt
succeeds "build-dataset" build-dataset --source data --output dataset --augmentations 2 --quiet
[ -s dataset/train/dataset.json ] || fail "build-dataset: no train/dataset.json"
succeeds "evaluate a dataset" evaluate --data dataset --checkpoint $checkpoint --max-steps 2 --batch 30 --quiet --json
rates <out.txt >of-dataset.txt
[ "$(wc -l <of-table.txt)" -eq 5 ] || fail "evaluate --json: $(cat of-table.txt)"
same of-table.txt of-dataset.txt "evaluate: the dataset of a table gives other metrics than the table"
succeeds "train on a dataset" train --data dataset --run of-dataset --steps 2 --batch 4 --max-steps 2 --quiet
sed '1s/.*/source,question,answer,rating/' data/test.csv >long.csv
succeeds "evaluate the long names of columns" evaluate --data long.csv --checkpoint $checkpoint --max-steps 2 --batch 30 --quiet --json
rates <out.txt >of-long.txt
same of-table.txt of-long.txt "evaluate: question and answer are not read as q and a"
# Halting confidence is between 0 and 1: above 0 everybody leaves after one step, above 0.9999999 nobody before the last.
evaluate=(evaluate --data data --checkpoint $checkpoint --batch 30 --quiet --json)
succeeds "evaluate, one step" "${evaluate[@]}" --max-steps 1
grep -Eo '"exact_accuracy":[0-9.e-]+' out.txt >one-step.txt
succeeds "evaluate, everybody leaves at once" "${evaluate[@]}" --max-steps 2 --confidence 0
contains out.txt '"steps_per_example":1.0'
grep -Eo '"exact_accuracy":[0-9.e-]+' out.txt >at-once.txt
same one-step.txt at-once.txt "evaluate --confidence 0 is not an evaluation of one step"
succeeds "evaluate, nobody leaves" "${evaluate[@]}" --max-steps 2 --confidence 0.9999999
contains out.txt '"steps_per_example":2.0'
succeeds "evaluate, rollouts" "${evaluate[@]}" --max-steps 2 --rollouts 3 --noise 0.2
contains out.txt '"rollouts":3'
contains out.txt '"steps_per_example":6.0'
refuses 1 'rollouts: 4 must be at least 1 and divide the batch of 30' "${evaluate[@]}" --rollouts 4
# Other products, other losses, about the same; the same on any number of threads.
loss() { grep -Eo '"lm_loss":[0-9.e-]+' out.txt | cut -d: -f2; }
succeeds "evaluate, float32" "${evaluate[@]}" --max-steps 2
exact=$(loss)
succeeds "evaluate --int8" "${evaluate[@]}" --max-steps 2 --int8 --threads 1
contains out.txt '"products":"int8"'
quantised=$(loss)
awk -v a="$exact" -v b="$quantised" 'BEGIN { exit !(a != b && b < 1.1 * a && b > 0.9 * a) }' ||
  fail "evaluate --int8: a loss of $quantised, of $exact in float32"
succeeds "evaluate --int8, three threads" "${evaluate[@]}" --max-steps 2 --int8 --threads 3
[ "$(loss)" = "$quantised" ] || fail "evaluate --int8: three threads give another loss than one"
refuses 2 'save: needs all steps' "${evaluate[@]}" --confidence 0.5 --save preds --output nowhere
refuses 1 'dataset: (is|exists|.*already)' build-dataset --source data --output dataset --quiet
refuses 1 'nowhere/test.csv: cannot open' evaluate --data nowhere --checkpoint $checkpoint

# --- solve, with a model that is good enough for some of its training puzzles or for none
succeeds "init" init --data data --seed 3 --output initial.safetensors
puzzle=$(sed -n 2p data/test.csv | cut -d, -f2)
solve=(solve --checkpoint $checkpoint --max-steps 2)
"$program" "${solve[@]}" "$puzzle" >out.txt 2>err.txt
[ $? -le 1 ] || fail "solve: $(cat err.txt)"
contains out.txt "^puzzle $puzzle, [0-9]+ clues"
contains out.txt '^step 1: .*halting confidence [0-9.]+ %$'
contains out.txt 'solved after [12] supervision step'
grep -q $'\e' out.txt && fail "solve: colours where there is no terminal"
"$program" "${solve[@]}" "$puzzle" --json >argument.txt 2>err.txt
is_json argument.txt
echo "$puzzle" >puzzles.txt
"$program" "${solve[@]}" puzzles.txt --json >out.txt 2>err.txt
same argument.txt out.txt "solve: a file is answered unlike the same puzzle as an argument"
"$program" "${solve[@]}" - --json <puzzles.txt >out.txt 2>err.txt
same argument.txt out.txt "solve: standard input is answered unlike the same puzzle as an argument"
"$program" "${solve[@]}" "$puzzle" "$puzzle" --quiet >out.txt 2>err.txt
[ "$(grep -Ec '^[.1-4]{16}$' out.txt)" -eq 2 ] || fail "solve --quiet: $(cat out.txt)"
"$program" solve --checkpoint initial.safetensors "$puzzle" --quiet --max-steps 1 >out.txt 2>err.txt
[ $? -eq 1 ] || fail "solve: an untrained model's answer is no failure"
contains err.txt 'not solved'
# Steps end where the confidence, between 0 and 1, is above --confidence; attempts are those of evaluate, puzzle by puzzle.
"$program" solve --checkpoint $checkpoint "$puzzle" --max-steps 3 --confidence 0 --json >out.txt 2>err.txt
contains out.txt '"supervision_steps":1[,}]'
"$program" solve --checkpoint $checkpoint "$puzzle" --max-steps 3 --confidence 1 --json >certain.txt 2>err.txt
contains certain.txt '"supervision_steps":3'
"$program" solve --checkpoint $checkpoint "$puzzle" --max-steps 3 --all-steps --json >out.txt 2>err.txt
same certain.txt out.txt "solve --all-steps is not --confidence 1"
tail -n +2 data/test.csv | cut -d, -f2 >test.txt
attempts=(--checkpoint $checkpoint --max-steps 4 --confidence 0.6 --rollouts 3 --noise 0.5 --noise-seed 2 --json)
"$program" solve "${attempts[@]}" --threads 1 test.txt >attempts.txt 2>err.txt
[ "$(wc -l <attempts.txt)" -eq 30 ] || fail "solve, three attempts: $(cat err.txt)"
contains attempts.txt '"attempt":[12]'
"$program" solve "${attempts[@]}" --threads 3 test.txt >out.txt 2>err.txt
same attempts.txt out.txt "solve: three threads draw other noise than one"
succeeds "evaluate as solve" evaluate --data data "${attempts[@]}" --batch 6 --quiet
right=$(grep -c '"solved":true' attempts.txt)
steps=$(grep -Eo '"supervision_steps":[0-9]+' attempts.txt | awk -F: '{ n += 3 * $2 } END { print n }')
found=$(grep -Eo '"(sudoku/solved|steps_per_example)":[0-9.e-]+' out.txt | sort |
  awk -F: '{ printf "%s%.0f", sep, 30 * $2; sep = " " }')
[ "$found" = "$steps $right" ] || fail "solve: $steps steps, $right solved; evaluate: $found"
refuses 2 'rollouts' "${solve[@]}" "$puzzle" --rollouts 0
refuses 2 'confidence' "${solve[@]}" "$puzzle" --confidence 1.5
refuses 2 'noise' "${solve[@]}" "$puzzle" --noise -1
refuses 1 'has 36 cells, the model of .* is for 16' "${solve[@]}" .............6......................
refuses 1 'twice in a row' "${solve[@]}" 11..............
refuses 1 'neither a puzzle .* nor a file' "${solve[@]}" hello
refuses 1 '5 in a puzzle of size 4' "${solve[@]}" 5...............
refuses 1 'found 15 cells' "${solve[@]}" ...............
head -c 3000 /dev/urandom >noise
refuses 1 'noise: line' "${solve[@]}" noise
refuses 1 'standard input: no puzzle' "${solve[@]}" -
refuses 2 'puzzle is required' "${solve[@]}"

# --- checkpoints that are not right
refuses 1 'no preset "huge"' train --data data --run x --preset huge
refuses 1 'no preset "huge"' "${solve[@]}" "$puzzle" --preset huge
head -c 1000 $checkpoint/weights.safetensors >torn.safetensors
refuses 1 'torn.safetensors' evaluate --data data --checkpoint torn.safetensors
# The last four bytes are of a weight; as ff ff ff ff it is not a number.
size=$(wc -c <$checkpoint/weights.safetensors)
cp $checkpoint/weights.safetensors nan.safetensors
printf '\377\377\377\377' | dd of=nan.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>err.txt
refuses 1 'nan.safetensors.*(nan|not finite)' evaluate --data data --checkpoint nan.safetensors
refuses 1 'nan.safetensors.*(nan|not finite)' solve --checkpoint nan.safetensors "$puzzle"
if "$program" generate --size 6 --count 60 --output six --quiet >out.txt && "$program" init --tokens 36 --output six.safetensors 2>err.txt; then
  refuses 1 'data/test.csv: examples of 16 tokens .* for 36' evaluate --data data --checkpoint six.safetensors
  refuses 1 'train.csv: examples of 36 tokens .* for 16' evaluate --data six/train.csv --split train --checkpoint $checkpoint
else
  contains err.txt 'compiled for examples of 16.* tokens, not of 36'
fi
refuses 1 'compiled for .* not of 17' init --tokens 17 --output x
# tables that are not right
table() {
  printf '%b' "$2" >bad.csv
  refuses 1 "bad.csv: $1" evaluate --data bad.csv --checkpoint $checkpoint
}
table 'empty' ''
table 'line 2' 'source,q,a,rating\nx\n'
table 'line 2: column "q"' 'source,q,a,rating\ns,1..,1234341221434321,0\n'
table 'line 2: column "a"' 'source,q,a,rating\ns,1...............,1234123412341234,0\n'
table 'line 2: column "answer"' 'source,question,answer,rating\ns,1...............,2234,0\n'
table 'line 1: two columns' 'source,q,q,a,rating\n'
table '.*no' 'source,q,a,rating\n'

# --- nothing half made: Ctrl-C, full disks, folders that cannot be
# interrupted FILE ARGUMENT...: $status is the exit status of a program that gets SIGINT once it has made that file
interrupted() {
  local made=$1
  shift
  "$program" "$@" >out.txt 2>err.txt &
  local process=$!
  waits_for 120 test -s "$made" || fail "$*: no $made: $(cat err.txt)"
  kill -INT $process
  ends $process
}
interrupted stopped/metrics.jsonl train --data data --run stopped --steps 1000000 --batch 8 --log-every 5 --threads 1
[ $status -eq 0 ] || fail "train, interrupted: exit status $status: $(cat err.txt)"
contains err.txt '^stopped after [0-9]+ steps'
[ "$(find stopped/checkpoints -mindepth 1 -maxdepth 1 -name 'step_*' | wc -l)" -eq 1 ] || fail "train, interrupted: no checkpoint"
contains stopped/report.html '</html>'
interrupted stopped-tables generate --size 9 --count 100000000 --output stopped-tables --threads 1
[ $status -eq 1 ] || fail "generate, interrupted: not exit status 1"
contains err.txt 'trm-sudoku: interrupted'
[ -e stopped-tables ] && fail "generate, interrupted: left $(ls -A stopped-tables)"

# limited ARGUMENT...: files may have 2 KiB, or $room, as if the disk were full; one line on standard error, exit status 1
limited() {
  (ulimit -f "${room:-2}" && exec "$program" "$@") >out.txt 2>err.txt </dev/null
  [ $? -eq 1 ] || fail "$*, no space: exit status is not 1"
  [ "$(wc -l <err.txt)" -eq 1 ] || fail "$*, no space: $(cat err.txt)"
  contains err.txt 'cannot write: File too large'
}
limited generate --size 4 --count 1000 --output full/tables --quiet
[ -e full ] && fail "generate, no space: left $(find full)"
limited train --data data --run full/run --steps 4 --batch 4 --max-steps 1 --log-every 100 --quiet
[ -z "$(find full -name '*.safetensors*' -o -name '*.partial*' 2>find.txt)" ] || fail "train, no space: left $(find full)"
# What a run says of itself fits, the lines of metrics soon do not.
room=24 limited train --data data --run full/lines --steps 1000 --batch 1 --max-steps 1 --log-every 1 --quiet
contains err.txt 'full/lines/(metrics.jsonl|events)'
is_json full/lines/metrics.jsonl
limited init --data data --output full.safetensors
ls full.safetensors* 2>find.txt && fail "init, no space: left a file"
limited evaluate --data data --checkpoint $checkpoint --max-steps 1 --quiet --output full/evaluation --save logits
[ -e full/evaluation ] && fail "evaluate, no space: left $(find full/evaluation)"
touch file
for folder in file/x /proc/x; do
  refuses 1 "$folder.*: cannot make the folder" generate --size 4 --output $folder
  refuses 1 "$folder.*: cannot make the folder" "${train[@]}" --run $folder
  refuses 1 "$folder.*: cannot make the folder" evaluate --data data --checkpoint $checkpoint --output $folder --quiet --max-steps 1
done
refuses 1 'file/x: cannot' init --data data --output file/x
if [ -c /dev/full ]; then
  for arguments in "generate --size 4 --count 100" "train --data data --run x --print-config" "--help" "solve --checkpoint $checkpoint $puzzle" \
    "evaluate --data data --checkpoint $checkpoint --max-steps 1 --quiet --json"; do
    # shellcheck disable=SC2086
    "$program" $arguments >/dev/full 2>err.txt
    [ $? -eq 1 ] || fail "$arguments >/dev/full: exit status is not 1"
    contains err.txt '^trm-sudoku: standard output: cannot write$'
    [ "$(wc -l <err.txt)" -eq 1 ] || fail "$arguments >/dev/full: $(cat err.txt)"
  done
  "$program" "${train[@]}" --run deaf 2>/dev/full || fail "train 2>/dev/full: exit status $?"
fi
[ -e x ] && fail "a refused command left x"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
