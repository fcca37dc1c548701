#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole way of trm-arc on three tiny tasks, and what it says of bad input. Usage: trm_arc.sh PROGRAM
set -u
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}
# succeeds NAME ARGUMENT...
succeeds() {
  local name=$1
  shift
  if ! "$program" "$@" >out.txt 2>err.txt; then
    fail "$name: $(tail -n 1 err.txt)"
    return 1
  fi
}
# refuses STATUS PATTERN ARGUMENT...: exit status, one line on standard error that matches, nothing on standard output
refuses() {
  local status=$1 pattern=$2
  shift 2
  "$program" "$@" >out.txt 2>err.txt
  local found=$?
  [ "$found" -eq "$status" ] || fail "$*: exit status $found instead of $status: $(cat err.txt)"
  [ "$(wc -l <err.txt)" -eq 1 ] || fail "$*: $(wc -l <err.txt) lines on standard error instead of one: $(cat err.txt)"
  grep -Eq -- "$pattern" err.txt || fail "$*: \"$(cat err.txt)\" does not match \"$pattern\""
  [ -s out.txt ] && fail "$*: something on standard output"
}
contains() { grep -q -- "$2" "$1" || fail "$1 does not contain $2"; }

mkdir source
cat >source/toy_small_challenges.json <<'EOF'
{"aaaa0001": {"train": [{"input": [[1, 2], [3, 4]], "output": [[2, 1], [4, 3]]}, {"input": [[5, 6, 7]], "output": [[7, 6, 5]]}],
              "test": [{"input": [[8, 9]]}]},
 "aaaa0002": {"train": [{"input": [[1]], "output": [[2]]}, {"input": [[3, 3]], "output": [[4, 4]]}],
              "test": [{"input": [[5, 5]]}, {"input": [[7]]}]},
 "aaaa0003": {"train": [{"input": [[0, 1, 0]], "output": [[1]]}], "test": [{"input": [[1, 0, 1, 1]]}]}}
EOF
cat >source/toy_small_solutions.json <<'EOF'
{"aaaa0001": [[[9, 8]]], "aaaa0002": [[[6, 6]], [[8]]], "aaaa0003": [[[1, 1, 1]]]}
EOF
cat >one.json <<'EOF'
{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[3]]}]}
EOF

build=(build-dataset --source source --subsets small --test-set small --canvas 10 --quiet)
succeeds "build-dataset" "${build[@]}" --augmentations 2 --output data
for file in train/dataset.json train/all__inputs.npy test/all__labels.npy identifiers.json test_puzzles.json; do
  [ -s "data/$file" ] || fail "build-dataset: no $file"
done

succeeds "init" init --preset small --data data --seed 3 --output initial.safetensors
succeeds "init paper" init --preset paper --identifiers 2 --output paper.safetensors
refuses 1 'paper.safetensors.*puzzle rows|100 tokens' evaluate --data data --checkpoint paper.safetensors --output x --quiet
succeeds "evaluate" evaluate --data data --checkpoint initial.safetensors --output first --batch 4 --max-steps 2 --quiet \
  --save logits,preds,q_halt_logits
[ -s first/outputs.safetensors ] || fail "evaluate: no outputs.safetensors"
contains first/metrics.json 'ARC/pass@2'
[ "$(grep -o attempt_2 first/submission.json | wc -l)" -eq 4 ] || fail "evaluate: not every test input is in the submission"
succeeds "evaluate --json" evaluate --data data --checkpoint initial.safetensors --output second --batch 3 --max-steps 2 --quiet --json
contains out.txt '"exact_accuracy"'
cmp -s first/submission.json second/submission.json || fail "evaluate: another batch size gives another submission"

train=(train --data data --preset small --steps 4 --batch 4 --max-steps 2 --lr 1e-3 --warmup 2 --log-every 2 --ema 0.9 --quiet)
succeeds "train" "${train[@]}" --run run --threads 1
succeeds "train again, two threads" "${train[@]}" --run again --threads 2
cmp -s run/checkpoints/step_4.safetensors again/checkpoints/step_4.safetensors || fail "train: two threads give other bits than one"
[ "$(wc -l <run/metrics.jsonl)" -eq 2 ] || fail "train: metrics.jsonl has not one line for each two steps"
contains run/metrics.jsonl 'train/lm_loss'
contains run/config.toml 'warmup=2'
succeeds "train from the written configuration" train --config run/config.toml --run third
cmp -s run/checkpoints/step_4.safetensors third/checkpoints/step_4.safetensors || fail "train: the written configuration gives another run"

checkpoint=run/checkpoints/step_4.safetensors
succeeds "predict, known tasks" predict --checkpoint $checkpoint source/toy_small_challenges.json --max-steps 2
contains out.txt 'puzzle row from training'
succeeds "predict, an unseen task" predict --checkpoint $checkpoint one.json --max-steps 2 --json
contains out.txt '"known_puzzle":false'

# wrong usage
refuses 2 'subcommand is required'
refuses 2 'data is required' train --run x
refuses 2 'batch' train --data data --run x --batch minus
refuses 2 'nonsense' train --data data --run x --nonsense 1
# files that are not there, or not what they should be
refuses 1 'nowhere/train/dataset.json' train --data nowhere --run x --steps 1
refuses 1 'no preset "huge"' train --data data --run x --steps 1 --preset huge
refuses 1 'preset paper.* 900 cells, not of 100' train --data data --run x --steps 1 --preset paper
refuses 1 'holds an earlier run' "${train[@]}" --run run
refuses 1 'nothing to do' train --data data --run x
refuses 1 'micro_batch.* 3 does not divide' train --data data --run x --steps 1 --batch 4 --micro-batch 3
refuses 1 'no such file' build-dataset --source source --subsets none --output x --quiet
refuses 1 'data' "${build[@]}" --output data
head -c 1000 $checkpoint >torn.safetensors
refuses 1 'torn.safetensors' predict --checkpoint torn.safetensors one.json
echo '{"train": [{"input": [[1, 2], [3]], "output": [[1]]}], "test": [{"input": [[1]]}]}' >ragged.json
refuses 1 'ragged.json: task ragged: train\[0\].input: row 1 has 1' predict --checkpoint $checkpoint ragged.json
echo '{"train": [{"input": [[10]], "output": [[1]]}], "test": [{"input": [[1]]}]}' >colour.json
refuses 1 'colour.json' predict --checkpoint $checkpoint colour.json
echo '{"train": [' >torn.json
refuses 1 'torn.json:2' predict --checkpoint $checkpoint torn.json
echo '{"train": [{"input": [[1]], "output": [[1]]}], "test": [{"input": [[1,1,1,1,1,1,1,1,1,1,1]]}]}' >wide.json
refuses 1 'wide: test input 0 is 1 x 11, the model' predict --checkpoint $checkpoint wide.json
printf '[train]\nbatch="many"\n' >bad.toml
refuses 2 'batch' train --config bad.toml --data data --run x --steps 1
printf '[train]\nlearning=1\n' >misspelt.toml
refuses 2 'learning' train --config misspelt.toml --data data --run x --steps 1
head -c 400 data/train/all__inputs.npy >short.npy && cp -r data torn && cp short.npy torn/train/all__inputs.npy
refuses 1 'torn/train/all__inputs.npy' train --data torn --run x --steps 1
succeeds "build another dataset" "${build[@]}" --augmentations 0 --output other
refuses 1 'trained on another dataset' evaluate --data other --checkpoint $checkpoint --output x
refuses 1 'no output "logit"' evaluate --data data --checkpoint $checkpoint --output y --save logit
touch file
refuses 1 'file' train --data data --run file/run --steps 1
[ -e x ] && [ -n "$(find x -name '*.safetensors' -o -name submission.json)" ] && fail "a refused command left results"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
