#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file of torch.save is evaluated as the checkpoint is that it was made of; one that is not the model's, or that would call something,
# is refused.
# Usage: trm_toy.torch.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"
if ! command -v python3 >python.txt; then
  echo "MESSAGE: SKIPPED, files of torch.save: python3 is not here"
  exit 0
fi

evaluated() {
  local name=$1
  shift
  succeeds "$name" evaluate --data 1 "$@" --output "evaluation/$name" --save logits,preds,q_halt_logits --quiet || return
  grep -v '"seconds"' "evaluation/$name/metrics.json" >"evaluation/$name/numbers"
}
# as_torch NAME PRESET KEY PREFIX TYPE
as_torch() {
  local at=$2/checkpoints/step_20
  local files=("$at/weights.safetensors")
  [ -e "$at/puzzle_table.safetensors" ] && files+=("$at/puzzle_table.safetensors")
  python3 "$support/torch_save.py" "$1" "$3" "$4" "$5" "${files[@]}" || fail "$1: could not be made"
}
same_evaluation() {
  same "evaluation/$1/outputs.safetensors" "evaluation/$2/outputs.safetensors" "$2: other outputs"
  same "evaluation/$1/numbers" "evaluation/$2/numbers" "$2: other metrics"
}

for preset in rows plain; do
  succeeds "train $preset" train --data 1 --preset $preset --steps 20 --ema 0.9 --run $preset --quiet
  evaluated $preset --checkpoint $preset/checkpoints/step_20
  as_torch $preset.published $preset '' _orig_mod. f32
  evaluated $preset.published --checkpoint $preset.published --preset $preset
  same_evaluation $preset $preset.published
done
# other prefixes, a dictionary within another
as_torch inner rows '' -model.inner. f32
as_torch nested rows state_dict module. f32
for name in inner nested; do
  evaluated $name --checkpoint $name --preset rows
  same_evaluation rows $name
done
# bf16 is near, and not the same
as_torch rounded rows '' '' bf16
evaluated rounded --checkpoint rounded --preset rows
cmp -s evaluation/rows/outputs.safetensors evaluation/rounded/outputs.safetensors && fail "bf16: nothing was rounded"

# Shapes do not say which of two presets it is.
refuses 1 'rows\.published: does not say which model it belongs to, and fits bf16 \(8 tokens\), rows \(8 tokens\): give --preset' \
  evaluate --data 1 --checkpoint rows.published --output x

# what is not the model's
refuses 1 'rows\.published: tensor model\.inner\..*: the compiled model has no puzzle rows; found shape' \
  evaluate --data 1 --checkpoint rows.published --preset plain --output x
head -c 2000 rows.published >torn
refuses 1 'torn: cut off' evaluate --data 1 --checkpoint torn --preset rows --output x
cp rows.published altered
printf '\001\002\003' | dd of=altered bs=1 seek=2500 conv=notrunc 2>dd.txt
refuses 1 'altered: (entry .*damaged|data\.pkl|damaged)' evaluate --data 1 --checkpoint altered --preset rows --output x
python3 - <<'EOF'
import os, pickle, zipfile
class Evil:
    def __reduce__(self): return os.system, ("touch was_called",)
with zipfile.ZipFile("evil", "w") as z: z.writestr("a/data.pkl", pickle.dumps({"a": Evil()}, 2))
EOF
refuses 1 'evil: data.pkl: byte [0-9]+: would call posix\.system: refused' evaluate --data 1 --checkpoint evil --preset rows --output x
[ -e was_called ] && fail "a pickle called a function"
[ -e x ] && fail "a refused evaluation left x"

passed_or_not
