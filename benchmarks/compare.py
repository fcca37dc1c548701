#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times training steps and solving here and in PyTorch, side by side.

For each case the program `step` and the script pytorch_step.py are started as servers and asked for one round each in turn
(ours, PyTorch, ours, PyTorch, ...), on the same processors, with the same number of threads. What the processor can do is measured
in between. Standard library only; pytorch_step.py runs under the Python given by --python.

    compare.py --step build/benchmarks/step --python /path/with/torch/bin/python --out compare.json --markdown compare.md

Cases that are in --out already are not measured again (--again does), so a run may be interrupted and continued, or done in
pieces with --cases. --check compares what both compute instead of how long they take.

The file --out:
  {"format": "trm-compare-1",
   "machine":  {"cpu": name, "cores": n, "memory_bytes": n, "system": text, "features": [of amx_bf16, avx512_bf16, ...]},
   "threads":  n,
   "clock":    "wall" or "cpu": what `result` counts,
   "cases": {"train/sudoku_attention/float32/8": {          # what/model/type/batch
       "date": "2026-11-21 17:00 UTC", "load": [1, 5, 15 minutes, at the begin of the case],
       "gflop": GFLOP of a round (products and attention; backward = twice the forward of the cycle with gradient),
       "peak": {"float32": [GFLOP/s of all threads, one number a round], "bf16_vdpbf16ps": [...], "bf16_amx": [...]},  # 0: not there
       "programs": {                                        # trm, pytorch_eager, pytorch_compiled, ...
         "trm": {"wall_s": [one number a round], "cpu_s": [...], "peak_bytes": n, "plan_bytes": n,
                 "about": {"version": ..., "compiler": ..., "isa": ...}},
         "pytorch_eager": {"wall_s": [...], "cpu_s": [...], "peak_bytes": n, "about": {"version": ..., ...}}},
       "result": {                                          # drawn from the above; "median" of the rounds and "best"
         "peak": {"median": GFLOP/s of the best instruction for the type, "best": ...},
         "trm": {"median_s": s, "best_s": s, "median_share": share of the peak, "best_share": ...},     # of each program
         "pytorch": name of the fastest PyTorch program (by median),
         "median_ratio": time of the fastest PyTorch program / ours, "best_ratio": ...,
         "memory_ratio": our peak_bytes / that of the most frugal PyTorch program, or null}}}}
"""
import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

FORMAT = "trm-compare-1"
HERE = pathlib.Path(__file__).resolve().parent

# what/model/type/batch, the quick ones first
CASES = [f"{work}/{kind}/{batch}" for work, batches in (
    ("train/small_17", [64]), ("train/small_32", [64]), ("solve/sudoku_attention", [1]),
    ("train/sudoku_attention", [8]), ("train/sudoku_mixer", [8]), ("train/arc", [1]),
    ("train/sudoku_attention", [32]), ("train/sudoku_mixer", [32]), ("train/arc", [4]))
    for batch in batches for kind in ("bf16", "float32")]
QUICK = [c for c in CASES if "small" in c or c.startswith("solve") or "/bf16/8" in c]
VARIANTS = {"eager": [], "published": ["--weights", "cast"], "compiled": ["--compile"]}


class Failure(Exception):
    pass


def options_of(case):
    what, model, kind, batch = case.split("/")
    return ["--what", what, "--model", model, "--type", kind, "--batch", batch]


class Server:
    """A program that answers a line with a line of JSON."""

    def __init__(self, name, command, processors, environment):
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env={**os.environ, **environment}, preexec_fn=lambda: os.sched_setaffinity(0, processors))

    def read(self):
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except json.JSONDecodeError:
            self.close()
            self.errors.seek(0)
            last = self.errors.read().strip().splitlines()[-12:]
            raise Failure(f"{self.name} gave no answer: " + "\n  ".join(last or [line.strip() or "it ended"])) from None

    def ask(self, what):
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def programs(case, o):
    """Name -> command and environment of every program of a case."""
    threads = ["--threads", str(o.threads), "--serve"]
    common = {"OMP_NUM_THREADS": str(o.threads), "MKL_NUM_THREADS": str(o.threads)}
    # Memory that PyTorch has freed stays with the process, in large pages: otherwise every operation takes its pages anew.
    tuned = {"MALLOC_MMAP_THRESHOLD_": "17179869184", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_ARENA_MAX": "1",
             "THP_MEM_ALLOC_ENABLE": "1"}
    found = {"trm": ([o.step, *options_of(case), *threads], common)}
    for variant in o.variants:
        found["pytorch_" + variant] = (
            [o.python, str(HERE / "pytorch_step.py"), *options_of(case), *VARIANTS[variant], *threads],
            common if variant == "published" else {**common, **tuned})
    return found


def measure(case, o):
    processors = set(sorted(os.sched_getaffinity(0))[:o.threads])
    entry = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
             "load": list(os.getloadavg()), "peak": {}, "programs": {}}
    servers = {}
    try:
        for name, (command, environment) in programs(case, o).items():  # one after another: each warms up alone
            servers[name] = Server(name, command, processors, environment)
            entry["programs"][name] = {"wall_s": [], "cpu_s": [], "about": servers[name].read()}
        entry["gflop"] = entry["programs"]["trm"]["about"]["gflop"]
        begin = time.monotonic()
        for number in range(o.rounds):
            for kind, rate in servers["trm"].ask("peak").items():
                entry["peak"].setdefault(kind, []).append(rate)
            for name, server in servers.items():
                time.sleep(0.05)  # threads that still spin go to sleep
                answer = server.ask("run")
                for key in ("wall_s", "cpu_s"):
                    entry["programs"][name][key].append(answer[key])
            if number + 1 >= o.least and time.monotonic() - begin > o.seconds:
                break
        for name, server in servers.items():
            entry["programs"][name].update(server.ask("memory"))
    finally:
        for server in servers.values():
            server.close()
    entry["result"] = result_of(case, entry, o.clock)
    return entry


def result_of(case, entry, clock):
    kinds = ["float32"] if case.split("/")[2] == "float32" else list(entry["peak"])
    reductions = {"median": (statistics.median, statistics.median), "best": (min, max)}
    result = {"peak": {}}
    for how, (of_times, of_rates) in reductions.items():
        result["peak"][how] = max(of_rates(entry["peak"][k]) for k in kinds)
        for name, p in entry["programs"].items():
            seconds = of_times(p[clock + "_s"])
            result.setdefault(name, {}).update({
                f"{how}_s": seconds, f"{how}_share": entry["gflop"] / seconds / result["peak"][how]})
    others = [name for name in entry["programs"] if name != "trm"]
    if others:
        fastest = min(others, key=lambda name: result[name]["median_s"])
        result["pytorch"] = fastest
        for how in reductions:
            result[f"{how}_ratio"] = min(result[n][f"{how}_s"] for n in others) / result["trm"][f"{how}_s"]
        peaks = [b for n in others if (b := entry["programs"][n].get("peak_bytes"))]
        ours = entry["programs"]["trm"].get("peak_bytes")
        result["memory_ratio"] = ours / min(peaks) if peaks and ours else None
    return result


def machine():
    cpu, features = platform.processor() or platform.machine(), []
    try:
        for line in open("/proc/cpuinfo"):
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                cpu = value.strip()
            if key.strip() == "flags":
                features = sorted(set(value.split()) & {"avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "avx512_fp16",
                                                        "amx_bf16", "amx_int8"})
    except OSError:
        pass
    return {"cpu": cpu, "cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}", "features": features,
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}


def read(path):
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text())
    except ValueError as e:
        raise Failure(f"{path}: not JSON ({e}): remove it or give another --out") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise Failure(f"{path}: its format is not {FORMAT}: remove it or give another --out")
    return found


def write(path, text):
    beside = path.with_name(path.name + ".partial")
    beside.write_text(text)
    beside.replace(path)


def table(document, how):
    """The results as a Markdown table."""
    names = [n for n in ["trm"] + ["pytorch_" + v for v in VARIANTS]
             if any(n in e["programs"] for e in document["cases"].values())]
    titles = {"trm": "trm", **{"pytorch_" + v: "PyTorch " + v for v in VARIANTS}}
    lines = ["| case | GFLOP | " + " | ".join(f"{titles[n]}, ms (share of peak)" for n in names)
             + " | peak, GFLOP/s | time: PyTorch / trm | memory: trm, MiB | trm / PyTorch |",
             "| --- |" + " --- |" * (len(names) + 5)]
    for case in [c for c in CASES if c in document["cases"]] + sorted(set(document["cases"]) - set(CASES)):
        entry = document["cases"][case]
        result = entry["result"]
        cells = []
        for name in names:
            r = result.get(name)
            cells.append(f"{1e3 * r[how + '_s']:.1f} ({100 * r[how + '_share']:.0f} %)" if r else "")
        ratio, memory = result.get(how + "_ratio"), result.get("memory_ratio")
        bytes_used = entry["programs"]["trm"].get("peak_bytes")
        lines.append(f"| {case} | {entry['gflop']:.1f} | " + " | ".join(cells) + f" | {result['peak'][how]:.0f} | "
                     + (f"{ratio:.2f}" if ratio else "") + " | " + (f"{bytes_used / 2**20:.0f}" if bytes_used else "")
                     + " | " + (f"{memory:.2f}" if memory else "") + " |")
    return "\n".join(lines) + "\n"


def check(o, cases):
    """Do both compute the same? One small batch of each model, in float32."""
    models = sorted({c.split("/")[1] for c in cases if c.startswith("train/")})
    failed = []
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "record.safetensors")
            subprocess.run([o.step, "--model", model, "--batch", "2", "--threads", str(o.threads), "--record", file], check=True)
            print(f"{model}:", flush=True)
            done = subprocess.run([o.python, str(HERE / "pytorch_step.py"), "--model", model, "--batch", "2",
                                   "--threads", str(o.threads), "--check", file])
            if done.returncode != 0:
                failed.append(model)
    if failed:
        raise Failure("not the same work: " + ", ".join(failed))


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--step", default="build/benchmarks/step", help="our program (%(default)s)")
    p.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    p.add_argument("--out", type=pathlib.Path, default=pathlib.Path("compare.json"), help="(%(default)s)")
    p.add_argument("--markdown", type=pathlib.Path, help="also writes the table there")
    p.add_argument("--cases", default="*", help="patterns separated by commas, as in 'train/arc/*,solve/*'")
    p.add_argument("--quick", action="store_true", help="only the cases that take a second or less")
    p.add_argument("--variants", default="eager,compiled", help=f"of PyTorch, out of {','.join(VARIANTS)} (%(default)s)")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                   help="cpu: for one thread on a machine where others compute too (%(default)s)")
    p.add_argument("--rounds", type=int, default=15, help="of a case, at most (%(default)s)")
    p.add_argument("--least", type=int, default=5, help="rounds, at least (%(default)s)")
    p.add_argument("--seconds", type=float, default=6, help="after which a case that has --least rounds ends (%(default)s)")
    p.add_argument("--statistic", choices=["median", "best"], default="median", help="that the table shows")
    p.add_argument("--again", action="store_true", help="measures cases that --out has already")
    p.add_argument("--list", action="store_true", help="only names the cases")
    p.add_argument("--table", action="store_true", help="only draws the table of --out")
    p.add_argument("--check", action="store_true", help="compares results, not times")
    o = p.parse_args(arguments)
    o.variants = [v for v in o.variants.split(",") if v]
    for v in o.variants:
        if v not in VARIANTS:
            p.error(f"--variants: {v} is none of {', '.join(VARIANTS)}")
    if not 1 <= o.threads <= len(os.sched_getaffinity(0)):
        p.error(f"--threads: between 1 and {len(os.sched_getaffinity(0))}, the processors of this process")
    if o.clock == "cpu" and o.threads != 1:
        p.error("--clock cpu: only with --threads 1, as threads that wait for others compute too")
    return o


def run(o):
    cases = [c for c in (QUICK if o.quick else CASES) if any(fnmatch.fnmatch(c, p) for p in o.cases.split(","))]
    if not cases:
        raise Failure(f"--cases {o.cases}: matches none; see --list")
    if o.list:
        return print("\n".join(cases))
    document = read(o.out) or {"format": FORMAT, "cases": {}}
    if not o.table:
        if not os.access(o.step, os.X_OK):
            raise Failure(f"{o.step}: no such program: build the benchmarks, and say where with --step")
        o.step = os.path.abspath(o.step)
        if o.check:
            return check(o, cases)
        if document["cases"] and (document.get("threads"), document.get("clock")) != (o.threads, o.clock):
            raise Failure(f"{o.out}: was measured with {document.get('threads')} threads by the {document.get('clock')} clock: "
                          "give another --out")
        document.update(machine=machine(), threads=o.threads, clock=o.clock)
        failed = []
        for case in cases:
            if case in document["cases"] and not o.again:
                continue
            begin = time.monotonic()
            try:
                document["cases"][case] = measure(case, o)
            except Failure as e:
                failed.append(case)
                print(f"{case}: {e}", file=sys.stderr, flush=True)
                continue
            write(o.out, json.dumps(document, indent=1) + "\n")
            r = document["cases"][case]["result"]
            times = ", ".join(f"{n} {1e3 * r[n]['median_s']:.1f} ms" for n in document["cases"][case]["programs"])
            print(f"{case}: {times} ({time.monotonic() - begin:.0f} s)", flush=True)
        if failed:
            print(f"compare.py: {len(failed)} of {len(cases)} cases failed", file=sys.stderr)
    text = table(document, o.statistic)
    print(text)
    if o.markdown:
        write(o.markdown, text)
    return 1 if not o.table and failed else 0


if __name__ == "__main__":
    try:
        sys.exit(run(parse(sys.argv[1:])))
    except Failure as e:
        print(f"compare.py: {e}", file=sys.stderr)
        sys.exit(1)
