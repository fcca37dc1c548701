#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A package evaluates elsewhere, without the data it was made from, to the same submission; exported models answer as the checkpoint does.
# Usage: trm_arc.package.sh PROGRAM
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/toy_arc.sh"

toy_dataset data
toy_dataset virtual 2 --virtual
succeeds "train" train --data data --preset small --batch 4 --max-steps 2 --lr 1e-3 --warmup 2 --steps 4 --eval-every 4 --ema 0.9 --quiet --run run
checkpoint=run/checkpoints/step_4
evaluate=(evaluate --max-steps 3 --quiet)
for voting in pooled per-round; do
  succeeds "evaluate, $voting" "${evaluate[@]}" --data data --checkpoint $checkpoint --voting $voting --output first_$voting
done

# exported models
succeeds "export" export --checkpoint $checkpoint --output hub --license cc-by-4.0
same hub/identifiers.json data/identifiers.json "export: the names of the puzzle rows"
contains hub/README.md '^license: "cc-by-4.0"$'
contains hub/README.md '^  - "arc"$'
contains hub/README.md 'type: "ARC/pass@2"'
contains hub/README.md 'name: "data"'
contains hub/README.md '`ARC/pass@2` \| [0-9.]+ \| mean over tasks'
succeeds "export as one file" export --checkpoint hub --output one.safetensors --format safetensors
for model in hub one.safetensors; do
  succeeds "evaluate $model" "${evaluate[@]}" --data data --checkpoint $model --output evaluation_$model
  same evaluation_$model/submission.json first_pooled/submission.json "evaluate $model"
done
succeeds "predict" predict --checkpoint $checkpoint source/toy_small_challenges.json --max-steps 3 --json
cp out.txt predicted.txt
contains out.txt '"known_puzzle":true'
succeeds "predict with an exported model" predict --checkpoint hub source/toy_small_challenges.json --max-steps 3 --json
same out.txt predicted.txt "predict with an exported model"

# packages
package=(package --max-steps 3)
succeeds "package" "${package[@]}" --checkpoint $checkpoint --data data --output package
succeeds "package of the virtual form, from an exported model" "${package[@]}" --checkpoint hub --data virtual --voting per-round --published-submission --output small
succeeds "evaluate, published" "${evaluate[@]}" --data virtual --checkpoint hub --voting per-round --published-submission --output first_published
for file in model/model.safetensors model/puzzle_table.safetensors model/config.json model/README.md data/identifiers.json data/test_puzzles.json \
  data/test/dataset.json evaluate.sh README.md package.json SHA256SUMS; do
  [ -s package/$file ] || fail "package: no $file"
done
[ -s small/data/test/all__virtual.safetensors ] || fail "package: not the virtual form"
[ -e package/data/train ] && fail "package: the training split"
contains package/README.md 'trm-arc evaluate --checkpoint model --data data --split test --max-steps 3 --voting pooled --output evaluation'
contains package/package.json '"format": "trm.package.1"'
contains package/package.json "\"sha256\": \"$(sha256sum <data/test_puzzles.json | cut -d' ' -f1)\""
find package -type f ! -name SHA256SUMS | wc -l >listed.txt
[ "$(wc -l <package/SHA256SUMS)" -eq "$(cat listed.txt)" ] || fail "package: not every file is in SHA256SUMS"

mkdir elsewhere && mv package small elsewhere && mkdir away && mv data virtual source run hub one.safetensors away
# An option in the environment does not change what is evaluated.
(cd / && TRM_MAX_STEPS=1 TRM_VOTING=per-round sh "$work/elsewhere/package/evaluate.sh" "$program" "$work/second") >out.txt 2>err.txt ||
  fail "evaluate.sh: $(tail -n 1 err.txt)"
same second/submission.json first_pooled/submission.json "the package: another submission"
for folder in first_pooled second; do grep -v '"seconds"' $folder/metrics.json >$folder/numbers; done
same first_pooled/numbers second/numbers "the package: other metrics"
# without arguments, as README.md says it
mkdir bin && ln -s "$program" bin/trm-arc
(cd elsewhere/small && PATH=$work/bin:$PATH sh evaluate.sh) >out.txt 2>err.txt || fail "evaluate.sh, small: $(tail -n 1 err.txt)"
same elsewhere/small/evaluation/submission.json first_published/submission.json "the package of the virtual form: another submission"
(cd elsewhere/package && PATH=$work/bin:$PATH && $(sed -n 's/^    \(trm-arc evaluate.*\)/\1/p' README.md)) >out.txt 2>err.txt || fail "the command of README.md: $(tail -n 1 err.txt)"
same elsewhere/package/evaluation/submission.json first_pooled/submission.json "the command of README.md: another submission"

# what was altered is not evaluated
printf '\x55' | dd of=elsewhere/package/model/model.safetensors bs=1 seek=3000 conv=notrunc status=none
sh elsewhere/package/evaluate.sh "$program" third >out.txt 2>err.txt && fail "evaluate.sh: an altered model is evaluated"
grep -q 'model/model.safetensors' out.txt err.txt || fail "evaluate.sh: the altered file is not named"
[ -e third ] && fail "evaluate.sh: an altered model has results"

# what does not belong together leaves nothing
mv away/* .
toy_dataset other 0
refuses 1 'trained on another dataset' "${package[@]}" --checkpoint $checkpoint --data other --output x
succeeds "build without a test set" build-dataset --source source --subsets small --canvas 10 --quiet --output untested
refuses 1 'untested' "${package[@]}" --checkpoint $checkpoint --data untested --output x
refuses 1 'elsewhere/small: is there already' "${package[@]}" --checkpoint $checkpoint --data data --output elsewhere/small
succeeds "export without table" export --checkpoint $checkpoint --output dense --without-table
refuses 1 'dense: has 0 puzzle rows' "${package[@]}" --checkpoint dense --data data --output x
[ -z "$(compgen -G 'x*')" ] || fail "a refused package left $(compgen -G 'x*')"

if [ "$failures" -gt 0 ]; then
  echo "$failures failed"
  exit 1
fi
echo "all passed"
