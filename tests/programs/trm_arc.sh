#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The whole way of trm-arc on three tiny tasks, and what it says of bad input. Usage: trm_arc.sh PROGRAM
. "$(dirname "$0")/../support/program.sh"

# value FILE KEY: of a line of indented JSON
value() { sed -n "s|^ *\"$2\": \(.*[^,]\),*\$|\1|p" "$1"; }
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
touch -d 2020-01-01 data/identifiers.json
succeeds "build-dataset again" "${build[@]}" --augmentations 2 --output data
contains out.txt 'already there: the same build'
[ data/identifiers.json -ot source ] || fail "build-dataset: the same build was written again"
succeeds "build-dataset says how much it writes" build-dataset --source source/toy --subsets small --canvas 10 --augmentations 1 --output said
contains err.txt '^writes [0-9.]+ [kM]?B, .* are free$'

# the virtual form
succeeds "build-dataset --virtual" "${build[@]}" --augmentations 2 --virtual --output virtual
[ -s virtual/train/all__virtual.safetensors ] || fail "build-dataset --virtual: no virtual file"
succeeds "build-dataset --virtual again" "${build[@]}" --augmentations 2 --virtual --output virtual
contains out.txt 'already there: the same build'
refuses 1 'virtual: is there already' "${build[@]}" --augmentations 2 --output virtual
succeeds "materialize" materialize --data virtual --output files
contains err.txt '^writes [0-9.]+ [kM]?B, .* are free$'
diff -r data files >diff.txt || fail "materialize: not the files of a build: $(head -n 3 diff.txt)"
refuses 1 'nothing to materialize' materialize --data data --output x
refuses 1 'files: is there already' materialize --data virtual --output files

# facts of a dataset, recomputed
for data in data virtual; do
  succeeds "verify $data" verify --data $data --quiet
  contains out.txt "^train: 3 tasks, .* puzzles, .* examples\$"
  contains out.txt "first puzzle"
  succeeds "verify $data with its sources" verify --data $data --source source --quiet
  contains out.txt "augmentation of its source"
done
succeeds "build-dataset --verify" "${build[@]}" --augmentations 1 --virtual --verify --output verified
contains out.txt 'verified: .*verified, virtual form'
succeeds "build-dataset --verify, again" "${build[@]}" --augmentations 1 --virtual --verify --output verified
contains out.txt 'already there: the same build'
contains out.txt 'verified: .*verified, virtual form'
cp -r data published && rm published/build.json
succeeds "build-dataset --verify, of another builder" "${build[@]}" --augmentations 2 --verify --output published
contains out.txt 'made by another builder: nothing is built'
contains out.txt 'published: verified'
refuses 1 'published/build.json.*name the subsets' verify --data published --source source
succeeds "verify, told the subsets" verify --data published --source source --subsets small --test-set small --quiet
refuses 1 'published/?: is there already' "${build[@]}" --augmentations 2 --output published
refuses 1 'subsets: .*--source' verify --data data --subsets small
refuses 1 'test-set: .*--subsets' verify --data data --source source --test-set small
sed 's/"identifiers": *[0-9]*/"identifiers": 5/' data/build.json >record.json && cp -r data recounted && cp record.json recounted/build.json
refuses 1 'recounted/build.json: /report/identifiers' verify --data recounted --quiet
cp -r data broken && printf '\x05' | dd of=broken/train/all__labels.npy bs=1 seek=130 conv=notrunc status=none
refuses 1 'broken/train/all__labels.npy: row 0: ' verify --data broken --quiet
"$program" "${build[@]}" --augmentations 2 --verify --output broken >out.txt 2>err.txt && fail "build-dataset --verify: a broken dataset passes"
contains err.txt 'broken/train/all__labels.npy: row 0: '
cp -r virtual torn_virtual && printf '\x05' | dd of=torn_virtual/test/all__virtual.safetensors bs=1 seek=1500 conv=notrunc status=none
refuses 1 'torn_virtual/test/all__virtual.safetensors' verify --data torn_virtual --quiet
mkdir changed && sed 's/\[\[7, 6, 5\]\]/[[7, 6, 6]]/' source/toy_small_challenges.json >changed/toy_small_challenges.json
cp source/toy_small_solutions.json changed
refuses 1 'data/test_puzzles.json: task aaaa0001 is not that of the sources' verify --data data --source changed --quiet

succeeds "init" init --preset small --data data --seed 3 --output initial.safetensors
succeeds "init paper" init --preset paper --tokens 900 --identifiers 2 --output paper.safetensors
refuses 1 'paper.safetensors.*puzzle rows|100 tokens' evaluate --data data --checkpoint paper.safetensors --output x --quiet
succeeds "evaluate" evaluate --data data --checkpoint initial.safetensors --output first --batch 4 --max-steps 2 --quiet \
  --save logits,preds,q_halt_logits
[ -s first/outputs.safetensors ] || fail "evaluate: no outputs.safetensors"
contains first/metrics.json 'ARC/pass@2'
contains first/metrics.json '"solutions": "all"'
contains first/metrics.json '"submission_inputs": 4'
contains first/report.html aaaa0003
contains first/report.html 'checkpoint = '
[ "$(grep -o attempt_2 first/submission.json | wc -l)" -eq 4 ] || fail "evaluate: not every test input is in the submission"
succeeds "evaluate --json" evaluate --data data --checkpoint initial.safetensors --output second --batch 3 --max-steps 2 --quiet --json
contains out.txt '"exact_accuracy"'
cmp -s first/submission.json second/submission.json || fail "evaluate: another batch size gives another submission"
succeeds "evaluate the virtual form" evaluate --data virtual --checkpoint initial.safetensors --output third --batch 4 --max-steps 2 --quiet \
  --save logits,preds,q_halt_logits --voting per-round
contains third/metrics.json '"voting": "per_round"'
same first/outputs.safetensors third/outputs.safetensors "evaluate: the virtual form gives other outputs"
for folder in first third; do grep -Ev '"(seconds|voting)"' $folder/metrics.json >$folder/numbers; done
same first/numbers third/numbers "evaluate: the virtual form gives other metrics"

# An answer of the untrained model is made a solution, so that something is right.
answer=$(sed -E 's/.*"aaaa0001":\[\{"attempt_1":([][0-9,]*),"attempt_2".*/\1/' first/submission.json)
mkdir lucky && cp source/toy_small_challenges.json lucky
echo "{\"aaaa0001\": [$answer], \"aaaa0002\": [[[6, 6]], [[8]]], \"aaaa0003\": [[[1, 1, 1]]]}" >lucky/toy_small_solutions.json
succeeds "build with a lucky solution" build-dataset --source lucky --subsets small --test-set small --canvas 10 --augmentations 2 --output luck --quiet
succeeds "evaluate with a lucky solution" evaluate --data luck --checkpoint initial.safetensors --output luck_evaluation --max-steps 2 --quiet
right=$(value luck_evaluation/metrics.json 'ARC/pass@2')
[ "$right" = 0.3333333333333333 ] || fail "evaluate: one of three tasks is right, but pass@2 is $right"
succeeds "score" score luck_evaluation/submission.json --source lucky --output score
contains out.txt '^ARC/pass@2 +33.33 %'
contains out.txt '^missing_tasks +0'
[ "$(value score/score.json 'ARC/pass@2')" = "$right" ] || fail "score: pass@2 is not that of the evaluation"
[ "$(value score/score.json 'ARC/pass@2 of inputs')" = 0.25 ] || fail "score: one of four test inputs is right"
contains score/report.html aaaa0002
succeeds "score against a dataset" score luck_evaluation/submission.json --source luck --json
contains out.txt '"ARC/pass@2":0.333'
echo '{"aaaa0001": [{"attempt_1": [[9, 8]]}], "aaaa0002": [{"attempt_1": [[6, 6], [1]]}], "zzzz": []}' >partial.json
succeeds "score a submission with problems" score partial.json --source source --subset small
contains out.txt '^ARC/pass@1 +33.33 %'
contains out.txt '^partial.json: task aaaa0003: is missing'
contains out.txt '^partial.json: task zzzz: is none of the 3 tasks'
contains out.txt '^partial.json: task aaaa0002: .*row 1 has 1'
refuses 1 'nowhere.json' score nowhere.json --source source
refuses 1 'source' score partial.json --source source --subset large

# tasks whose solutions are not known
mkdir blind && cp source/toy_small_challenges.json blind
succeeds "build without solutions" build-dataset --source blind --subsets small --test-set small --canvas 10 --augmentations 1 --output unknown --quiet
contains out.txt '4 test inputs of 3 tasks have no known output'
succeeds "init without solutions" init --data unknown --output unknown.safetensors
succeeds "evaluate without solutions" evaluate --data unknown --checkpoint unknown.safetensors --output unknown_evaluation --max-steps 1 --quiet
contains unknown_evaluation/metrics.json '"solutions": "no solutions"'
lacks unknown_evaluation/metrics.json 'ARC/pass@'
contains unknown_evaluation/report.html 'no solution known'

learn=(train --preset small --batch 4 --max-steps 2 --lr 1e-3 --warmup 2 --ema 0.9 --quiet)
train=("${learn[@]}" --data data --steps 4 --log-every 2)
succeeds "train" "${train[@]}" --run run --threads 1
succeeds "train again, two threads" "${train[@]}" --run again --threads 2
cmp -s run/checkpoints/step_4/training.safetensors again/checkpoints/step_4/training.safetensors || fail "train: two threads give other bits than one"
[ "$(wc -l <run/metrics.jsonl)" -eq 2 ] || fail "train: metrics.jsonl has not one line for each two steps"
contains run/metrics.jsonl 'train/lm_loss'
contains run/config.toml 'warmup = 2'
contains run/report.html '<svg'
succeeds "train from the written configuration" train --config run/config.toml --run third
cmp -s run/checkpoints/step_4/training.safetensors third/checkpoints/step_4/training.safetensors || fail "train: the written configuration gives another run"

succeeds "train from the virtual form" "${learn[@]}" --data virtual --steps 4 --log-every 2 --run fourth
same run/checkpoints/step_4/training.safetensors fourth/checkpoints/step_4/training.safetensors "train: the virtual form gives another run"

# where options come from
printf '[train]\nbatch = 5\nlr = 2e-3\nmax-steps = 3\n' >options.toml
TRM_BATCH=6 TRM_LR=3e-3 "$program" train --config options.toml --data data --run x --lr 4e-3 --print-config >out.txt 2>err.txt || fail "print-config: $(cat err.txt)"
for line in 'lr = 0?4e-3|lr = 4e-0?3|lr = 0.004' 'batch = 6' 'max-steps = 3' 'steps = 20000' 'seed = 0'; do contains out.txt "^($line)\$"; done

# votes over the evaluations of a run
for voting in pooled per-round; do
  succeeds "train, votes $voting" "${train[@]}" --run votes_$voting --eval-every 2 --voting $voting
  grep -o '"predictions":[0-9]*' votes_$voting/metrics.jsonl | cut -d: -f2 >votes_$voting.txt
done
contains votes_pooled/metrics.jsonl '"rounds":2.*"voting":"pooled"'
{ read -r first; read -r second; } <votes_pooled.txt
[ "$second" -eq $((2 * first)) ] || fail "train: votes are not pooled: $first, then $second predictions"
{ read -r first; read -r second; } <votes_per-round.txt
[ "$second" -eq "$first" ] || fail "train: votes of a round: $first, then $second predictions"

# interruption
awk 'BEGIN { printf "{"; for (t = 0; t < 3000; ++t) { printf "%s\"t%04d\": {\"train\": [", t ? "," : "", t
  for (i = 0; i < 3; ++i) { printf "%s{\"input\": [[%d,%d,%d,%d]], \"output\": [[%d,%d]]}", i ? "," : "", i, t % 10, t / 10 % 10, t / 100 % 10, t % 7, i }
  printf "], \"test\": [{\"input\": [[%d,%d]]}]}", t % 10, t / 10 % 10 } print "}" }' >source/many_all_challenges.json
"$program" build-dataset --source source/many --subsets all --augmentations 1000 --output stopped --quiet >out.txt 2>err.txt &
builder=$!
waits_for 60 compgen -G 'stopped.partial-*' >/dev/null || fail "build-dataset: no partial folder: $(cat err.txt)"
kill -INT $builder
ends $builder
[ $status -eq 1 ] || fail "an interrupted build: exit status $status"
[ "$(wc -l <err.txt)" -eq 1 ] || fail "an interrupted build: not one line on standard error: $(cat err.txt)"
contains err.txt 'interrupted'
compgen -G 'stopped*' >/dev/null && fail "an interrupted build left $(compgen -G 'stopped*')"
"$program" "${learn[@]}" --data data --steps 100000 --log-every 1 --run stopped >out.txt 2>err.txt &
trainer=$!
waits_for 60 test -s stopped/metrics.jsonl || fail "train: no step: $(cat err.txt)"
kill -INT $trainer
ends $trainer
[ $status -eq 0 ] || fail "an interrupted run: exit status $status: $(cat err.txt)"
saved=$(compgen -G 'stopped/checkpoints/step_*')
[ "stopped/checkpoints/step_$(tail -n 1 stopped/metrics.jsonl | sed -E 's/.*"step":([0-9]+).*/\1/')" = "$saved" ] ||
  fail "an interrupted run: its last step was not saved: $saved"
[ -s stopped/report.html ] || fail "an interrupted run: no report"

checkpoint=run/checkpoints/step_4
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
refuses 1 'preset paper.* 900 tokens, not of 100' train --data data --run x --steps 1 --preset paper
refuses 1 'run/config.toml: the run has beta1 0.9, not 0.5' "${train[@]}" --run run --beta1 0.5
refuses 1 'nothing to do' train --data data --run x --steps 0
refuses 1 'nothing to do' train --data data --run x --epochs 1e-6
refuses 1 'micro_batch.* 3 does not divide' train --data data --run x --steps 1 --batch 4 --micro-batch 3
refuses 1 'no such file' build-dataset --source source --subsets none --output x --quiet
refuses 1 'data' "${build[@]}" --output data
head -c 1000 $checkpoint/weights.safetensors >torn.safetensors
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
refuses 2 'logit' evaluate --data data --checkpoint $checkpoint --output y --save logit
touch file
refuses 1 'file' train --data data --run file/run --steps 1
[ -e x ] && [ -n "$(find x -name '*.safetensors' -o -name submission.json)" ] && fail "a refused command left results"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
