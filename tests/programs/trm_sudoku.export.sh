#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An exported model solves as its checkpoint does. Usage: trm_sudoku.export.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"

succeeds "generate" generate --size 4 --count 40 --test 8 --seed 5 --output data --quiet
succeeds "train" train --data data --steps 4 --batch 8 --max-steps 2 --warmup 2 --eval-every 4 --run run --quiet
succeeds "export" export --checkpoint run/checkpoints/step_4 --output hub
contains hub/README.md '`sudoku/solved` \| [0-9.]+ \| share of puzzles'
contains hub/README.md 'trm-sudoku solve --checkpoint FOLDER'
succeeds "export as one file" export --checkpoint run/checkpoints/step_4 --output one.safetensors --format safetensors
sed -n 2,4p data/test.csv | cut -d, -f2 >puzzles.txt
for model in run/checkpoints/step_4 hub one.safetensors; do
  # 1: not all of them are solved, which four steps do not teach
  "$program" solve --checkpoint $model --max-steps 2 --json puzzles.txt >"answers.${model%%[/.]*}" 2>err.txt
  [ -s "answers.${model%%[/.]*}" ] || fail "solve with $model: $(cat err.txt)"
done
same answers.run answers.hub "solve with a Hugging Face folder"
same answers.run answers.one "solve with one file"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
