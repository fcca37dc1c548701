#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws recursion.svg, supervision.svg and sinks.svg beside this file. (memory_plan.svg is printed by examples/plan_drawing.cpp.)"""
import pathlib

STYLE = """text{fill:#1b2430}.n{fill:#57606a;font-size:12px}.c{text-anchor:middle}.e{text-anchor:end}.bold{font-weight:bold}
.bg{fill:#fff}.grad{fill:#fdf1e3}.low{fill:#1d63a8}.high{fill:#7a4fb5}.on{fill:#fff;font-weight:bold;text-anchor:middle}
.line{stroke:#57606a;stroke-width:1.4;fill:none}.state{stroke-width:2.4;fill:none}.sl{stroke:#1d63a8}.sh{stroke:#7a4fb5}
.box{fill:#f2f4f7;stroke:#9aa4b0}.hot{fill:#fdf1e3;stroke:#c2691c}.dash{stroke-dasharray:5 4}
@media (prefers-color-scheme:dark){text{fill:#e8edf3}.n{fill:#9aa4b0}.bg{fill:#14181d}.grad{fill:#33271a}.low{fill:#2f78c4}.high{fill:#8d63cc}
.on{fill:#fff}.line{stroke:#9aa4b0}.sl{stroke:#5b9bd8}.sh{stroke:#a98be0}.box{fill:#20262d;stroke:#5b6572}.hot{fill:#33271a;stroke:#e08e45}}"""
ARROW = ('<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
         '<path d="M0 0L8 4L0 8z" fill="#57606a"/></marker>')


def svg(name, height, label, parts):
    text = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {height}" width="800" height="{height}" role="img" '
            f'aria-label="{label}" font-family="sans-serif" font-size="14">\n<!-- Drawn by docs/images/draw.py -->\n<style>{STYLE}</style>\n'
            f'<defs>{ARROW}</defs>\n<rect class="bg" width="800" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n")
    (pathlib.Path(__file__).parent / name).write_text(text)


def text(x, y, words, kind=""):
    return f'<text class="{kind}" x="{x}" y="{y}">{words}</text>'


def line(points, kind="line", arrow=True):
    end = ' marker-end="url(#a)"' if arrow else ""
    return f'<path class="{kind}" d="M{points}"{end}/>'


def box(x, y, width, height, words, kind="box", note=""):
    middle = x + width / 2
    lines = [text(middle, y + height / 2 + (-3 if note else 5), words, "c")]
    if note:
        lines.append(text(middle, y + height / 2 + 14, note, "n c"))
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>' + "".join(lines)


def recursion():
    """H 3, L 2: nine applications of one network, the gradient through the last cycle."""
    h_cycles, l_cycles, x0, pitch, low, high, token = 3, 2, 112, 68, 96, 166, 236
    parts = []
    begin = x0 + (h_cycles - 1) * (l_cycles + 1) * pitch - pitch // 2
    parts.append(f'<rect class="grad" x="{begin}" y="40" width="{(l_cycles + 1) * pitch}" height="216" rx="6"/>')
    parts.append(text((x0 - 34 + begin) / 2, 30, "no gradient: nothing is kept", "c n"))
    parts.append(text(begin + (l_cycles + 1) * pitch / 2, 30, "the last cycle: gradient", "c n"))
    end = x0 + h_cycles * (l_cycles + 1) * pitch - pitch // 2
    for y, kind, label in ((low, "state sl", "z_L"), (high, "state sh", "z_H")):
        parts.append(line(f"{x0 - 34} {y}H{end + 30}", kind, arrow=False))
        parts.append(text(x0 - 46, y + 5, label, "e bold"))
    parts.append(line(f"{x0 - 34} {token}H{x0 + (h_cycles - 1) * (l_cycles + 1) * pitch + (l_cycles - 1) * pitch}", arrow=False))
    parts.append(text(x0 - 46, token + 5, "x", "e bold"))
    for cycle in range(h_cycles):
        for i in range(l_cycles + 1):
            x = x0 + (cycle * (l_cycles + 1) + i) * pitch
            if i < l_cycles:
                parts.append(line(f"{x - 6} {token}V{low + 16}"))
                parts.append(line(f"{x + 6} {high}V{low + 16}"))
                parts.append(f'<circle class="low" cx="{x}" cy="{low}" r="14"/>' + text(x, low + 5, "f", "on"))
            else:
                parts.append(line(f"{x} {low}V{high - 16}"))
                parts.append(f'<circle class="high" cx="{x}" cy="{high}" r="14"/>' + text(x, high + 5, "f", "on"))
        left, right = x0 + cycle * (l_cycles + 1) * pitch - 22, x0 + (cycle * (l_cycles + 1) + l_cycles) * pitch + 22
        parts.append(line(f"{left} 60v-6H{right}v6", arrow=False))
        parts.append(text((left + right) / 2, 70, f"cycle {cycle + 1}", "n c"))
    parts.append(text(end + 36, low + 5, "carry"))
    parts.append(text(end + 36, high + 5, "carry,"))
    parts.append(text(end + 36, high + 22, "heads"))
    parts.append(text(x0 - 34, 286, "z_L = f(z_L + z_H + x)  L times, then  z_H = f(z_H + z_L):  one network f, applied H (L + 1) times"))
    svg("recursion.svg", 304, "The recursion of a supervision step", parts)


def supervision():
    """Deep supervision: steps, the carry between them, halting, an update after each."""
    parts, top = [], 78
    for i, x in enumerate((140, 332, 524)):
        parts.append(box(x, top, 110, 52, f"step {'123'[i]}", "box", "H cycles"))
        parts.append(line(f"{x + 55} {top + 52}v36"))
        parts.append(box(x - 22, top + 90, 154, 52, "logits, q_halt", "hot", "loss, gradient, update"))
        parts.append(text(x + 55, top - 14, "x", "c bold"))
        parts.append(line(f"{x + 55} {top - 8}v6"))
        if i < 2:
            parts.append(line(f"{x + 110} {top + 26}h80"))
            parts.append(text(x + 150, top + 18, "z_L, z_H", "c n"))
            parts.append(text(x + 150, top + 43, "no gradient", "c n"))
    parts.append(text(56, top + 22, "z_init", "c bold"))
    parts.append(text(56, top + 40, "a new example", "c n"))
    parts.append(line(f"106 {top + 26}h32"))
    parts.append(line(f"634 {top + 26}h44"))
    parts.append(text(686, top + 22, "halted:"))
    parts.append(text(686, top + 40, "the next one"))
    parts.append(text(8, 24, "One sample: at most max_steps supervision steps, with an update of the weights after each", "bold"))
    parts.append(text(8, 250, "The samples of a batch are at different steps: one that halts takes the next example, the others go on."))
    colours = {"a": "low", "b": "high", "c": "box"}
    for row, steps in enumerate(("aaabbbbbcc", "abbccccccc", "aaaaaabbbc")):
        y = 266 + 26 * row
        parts.append(text(20, y + 15, f"sample {row}", "n"))
        for column, example in enumerate(steps):
            x = 90 + 60 * column
            first = column == 0 or steps[column - 1] != example
            parts.append(f'<rect class="{colours[example]}" x="{x}" y="{y}" width="56" height="20" rx="3"/>')
            number = column - steps.index(example) + 1
            parts.append(text(x + 28, y + 15, f"{number}", "c n" if example == "c" else "on"))
            if first and column:
                parts.append(line(f"{x - 2} {y - 2}v24", arrow=False))
    parts.append(text(90, 358, "updates of the weights", "n"))
    parts.append(line("236 354h450"))
    svg("supervision.svg", 370, "Deep supervision, the carry and halting", parts)


def sinks():
    """post_norm around the last swiglu of a network: what happens to a block of rows of its last product."""
    parts = [text(8, 24, "A layer hands rows to a sink instead of storing them", "bold")]
    parts.append(box(8, 44, 120, 48, "swiglu", "box", "gate and up"))
    parts.append(line("128 68h40"))
    parts.append(box(172, 44, 128, 48, "down product", "box", "a block of rows"))
    parts.append(line("300 68h40"))
    parts.append('<rect class="hot dash" x="344" y="36" width="448" height="64" rx="6"/>')
    for x, words, note in ((356, "h = x + v", "residual"), (466, "h / rms(h)", "norm"), (576, "z_L", "stored"), (686, "+ z_H + x", "next input")):
        parts.append(box(x, 44, 96, 48, words, "box", note))
        if x < 686:
            parts.append(line(f"{x + 96} 68h12"))
    parts.append(text(344, 120, "the sink, applied while the rows are in the cache", "n"))
    svg("sinks.svg", 134, "A chain of sinks behind the last product of a network", parts)


recursion()
supervision()
sinks()
