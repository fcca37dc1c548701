#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The original TensorBoard reads from a run that was killed and gone on with what its metrics.jsonl says, every step once.
# Usage: trm_toy.telemetry.sh PROGRAM
python=${TRM_PYTHON:-python3}
if ! "$python" -c 'import tensorboard' 2>/dev/null; then
  echo "MESSAGE: SKIPPED, missing: $python cannot import tensorboard (TRM_PYTHON names another interpreter)"
  exit 0
fi
python=$(command -v "$python")
support=$(cd "$(dirname "$0")/../support" && pwd)
. "$support/program.sh"
. "$support/runs.sh"

cat >compare.py <<'EOF'
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

def flat(line):
    split = line["split"] + "/" if "split" in line else ""
    for key, value in line.items():
        if isinstance(value, dict):
            yield from ((f"{split}{key}/{name}", number) for name, number in value.items())
        elif isinstance(value, (int, float)) and key not in ("step", "time"):
            yield key if "/" in key else split + key, value

wanted = {}
for line in map(json.loads, open("run/metrics.jsonl")):
    for name, number in flat(line):
        wanted.setdefault(name, []).append((line["step"], number))
run = EventAccumulator("run", size_guidance={"scalars": 0})
run.Reload()
found = {name: [(e.step, e.value) for e in run.Scalars(name)] for name in run.Tags()["scalars"]}
assert found.keys() == wanted.keys(), found.keys() ^ wanted.keys()
for name in found:
    assert [step for step, _ in found[name]] == [step for step, _ in wanted[name]], (name, found[name], wanted[name])
    for (_, a), (_, b) in zip(found[name], wanted[name]):
        assert abs(a - b) <= 1e-6 * abs(b) + 1e-30, (name, a, b)
for name in "train/lm_loss", "train/q_halt_accuracy", "test/all/exact_accuracy":
    assert len(found[name]) > 1, name
assert [step for step, _ in found["train/lm_loss"]] == list(range(5, 121, 5)), found["train/lm_loss"]
assert "steps = 120" in str(run.Tensors("configuration")[0].tensor_proto.string_val[0]), run.Tensors("configuration")
EOF

train=(train --data 1 --preset plain --steps 120 --checkpoint-every 8 --eval-every 12 --log-every 5 --threads 1)
begin=$(milliseconds)
succeeds "never stopped" "${train[@]}" --run whole
duration=$(($(milliseconds) - begin))
event_files() { find run -name 'events.out.tfevents.*' 2>find.txt | wc -l; }
for ((n = 0; n < 4 || (n < 30 && $(event_files) < 2); ++n)); do
  below $((duration / 2 + 1))
  signalled KILL "$drawn" "${train[@]}" --run run
done
succeeds "gone on with" "${train[@]}" --run run
[ "$(event_files)" -ge 2 ] || fail "never killed after it had begun to measure"
same_metrics whole run "gone on with"
"$python" compare.py 2>err.txt || fail "TensorBoard reads something else: $(tail -n 1 err.txt)"
passed_or_not
