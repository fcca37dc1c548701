#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Table (Markdown, on standard output) and plot (SVG) of what `cycles` measured.

    python3 benchmarks/cycles_plot.py cycles.json --plot docs/cycles.svg
"""
import argparse
import json
import math
import sys
from pathlib import Path

from svg import INK, OTHERS, SOFT, Drawing

REFERENCE = "#98a2ad"
PANELS = {  # each with the first configuration for comparison
    "supervision steps": lambda c, base: c["supervision_steps"] != base["supervision_steps"],
    "cycles": lambda c, base: c["architecture"] == "trm" and c["layers"] == base["layers"] and
    (c["h_cycles"], c["l_cycles"]) != (base["h_cycles"], base["l_cycles"]),
    "layers and width": lambda c, base: c["architecture"] == "trm" and
    (c["layers"], c["width"]) != (base["layers"], base["width"]),
    "architecture": lambda c, base: c["architecture"] != base["architecture"],
}


def spread(values, unit=1.0, digits=1):
    """'61.2' of one value; '61.2 (58.0-64.4)' of several: mean, least and greatest."""
    mean = f"{unit * sum(values) / len(values):.{digits}f}"
    if len(values) == 1:
        return mean
    return f"{mean} ({unit * min(values):.{digits}f}-{unit * max(values):.{digits}f})"


def mean_points(configuration):
    """[(FLOPs, exact accuracy in percent)], the mean over the seeds."""
    runs = [run["points"] for run in configuration["runs"]]
    return [(points[0]["flops"], 100 * sum(p["exact"] for p in points) / len(points)) for points in zip(*runs)]


def table(content):
    rows = ["| | H, L | layers | width | steps | parameters | training step, GFLOP | answer, MFLOP | training, MiB | answer, KiB | "
            "ms a step | of peak | exact at 1/8, 1/4, 1/2, all of the budget, % | cells, % |",
            "|" + " --- |" * 14]
    for c in content["configurations"]:
        exact = [spread([run["points"][i]["exact"] for run in c["runs"]], 100) for i in range(len(c["runs"][0]["points"]))]
        cells = spread([run["points"][-1]["cells"] for run in c["runs"]], 100)
        rows.append(f"| {c['name']} | {c['h_cycles']}, {c['l_cycles']} | {c['layers']} | {c['width']} | {c['supervision_steps']} | "
                    f"{c['parameters']:,} | {c['step_flops'] / 1e9:.2f} | {c['answer_flops'] / 1e6:.0f} | "
                    f"{c['training_bytes'] / 2**20:.1f} | {c['answer_bytes'] / 2**10:.0f} | {1e3 * c['step_seconds']:.1f} | "
                    f"{100 * c['share_of_peak']:.0f} % | {', '.join(exact[:-1])}, **{exact[-1]}** | {cells} |")
    return "\n".join(rows)


def apart(ends, gap, bottom):
    """Places of labels, [y, ...] lists in any order, at least `gap` apart and not below `bottom`."""
    ends.sort(key=lambda e: e[0])
    for a, b in zip(ends, ends[1:]):
        b[0] = max(b[0], a[0] + gap)
    limit = bottom
    for e in reversed(ends):
        e[0] = min(e[0], limit)
        limit = e[0] - gap


def panel(d, left, top, width, height, title, configurations, base):
    """Exact accuracy (0 to 100 %) against training FLOPs on a logarithmic axis."""
    xs = [x for x, _ in mean_points(base)]
    low, high = math.log(min(xs)), math.log(max(xs))
    x_of = lambda x: left + width * (math.log(x) - low) / (high - low or 1)
    y_of = lambda y: top + height * (1 - y / 100)
    d.text_at(left, top - 12, title, 13, INK, weight="600")
    for tick in range(0, 101, 25):
        d.line(left, y_of(tick), left + width, y_of(tick))
        d.text_at(left - 8, y_of(tick) + 4, f"{tick} %", 11, SOFT, "end")
    for x in xs:
        d.text_at(x_of(x), top + height + 18, f"{x / 1e12:.2g}", 11, SOFT, "middle")
    ends = []
    for i, c in enumerate([base] + configurations):
        colour = REFERENCE if i == 0 else OTHERS[(i - 1) % len(OTHERS)]
        places = [(x_of(x), y_of(y)) for x, y in mean_points(c)]
        d.path(places, colour, 2.0)
        for run in c["runs"] if len(c["runs"]) > 1 else []:
            for p in run["points"]:
                d.circle(x_of(p["flops"]), y_of(100 * p["exact"]), 2, colour)
        for place in places:
            d.circle(*place, 4, colour)
        ends.append([places[-1][1], c["name"], colour])
    apart(ends, 15, top + height)
    for y, name, colour in ends:
        d.text_at(left + width + 10, y + 4, name, 11, colour, weight="600")


def plot(content):
    base, *others = content["configurations"]
    panels = [(title, [c for c in others if belongs(c, base)]) for title, belongs in PANELS.items()]
    panels = [p for p in panels if p[1]] or [("", [])]
    left, width, height, gap_x, gap_y, head = 64, 260, 200, 230, 84, 88
    rows = (len(panels) + 1) // 2
    d = Drawing(2 * (width + gap_x), head + rows * (height + gap_y) - 10, "Accuracy against training compute")
    d.text_at(20, 30, f"Unseen puzzles solved against training compute, {content['task']}", 16, INK, weight="600")
    d.text_at(20, 50, f"TFLOP of training (logarithmic); each panel with {base['name']} in grey", 12, SOFT)
    for i, (title, configurations) in enumerate(panels):
        panel(d, left + i % 2 * (width + gap_x), head + i // 2 * (height + gap_y), width, height, title, configurations, base)
    return d


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="what `cycles` wrote, NAME.json")
    parser.add_argument("--plot", type=Path, help="SVG to write")
    options = parser.parse_args()
    content = json.loads(options.results.read_text(encoding="utf-8"))
    if not content.get("configurations"):
        sys.exit(f"cycles_plot.py: {options.results}: has no configuration: let cycles finish a run")
    if options.plot:
        options.plot.write_text(plot(content).text(), encoding="utf-8")
    print(table(content))


if __name__ == "__main__":
    main()
