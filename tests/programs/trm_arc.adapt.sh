#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Test-time adaptation on a toy family of tasks: what a model trained on some of them makes of the others, before and after.
# Usage: trm_arc.adapt.sh PROGRAM
. "$(dirname "$0")/../support/program.sh"

# tasks SEED HELD_OUT [SOLUTIONS]: what is not black becomes one colour, black another; of the 90 pairs of colours nine are held out
tasks() {
  awk -v seed="$1" -v held_out="$2" -v solutions="${3:-1}" '
    function cells(a, b, answer,   i, j, text) {
      text = "["
      for (i = 0; i < 4; ++i) {
        text = text (i ? ",[" : "[")
        for (j = 0; j < 4; ++j) text = text (j ? "," : "") (answer ? (grid[i, j] ? a : b) : grid[i, j])
        text = text "]"
      }
      return text "]"
    }
    function random(n) { state = (state * 16807) % 2147483647; return int(state / 2147483647 * n) }
    function pair(a, b, answered,   i, j) {
      for (i = 0; i < 4; ++i) for (j = 0; j < 4; ++j) grid[i, j] = random(2) ? 0 : 1 + random(9)
      return "{\"input\": " cells(a, b, 0) (answered ? ", \"output\": " cells(a, b, 1) : "") "}"
    }
    BEGIN {
      state = seed; printf "{"
      for (a = 0; a < 10; ++a) for (b = 0; b < 10; ++b) {
        if (a == b || ((a * 10 + b) % 11 == 5) != held_out) continue
        printf "%s\"paint%d%d\": {\"train\": [", n++ ? ",\n" : "", a, b
        for (i = 0; i < (held_out ? 3 : 6); ++i) printf "%s%s", i ? "," : "", pair(a, b, 1)
        printf "], \"test\": [%s, %s]}", pair(a, b, solutions), pair(a, b, solutions)
      }
      print "}"
    }'
}
mkdir source
tasks 12345 0 >source/toy_known_challenges.json
tasks 67890 1 >unseen.json
tasks 67890 1 0 >unsolved.json
[ "$(grep -c paint unseen.json)" -eq 9 ] || fail "not nine tasks are held out"

succeeds "build-dataset" build-dataset --source source/toy --subsets known --canvas 4 --augmentations 0 --output data --quiet
succeeds "train" train --data data --run run --preset toy --threads 1 --quiet
checkpoint=run/checkpoints/step_1500
adapt=(adapt --checkpoint $checkpoint --steps 100 --augmentations 7 --quiet)
# share WHEN: pass@1 of the last adaptation, in per cent
share() { sed -n "s|^$1 *ARC/pass@1 *\([0-9]*\)\..*|\1|p" out.txt; }

# the rows alone
succeeds "adapt" "${adapt[@]}" --task unseen.json --freeze-weights --threads 1 --output rows.json
before=$(share before) after=$(share after)
echo "tasks solved: $before % with the mean row, $after % with rows of their own"
[ "$before" -eq 0 ] || fail "adapt: the model solves $before % of tasks that it has never seen"
[ "$after" -ge 75 ] || fail "adapt: $after % of the tasks are solved"
contains out.txt '^paint05: 3 demonstrations, 8 puzzle rows, 100 steps'
contains out.txt '^wrong before, right adapted$'
succeeds "score" score rows.json --source unseen.json --json
contains out.txt "\"ARC/pass@1\":(0\.$after|1\.0)"

# the weights with them
succeeds "adapt with the weights" "${adapt[@]}" --task unseen.json --lr 1e-3
[ "$(share after)" -ge 75 ] || fail "adapt with the weights: $(share after) % of the tasks are solved"

# solutions play no part, nor do threads
succeeds "adapt, solutions unknown" "${adapt[@]}" --task unsolved.json --freeze-weights --output blind.json --threads 2
same rows.json blind.json "adapt: the answers depend on solutions or threads"

# an adapted checkpoint has the rows of its task under their names
one=(--puzzle paint05 --freeze-weights)
succeeds "adapt --save" "${adapt[@]}" --task unseen.json "${one[@]}" --save adapted --output one.json
succeeds "adapt from the adapted" adapt --checkpoint adapted --task unseen.json "${one[@]}" --steps 0 --augmentations 7 --output same.json --json --quiet
same one.json same.json "adapt: the adapted checkpoint answers otherwise"
contains out.txt '"correct_before":true'
contains adapted/identifiers.json '^\["paint05","paint05\|\|\|t'
succeeds "predict with the adapted" predict --checkpoint adapted --task paint05 unseen.json --max-steps 2
contains out.txt 'puzzle row from training'
refuses 1 'adapted' "${adapt[@]}" --task unseen.json "${one[@]}" --save adapted

# what new rows begin as, and where tasks come from
cp unseen.json run/test_puzzles.json
first=(adapt --checkpoint $checkpoint --steps 1 --augmentations 1 --quiet --json)
for row in zero mean paint04 3; do succeeds "adapt --new-row $row" "${first[@]}" --puzzle paint05 --new-row $row; done
refuses 1 'new-row.*"paint05" is neither mean nor zero' "${first[@]}" --puzzle paint05 --new-row paint05
refuses 1 'puzzle identifier 99: the table has rows 0 to 82' "${first[@]}" --puzzle paint05 --new-row 99
succeeds "adapt a known task" adapt --checkpoint $checkpoint --augmentations 0 --quiet --json --task source/toy_known_challenges.json --puzzle paint04 --steps 0
contains out.txt '"correct_before":true'
mkdir dense && cp $checkpoint/weights.safetensors dense/model.safetensors
refuses 1 'no rows to take the mean of' adapt --checkpoint dense --task unseen.json --steps 1 --quiet
succeeds "adapt dense weights alone" adapt --checkpoint dense --task unseen.json --puzzle paint05 --new-row zero --steps 1 --quiet
refuses 1 'run/test_puzzles.json: has no task nobody' "${first[@]}" --puzzle nobody
refuses 2 'task.*give a task file' adapt --checkpoint adapted --steps 1
refuses 2 'save.*give --puzzle' "${first[@]}" --save x
echo '{"train": [{"input": [[1,1,1,1,1]], "output": [[1]]}], "test": [{"input": [[1]]}]}' >wide.json
refuses 1 'task wide: demonstration 0 has a grid of 1 x 5' "${first[@]}" --task wide.json
echo '{"train": [{"input": [[1]], "output": [[1]]}], "test": [{"input": [[1,1,1,1,1]]}]}' >wide.json
refuses 1 'task wide: test input 0 is 1 x 5' "${first[@]}" --task wide.json
[ -e x ] && fail "a refused command left results"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
