#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tables and drawings of benchmark results, written into docs/benchmarks.md.

    benchmarks/report.py [--results build/benchmarks/results] [--document docs/benchmarks.md] [--figures docs/benchmarks]

Reads every *.json of the folder. A part of the document between `<!-- begin: x -->` and `<!-- end: x -->` is replaced where there are
results for it, and left alone otherwise. Needs nothing but Python 3.8.
"""
import argparse
import json
import re
import sys
from pathlib import Path

import cycles_plot
from svg import Drawing, bars, roofline

TYPES = {"float32": "float32", "bf16": "bf16", "int8": "int8"}


# ---- results -----------------------------------------------------------------------------------------------------------------

class Results:
    """All that was measured: Google Benchmark's entries by name, and the files of other forms."""

    def __init__(self, folder):
        self.entries, self.context, self.others = {}, {}, {}
        for path in sorted(Path(folder).glob("*.json")):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except ValueError as error:
                raise SystemExit(f"{path}: not JSON ({error}); run that benchmark again")
            if isinstance(content, dict) and isinstance(content.get("benchmarks"), list) and "context" in content:
                self.context.update(content["context"])
                for entry in content["benchmarks"]:
                    if entry.get("run_type", "iteration") == "iteration" and not entry.get("error_occurred"):
                        self.entries[plain_name(entry["name"])] = entry
            else:
                self.others[path.stem] = content

    def under(self, prefix):
        """Entries whose name begins with prefix/, by the rest of the name."""
        n = len(prefix) + 1
        return {name[n:]: e for name, e in self.entries.items() if name.startswith(prefix + "/")}


def plain_name(name):
    """A name without what Google Benchmark says of how it measured."""
    return re.sub(r"/(real_time|process_time|manual_time|iterations:\d+|repeats:\d+|min_time:[\d.]+)", "", name)


def split_name(name):
    """(operation, type, size, threads) of `matmul/store/float32/1x916x512/threads:1`."""
    parts = name.split("/")
    threads = int(parts.pop().split(":")[1]) if parts[-1].startswith("threads:") else 1
    at = next((i for i, part in enumerate(parts) if part in TYPES), len(parts))
    return "/".join(parts[:at]), parts[at] if at < len(parts) else "", "/".join(parts[at + 1:]), threads


# ---- words -------------------------------------------------------------------------------------------------------------------

def number(value):
    """Three digits: 0.0123, 1.23, 12.3, 123, 12,300."""
    if value == 0:
        return "0"
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 9.995 else f"{value:.1f}"


def duration(microseconds):
    """With its unit: 830 ns, 12.3 us, 4.56 ms, 1.2 s."""
    for limit, factor, unit in ((1, 1e3, "ns"), (1e3, 1, "us"), (1e6, 1e-3, "ms")):
        if microseconds < limit:
            return f"{number(microseconds * factor)} {unit}"
    return f"{number(microseconds * 1e-6)} s"


def rate(entry):
    if "GFLOP/s" in entry:
        return f"{number(entry['GFLOP/s'])} GFLOP/s"
    return f"{number(entry['GB/s'])} GB/s"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


# ---- sections: each gives Markdown, or None where nothing was measured ---------------------------------------------------------

def machine(results, _figures):
    c = results.context
    if not c:
        return None
    facts = [("processor", f"{c.get('processor', 'unknown')}, {c.get('processors', c.get('num_cpus'))} processors"),
             ("instruction sets", f"{c.get('instruction_sets', 'unknown')}; computed with `{c.get('level', 'unknown')}`"),
             ("caches", ", ".join(f"L{k['level']} {k['size'] >> 10} KiB" for k in c.get("caches", []) if k["type"] != "Instruction")),
             ("compiler", f"{c.get('compiler', 'unknown')} `{c.get('flags', '')}`"),
             ("trm", f"{c.get('trm_version', 'unknown')}, commit `{c.get('commit', 'unknown')[:12]}`"),
             ("date", str(c.get("date", "unknown"))[:10])]
    load = c.get("load_avg")
    if load:
        facts.append(("load at the beginning", " ".join(f"{x:.1f}" for x in load[:1])))
    return table(["", ""], facts)


CEILINGS = [("float32", "float32, multiply and add"), ("bf16_pairs", "bf16, `vdpbf16ps`"), ("bf16_tiles", "bf16, AMX tiles"),
            ("int8_lanes", "int8, `vpdpbusd`"), ("int8_tiles", "int8, AMX tiles")]


def ceilings(results, _figures):
    found = results.under("ceiling")
    if not found:
        return None
    rows = [[words, number(found[name]["GFLOP/s"]), ""] for name, words in CEILINGS if name in found]
    text = table(["arithmetic, one thread", "GFLOP/s (int8: GOP/s)", ""], rows).replace(" |  |", " |").replace(" | --- |\n", " |\n", 1)
    levels, threads = [], set()
    for name in found:
        match = re.fullmatch(r"(read|triad)/(\w+)/threads:(\d+)", name)
        if match:
            threads.add(int(match[3]))
            if match[2] not in levels:
                levels.append(match[2])
    head = ["bandwidth, GB/s"] + [f"{kind}, {n} thread{'s' if n > 1 else ''}" for kind in ("read", "triad") for n in sorted(threads)]
    rows = []
    for level in levels:
        cells = [found.get(f"{kind}/{level}/threads:{n}") for kind in ("read", "triad") for n in sorted(threads)]
        rows.append([level] + [number(cell["GB/s"]) if cell else "" for cell in cells])
    return text + "\n\n" + table(head, rows)


def operations(results, figures):
    found = {split_name(name): e for name, e in results.under("ops").items()}
    if not found:
        return None
    draw_roofline(results, found, figures)
    draw_shares(found, figures)
    rows = []
    for (name, kind, size, threads), e in found.items():
        what = f"`{name}`" + (f", {threads} threads" if threads > 1 else "")
        bound = "bytes" if e.get("memory_bound") else "FLOPs"
        rows.append([what, kind, size, duration(e["best_us"]), rate(e), f"{duration(e['floor_us'])}, {bound}", f"{e['share']:.0f} %"])
    head = ["operation", "type", "samples x rows x width", "time", "rate", "floor", "share"]
    return "\n\n".join([f"![Roofline]({figures.name}/roofline.svg)", f"![Shares of the floor]({figures.name}/ops.svg)",
                        "<details><summary>All operations</summary>\n\n" + table(head, rows) + "\n\n</details>"])


def draw_roofline(results, found, figures):
    peaks = results.under("ceiling")
    # The largest size, one thread.
    sizes = sorted({size for (_, _, size, n), e in found.items() if n == 1 and "FLOP/byte" in e},
                   key=lambda size: [int(x) for x in size.split("x")][1:])
    if not sizes or not peaks:
        return
    points = [(name, kind, e["FLOP/byte"], e["GFLOP/s"], e["share"])
              for (name, kind, size, n), e in found.items() if n == 1 and size == sizes[-1] and "FLOP/byte" in e]
    flat = [(words.replace("`", ""), peaks[name]["GFLOP/s"], name.split("_")[0])
            for name, words in CEILINGS if name in peaks and not name.startswith("int8")]
    slopes = [(level, peaks[f"read/{level}/threads:1"]["GB/s"]) for level in ("L1", "L2", "L3", "memory")
              if f"read/{level}/threads:1" in peaks]
    write(figures / "roofline.svg", roofline(f"Roofline, one thread, {sizes[-1].replace('x', ' x ')}", points, flat, slopes))


def draw_shares(found, figures):
    """One thread; of activations and of flat buffers the largest size each."""
    groups, largest = {}, {}
    for (name, kind, size, threads), e in found.items():
        if threads == 1:
            groups.setdefault((name, size), {})[kind] = (e["share"], duration(e["best_us"]))
            extents = [int(x) for x in size.split("x")]
            key = (-len(extents), extents[1:] or extents)
            largest[len(extents)] = max(largest.get(len(extents), (key, "")), (key, size))
    rows = []
    for _, size in sorted(largest.values()):
        rows.append((size.replace("x", " x ") if "x" in size else f"{int(size):,} numbers", None))
        rows += [(name, values) for (name, s), values in groups.items() if s == size]
    write(figures / "ops.svg", bars("Share of the floor that each operation reaches, one thread", rows, 100, "%"))


def layers(results, figures):
    found = {split_name(name): e for name, e in results.under("layers").items()}
    if not found:
        return None
    rows, drawn = [], []
    for (name, kind, size, _), e in found.items():
        layer, _, pass_ = name.rpartition("/")
        over = e["best_us"] / e["floor_us"] - 1
        rows.append([f"`{layer}`", pass_, kind, size, duration(e["best_us"]), rate(e), duration(e["floor_us"]), f"{100 * over:+.0f} %"])
        drawn.append((f"{layer.replace('_', ' ')}, {pass_}", {kind: (e["share"], duration(e["best_us"]))}))
    merged = {}
    for label, values in drawn:
        merged.setdefault(label, {}).update(values)
    write(figures / "layers.svg", bars("Layers: the products' floor as a share of the time", list(merged.items()), 100, "%"))
    head = ["layer", "", "type", "samples x rows x width", "time", "rate", "floor of its products", "overhead"]
    return f"![Layers]({figures.name}/layers.svg)\n\n" + table(head, rows)


def products(results, _figures):
    found = {split_name(name): e for name, e in results.under("products").items()}
    names = sorted({name.split("/")[0] for name, *_ in found}, key=lambda n: (n != "builtin", n))
    if not found:
        return None
    rows = []
    for (name, kind, size, threads) in found:
        provider, _, what = name.partition("/")
        if provider != names[0] or threads > 1 or what == "prepare":
            continue
        cells = [found.get((f"{p}/{what}", kind, size, threads)) for p in names]
        rows.append([what, kind, size] + [f"{number(e['GFLOP/s'])}, {e['share']:.0f} %" if e else "" for e in cells])
    return table(["", "type", "m x n x k"] + [f"{n}: GFLOP/s, share" for n in names], rows)


def data(results, _figures):
    rows = []
    for name, e in results.under("data").items():
        if "items_per_second" in e:
            rows.append([f"`{name}`", f"{number(e['items_per_second'])} {e.get('label', '')}".strip(),
                         f"{e['share']:.0f} %" if "share" in e else ""])
        elif "bytes_per_second" in e:
            rows.append([f"`{name}`", f"{number(1e-6 * e['bytes_per_second'])} MB", ""])
        else:
            unit = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6}[e.get("time_unit", "ns")]
            rows.append([f"`{name}`", f"{duration(e['cpu_time'] * unit)} each", ""])
    return table(["", "a second", "share of the floor"], rows) if rows else None


def programs(results, _figures):
    rows = [[f"`{name}`", f"{e['real_time']:.2f} s", f"{e['cpu_time']:.2f} s", f"{number(e['items_per_second'])} {e.get('label', '')}",
             str(e.get("threads", ""))] for name, e in results.under("programs").items()]
    return table(["", "wall", "processors", "a second", "threads"], rows) if rows else None


def step(results, figures):
    """Of compare.py."""
    found = next((r for r in results.others.values() if isinstance(r, dict) and r.get("format") == "trm-compare-1"), None)
    if not found or not found["cases"]:
        return None
    programs_seen = list(dict.fromkeys(p for case in found["cases"].values() for p in case["programs"]))
    words = {name: name.replace("pytorch_", "PyTorch ") for name in programs_seen}
    rows, shares, ratios = [], [], []
    for name, case in found["cases"].items():
        result, label = case["result"], name.replace("_", " ").replace("/", ", ")
        cells = [f"{duration(1e6 * result[p]['median_s'])}, {100 * result[p]['median_share']:.0f} %" if p in result else ""
                 for p in programs_seen]
        ratio = result.get("median_ratio")
        memory = case["programs"]["trm"].get("peak_bytes")
        rows.append([label, number(case["gflop"])] + cells + [f"{ratio:.2f}" if ratio else "", f"{memory / 2**20:.0f} MiB" if memory else "",
                                                              f"{result['memory_ratio']:.2f}" if result.get("memory_ratio") else ""])
        shares.append((label, {words[p]: (100 * result[p]["median_share"], duration(1e6 * result[p]["median_s"]))
                               for p in programs_seen if p in result}))
        if ratio:
            ratios.append((label, {"times as fast as PyTorch": (ratio, "")}))
    write(figures / "step.svg", bars(f"Share of the arithmetic peak, {found['threads']} threads", shares, 100, "%"))
    head = ["work, model, type, batch", "GFLOP"] + [f"{words[p]}: time, share" for p in programs_seen]
    head += ["PyTorch / trm", "memory", "of PyTorch's"]
    text = f"![Share of the arithmetic peak]({figures.name}/step.svg)\n\n"
    if ratios:
        write(figures / "ratio.svg", bars("How many times as fast as the fastest PyTorch", ratios))
        text += f"![Speed beside PyTorch]({figures.name}/ratio.svg)\n\n"
    return text + table(head, rows)


def cycles(results, figures):
    """Of the program cycles: models that learn with equal FLOPs."""
    found = next((r for r in results.others.values() if isinstance(r, dict) and r.get("benchmark") == "cycles"), None)
    if not found or not found["configurations"]:
        return None
    write(figures / "cycles.svg", cycles_plot.plot(found))
    return (f"{number(1e-12 * found['budget_flops'])} TFLOP of training for each, batches of {found['batch']}; {found['test_puzzles']} unseen "
            f"puzzles, of which naked singles solve {100 * found['naked_singles']:.0f} %; {found['date']}, {found['processor']}, "
            f"{found['threads']} thread(s).\n\n![Puzzles solved against training compute]({figures.name}/cycles.svg)\n\n{cycles_plot.table(found)}")


SECTIONS = {"machine": machine, "ceilings": ceilings, "ops": operations, "layers": layers, "products": products, "data": data,
            "programs": programs, "step": step, "cycles": cycles}


# ---- the document ------------------------------------------------------------------------------------------------------------

def write(path, drawing):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(drawing.text() if isinstance(drawing, Drawing) else drawing, encoding="utf-8")


def fill(document, sections):
    """The document with the parts between markers replaced. Throws ValueError for a begin without its end."""
    for name, text in sections.items():
        begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
        if begin not in document:
            continue
        head, _, rest = document.partition(begin)
        if end not in rest:
            raise ValueError(f"`{begin}` has no `{end}`")
        document = head + begin + "\n" + text.strip() + "\n" + end + rest.partition(end)[2]
    return document


def main(arguments):
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=root / "build/benchmarks/results", help="folder with *.json")
    parser.add_argument("--document", type=Path, default=root / "docs/benchmarks.md", help="whose marked parts are written")
    parser.add_argument("--figures", type=Path, default=root / "docs/benchmarks", help="folder for the drawings")
    options = parser.parse_args(arguments)
    if not any(options.results.glob("*.json")):
        raise SystemExit(f"{options.results}: no results; run benchmarks/run.sh first")
    results = Results(options.results)
    sections = {}
    for name, section in SECTIONS.items():
        text = section(results, options.figures)
        if text is None:
            print(f"{name}: no results, left as it is", file=sys.stderr)
        else:
            sections[name] = text
    try:
        filled = fill(options.document.read_text(encoding="utf-8"), sections)
    except ValueError as error:
        raise SystemExit(f"{options.document}: {error}")
    options.document.write_text(filled, encoding="utf-8")
    print(f"{options.document}: {', '.join(sections)}")


if __name__ == "__main__":
    main(sys.argv[1:])
