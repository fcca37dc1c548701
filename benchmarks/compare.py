#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times training steps and solving here and in PyTorch, side by side.

For each case the program `step` and the script pytorch_step.py are started as servers and asked for one round each in turn
(ours, PyTorch, ours, PyTorch, ...), on the same processors, with the same number of threads. What the processor can do is measured
in between. Standard library only; pytorch_step.py runs under the Python given by --python.

    compare.py --step build/benchmarks/step --python /path/with/torch/bin/python --out compare.json --markdown compare.md

What is in --out already is not measured again (--again does), so a run may be interrupted and continued, or done in pieces with
--cases. The order is that of importance: first the smaller cases beside eager PyTorch, then those beside compiled PyTorch, then the
large batches; nothing is begun that may not end within --minutes, and what was left is named.

Times are compared only where both compute the same: before the first case of a model two training steps of it in float32 must agree
(logits, losses, gradients; see pytorch_step.py --check). A model for which they do not has no ratios. --check does only this.

The file --out:
  {"format": "trm-compare-1",
   "machine":  {"cpu": name, "cores": n, "memory_bytes": n, "system": text, "features": [of amx_bf16, avx512_bf16, ...]},
   "threads":  n,
   "clock":    "wall" or "cpu": what `result` counts,
   "checked":  {model: {"same": true or false, "date": ...}},
   "cases": {"train/sudoku_attention/float32/8": {          # what/model/type/batch
       "date": "2026-11-21 17:00 UTC", "load": [1, 5, 15 minutes, at the begin of the case],
       "gflop": GFLOP of a round (products and attention; backward = twice the forward of the cycle with gradient),
       "peak": {"float32": [GFLOP/s of all threads, one number a round], "bf16_vdpbf16ps": [...], "bf16_amx": [...]},  # 0: not there
       "programs": {                                        # trm, pytorch_eager, pytorch_compiled, ...
         "trm": {"wall_s": [one number a round], "cpu_s": [...], "peak_bytes": n, "plan_bytes": n,
                 "about": {"version": ..., "compiler": ..., "isa": ...}},
         "pytorch_eager": {"wall_s": [...], "cpu_s": [...], "peak_bytes": n, "about": {"version": ..., ...}}},
       "left_out": {program: why it has no times},
       "result": {                                          # drawn from the above; "median" of the rounds and "best"
         "peak": {"median": GFLOP/s of the best instruction for the type, "best": ...},
         "trm": {"median_s": s, "best_s": s, "median_share": share of the peak, "best_share": ...},     # of each program
         "shares": {"bf16_amx": share of trm by the median, ...},                                        # of each peak of the type
         "pytorch": name of the fastest PyTorch program (by median),
         "median_ratio": time of the fastest PyTorch program / ours, "best_ratio": ...,                  # if "same" above
         "memory_ratio": our peak_bytes / that of the most frugal PyTorch program, or null}}}}
"""
import argparse
import datetime
import fnmatch
import json
import os
import pathlib
import platform
import select
import statistics
import subprocess
import sys
import tempfile
import time

FORMAT = "trm-compare-1"
HERE = pathlib.Path(__file__).resolve().parent


def cases_of(*works):
    return [f"{work}/{kind}/{batch}" for work, batch in works for kind in ("float32", "bf16")]


# what/model/type/batch, by importance
CORE = cases_of(("train/sudoku_attention", 8), ("train/sudoku_mixer", 8), ("solve/sudoku_attention", 1), ("train/small_32", 64),
                ("train/small_17", 64), ("train/arc", 1))
LARGE = cases_of(("train/sudoku_attention", 32), ("train/sudoku_mixer", 32), ("train/arc", 4))
CASES = CORE + LARGE
QUICK = [c for c in CORE if "small" in c or "/bf16/" in c and "/arc/" not in c]
# Cases, whether beside compiled PyTorch too, and which share of --minutes may be over when it begins.
PHASES = [(CORE, False, 1.0), (CORE, True, 0.6), (LARGE, False, 1.0), (LARGE, True, 1.0)]
PEAKS = {"float32": ["float32"], "bf16": ["bf16_amx", "bf16_vdpbf16ps"]}  # of each type
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

    def read(self, limit=None):
        if limit is not None and not select.select([self.process.stdout], [], [], limit)[0]:
            self.process.kill()
            self.close()
            raise Failure(f"{self.name} was not ready within {limit:.0f} s")
        line = self.process.stdout.readline()
        try:
            return json.loads(line)
        except json.JSONDecodeError:
            self.close()
            self.errors.seek(0)
            last = self.errors.read().strip().splitlines()[-1:]
            raise Failure(f"{self.name} gave no answer: " + (last or [line.strip() or "it ended"])[0]) from None

    def ask(self, what):
        try:
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended: read says why
        return self.read()

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(30)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def programs(case, o, variants):
    """Name -> command and environment of every program of a case."""
    threads = ["--threads", str(o.threads), "--serve"]
    common = {"OMP_NUM_THREADS": str(o.threads), "MKL_NUM_THREADS": str(o.threads)}
    # Memory that PyTorch has freed stays with the process, in large pages: otherwise every operation takes its pages anew.
    tuned = {"MALLOC_MMAP_THRESHOLD_": "17179869184", "MALLOC_TRIM_THRESHOLD_": "17179869184", "MALLOC_ARENA_MAX": "1",
             "THP_MEM_ALLOC_ENABLE": "1"}
    # A thread stays on its processor: GNU's OpenMP reads the first of these, Intel's the others.
    numbers = [str(n) for n in processors_of(o)]
    tuned.update(GOMP_CPU_AFFINITY=" ".join(numbers), KMP_AFFINITY=f"granularity=fine,proclist=[{','.join(numbers)}],explicit",
                 KMP_BLOCKTIME="1")
    found = {"trm": ([o.step, *options_of(case), *threads], common)}
    for variant in variants:
        found["pytorch_" + variant] = (
            [o.python, str(HERE / "pytorch_step.py"), *options_of(case), *VARIANTS[variant], *threads],
            common if variant == "published" else {**common, **tuned})
    return found


def processors_of(o):
    return sorted(os.sched_getaffinity(0))[:o.threads]


def measure(case, o, variants, same):
    processors = set(processors_of(o))
    entry = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
             "load": list(os.getloadavg()), "peak": {}, "programs": {}, "left_out": {}}
    servers = {}
    try:
        for name, (command, environment) in programs(case, o, variants).items():  # one after another: each warms up alone
            server = Server(name, command, processors, environment)
            try:
                about = server.read(o.compile_limit if name == "pytorch_compiled" else None)
            except Failure as e:
                if name == "trm":
                    raise
                entry["left_out"][name] = str(e)
                print(f"{case}: {e}, left out", file=sys.stderr, flush=True)
                continue
            servers[name] = server
            entry["programs"][name] = {"wall_s": [], "cpu_s": [], "about": about}
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
    entry["result"] = result_of(case, entry, o.clock, same)
    return entry


def result_of(case, entry, clock, same):
    own = PEAKS[case.split("/")[2]]
    # A processor without products of bf16 multiplies float32.
    kinds = [k for k in own if max(entry["peak"].get(k, [0])) > 0] or ["float32"]
    reductions = {"median": (statistics.median, statistics.median), "best": (min, max)}
    result = {"peak": {}}
    for how, (of_times, of_rates) in reductions.items():
        result["peak"][how] = max(of_rates(entry["peak"][k]) for k in kinds)
        for name, p in entry["programs"].items():
            seconds = of_times(p[clock + "_s"])
            result.setdefault(name, {}).update({
                f"{how}_s": seconds, f"{how}_share": entry["gflop"] / seconds / result["peak"][how]})
    speed = entry["gflop"] / result["trm"]["median_s"]
    result["shares"] = {k: speed / statistics.median(entry["peak"][k]) for k in kinds}
    others = [name for name in entry["programs"] if name != "trm"]
    if others and same:
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
             if any(n in e["programs"] or n in e["left_out"] for e in document["cases"].values())]
    kinds = {"float32": "float32", "bf16_amx": "AMX", "bf16_vdpbf16ps": "vdpbf16ps"}
    lines = ["| case | GFLOP | " + " | ".join(n.replace("pytorch_", "PyTorch ") + ", ms" for n in names)
             + " | time: PyTorch / trm | trm: share of the peak | PyTorch: share | memory: trm, MiB | trm / PyTorch |",
             "| --- |" + " --- |" * (len(names) + 6)]
    for case in [c for c in CASES if c in document["cases"]]:
        entry = document["cases"][case]
        result = entry["result"]
        cells = [f"{1e3 * result[n][how + '_s']:.1f}" if n in result else "left out" if n in entry["left_out"] else "" for n in names]
        ratio, memory = result.get(how + "_ratio"), result.get("memory_ratio")
        shares = ", ".join(f"{100 * share:.0f} % {kinds[k]}" for k, share in result["shares"].items())
        bytes_used = entry["programs"]["trm"].get("peak_bytes")
        lines.append(f"| {case} | {entry['gflop']:.1f} | " + " | ".join(cells) + " | " + (f"{ratio:.2f}" if ratio else "") + f" | {shares} | "
                     + (f"{100 * result[result['pytorch']][how + '_share']:.0f} %" if ratio else "") + " | "
                     + (f"{bytes_used / 2**20:.0f}" if bytes_used else "") + " | " + (f"{memory:.2f}" if memory else "") + " |")
    notes = [f"- {case}: {why}" for case, e in document["cases"].items() for why in e["left_out"].values()]
    notes += [f"- {model}: not the same work as PyTorch's, no ratios" for model, c in document.get("checked", {}).items() if not c["same"]]
    peaks = {k: [r for e in document["cases"].values() for r in e["peak"].get(k, [])] for k in kinds}
    notes += [f"- peak, {kinds[k]}: {statistics.median(rates):.0f} GFLOP/s, {document['threads']} threads (median of all rounds)"
              for k, rates in peaks.items() if rates]
    return "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n"


def check(o, model):
    """Do both compute the same? One small batch, in float32."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "record.safetensors")
        common = ["--model", model, "--batch", "2", "--threads", str(o.threads)]
        print(f"{model}: the same work?", flush=True)
        commands = [[o.step, *common, "--record", file], [o.python, str(HERE / "pytorch_step.py"), *common, "--check", file]]
        if subprocess.run(commands[0]).returncode != 0:
            raise Failure(f"{o.step} recorded nothing for {model}")
        same = subprocess.run(commands[1]).returncode == 0
    return {"same": same, "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")}


def parse(arguments):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--step", default="build/benchmarks/step", help="our program (%(default)s)")
    p.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    p.add_argument("--out", type=pathlib.Path, default=pathlib.Path("compare.json"), help="(%(default)s)")
    p.add_argument("--markdown", type=pathlib.Path, help="also writes the table there")
    p.add_argument("--cases", default="*", help="patterns separated by commas, as in 'train/arc/*,solve/*'")
    p.add_argument("--quick", action="store_true", help="only the cases that take a second or less, one to three rounds")
    p.add_argument("--variants", default="eager,compiled", help=f"of PyTorch, out of {','.join(VARIANTS)} (%(default)s)")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall",
                   help="cpu: for one thread on a machine where others compute too (%(default)s)")
    p.add_argument("--minutes", type=float, default=11, help="after which nothing more is begun (%(default)s)")
    p.add_argument("--compile-limit", type=float, default=120, help="seconds in which compiled PyTorch must be ready (%(default)s)")
    p.add_argument("--rounds", type=int, help="of a case, at most (15, quick 3)")
    p.add_argument("--least", type=int, help="rounds, at least (3, quick 1)")
    p.add_argument("--seconds", type=float, help="after which a case that has --least rounds ends (6, quick 2)")
    p.add_argument("--statistic", choices=["median", "best"], default="median", help="that the table shows")
    p.add_argument("--again", action="store_true", help="measures cases that --out has already")
    p.add_argument("--list", action="store_true", help="only names the cases")
    p.add_argument("--table", action="store_true", help="only draws the table of --out")
    p.add_argument("--check", action="store_true", help="compares results, not times")
    o = p.parse_args(arguments)
    for name, usual, quick in (("rounds", 15, 3), ("least", 3, 1), ("seconds", 6, 2)):
        if getattr(o, name) is None:
            setattr(o, name, quick if o.quick else usual)
    o.variants = [v for v in o.variants.split(",") if v]
    for v in o.variants:
        if v not in VARIANTS:
            p.error(f"--variants: {v} is none of {', '.join(VARIANTS)}")
    if not 1 <= o.threads <= len(os.sched_getaffinity(0)):
        p.error(f"--threads: between 1 and {len(os.sched_getaffinity(0))}, the processors of this process")
    if o.clock == "cpu" and o.threads != 1:
        p.error("--clock cpu: only with --threads 1, as threads that wait for others compute too")
    return o


class Run:
    """What is measured, in its order, until the time is over."""

    def __init__(self, o, cases, document):
        self.o, self.cases, self.document = o, cases, document
        self.begin, self.measured, self.failed, self.waiting = time.monotonic(), {}, [], []

    def save(self):
        write(self.o.out, json.dumps(self.document, indent=1) + "\n")

    def is_there(self, case, variants):
        entry = (self.measured if self.o.again else self.document["cases"]).get(case)
        return entry is not None and all(n in entry["programs"] or n in entry["left_out"] for n in ("pytorch_" + v for v in variants))

    def same_work(self, model):
        checked = self.document.setdefault("checked", {})
        if model not in checked:
            checked[model] = check(self.o, model)
            self.save()
        return checked[model]["same"]

    def all(self):
        for group, compiled, share in PHASES:
            variants = [v for v in self.o.variants if compiled or v != "compiled"]
            if compiled and "compiled" not in variants:
                continue
            seconds = 60 * self.o.minutes * share - (self.o.compile_limit if compiled else 0)
            for case in [c for c in group if c in self.cases and c not in self.failed and not self.is_there(c, variants)]:
                if time.monotonic() - self.begin > seconds:
                    self.waiting.append(case + (", compiled" if compiled else ""))
                else:
                    self.one(case, variants)

    def one(self, case, variants):
        begin = time.monotonic()
        try:
            same = bool(variants) and self.same_work(case.split("/")[1])
            entry = measure(case, self.o, variants, same)
        except Failure as e:
            self.failed.append(case)
            return print(f"{case}: {e}", file=sys.stderr, flush=True)
        self.document["cases"][case] = self.measured[case] = entry
        self.save()
        times = ", ".join(f"{n} {1e3 * entry['result'][n]['median_s']:.1f} ms" for n in entry["programs"])
        print(f"{case}: {times} ({time.monotonic() - begin:.0f} s)", flush=True)


def run(o):
    cases = [c for c in (QUICK if o.quick else CASES) if any(fnmatch.fnmatch(c, p) for p in o.cases.split(","))]
    if not cases:
        raise Failure(f"--cases {o.cases}: matches none; see --list")
    if o.list:
        return print("\n".join(cases))
    document = read(o.out) or {"format": FORMAT, "cases": {}}
    work = Run(o, cases, document)
    if not o.table:
        if not os.access(o.step, os.X_OK):
            raise Failure(f"{o.step}: no such program: build the benchmarks, and say where with --step")
        o.step = os.path.abspath(o.step)
        if document["cases"] and (document.get("threads"), document.get("clock")) != (o.threads, o.clock):
            raise Failure(f"{o.out}: was measured with {document.get('threads')} threads by the {document.get('clock')} clock: "
                          "give another --out")
        document.update(machine=machine(), threads=o.threads, clock=o.clock)
        if o.check:
            document.setdefault("checked", {}).update({m: check(o, m) for m in dict.fromkeys(c.split("/")[1] for c in cases)})
            work.save()
            return 0 if all(c["same"] for c in document["checked"].values()) else 1
        work.all()
    text = table(document, o.statistic)
    print(text)
    for case in work.waiting:
        print(f"compare.py: {case}: no time was left; the same command continues", file=sys.stderr)
    if work.failed:
        print(f"compare.py: {len(work.failed)} of {len(cases)} cases failed", file=sys.stderr)
    if o.markdown:
        write(o.markdown, text)
    return 1 if work.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(run(parse(sys.argv[1:])))
    except Failure as e:
        print(f"compare.py: {e}", file=sys.stderr)
        sys.exit(1)
