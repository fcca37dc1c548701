#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times whole programs, from their start to their end: puzzles generated, a training of 100 steps, an evaluation, answers.

    benchmarks/programs.py --sudoku build/bench/examples/trm-sudoku --out programs.json

Every command is run --rounds times in a folder of its own; the shortest processor time and the shortest wall time count. The result
has the form of Google Benchmark's. Standard library only.
"""
import argparse
import datetime
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

BOARDS = 2000


def commands(sudoku, threads):
    """(name, things done, their unit, command), in their order: each reads what those before it wrote."""
    common = ["--threads", str(threads), "--quiet"]
    train = ["--data", "data", "--run", "run", "--preset", "small", "--seed", "0", "--batch", "64"]
    evaluate = ["--data", "data", "--checkpoint", "CHECKPOINT", "--output", "evaluation", "--max-steps", "8"]
    return [
        ("generate", BOARDS + 500, "puzzles", [sudoku, "generate", "--size", "4", "--count", str(BOARDS), "--test", "500", "--seed", "0",
                                               "--output", "data", *common]),
        ("train", 100, "steps of 64", [sudoku, "train", *train, "--steps", "100", *common]),
        ("evaluate", 500, "puzzles", [sudoku, "evaluate", *evaluate, *common]),
    ]


def run(command, folder):
    """(wall, processor) seconds of one run."""
    if "CHECKPOINT" in command:
        command = [str(next(pathlib.Path(folder).glob("run/checkpoints/step_*"))) if c == "CHECKPOINT" else c for c in command]
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"programs.py: {' '.join(command)}: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(arguments):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--sudoku", required=True, help="the program trm-sudoku, with its small models")
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    o = p.parse_args(arguments)
    sudoku = os.path.abspath(o.sudoku)
    if not os.access(sudoku, os.X_OK):
        raise SystemExit(f"{o.sudoku}: no such program; build the examples")
    best = {}
    for _ in range(o.rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name, count, unit, command in commands(sudoku, o.threads):
                wall, processor = run(command, folder)
                entry = best.setdefault(name, {"name": f"programs/trm-sudoku/{name}", "run_type": "iteration", "iterations": o.rounds,
                                               "real_time": wall, "cpu_time": processor, "time_unit": "s", "label": unit,
                                               "threads": o.threads})
                entry["real_time"], entry["cpu_time"] = min(entry["real_time"], wall), min(entry["cpu_time"], processor)
                entry["items_per_second"] = count / entry["real_time"]
    context = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00")}
    partial = o.out.with_name(o.out.name + ".partial")
    partial.write_text(json.dumps({"context": context, "benchmarks": list(best.values())}, indent=1) + "\n")
    partial.replace(o.out)
    for entry in best.values():
        print(f"{entry['name']}: {entry['real_time']:.2f} s, {entry['cpu_time']:.2f} s of processors")


if __name__ == "__main__":
    main(sys.argv[1:])
