#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Exported models are the same models: tensors bit for bit, the same evaluation; what is damaged or does not belong is refused.
# Usage: trm_toy.export.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"

# same_evaluation NAME CHECKPOINT CHECKPOINT
same_evaluation() {
  local model
  for model in "$2" "$3"; do
    succeeds "$1" evaluate --data 1 --checkpoint "$model" --output "evaluation/$model" --save logits,preds,q_halt_logits --quiet || return
    grep -v '"seconds"' "evaluation/$model/metrics.json" >"evaluation/$model/numbers"
  done
  same "evaluation/$2/outputs.safetensors" "evaluation/$3/outputs.safetensors" "$1: other outputs"
  same "evaluation/$2/numbers" "evaluation/$3/numbers" "$1: other metrics"
}
nothing_left() { [ -z "$(compgen -G 'x*')" ] || fail "$1 left $(compgen -G 'x*')"; }

for preset in plain continue rows bf16; do
  succeeds "train $preset" train --data 1 --preset $preset --steps 20 --eval-every 10 --ema 0.9 --run $preset --quiet
  checkpoint=$preset/checkpoints/step_20
  succeeds "export $preset" export --checkpoint $checkpoint --output $preset.hub --license mit
  contains out.txt "^$preset.hub: [0-9]+ tensors, [0-9]+ numbers"
  same_evaluation "export $preset" $checkpoint $preset.hub
  succeeds "export $preset as one file" export --checkpoint $checkpoint --output $preset.safetensors --format safetensors
  same_evaluation "export $preset as one file" $checkpoint $preset.safetensors
  # and back
  succeeds "export $preset from a Hugging Face folder" export --checkpoint $preset.hub --output $preset.back --format safetensors
  same $preset.back $preset.safetensors "export $preset: not the same bytes on another way"
  for from in hub safetensors; do
    succeeds "export $preset.$from" export --checkpoint $preset.$from --output $preset.$from.hub
    same $preset.$from.hub/model.safetensors $preset.hub/model.safetensors "export $preset.$from"
  done
  same $preset.hub.hub/config.json $preset.hub/config.json "export $preset.hub: another config.json"
done
[ -s rows.hub/puzzle_table.safetensors ] || fail "export rows: no puzzle table"
[ -e plain.hub/puzzle_table.safetensors ] && fail "export plain: a puzzle table"
same rows.hub/puzzle_table.safetensors rows/checkpoints/step_20/puzzle_table.safetensors "export rows: another table"

# what the folder says
head -n 2 rows.hub/README.md >head.txt
contains head.txt '^---$'
contains head.txt '^license: "mit"$'
for line in '^library_name: trm$' '^model-index:$' 'type: "test/all/exact_accuracy"' 'share of examples with every cell right' \
  'trm-toy evaluate --checkpoint FOLDER' '^## Limits$' 'running average' 'puzzle rows'; do
  contains rows.hub/README.md "$line"
done
contains plain.safetensors.hub/README.md '^# license: to be said'
for member in '"model_type": "trm"' '"architectures"' '"preset": "rows"' '"step": 20' '"weights": "ema"' '"arithmetic": "float32"' '"tokens":'; do
  contains rows.hub/config.json "$member"
done
contains bf16.hub/config.json '"arithmetic": "bfloat16"'
lacks rows.hub/README.md "$work"
if python3 -c 'import yaml' 2>python.txt; then
  python3 - rows.hub/README.md >out.txt 2>err.txt <<'END' || fail "README.md: its front matter: $(tail -n 1 err.txt)"
import sys, yaml
head = yaml.safe_load(open(sys.argv[1]).read().split("---\n")[1])
result, = head["model-index"][0]["results"]
metrics = {m["type"]: m["value"] for m in result["metrics"]}
assert head["license"] == "mit" and head["library_name"] == "trm" and "toy" in head["tags"], head
assert result["task"]["type"] and result["dataset"]["name"] and result["dataset"]["type"], result
assert all(isinstance(v, float) for v in metrics.values()) and "test/all/lm_loss" in metrics, metrics
END
fi

# a part of it, and new names
succeeds "export --without-table" export --checkpoint rows/checkpoints/step_20 --output dense --without-table --name 'My "model"'
[ -e dense/puzzle_table.safetensors ] && fail "export --without-table: a puzzle table"
contains dense/README.md '^# My "model"$'
contains dense/README.md '  - name: "My \\"model\\""$'
contains dense/README.md 'The puzzle table was left out'
refuses 1 'dense.*(puzzle rows|identifiers)' evaluate --data 1 --checkpoint dense
succeeds "begin with an exported model" train --data 1 --preset rows --steps 1 --run begun --init-from rows.hub --quiet

# a file that does not say what it is
succeeds "export --unchecked" export --checkpoint plain.hub --output unchecked --format safetensors --unchecked
same unchecked plain.safetensors "export --unchecked"
refuses 2 'unchecked.*safetensors' export --checkpoint plain.hub --output x --unchecked

# what cannot be exported leaves nothing
refuses 1 'plain.hub: is there already' export --checkpoint plain/checkpoints/step_20 --output plain.hub
refuses 1 'plain.safetensors: is there already' export --checkpoint plain/checkpoints/step_20 --output plain.safetensors --format safetensors
refuses 1 'a run and not a checkpoint' export --checkpoint plain --output x
refuses 1 'nowhere' export --checkpoint nowhere --output x
refuses 1 'preset' export --checkpoint plain.hub --output x --preset none
refuses 1 'rows.hub' export --checkpoint rows.hub --output x --preset plain
for file in weights puzzle_table; do
  rm -rf bad && cp -r rows/checkpoints/step_20 bad
  printf '\x55' | dd of=bad/$file.safetensors bs=1 seek=2000 conv=notrunc status=none
  refuses 1 "bad/$file.safetensors: damaged checkpoint: its SHA-256" export --checkpoint bad --output x
  refuses 1 "bad/$file.safetensors: damaged checkpoint: its SHA-256" export --checkpoint bad --output x --format safetensors
done
nothing_left "a refused export"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
