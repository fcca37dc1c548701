# SPDX-License-Identifier: MIT
"""Drawings of measurements as SVG: bars, lines and a roofline. White ground, so that they are read on any page."""
import math
from html import escape

INK, SOFT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
COLOURS = {"float32": "#2f6fb0", "bf16": "#d9822b", "int8": "#3f9c6b"}
OTHERS = ["#2f6fb0", "#d9822b", "#3f9c6b", "#8e5ea2", "#b23a48", "#5c6b73"]
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Helvetica, Arial, sans-serif"


class Drawing:
    """Shapes in the order in which they are drawn."""

    def __init__(self, width, height, title):
        self.width, self.height, self.title, self.parts = width, height, title, []

    def text_at(self, x, y, words, size=12, colour=INK, anchor="start", weight="normal", turn=0):
        turned = f' transform="rotate({turn:.1f} {x:.1f} {y:.1f})"' if turn else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}" '
                          f'font-weight="{weight}"{turned}>{escape(words)}</text>')

    def line(self, x1, y1, x2, y2, colour=GRID, width=1.0, dashes=""):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                          f'stroke-width="{width}" stroke-linecap="round"{dashed}/>')

    def rectangle(self, x, y, width, height, colour, radius=2.0):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}" rx="{radius}" fill="{colour}"/>')

    def circle(self, x, y, radius, colour, words=""):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" stroke="#ffffff" stroke-width="1.5"/>')
        if words:
            self.text_at(x, y + 3.5, words, 10, "#ffffff", "middle", "bold")

    def path(self, points, colour, width=2.0):
        steps = " ".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
        self.parts.append(f'<path d="{steps}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"/>')

    def text(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
                f'height="{self.height}" font-family="{FONT}" role="img">\n<title>{escape(self.title)}</title>\n'
                f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def width_of(words, size=12):
    """About how wide the words are."""
    return 0.56 * size * len(words)


def nice_steps(top, count=5):
    """Round numbers from 0 to at least `top`, about `count` of them."""
    raw = top / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= raw)
    return [step * i for i in range(math.ceil(top / step - 1e-9) + 1)]


def short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:g}" if value == int(value) else f"{value:.3g}"


def legend(d, x, y, names, colour_of):
    for name in names:
        d.rectangle(x, y - 9, 10, 10, colour_of(name))
        d.text_at(x + 15, y, name, 12, SOFT)
        x += 35 + width_of(name)


def bars(title, rows, top=None, unit="", colours=None):
    """Horizontal bars. rows: (label, {series: (value, words)}), or (heading, None)."""
    colours = colours or COLOURS
    series = list(dict.fromkeys(name for _, values in rows if values for name in values))
    colour_of = lambda name: colours.get(name, OTHERS[series.index(name) % len(OTHERS)])
    left = 24 + max([width_of(label) for label, values in rows if values] or [0])
    thickness, gap, width, head = 13, 9, 880, 78
    heights = [26 if values is None else len(values) * (thickness + 2) + gap for _, values in rows]
    height = head + sum(heights) + 34
    d = Drawing(width, height, title)
    largest = max([v for _, values in rows if values for v, _ in values.values()] or [1])
    ticks = nice_steps(max(top or 0, largest))
    right = width - 90
    x_of = lambda v: left + (right - left) * v / ticks[-1]
    d.text_at(20, 30, title, 16, INK, weight="600")
    if len(series) > 1 or series[0] in colours:
        legend(d, 20, 54, series, colour_of)
    for tick in ticks:
        strong = top is not None and abs(tick - top) < 1e-9
        d.line(x_of(tick), head - 8, x_of(tick), height - 28, "#9aa5b1" if strong else GRID, 1.2 if strong else 1)
        d.text_at(x_of(tick), height - 12, short(tick) + (f" {unit}" if unit else ""), 11, SOFT, "middle")
    y = head
    for (label, values), h in zip(rows, heights):
        if values is None:
            d.text_at(20, y + 17, label, 12.5, INK, weight="600")
        else:
            d.text_at(left - 8, y + (h - gap) / 2 + 4, label, 12, INK, "end")
            for i, (name, (value, words)) in enumerate(values.items()):
                top_of_bar = y + i * (thickness + 2)
                d.rectangle(left, top_of_bar, x_of(value) - left, thickness, colour_of(name))
                shown = f"{short(round(value, 1) if value < 10 else round(value))}{' ' + unit if unit else ''}"
                d.text_at(x_of(value) + 6, top_of_bar + thickness - 2.5, shown + (f"  ({words})" if words else ""), 11, SOFT)
        y += h
    return d


def lines(title, series, x_title, y_title, log_x=False, y_unit=""):
    """Lines with points. series: {name: [(x, y), ...]}."""
    width, height, left, right, head, foot = 880, 440, 78, 210, 64, 52
    d = Drawing(width, height, title)
    xs = [x for points in series.values() for x, _ in points]
    ticks = nice_steps(max(y for points in series.values() for _, y in points))
    to = (lambda v: math.log(v)) if log_x else (lambda v: v)
    low, high = to(min(xs)), to(max(xs))
    x_of = lambda x: left + (width - left - right) * ((to(x) - low) / (high - low) if high > low else 0.5)
    y_of = lambda y: height - foot - (height - foot - head) * y / ticks[-1]
    d.text_at(20, 30, title, 16, INK, weight="600")
    d.text_at(20, 50, y_title, 12, SOFT)
    for tick in ticks:
        d.line(left, y_of(tick), width - right, y_of(tick))
        d.text_at(left - 8, y_of(tick) + 4, short(tick) + y_unit, 11, SOFT, "end")
    for x in sorted(set(xs)):
        d.text_at(x_of(x), height - foot + 20, short(x), 11, SOFT, "middle")
    d.text_at((left + width - right) / 2, height - 10, x_title, 12, SOFT, "middle")
    ends = []
    for i, (name, points) in enumerate(series.items()):
        colour = COLOURS.get(name, OTHERS[i % len(OTHERS)])
        places = [(x_of(x), y_of(y)) for x, y in sorted(points)]
        d.path(places, colour)
        for place in places:
            d.circle(*place, 4, colour)
        ends.append([places[-1][1], name, colour])
    ends.sort()
    for a, b in zip(ends, ends[1:]):
        b[0] = max(b[0], a[0] + 16)
    for y, name, colour in ends:
        d.text_at(width - right + 12, y + 4, name, 12, colour, weight="600")
    return d


def apart(places, distance):
    """The places, moved until no two are nearer than `distance`."""
    moved = [[x + 0.1 * i, y] for i, (x, y) in enumerate(places)]  # equal places would never part
    for _ in range(200):
        for i, a in enumerate(moved):
            for b in moved[:i]:
                x, y = a[0] - b[0], a[1] - b[1]
                near = math.hypot(x, y)
                if near < distance:
                    step = (distance - near) / 2 / near
                    a[0], a[1], b[0], b[1] = a[0] + x * step, a[1] + y * step, b[0] - x * step, b[1] - y * step
    return moved


def roofline(title, points, peaks, slopes):
    """points: (name, type, FLOP/byte, GFLOP/s, share); peaks: (words, GFLOP/s, type); slopes: (level, GB/s)."""
    width, height, left, right, head, foot = 940, 560, 70, 300, 64, 50
    d = Drawing(width, height, title)
    x_low, x_high = 2.0 ** -3, 2.0 ** math.ceil(math.log2(max(p[2] for p in points) * 2))
    y_high = 10 ** (math.log10(max(g for _, g, _ in peaks)) + 0.25)
    y_low = 10 ** math.floor(math.log10(min(p[3] for p in points) / 4))
    span_x, span_y = math.log(x_high / x_low), math.log(y_high / y_low)
    x_of = lambda x: left + (width - left - right) * math.log(x / x_low) / span_x
    y_of = lambda y: height - foot - (height - foot - head) * math.log(y / y_low) / span_y
    d.text_at(20, 30, title, 16, INK, weight="600")
    d.text_at(20, 50, "GFLOP/s", 12, SOFT)
    for power in range(int(math.log10(y_low)), int(math.log10(y_high)) + 1):
        d.line(left, y_of(10 ** power), width - right, y_of(10 ** power))
        d.text_at(left - 8, y_of(10 ** power) + 4, f"{10 ** power:,}" if power >= 0 else f"{10 ** power:g}", 11, SOFT, "end")
    for power in range(-3, int(math.log2(x_high)) + 1):
        d.line(x_of(2.0 ** power), head, x_of(2.0 ** power), height - foot)
        if power % 2 == 1 or power == 0:
            d.text_at(x_of(2.0 ** power), height - foot + 18, f"{2 ** power}" if power >= 0 else f"1/{2 ** -power}", 11, SOFT, "middle")
    d.text_at((left + width - right) / 2, height - 10, "FLOP per byte of operands", 12, SOFT, "middle")
    highest = max(g for _, g, _ in peaks)
    steepness = -math.degrees(math.atan2((height - foot - head) / span_y, (width - left - right) / span_x))
    for level, speed in slopes:
        start = max(x_low, y_low / speed)
        end = min(x_high, highest / speed)
        d.line(x_of(start), y_of(start * speed), x_of(end), y_of(end * speed), "#7b8794", 1.3)
        x = start * 1.25
        d.text_at(x_of(x) - 4, y_of(x * speed) - 5, f"{level} {short(round(speed))} GB/s", 11, SOFT, turn=steepness)
    for words, speed, kind in peaks:
        fastest = max(s for _, s in slopes)
        d.line(x_of(max(x_low, speed / fastest)), y_of(speed), x_of(x_high), y_of(speed), COLOURS.get(kind, INK), 1.8)
        after = slopes[min(1, len(slopes) - 1)][1]  # between the slopes of the second cache and the third
        d.text_at(x_of(max(x_low, speed / after)) + 10, y_of(speed) - 5, f"{words}: {short(round(speed))}", 11, COLOURS.get(kind, INK))
    names = list(dict.fromkeys(p[0] for p in points))
    places = [(x_of(p[2]), y_of(p[3])) for p in points]
    for (name, kind, *_), place, at in zip(points, places, apart(places, 17)):
        d.line(*place, *at, COLOURS[kind])
        d.circle(*place, 3, COLOURS[kind])
        d.circle(*at, 8, COLOURS[kind], str(names.index(name) + 1))
    x, y = width - right + 16, head + 8
    kinds = list(dict.fromkeys(p[1] for p in points))
    d.text_at(x, y, "share of the floor", 12, SOFT)
    for i, kind in enumerate(kinds):
        d.text_at(width - 16 - (len(kinds) - 1 - i) * 52, y, kind, 12, COLOURS[kind], "end", "600")
    for i, name in enumerate(names):
        y += 24
        d.circle(x + 8, y - 4, 8, "#52606d", str(i + 1))
        d.text_at(x + 22, y, name.replace("matmul_", "").replace("/bidirectional", "").replace("_", " ").replace("/", ", "), 11.5, INK)
        for kind_index, kind in enumerate(kinds):
            share = next((p[4] for p in points if p[0] == name and p[1] == kind), None)
            if share is not None:
                d.text_at(width - 16 - (len(kinds) - 1 - kind_index) * 52, y, f"{share:.0f} %", 11.5, COLOURS[kind], "end")
    return d
